/* edge.c -- see edge.h.
 *
 * The event that a call will become is made before the call leaves and owns the branch's reference;
 * the call's end fills it in, on a poller thread, and moves it to the inbox.  So references are
 * counted on the loop's thread alone.
 *
 * What crosses threads besides: `acknowledged_lsn`, an atomic that only has to be nearly right (a mark
 * sent once too often is ignored there); and events that end after the inbox was closed, which wait
 * in `late` for edge_destroy(). */
#include "participant/edge.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/logger.h"
#include "base/memory.h"
#include "participant/describe.h"
#include "participant/wire.h"
#include "participant/words.h"

/* The largest honest reply is a page of Inspect. */
enum { RECEIVE_BYTES_MAX = 256 * 1024, ACTION_COUNT_MAX = 1024 };

/* A row is at most 1.4 KiB, most of it the result of its try: a page fits into the limit above. */
enum { INSPECT_PAGE_SIZE = 150, INSPECT_TIMEOUT_MS = 5000 };

struct edge_peer {
    const char *name;            /* the directory's */
    struct rpc_channel *channel; /* NULL: not configured, or stopped */
    /* The newest mark of this incarnation that a reply said to be stored there; 0: none. */
    _Atomic int64_t acknowledged_lsn;
};

struct edge {
    struct wire_identity identity;
    struct inbox *inbox;
    struct edge_peer *peers; /* by directory index */
    uint32_t peer_count;
    bool stopped;
    _Atomic(struct list_node *) late; /* of events, by next */
};

/* One call in flight; freed where it ends. */
struct edge_call {
    struct edge *edge;
    struct edge_peer *peer;
    struct event *event; /* owned; ANSWER or PROBED */
};

/* ---- Life -------------------------------------------------------------------------------------- */

static enum tercet_status open_channel(struct edge_peer *peer, struct rpc_runtime *runtime,
                                       const char *target, struct tercet_error *error_out)
{
    struct tercet_error why = {0};
    TERCET_FAILPOINT("edge.before_connect");
    const struct rpc_channel_options options = {
        .runtime = runtime,
        .target = target,
        .receive_bytes_max = RECEIVE_BYTES_MAX,
        .user_agent = "tercetd",
    };
    const enum tercet_status status = rpc_channel_open(&options, &peer->channel, &why);
    if (status != TERCET_OK) {
        return error_set(error_out, status, "participant %s: %s", peer->name, why.text);
    }
    return TERCET_OK;
}

enum tercet_status edge_create(const struct edge_options *options, struct edge **edge_out,
                               struct tercet_error *error_out)
{
    static_assert(sizeof options->origin == WIRE_ORIGIN_BYTES, "an origin has one size");
    struct edge *edge = xcalloc(1, sizeof *edge);
    enum tercet_status status = TERCET_OK;

    edge->identity.incarnation = options->incarnation;
    edge->identity.epoch = options->epoch;
    memcpy(edge->identity.origin, options->origin, sizeof edge->identity.origin);
    edge->inbox = options->inbox;
    atomic_init(&edge->late, NULL);
    edge->peer_count = options->directory->count;
    edge->peers = xcalloc(edge->peer_count, sizeof edge->peers[0]);
    for (uint32_t i = 0; i < edge->peer_count; i++) {
        const struct directory_entry *entry = &options->directory->entries[i];
        struct edge_peer *peer = &edge->peers[i];
        peer->name = entry->name;
        atomic_init(&peer->acknowledged_lsn, 0);
        if (entry->target == NULL) {
            continue;
        }
        status = open_channel(peer, options->runtime, entry->target, error_out);
        if (status != TERCET_OK) {
            goto out;
        }
    }
    *edge_out = edge;
    edge = NULL; /* handed over */
out:
    if (edge != NULL) {
        edge_stop(edge);
        edge_destroy(edge);
    }
    return status;
}

void edge_stop(struct edge *edge)
{
    edge->stopped = true;
    for (uint32_t i = 0; i < edge->peer_count; i++) {
        rpc_channel_close(edge->peers[i].channel);
        edge->peers[i].channel = NULL;
    }
}

void edge_destroy(struct edge *edge)
{
    if (edge == NULL) {
        return;
    }
    edge_stop(edge);
    struct list_node *node = atomic_load(&edge->late);
    while (node != NULL) {
        struct list_node *next = node->next;
        list_init(node);
        event_destroy(container_of(node, struct event, link));
        node = next;
    }
    free(edge->peers);
    free(edge);
}

/* ---- The end of a call, on a poller thread ------------------------------------------------------ */

/* Nobody takes events any more: kept aside, because only the loop's thread may drop a reference. */
static void put_aside(struct edge *edge, struct event *event)
{
    struct list_node *first = atomic_load(&edge->late);
    do {
        event->link.next = first;
    } while (!atomic_compare_exchange_weak(&edge->late, &first, &event->link));
}

static void call_end(struct edge_call *call)
{
    if (!inbox_push_always(call->edge->inbox, &call->event->link)) {
        put_aside(call->edge, call->event);
    }
    free(call);
}

static void note_acknowledged(struct edge_call *call, const Tercet__V1__BranchReply *reply)
{
    if (reply->mark_incarnation != call->edge->identity.incarnation) {
        return; /* of an earlier life, or not told */
    }
    _Atomic int64_t *const newest = &call->peer->acknowledged_lsn;
    int64_t known = atomic_load(newest);
    while (reply->mark_lsn > known &&
           !atomic_compare_exchange_weak(newest, &known, reply->mark_lsn)) {
    }
}

static void on_branch_done(const struct rpc_result *result, void *context)
{
    struct edge_call *call = context;
    TERCET_FAILPOINT("edge.answer");
    const struct rpc_result lost = {.status = TERCET_UNAVAILABLE,
                                    .text = "failpoint",
                                    .sent_maybe = true,
                                    .trailers = result->trailers};
    if (result->status == TERCET_OK && TERCET_FAILPOINT_FAILS("edge.answer_lost")) {
        result = &lost;
    }
    wire_answer(&call->event->u.answer, result);
    if (result->status == TERCET_OK) {
        note_acknowledged(call, (const Tercet__V1__BranchReply *)result->reply);
    }
    call_end(call);
}

/* Whatever it holds now counts, so that one that has lost its mark is told it again. */
static void note_described_mark(const struct edge_call *call, const struct description *description)
{
    const struct branch_number lowest = describe_lowest_mark(description);
    const bool ours = lowest.incarnation == call->edge->identity.incarnation;
    if (description->store_count > 0) {
        atomic_store(&call->peer->acknowledged_lsn, ours ? lowest.number : 0);
    }
}

/* What it serves, for the engine to check before anything begins. */
static void tell_actions(struct event *event, const Tercet__V1__DescribeReply *reply)
{
    if (reply->n_actions == 0 || reply->n_actions > ACTION_COUNT_MAX) {
        return;
    }
    struct action_kind *actions = xcalloc(reply->n_actions, sizeof *actions);
    uint32_t count = 0;
    for (size_t i = 0; i < reply->n_actions; i++) {
        const char *name = reply->actions[i]->name;
        if (directory_is_name(name, strlen(name))) {
            memcpy(actions[count].name, name, strlen(name) + 1);
            actions[count].confirm_only = reply->actions[i]->confirm_only != 0;
            actions[count].unfenced = reply->actions[i]->unfenced != 0;
            count++;
        }
    }
    event->u.probed.actions = actions;
    event->u.probed.action_count = count;
}

static void on_description(struct edge_call *call, const Tercet__V1__DescribeReply *reply)
{
    struct tercet_error text = {0};
    struct description *description = xcalloc(1, sizeof *description);
    TERCET_FAILPOINT("edge.described");
    tell_actions(call->event, reply);
    describe_read(reply, description);
    note_described_mark(call, description);
    call->event->u.probed.description = description;
    if (describe_is_fencing(reply, &call->edge->identity, &text)) {
        call->event->u.probed.fenced = true;
        LOGGER(LOGGER_ERROR, "participant.fenced", logger_text("participant", call->peer->name),
               logger_text("text", text.text));
    }
    if (reply->participant[0] != '\0' && strcmp(reply->participant, call->peer->name) != 0) {
        LOGGER(LOGGER_ERROR, "participant.other_name", logger_text("participant", call->peer->name),
               logger_text("text", "another participant answers at its address"),
               logger_text("name", reply->participant));
    }
}

static void on_probe_done(const struct rpc_result *result, void *context)
{
    struct edge_call *call = context;
    TERCET_FAILPOINT("edge.probed");
    call->event->u.probed.reachable = wire_status_is_alive(result->status);
    call->event->u.probed.not_served = result->status == TERCET_UNIMPLEMENTED;
    call->event->u.probed.fenced = wire_is_fenced(result);
    if (result->status == TERCET_OK) {
        on_description(call, (const Tercet__V1__DescribeReply *)result->reply);
    }
    call_end(call);
}

/* ---- Orders ------------------------------------------------------------------------------------ */

static struct edge_call *call_create(struct edge *edge, uint32_t participant, enum event_kind kind)
{
    tercet_assert(!edge->stopped && participant < edge->peer_count);
    tercet_assert(edge->peers[participant].channel != NULL);
    struct edge_call *call = xcalloc(1, sizeof *call);
    call->edge = edge;
    call->peer = &edge->peers[participant];
    call->event = event_create(kind);
    return call;
}

/* NULL when it is acknowledged or there is none. */
static const struct mark *mark_to_tell(struct edge_peer *peer, const struct mark *mark)
{
    const bool news =
        mark->as_of.number > 0 && mark->as_of.number > atomic_load(&peer->acknowledged_lsn);
    return news ? mark : NULL;
}

/* A new connection may lead to another database: it is described before a branch goes over it. */
static void answer_unconnected(struct edge_call *call)
{
    struct answer *answer = &call->event->u.answer;
    answer->kind = ANSWER_UNREACHABLE;
    words_copy_code(answer->reason.code, "TERCET_UNREACHABLE");
    words_copy_text(answer->reason.text, tercet_status_name(TERCET_UNAVAILABLE),
                    "there is no connection to it");
    call_end(call);
}

static void carry_out_send(struct edge *edge, struct order *order, const struct mark *mark)
{
    struct edge_call *call = call_create(edge, order->participant, EVENT_ANSWER);
    struct wire_context context;
    struct wire_request request;
    wire_context_fill(&context, &edge->identity, call->peer->name, mark_to_tell(call->peer, mark));
    wire_request_fill(&request, order, &context);

    call->event->u.answer.branch = order->branch;
    call->event->u.answer.phase = order->phase;
    TERCET_FAILPOINT("edge.before_send");
    order->branch = NULL; /* the event's now */
    if (!rpc_channel_is_connected(call->peer->channel)) {
        answer_unconnected(call);
        return;
    }
    rpc_call_unref(
        rpc_call_start(call->peer->channel, &(const struct rpc_call_options){
                                                .path = wire_method(order->phase),
                                                .request = &request.message.base,
                                                .reply = &tercet__v1__branch_reply__descriptor,
                                                .timeout_ms = order->timeout_ms,
                                                .done = on_branch_done,
                                                .context = call,
                                            }));
}

/* Waits for a connection, so that a participant is found the moment it is back. */
static void carry_out_probe(struct edge *edge, const struct order *order, const struct mark *mark)
{
    struct edge_call *call = call_create(edge, order->participant, EVENT_PROBED);
    struct wire_context context;
    wire_context_fill(&context, &edge->identity, call->peer->name, mark_to_tell(call->peer, mark));
    Tercet__V1__DescribeRequest request = TERCET__V1__DESCRIBE_REQUEST__INIT;
    request.context = &context.message;

    TERCET_FAILPOINT("edge.before_probe");
    call->event->u.probed.participant = order->participant;
    rpc_channel_hurry(call->peer->channel);
    rpc_call_unref(
        rpc_call_start(call->peer->channel, &(const struct rpc_call_options){
                                                .path = "/tercet.v1.Participant/Describe",
                                                .request = &request.base,
                                                .reply = &tercet__v1__describe_reply__descriptor,
                                                .timeout_ms = order->timeout_ms,
                                                .wait_for_ready = true,
                                                .done = on_probe_done,
                                                .context = call,
                                            }));
}

void edge_carry_out(struct edge *edge, struct order *order, const struct mark *mark)
{
    switch (order->kind) {
    case ORDER_SEND:
        carry_out_send(edge, order, mark);
        break;
    case ORDER_PROBE:
        carry_out_probe(edge, order, mark);
        break;
    case ORDER_FETCH:
    case ORDER_REACHABLE:
    case ORDER_UNREACHABLE:
        tercet_unreachable(); /* the engine's */
    }
}

/* ---- Inspect ----------------------------------------------------------------------------------- */

static void on_inspect_done(const struct rpc_result *result, void *context)
{
    struct edge_call *call = context;
    if (result->status == TERCET_OK) {
        describe_read_rows((const Tercet__V1__InspectReply *)result->reply, call->event);
    } else if (result->status == TERCET_UNIMPLEMENTED) {
        call->event->u.inspected.answered = true; /* it never will: it has nothing to say */
        LOGGER(LOGGER_WARNING, "participant.not_inspected",
               logger_text("participant", call->peer->name),
               logger_text("text", "it does not serve Inspect; compare its books by hand"));
    }
    call_end(call);
}

void edge_inspect(struct edge *edge, const struct effect_inspect *inspect)
{
    struct edge_call *call = call_create(edge, inspect->participant, EVENT_INSPECTED);
    struct wire_context context;
    Tercet__V1__BranchNumber from = TERCET__V1__BRANCH_NUMBER__INIT;
    Tercet__V1__BranchNumber below = TERCET__V1__BRANCH_NUMBER__INIT;
    Tercet__V1__InspectRequest request = TERCET__V1__INSPECT_REQUEST__INIT;
    wire_context_fill(&context, &edge->identity, call->peer->name, NULL);
    from.incarnation = inspect->from.incarnation;
    from.number = inspect->from.number;
    below.incarnation = inspect->below.incarnation;
    below.number = inspect->below.number;
    request.context = &context.message;
    request.from = &from;
    request.below = &below;
    request.page_size = INSPECT_PAGE_SIZE;
    request.page_token = (char *)(uintptr_t)inspect->token;

    call->event->u.inspected.participant = inspect->participant;
    rpc_call_unref(
        rpc_call_start(call->peer->channel, &(const struct rpc_call_options){
                                                .path = "/tercet.v1.Participant/Inspect",
                                                .request = &request.base,
                                                .reply = &tercet__v1__inspect_reply__descriptor,
                                                .timeout_ms = INSPECT_TIMEOUT_MS,
                                                .done = on_inspect_done,
                                                .context = call,
                                            }));
}

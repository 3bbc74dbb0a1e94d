/* edge.c -- see edge.h and edge_core.h: the edge's life, and orders carried out. */
#include "participant/edge.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "participant/edge_core.h"
#include "participant/words.h"

/* As much as one message of a stream may have; a page of Inspect has less: a row is at most 1.4 KiB,
 * most of it the result of its try. */
enum { RECEIVE_BYTES_MAX = 1024 * 1024, INSPECT_PAGE_SIZE = 150, INSPECT_TIMEOUT_MS = 5000 };

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
    edge->streams = options->streams;
    edge->expire_ms = INT64_MAX;
    list_init(&edge->touched);
    edge->peer_count = options->directory->count;
    edge->peers = xcalloc(edge->peer_count, sizeof edge->peers[0]);
    for (uint32_t i = 0; i < edge->peer_count; i++) {
        const struct directory_entry *entry = &options->directory->entries[i];
        struct edge_peer *peer = &edge->peers[i];
        peer->name = entry->name;
        atomic_init(&peer->acknowledged_lsn, 0);
        atomic_init(&peer->met_losses, 0);
        list_init(&peer->touched);
        if (entry->target == NULL) {
            continue;
        }
        status = open_channel(peer, options->runtime, entry->target, error_out);
        if (status != TERCET_OK) {
            goto out;
        }
        rpc_feed_init(&peer->feed, &wire_work, peer->channel,
                      &(const struct rpc_feed_hands){
                          .ended = ends_on_stream, .deliver = ends_deliver, .context = edge});
        peer->has_feed = true;
        peer->head_lsn = -1;
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
    for (uint32_t i = 0; i < edge->peer_count; i++) {
        if (edge->peers[i].has_feed) {
            rpc_feed_deinit(&edge->peers[i].feed);
        }
    }
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

/* False: its stream does not take calls now. */
static bool send_on_stream(struct edge *edge, struct edge_call *call, const struct order *order,
                           const struct mark *mark)
{
    struct edge_peer *peer = call->peer;
    struct wire_context context;
    struct wire_request request;
    Tercet__V1__BranchRequest *requests[] = {&request.message};
    Tercet__V1__WorkBatch batch = TERCET__V1__WORK_BATCH__INIT;
    const int64_t now_ms = clock_read().boot_ms;
    const int64_t until_ms = now_ms + order->timeout_ms;

    if (!edge->streams || !rpc_feed_ready(&peer->feed, now_ms)) {
        return false;
    }
    const int64_t lsn = mark != NULL ? mark->as_of.number : 0;
    if (peer->head_lsn != lsn) {
        wire_context_fill(&context, &edge->identity, peer->name, mark);
        batch.context = &context.message;
        rpc_feed_set_head(&peer->feed, &batch.base);
        batch.context = NULL;
        peer->head_lsn = lsn;
    }
    wire_request_fill(&request, order, NULL);
    batch.n_requests = 1;
    batch.requests = requests;
    if (!rpc_feed_send(&peer->feed, &call->on_stream, &batch.base, &request.message.call,
                       until_ms)) {
        return false;
    }
    if (!list_is_linked(&peer->touched)) {
        list_push_back(&edge->touched, &peer->touched);
    }
    edge->expire_ms = until_ms < edge->expire_ms ? until_ms : edge->expire_ms;
    return true;
}

static void send_unary(struct edge *edge, struct edge_call *call, const struct order *order,
                       const struct mark *mark)
{
    struct wire_context context;
    struct wire_request request;

    wire_context_fill(&context, &edge->identity, call->peer->name, mark);
    wire_request_fill(&request, order, &context);
    rpc_call_unref(
        rpc_call_start(call->peer->channel, &(const struct rpc_call_options){
                                                .path = wire_method(order->phase),
                                                .request = &request.message.base,
                                                .reply = &tercet__v1__branch_reply__descriptor,
                                                .timeout_ms = order->timeout_ms,
                                                .done = ends_on_branch,
                                                .context = call,
                                            }));
}

static void answer_unmet(struct edge_call *call)
{
    struct answer *answer = &call->event->u.answer;
    answer->kind = ANSWER_UNREACHABLE;
    words_copy_code(answer->reason.code, "TERCET_UNREACHABLE");
    words_copy_text(answer->reason.text, tercet_status_name(TERCET_UNAVAILABLE),
                    "there is no connection to it over which it has told who it is");
    ends_call(call);
}

/* A new connection may lead to another database: it is described before a branch goes over it.  There
 * may be one already, made by core for another call after the last was lost. */
static bool is_met(const struct edge_peer *peer)
{
    return rpc_channel_is_connected(peer->channel) &&
           rpc_channel_losses(peer->channel) == atomic_load(&peer->met_losses);
}

static void carry_out_send(struct edge *edge, struct order *order, const struct mark *mark)
{
    struct edge_call *call = call_create(edge, order->participant, EVENT_ANSWER);
    const struct mark *news = mark_to_tell(call->peer, mark);

    call->event->u.answer.branch = order->branch; /* the event's now; good until the call ends */
    call->event->u.answer.phase = order->phase;
    TERCET_FAILPOINT("edge.before_send");
    if (!is_met(call->peer)) {
        rpc_feed_retire(&call->peer->feed); /* it may live on over the connection before */
        answer_unmet(call);
    } else if (!send_on_stream(edge, call, order, news)) {
        send_unary(edge, call, order, news);
    }
    order->branch = NULL;
}

void edge_hold(struct edge *edge, uint32_t participant)
{
    if (edge->peers[participant].has_feed && !edge->stopped) {
        rpc_feed_retire(&edge->peers[participant].feed);
    }
}

int64_t edge_tick(struct edge *edge, int64_t now_ms)
{
    while (!list_is_empty(&edge->touched)) {
        rpc_feed_flush(
            &container_of(list_pop_front(&edge->touched), struct edge_peer, touched)->feed);
    }
    if (now_ms < edge->expire_ms) {
        return edge->expire_ms;
    }
    edge->expire_ms = INT64_MAX;
    for (uint32_t i = 0; i < edge->peer_count; i++) {
        if (edge->peers[i].has_feed) {
            const int64_t next_ms = rpc_feed_expire(&edge->peers[i].feed, now_ms);
            edge->expire_ms = next_ms < edge->expire_ms ? next_ms : edge->expire_ms;
        }
    }
    return edge->expire_ms;
}

/* Waits for a connection, so that a participant is found the moment it is back.  Tells no mark: a
 * database that was rolled back would take it, and if this answer were lost, the next one would show
 * nothing any more of what is gone. */
static void carry_out_probe(struct edge *edge, const struct order *order)
{
    struct edge_call *call = call_create(edge, order->participant, EVENT_PROBED);
    struct wire_context context;
    wire_context_fill(&context, &edge->identity, call->peer->name, NULL);
    Tercet__V1__DescribeRequest request = TERCET__V1__DESCRIBE_REQUEST__INIT;
    request.context = &context.message;

    TERCET_FAILPOINT("edge.before_probe");
    call->event->u.probed.participant = order->participant;
    call->losses = rpc_channel_losses(call->peer->channel);
    rpc_channel_hurry(call->peer->channel);
    rpc_call_unref(
        rpc_call_start(call->peer->channel, &(const struct rpc_call_options){
                                                .path = "/tercet.v1.Participant/Describe",
                                                .request = &request.base,
                                                .reply = &tercet__v1__describe_reply__descriptor,
                                                .timeout_ms = order->timeout_ms,
                                                .wait_for_ready = true,
                                                .done = ends_on_probe,
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
        carry_out_probe(edge, order);
        break;
    case ORDER_FETCH:
    case ORDER_REACHABLE:
    case ORDER_UNREACHABLE:
        tercet_unreachable(); /* the engine's */
    }
}

/* ---- Inspect ----------------------------------------------------------------------------------- */

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
                                                .done = ends_on_inspect,
                                                .context = call,
                                            }));
}

/* ends.c -- how calls end, on poller threads: each becomes exactly one event (edge_core.h). */
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/logger.h"
#include "base/memory.h"
#include "participant/edge_core.h"

enum { ACTION_COUNT_MAX = 1024 };

/* Nobody takes events any more: kept aside, because only the loop's thread may drop a reference. */
static void put_aside(struct edge *edge, struct event *event)
{
    struct list_node *first = atomic_load(&edge->late);
    do {
        event->link.next = first;
    } while (!atomic_compare_exchange_weak(&edge->late, &first, &event->link));
}

void ends_call(struct edge_call *call)
{
    if (!inbox_push_always(call->edge->inbox, &call->event->link)) {
        put_aside(call->edge, call->event);
    }
    free(call);
}

void ends_deliver(struct list_node *events, void *context)
{
    struct edge *edge = context;
    if (inbox_push_all_always(edge->inbox, events)) {
        return;
    }
    while (!list_is_empty(events)) {
        put_aside(edge, container_of(list_pop_front(events), struct event, link));
    }
}

static void note_acknowledged(struct edge_call *call, const Tercet__V1__BranchReply *reply)
{
    if (reply->mark_incarnation != call->edge->identity.incarnation) {
        return; /* of an earlier life, or not told */
    }
    _Atomic int64_t *const newest = &call->seat->peer->acknowledged_lsn;
    int64_t known = atomic_load(newest);
    while (reply->mark_lsn > known &&
           !atomic_compare_exchange_weak(newest, &known, reply->mark_lsn)) {
    }
}

static void fill_answer(struct edge_call *call, const struct rpc_result *result)
{
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
}

void ends_on_branch(const struct rpc_result *result, void *context)
{
    struct edge_call *call = context;
    if (result->status == TERCET_UNAVAILABLE) {
        rpc_feed_may_try(&call->seat->feed); /* whoever is there next may serve it */
    }
    fill_answer(call, result);
    if (call->tells) {
        atomic_store(&call->seat->peer->telling, false); /* behind what it acknowledges */
    }
    ends_call(call);
}

void ends_on_stream(struct rpc_feed_call *on_stream, const struct rpc_result *result,
                    struct list_node *events)
{
    struct edge_call *call = container_of(on_stream, struct edge_call, on_stream);
    struct rpc_result told = *result;
    told.sent_maybe = true; /* a stream that ended is no word about the connection */
    fill_answer(call, &told);
    list_push_back(events, &call->event->link);
    free(call);
}

/* Whatever it holds now counts, so that one that has lost its mark is told it again. */
static void note_described_mark(const struct edge_call *call, const struct description *description)
{
    const struct branch_number lowest = describe_lowest_mark(description);
    const bool ours = lowest.incarnation == call->edge->identity.incarnation;
    if (description->store_count > 0) {
        atomic_store(&call->seat->peer->acknowledged_lsn, ours ? lowest.number : 0);
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

/* Whoever it is, and whatever stores it has, may have seen a later coordinator of this journal. */
static void look_at_fence(struct edge_call *call, const Tercet__V1__DescribeReply *reply)
{
    struct tercet_error text = {0};
    if (describe_is_fencing(reply, &call->edge->identity, &text)) {
        call->event->u.probed.fenced = true;
        LOGGER(LOGGER_ERROR, "participant.fenced",
               logger_text("participant", call->seat->peer->name),
               logger_text("target", call->seat->target), logger_text("text", text.text));
    }
}

static void on_description(struct edge_call *call, const Tercet__V1__DescribeReply *reply)
{
    struct description *description = xcalloc(1, sizeof *description);
    TERCET_FAILPOINT("edge.described");
    tell_actions(call->event, reply);
    describe_read(reply, description);
    describe_read_closed(reply, &call->event->u.probed.closed);
    note_described_mark(call, description);
    call->event->u.probed.description = description;
}

/* Another participant answers at its address.  Nothing that it tells is this one's: neither that this one
 * is there, nor its stores, which would be missed as soon as the address is right. */
static bool is_stranger(const struct edge_call *call, const Tercet__V1__DescribeReply *reply)
{
    return reply->participant[0] != '\0' && strcmp(reply->participant, call->seat->peer->name) != 0;
}

static void tell_stranger(const struct edge_call *call, const Tercet__V1__DescribeReply *reply)
{
    if (call->seat->silent) {
        return; /* it has been told */
    }
    LOGGER(LOGGER_ERROR, "participant.other_name",
           logger_text("participant", call->seat->peer->name),
           logger_text("target", call->seat->target),
           logger_text("text", "another participant answers at its address"),
           logger_text("name", reply->participant));
}

/* It was answered over the connection that there still is, so the branches may follow. */
static void note_met(const struct edge_call *call)
{
    if (rpc_channel_losses(call->seat->channel) == call->losses) {
        atomic_store(&call->seat->met_losses, call->losses);
    }
}

/* While another seat is there nobody else would notice that this one is gone. */
static void tell_log(struct edge_seat *seat, bool answers)
{
    if (seat->silent != answers) {
        return;
    }
    seat->silent = !answers;
    LOGGER(answers ? LOGGER_INFO : LOGGER_WARNING,
           answers ? "participant.answers" : "participant.silent",
           logger_text("participant", seat->peer->name), logger_text("target", seat->target),
           logger_int("seat", seat - seat->peer->seats));
}

void ends_on_probe(const struct rpc_result *result, void *context)
{
    struct edge_call *call = context;
    const Tercet__V1__DescribeReply *reply =
        result->status == TERCET_OK ? (const Tercet__V1__DescribeReply *)result->reply : NULL;
    const bool stranger = reply != NULL && is_stranger(call, reply);
    TERCET_FAILPOINT("edge.probed");
    call->event->u.probed.reachable = wire_status_is_alive(result->status) && !stranger;
    call->event->u.probed.not_served = result->status == TERCET_UNIMPLEMENTED;
    call->event->u.probed.fenced = wire_is_fenced(result);
    if (call->event->u.probed.reachable) {
        note_met(call);
        rpc_feed_may_try(&call->seat->feed);
    }
    if (stranger) {
        tell_stranger(call, reply);
    }
    if (result->status != TERCET_CALL_CANCELLED) { /* as it is when we stop */
        tell_log(call->seat, call->event->u.probed.reachable);
    }
    if (reply != NULL) {
        look_at_fence(call, reply);
    }
    if (reply != NULL && !stranger) {
        on_description(call, reply);
    }
    ends_call(call);
}

void ends_on_inspect(const struct rpc_result *result, void *context)
{
    struct edge_call *call = context;
    if (result->status == TERCET_OK) {
        describe_read_rows((const Tercet__V1__InspectReply *)result->reply, call->event);
    } else if (result->status == TERCET_UNIMPLEMENTED) {
        call->event->u.inspected.answered = true; /* it never will: it has nothing to say */
        LOGGER(LOGGER_WARNING, "participant.not_inspected",
               logger_text("participant", call->seat->peer->name),
               logger_text("target", call->seat->target),
               logger_text("text", "it does not serve Inspect; compare its books by hand"));
    }
    ends_call(call);
}

/* surveys.c -- what a participant is asked as a whole: Describe, by every seat, and Inspect, by any.
 *
 * Neither tells a mark. */
#include "base/assert.h"
#include "base/failpoint.h"
#include "participant/edge_core.h"

enum {
    /* A row is at most 1.4 KiB, most of it the result of its try: a page fits into one message. */
    INSPECT_PAGE_SIZE = 150,
    INSPECT_TIMEOUT_MS = 5000
};

/* ---- Describe ---------------------------------------------------------------------------------- */

/* Waits for a connection, so that a participant is found the moment it is back.  Tells no mark: a
 * database that was rolled back would take it, and if this answer were lost, the next one would show
 * nothing any more of what is gone. */
void edge_probe(struct edge *edge, const struct order *order)
{
    struct edge_call *call =
        edge_call_create(edge, edge_seat_at(edge, order->participant, order->seat), EVENT_PROBED);
    struct wire_context context;
    wire_context_fill(&context, &edge->identity, call->seat->peer->name, NULL);
    Tercet__V1__DescribeRequest request = TERCET__V1__DESCRIBE_REQUEST__INIT;
    request.context = &context.message;

    TERCET_FAILPOINT("edge.before_probe");
    call->event->u.probed.participant = order->participant;
    call->event->u.probed.seat = order->seat;
    call->losses = rpc_channel_losses(call->seat->channel);
    rpc_channel_hurry(call->seat->channel);
    rpc_call_unref(
        rpc_call_start(call->seat->channel, &(const struct rpc_call_options){
                                                .path = "/tercet.v1.Participant/Describe",
                                                .request = &request.base,
                                                .reply = &tercet__v1__describe_reply__descriptor,
                                                .timeout_ms = order->timeout_ms,
                                                .wait_for_ready = true,
                                                .done = ends_on_probe,
                                                .context = call,
                                            }));
}

/* ---- Inspect ----------------------------------------------------------------------------------- */

/* The next one that is met, so that the rows come although one does not answer; a page's token is good
 * at every instance.  If none is, any: the call makes a connection. */
static struct edge_seat *seat_to_inspect(struct edge_peer *peer)
{
    uint32_t chosen = peer->inspect_seat;
    for (uint32_t i = 0; i < peer->seat_count; i++) {
        const uint32_t index = (peer->inspect_seat + i) % peer->seat_count;
        if (edge_is_met(&peer->seats[index])) {
            chosen = index;
            break;
        }
    }
    peer->inspect_seat = (chosen + 1) % peer->seat_count;
    return &peer->seats[chosen];
}

void edge_inspect(struct edge *edge, const struct effect_inspect *inspect)
{
    tercet_assert(inspect->participant < edge->peer_count);
    struct edge_peer *peer = &edge->peers[inspect->participant];
    tercet_assert(peer->seat_count > 0);
    struct edge_call *call = edge_call_create(edge, seat_to_inspect(peer), EVENT_INSPECTED);
    struct wire_context context;
    Tercet__V1__BranchNumber from = TERCET__V1__BRANCH_NUMBER__INIT;
    Tercet__V1__BranchNumber below = TERCET__V1__BRANCH_NUMBER__INIT;
    Tercet__V1__InspectRequest request = TERCET__V1__INSPECT_REQUEST__INIT;
    wire_context_fill(&context, &edge->identity, peer->name, NULL);
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
        rpc_call_start(call->seat->channel, &(const struct rpc_call_options){
                                                .path = "/tercet.v1.Participant/Inspect",
                                                .request = &request.base,
                                                .reply = &tercet__v1__inspect_reply__descriptor,
                                                .timeout_ms = INSPECT_TIMEOUT_MS,
                                                .done = ends_on_inspect,
                                                .context = call,
                                            }));
}

/* edge.c -- see edge.h and edge_core.h: the edge's life, and branches sent. */
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

/* As much as one message of a stream may have; a page of Inspect has less. */
enum { RECEIVE_BYTES_MAX = 1024 * 1024 };

/* ---- Life -------------------------------------------------------------------------------------- */

static enum tercet_status open_seat(struct edge *edge, struct edge_seat *seat,
                                    struct rpc_runtime *runtime, struct tercet_error *error_out)
{
    struct tercet_error why = {0};
    TERCET_FAILPOINT("edge.before_connect");
    const struct rpc_channel_options options = {
        .runtime = runtime,
        .target = seat->target,
        .receive_bytes_max = RECEIVE_BYTES_MAX,
        .user_agent = "tercetd",
    };
    const enum tercet_status status = rpc_channel_open(&options, &seat->channel, &why);
    if (status != TERCET_OK) {
        return error_set(error_out, status, "participant %s: %s", seat->peer->name, why.text);
    }
    rpc_feed_init(&seat->feed, &wire_work, seat->channel,
                  &(const struct rpc_feed_hands){
                      .ended = ends_on_stream, .deliver = ends_deliver, .context = edge});
    seat->has_feed = true;
    return TERCET_OK;
}

static enum tercet_status open_peer(struct edge *edge, struct edge_peer *peer,
                                    const struct directory_entry *entry,
                                    struct rpc_runtime *runtime, struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_OK;
    peer->name = entry->name;
    atomic_init(&peer->acknowledged_lsn, 0);
    atomic_init(&peer->telling, false);
    peer->seat_count = directory_seat_count(entry);
    peer->seats = xcalloc(peer->seat_count + 1, sizeof peer->seats[0]);
    for (uint32_t i = 0; status == TERCET_OK && i < peer->seat_count; i++) {
        struct edge_seat *seat = &peer->seats[i];
        seat->peer = peer;
        seat->target = directory_seat_target(entry, i);
        seat->head_lsn = -1;
        atomic_init(&seat->met_losses, 0);
        list_init(&seat->touched);
        status = open_seat(edge, seat, runtime, error_out);
    }
    return status;
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
        status = open_peer(edge, &edge->peers[i], &options->directory->entries[i], options->runtime,
                           error_out);
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
        for (uint32_t j = 0; j < edge->peers[i].seat_count; j++) {
            rpc_channel_close(edge->peers[i].seats[j].channel);
            edge->peers[i].seats[j].channel = NULL;
        }
    }
}

void edge_destroy(struct edge *edge)
{
    if (edge == NULL) {
        return;
    }
    edge_stop(edge);
    for (uint32_t i = 0; i < edge->peer_count; i++) {
        for (uint32_t j = 0; j < edge->peers[i].seat_count; j++) {
            if (edge->peers[i].seats[j].has_feed) {
                rpc_feed_deinit(&edge->peers[i].seats[j].feed);
            }
        }
        free(edge->peers[i].seats);
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

struct edge_seat *edge_seat_at(struct edge *edge, uint32_t participant, uint32_t seat)
{
    tercet_assert(participant < edge->peer_count);
    tercet_assert(seat < edge->peers[participant].seat_count);
    return &edge->peers[participant].seats[seat];
}

struct edge_call *edge_call_create(struct edge *edge, struct edge_seat *seat, enum event_kind kind)
{
    tercet_assert(!edge->stopped && seat->channel != NULL);
    struct edge_call *call = xcalloc(1, sizeof *call);
    call->edge = edge;
    call->seat = seat;
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
                           const struct mark *mark, int64_t now_ms)
{
    struct edge_seat *seat = call->seat;
    struct wire_context context;
    struct wire_request request;
    Tercet__V1__BranchRequest *requests[] = {&request.message};
    Tercet__V1__WorkBatch batch = TERCET__V1__WORK_BATCH__INIT;
    const int64_t until_ms = now_ms + order->timeout_ms;

    if (!edge->streams || !rpc_feed_ready(&seat->feed, now_ms)) {
        return false;
    }
    const int64_t lsn = mark != NULL ? mark->as_of.number : 0;
    if (seat->head_lsn != lsn) {
        wire_context_fill(&context, &edge->identity, seat->peer->name, mark);
        batch.context = &context.message;
        rpc_feed_set_head(&seat->feed, &batch.base);
        batch.context = NULL;
        seat->head_lsn = lsn;
    }
    wire_request_fill(&request, order, NULL);
    batch.n_requests = 1;
    batch.requests = requests;
    if (!rpc_feed_send(&seat->feed, &call->on_stream, &batch.base, wire_request_bytes_max(&request),
                       &request.message.call, now_ms, until_ms)) {
        return false;
    }
    if (!list_is_linked(&seat->touched)) {
        list_push_back(&edge->touched, &seat->touched);
    }
    edge->expire_ms = until_ms < edge->expire_ms ? until_ms : edge->expire_ms;
    return true;
}

/* One call at a time tells a mark: with many of them out it would be most of what is sent, and the
 * participant would store it again for each. */
static void send_unary(struct edge *edge, struct edge_call *call, const struct order *order,
                       const struct mark *mark)
{
    struct edge_peer *peer = call->seat->peer;
    struct wire_context context;
    struct wire_request request;

    call->tells = mark != NULL && !atomic_exchange(&peer->telling, true);
    wire_context_fill(&context, &edge->identity, peer->name, call->tells ? mark : NULL);
    wire_request_fill(&request, order, &context);
    rpc_call_unref(
        rpc_call_start(call->seat->channel, &(const struct rpc_call_options){
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
    answer->unsent = true;
    words_copy_code(answer->reason.code, "TERCET_UNREACHABLE");
    words_copy_text(answer->reason.text, tercet_status_name(TERCET_UNAVAILABLE),
                    "there is no connection to it over which it has told who it is");
    ends_call(call);
}

/* A new connection may lead to another database: it is described before a branch goes over it.  There
 * may be one already, made by core for another call after the last was lost. */
bool edge_is_met(const struct edge_seat *seat)
{
    return rpc_channel_is_connected(seat->channel) &&
           rpc_channel_losses(seat->channel) == atomic_load(&seat->met_losses);
}

static void carry_out_send(struct edge *edge, struct order *order, const struct mark *mark,
                           int64_t now_ms)
{
    struct edge_seat *seat = edge_seat_at(edge, order->participant, order->seat);
    struct edge_call *call = edge_call_create(edge, seat, EVENT_ANSWER);
    const struct mark *news = mark_to_tell(seat->peer, mark);

    call->event->u.answer.branch = order->branch; /* the event's now; good until the call ends */
    call->event->u.answer.phase = order->phase;
    TERCET_FAILPOINT("edge.before_send");
    if (!edge_is_met(seat)) {
        rpc_feed_retire(&seat->feed); /* it may live on over the connection before */
        answer_unmet(call);
    } else if (!send_on_stream(edge, call, order, news, now_ms)) {
        send_unary(edge, call, order, news);
    }
    order->branch = NULL;
}

void edge_hold(struct edge *edge, uint32_t participant)
{
    struct edge_peer *peer = &edge->peers[participant];
    for (uint32_t i = 0; !edge->stopped && i < peer->seat_count; i++) {
        rpc_feed_retire(&peer->seats[i].feed);
    }
}

int64_t edge_tick(struct edge *edge, int64_t now_ms)
{
    while (!list_is_empty(&edge->touched)) {
        rpc_feed_flush(
            &container_of(list_pop_front(&edge->touched), struct edge_seat, touched)->feed);
    }
    if (now_ms < edge->expire_ms) {
        return edge->expire_ms;
    }
    edge->expire_ms = INT64_MAX;
    for (uint32_t i = 0; i < edge->peer_count; i++) {
        for (uint32_t j = 0; j < edge->peers[i].seat_count; j++) {
            const int64_t next_ms = rpc_feed_expire(&edge->peers[i].seats[j].feed, now_ms);
            edge->expire_ms = next_ms < edge->expire_ms ? next_ms : edge->expire_ms;
        }
    }
    return edge->expire_ms;
}

void edge_carry_out(struct edge *edge, struct order *order, const struct mark *mark, int64_t now_ms)
{
    switch (order->kind) {
    case ORDER_SEND:
        carry_out_send(edge, order, mark, now_ms);
        break;
    case ORDER_PROBE:
        edge_probe(edge, order);
        break;
    case ORDER_FETCH:
    case ORDER_REACHABLE:
    case ORDER_UNREACHABLE:
        tercet_unreachable(); /* the engine's */
    }
}

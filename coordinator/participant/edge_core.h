/* edge_core.h -- the inside of struct edge, and what the ends of its calls do (ends.c).
 *
 * The event that a call will become is made before the call leaves and owns the branch's reference;
 * the call's end fills it in, on a poller thread, and moves it to the inbox.  So references are
 * counted on the loop's thread alone.
 *
 * What crosses threads besides: `acknowledged_lsn` and `telling`, atomics that only have to be nearly right (a
 * mark sent once too often is ignored there), and `met_losses`; the feeds, which have a mutex each; and
 * events that end after the inbox was closed, which wait in `late` for edge_destroy(). */
#ifndef COORDINATOR_PARTICIPANT_EDGE_CORE_H
#define COORDINATOR_PARTICIPANT_EDGE_CORE_H

#include <stdatomic.h>

#include "participant/describe.h"
#include "participant/edge.h"
#include "participant/wire.h"
#include "rpc/rpc_feed.h"

struct edge_peer {
    const char *name; /* the directory's */
    /* The newest mark of this incarnation that a reply said to be stored there, in the database that all
     * its instances share; 0: none. */
    _Atomic int64_t acknowledged_lsn;
    atomic_bool telling;     /* a unary call is out that tells a mark */
    struct edge_seat *seats; /* owned; NULL: not configured */
    uint32_t seat_count;
    uint32_t inspect_seat; /* the loop's thread: by which the next page of rows is asked for */
};

struct edge_seat {
    struct edge_peer *peer;
    const char *target;          /* the directory's */
    struct rpc_channel *channel; /* NULL: stopped */
    /* What the channel had lost when somebody last answered a probe here: other connections lead to
     * somebody who has not been asked. */
    _Atomic uint64_t met_losses;
    struct rpc_feed feed;
    bool has_feed;
    int64_t head_lsn; /* of the mark in the feed's head; 0: none in it, -1: there is no head yet */
    bool silent;      /* so the log was told; its probes', of which one is out at a time */
    struct list_node touched; /* the loop's thread: its feed has something to send */
};

struct edge {
    struct wire_identity identity;
    struct inbox *inbox;
    struct edge_peer *peers; /* by directory index */
    uint32_t peer_count;
    bool stopped;
    bool streams;                     /* as configured */
    struct list_node touched;         /* struct edge_seat */
    int64_t expire_ms;                /* when a call on a stream may be over; the loop's thread */
    _Atomic(struct list_node *) late; /* of events, by next */
};

/* One call in flight; freed where it ends. */
struct edge_call {
    struct edge *edge;
    struct edge_seat *seat;
    struct event *event;            /* owned; ANSWER, PROBED or INSPECTED */
    uint64_t losses;                /* a probe's: of the channel when it began */
    bool tells;                     /* a mark, by a unary call */
    struct rpc_feed_call on_stream; /* when it is on one */
};

/* edge.c */
struct edge_seat *edge_seat_at(struct edge *edge, uint32_t participant, uint32_t seat);
struct edge_call *edge_call_create(struct edge *edge, struct edge_seat *seat, enum event_kind kind);
bool edge_is_met(const struct edge_seat *seat);

/* surveys.c: carries out PROBE. */
void edge_probe(struct edge *edge, const struct order *order);

/* rpc_call_done_fn; the context is a struct edge_call. */
void ends_on_branch(const struct rpc_result *result, void *context);
void ends_on_probe(const struct rpc_result *result, void *context);
void ends_on_inspect(const struct rpc_result *result, void *context);

/* Its event is complete: moves it to the inbox, and frees the call. */
void ends_call(struct edge_call *call);

/* struct rpc_feed_hands; the context is the edge. */
void ends_on_stream(struct rpc_feed_call *on_stream, const struct rpc_result *result,
                    struct list_node *events);
void ends_deliver(struct list_node *events, void *context);

#endif

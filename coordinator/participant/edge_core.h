/* edge_core.h -- the inside of struct edge, and what the ends of its calls do (ends.c).
 *
 * The event that a call will become is made before the call leaves and owns the branch's reference;
 * the call's end fills it in, on a poller thread, and moves it to the inbox.  So references are
 * counted on the loop's thread alone.
 *
 * What crosses threads besides: `acknowledged_lsn`, an atomic that only has to be nearly right (a mark
 * sent once too often is ignored there), and `met_losses`; the feeds, which have a mutex each; and
 * events that end after the inbox was closed, which wait in `late` for edge_destroy(). */
#ifndef COORDINATOR_PARTICIPANT_EDGE_CORE_H
#define COORDINATOR_PARTICIPANT_EDGE_CORE_H

#include <stdatomic.h>

#include "participant/describe.h"
#include "participant/edge.h"
#include "participant/wire.h"
#include "rpc/rpc_feed.h"

struct edge_peer {
    const char *name;            /* the directory's */
    struct rpc_channel *channel; /* NULL: not configured, or stopped */
    /* The newest mark of this incarnation that a reply said to be stored there; 0: none. */
    _Atomic int64_t acknowledged_lsn;
    /* What the channel had lost when this participant last answered a probe: other connections lead to
     * somebody who has not been asked. */
    _Atomic uint64_t met_losses;
    struct rpc_feed feed;
    int64_t head_lsn; /* of the mark in the feed's head; 0: none in it, -1: there is no head yet */
    bool has_feed;    /* since it has a channel */
    struct list_node touched; /* the loop's thread: its feed has something to send */
};

struct edge {
    struct wire_identity identity;
    struct inbox *inbox;
    struct edge_peer *peers; /* by directory index */
    uint32_t peer_count;
    bool stopped;
    bool streams;                     /* as configured */
    struct list_node touched;         /* struct edge_peer */
    int64_t expire_ms;                /* when a call on a stream may be over; the loop's thread */
    _Atomic(struct list_node *) late; /* of events, by next */
};

/* One call in flight; freed where it ends. */
struct edge_call {
    struct edge *edge;
    struct edge_peer *peer;
    struct event *event;            /* owned; ANSWER, PROBED or INSPECTED */
    uint64_t losses;                /* a probe's: of the channel when it began */
    struct rpc_feed_call on_stream; /* when it is on one */
};

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

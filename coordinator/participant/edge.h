/* edge.h -- the calls that dispatch has ordered, over real channels.
 *
 * One channel per seat (directory.h), made at start and kept.  An order becomes one request on its
 * seat's stream (rpc_feed.h) while that is open, else one unary call; its end becomes one
 * EVENT_ANSWER (or EVENT_PROBED) in the inbox, never lost, however full it is.
 * What a status means is decided here and nowhere else (answer_kind in engine/event.h). */
#ifndef COORDINATOR_PARTICIPANT_EDGE_H
#define COORDINATOR_PARTICIPANT_EDGE_H

#include "base/inbox.h"
#include "dispatch/dispatch.h"
#include "engine/effect.h"
#include "engine/mark.h"
#include "rpc/rpc_runtime.h"

struct edge;

struct edge_options {
    struct rpc_runtime *runtime;       /* borrowed */
    struct inbox *inbox;               /* borrowed */
    const struct directory *directory; /* borrowed */
    uint8_t origin[20];
    int64_t incarnation;
    int64_t epoch;
    bool streams; /* use Work where it is served */
};

TERCET_MUST_CHECK enum tercet_status edge_create(const struct edge_options *options,
                                                 struct edge **edge_out,
                                                 struct tercet_error *error_out);

/* Carries out SEND or PROBE; takes the order's branch.  `mark` is the participant's (as_of zero:
 * none).  `now_ms` is the turn's moment, by clock_boot_ms(): the call's time counts from it.  The loop's
 * thread. */
void edge_carry_out(struct edge *edge, struct order *order, const struct mark *mark,
                    int64_t now_ms);

/* Asks Inspect for a page of rows, by any seat that is met; an EVENT_INSPECTED follows.  The loop's
 * thread. */
void edge_inspect(struct edge *edge, const struct effect_inspect *inspect);

/* This participant is held: what waits for its streams does not leave any more.  The loop's thread. */
void edge_hold(struct edge *edge, uint32_t participant);

/* After the orders of a turn: sends what gathered for the streams, ends calls on them whose time is
 * over.  Returns when it is due again; INT64_MAX: with the next orders.  The loop's thread. */
int64_t edge_tick(struct edge *edge, int64_t now_ms);

/* Cancels what is in flight and waits until every call has ended. */
void edge_stop(struct edge *edge);
void edge_destroy(struct edge *edge);

#endif

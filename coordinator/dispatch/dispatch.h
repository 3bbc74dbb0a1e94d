/* dispatch.h -- who is asked next, how many at a time, and when again.
 *
 * Pure: it decides, the edge (participant/) carries out.  For each participant it keeps a queue of
 * confirms and cancels, a queue of tries behind it, branches that wait for their time, a window of
 * calls in flight, and for each of its seats a circuit:
 *
 *     CLOSED ─────── a call finds nobody there ─────────► OPEN ──── probe answered ───► HALF_OPEN
 *        ▲                                                    ▲                            │
 *        └──────────── window has grown back ─────────────────┼────────────────────────────┤
 *                                                             └───── unreachable again ────┘
 *
 * A seat is one connection to one instance of the participant (seat.h); most have one.  A branch leaves
 * by the one with the fewest calls in flight.  By a seat that is OPEN nothing is sent but one probe at a
 * time, backing off from 100 ms to 500 ms; the branches leave by the others, and where all are OPEN the
 * participant is unreachable, and they wait in their queues without timers.  HALF_OPEN starts with a small window that doubles with every
 * window's worth of answers, so a backlog is released at a bounded rate.  One slow or dead
 * participant costs the others nothing: nothing here is shared between participants.
 *
 * Whose last call had no answer in time, and confirms and cancels that were asked eight times, wait in a
 * queue of their own, which has half of the window at most, and their silence opens no circuit while
 * others are answered: a thousand that hang, behind a lock perhaps, keep nobody else out.  While the window is small, tries
 * have half of the rest, and phase two the other: what hangs may be known of none of them yet.  Else phase two goes first.
 *
 * Whatever the circuit, a seat is probed, with the same back-off, until who sits there has described
 * itself (or has said that it cannot) since the circuit last opened: an old database behind a
 * connection is noticed by its description alone.  Such a probe changes nothing for the branches beside it.
 *
 * A branch whose payload is on the disk only (branch_wants_payload) has it fetched when its turn comes,
 * and keeps its turn.
 *
 * Of one branch and phase never more than one call is in flight, whatever the seats.
 *
 * Thread: the loop's. */
#ifndef COORDINATOR_DISPATCH_DISPATCH_H
#define COORDINATOR_DISPATCH_DISPATCH_H

#include "engine/event.h"

struct dispatch;

enum circuit { CIRCUIT_CLOSED, CIRCUIT_OPEN, CIRCUIT_HALF_OPEN };

struct dispatch_options {
    /* Borrowed.  A participant without a target (not configured) is never sent to. */
    const struct directory *directory;
    uint32_t probe_base_ms; /* default 100 */
    uint32_t probe_cap_ms;  /* default 500 */
    /* So many calls in a row without an answer open the circuit; default 8. */
    uint32_t unanswered_limit;
    uint64_t seed;
};

struct dispatch *dispatch_create(const struct dispatch_options *options);
void dispatch_destroy(struct dispatch *dispatch); /* drops its branch references */

/* What the edge shall do now. */
enum order_kind {
    ORDER_SEND,      /* call `phase` of this branch; the reference is the edge's */
    ORDER_FETCH,     /* get this branch's payload from the journal; answer by dispatch_fetched() */
    ORDER_PROBE,     /* ask Describe; answer by dispatch_probed() */
    ORDER_REACHABLE, /* for the engine: EVENT_PARTICIPANT */
    ORDER_UNREACHABLE
};

struct order {
    enum order_kind kind;
    uint32_t participant;
    uint32_t seat;         /* SEND, PROBE */
    struct branch *branch; /* SEND, FETCH: owned reference; SEND: branch_note_handed() was called */
    enum tercet_phase phase; /* SEND */
    uint32_t attempt;        /* SEND: how often this phase was asked for, from 1 */
    uint32_t timeout_ms;     /* SEND, PROBE */
};

struct orders { /* growing array */
    struct order *items;
    size_t count;
    size_t capacity;
};
void orders_init(struct orders *orders);
void orders_deinit(struct orders *orders); /* with the references that are still owned */

/* The engine's CALL, now durable.  Takes the reference.  A branch that waits already keeps its place
 * (the earlier moment of the two), or moves to the other queue when its phase has changed.
 *
 * `phase` is what was asked when the CALL was made, not what is asked now: between the two the
 * transaction may have been decided by a record that is not durable yet, and only the CALL behind
 * that record may let a confirm or cancel out. */
void dispatch_call(struct dispatch *dispatch, struct branch *branch, enum tercet_phase phase,
                   int64_t not_before_boot_ms, struct clock_now now);

/* A call of ours ended; before the engine is told. */
void dispatch_answered(struct dispatch *dispatch, const struct answer *answer,
                       struct clock_now now);

/* A branch has its payload now, or no longer needs it. */
void dispatch_fetched(struct dispatch *dispatch, const struct branch *branch);

enum probe_end {
    PROBE_UNANSWERED, /* nobody is known to live there */
    PROBE_ALIVE,      /* answered, but with no description: it is probed again */
    PROBE_NOT_SERVED, /* answered that it has no Describe: not probed again on this connection */
    PROBE_DESCRIBED
};

/* A probe ended. */
void dispatch_probed(struct dispatch *dispatch, uint32_t participant, uint32_t seat,
                     enum probe_end end, struct clock_now now);

/* While it is held nothing but probes is sent to it; afterwards it is probed before anything goes on. */
void dispatch_hold(struct dispatch *dispatch, uint32_t participant, bool held,
                   struct clock_now now);

/* Everything that is due and allowed now becomes an order.  Branches whose `asked` is no longer what
 * they were queued for are dropped here (a CALL for what is asked now follows, or has come). */
void dispatch_step(struct dispatch *dispatch, struct clock_now now, struct orders *orders);

/* When the next step is due: INT64_MAX never, 0 at once (something has come since the last step). */
int64_t dispatch_wake_at_boot_ms(const struct dispatch *dispatch);

struct dispatch_stats {
    enum circuit circuit; /* the best of its seats' */
    uint32_t in_flight;
    uint32_t window; /* now */
    uint32_t seats;
    uint32_t seats_open;   /* nothing leaves by them */
    uint64_t queued_again; /* which did not answer in time before */
    uint64_t queued_phase_two;
    uint64_t queued_tries;
    uint64_t delayed;  /* wait for their time */
    uint64_t openings; /* of its circuits, since start */
};
void dispatch_read_stats(const struct dispatch *dispatch, uint32_t participant,
                         struct dispatch_stats *stats_out);

#endif

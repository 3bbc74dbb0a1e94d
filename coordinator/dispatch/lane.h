/* lane.h -- one participant's queues, window and seats.
 *
 * All that dispatch.h promises of "a participant" is kept here; dispatch.c only finds the lane and
 * knows which lanes have something to do.
 *
 * Thread: the loop's. */
#ifndef COORDINATOR_DISPATCH_LANE_H
#define COORDINATOR_DISPATCH_LANE_H

#include "dispatch/seat.h"
#include "dispatch/slot.h"

/* In the order in which they are asked, but the first has half of the window at most: what did not
 * answer in time may not do so for long, and must leave room for the others. */
enum lane_queue { LANE_AGAIN, LANE_PHASE_TWO, LANE_TRIES, LANE_QUEUE_COUNT };

struct lane {
    uint32_t participant;
    bool configured;          /* else nothing is ever sent */
    bool held;                /* nothing but probes is sent */
    uint32_t call_timeout_ms; /* when the branch does not say */
    struct seats seats;
    struct random random; /* its own, so that no other participant changes its luck */
    bool told_reachable;  /* by the last order that said so; true at first */
    uint32_t window;      /* as configured: of all seats together */
    uint32_t in_flight;   /* the same */
    uint32_t fetching;    /* slots whose payload is on its way; they count against the window */
    uint32_t
        out[LANE_QUEUE_COUNT]; /* of in flight and being fetched: by the queue they come from */
    bool was_again;            /* the last that left came from the first queue */
    bool was_try;              /* and the last from one of the others: from the tries' */
    struct slot_queue queues[LANE_QUEUE_COUNT];
    struct heap delayed;
    struct list_node loose; /* slots that are in none of the queues */
    struct list_node ready; /* dispatch's: has something to do now */
    struct heap_node wake;  /* dispatch's: has something to do at that moment */
};

void lane_init(struct lane *lane, uint32_t participant, const struct dispatch_options *options);

/* Forgets every slot, wherever it waits, and what is in flight. */
void lane_deinit(struct lane *lane);

/* Takes the reference; see dispatch_call(). */
void lane_call(struct lane *lane, struct branch *branch, enum tercet_phase phase,
               int64_t not_before_boot_ms, int64_t now_boot_ms);

void lane_answered(struct lane *lane, const struct answer *answer,
                   const struct breaker_clockwork *clockwork);

void lane_fetched(struct lane *lane, const struct branch *branch);
void lane_hold(struct lane *lane, bool held, const struct breaker_clockwork *clockwork);

/* Everything that may happen now becomes an order. */
void lane_step(struct lane *lane, int64_t now_boot_ms, struct orders *orders);

/* When the next lane_step() has something to do, if nothing else happens; INT64_MAX: never. */
int64_t lane_wake_at_boot_ms(const struct lane *lane);

/* orders.c: a zeroed one at the end. */
struct order *orders_add(struct orders *orders, enum order_kind kind, uint32_t participant);

#endif

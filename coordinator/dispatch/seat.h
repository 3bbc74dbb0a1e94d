/* seat.h -- the connections to one participant: by which of them a branch leaves.
 *
 * A seat is one connection to one instance of a participant (directory.h counts them).  All instances
 * serve one database, so a branch may leave by any seat, and its next attempt by another.  What is
 * learned of a connection is learned of its seat alone: each has a circuit, a window and a count of
 * its own, and one that is gone costs the others nothing.
 *
 * Chosen is, among those whose circuit lets a call out, the seat with the fewest in flight; of equals the
 * one that stands first behind the last chosen, so that an idle participant's calls go round.  One where
 * somebody has described himself goes before one where nobody has: there may be nobody yet.
 *
 * Thread: the loop's. */
#ifndef COORDINATOR_DISPATCH_SEAT_H
#define COORDINATOR_DISPATCH_SEAT_H

#include "dispatch/breaker.h"

struct seat {
    struct breaker breaker;
    uint32_t in_flight;
    int64_t answered_at_boot_ms; /* the last of its calls that was; 0: none */
};

struct seats {
    struct seat *items; /* owned */
    uint32_t count;     /* 0: its participant is not configured */
    uint32_t next;      /* where the search begins */
};

/* Each may have the whole window, for it may become the only one. */
void seats_init(struct seats *seats, uint32_t count, uint32_t window_max);
void seats_deinit(struct seats *seats);

struct seat *seats_at(const struct seats *seats, uint32_t index);

/* How many calls their circuits let out now, all together. */
uint32_t seats_room(const struct seats *seats);

/* By which one the next call leaves, which counts from now on.  There must be room. */
uint32_t seats_take(struct seats *seats);

/* The best circuit of all: while one is not OPEN, the participant can be reached. */
enum circuit seats_circuit(const struct seats *seats);

/* As breaker_wake_at_boot_ms(), of whichever is first. */
int64_t seats_wake_at_boot_ms(const struct seats *seats);

#endif

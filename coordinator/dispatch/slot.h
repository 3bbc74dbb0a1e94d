/* slot.h -- what dispatch knows of one branch, and where a branch waits.
 *
 * A branch has a slot from its first CALL until it neither waits nor is in flight.  A slot waits for
 * one phase at most, in at most one place: a queue, the heap of moments, (HELD) until the call of
 * the same phase that is in flight has ended, or (FETCHING) until its payload is there.  Beside that a
 * call of each phase may be in flight: a cancel leaves while its try has not come back.
 *
 * The slot holds one reference, so the branch is there as long as a call of it is out.
 *
 * Thread: the loop's. */
#ifndef COORDINATOR_DISPATCH_SLOT_H
#define COORDINATOR_DISPATCH_SLOT_H

#include "engine/branch.h"

enum slot_place {
    SLOT_NOWHERE,
    SLOT_QUEUED,
    SLOT_DELAYED,
    SLOT_HELD,
    SLOT_FETCHING
} TERCET_ONE_BYTE;

struct slot {
    struct branch *branch;                        /* owned reference; it knows its slot */
    struct list_node link;                        /* QUEUED: its queue's; else lane.loose */
    struct heap_node due;                         /* DELAYED */
    uint16_t sent_under[TERCET_PHASE_CANCEL + 1]; /* its seat's `openings` when it left, 16 bits */
    uint8_t sent_by[TERCET_PHASE_CANCEL + 1];     /* which seat */
    enum slot_place place;
    enum tercet_phase phase : 4; /* that it waits for; nothing while NOWHERE */
    unsigned queue : 4;          /* QUEUED, FETCHING: in which of the lane's */
    unsigned in_flight : 4;      /* bit (1 << phase) */
    unsigned asked_again : 4;    /* of these, which came from the lane's queue of them */
};

enum { SLOT_PHASES = 0xf /* all bits (1 << phase) */ };
enum { SLOT_BYTES_MAX = 64 }; /* of the struct; checked in slot.c */

/* Takes the reference; the branch must have no slot yet. */
struct slot *slot_create(struct branch *branch);

/* Forgets a branch that neither waits nor is in flight. */
void slot_destroy(struct slot *slot);

/* May what it waits for still be sent? */
bool slot_is_wanted(const struct slot *slot);

/* Slots that wait for the window, first come first served.  Those that are no longer wanted are found
 * when their turn comes; so that they cannot pile up while it does not, the queue is swept whenever
 * it has doubled. */
struct slot_queue {
    struct list_node slots;
    size_t count;
    size_t sweep_at;
};

void slot_queue_init(struct slot_queue *queue);
void slot_queue_push(struct slot_queue *queue, struct slot *slot);
void slot_queue_push_front(struct slot_queue *queue, struct slot *slot);
void slot_queue_remove(struct slot_queue *queue, struct slot *slot);
struct slot *slot_queue_first(const struct slot_queue *queue); /* NULL: empty */

/* When the queue has doubled since the last sweep, moves all that are not wanted to `dropped` (by
 * link, NOWHERE); the caller's. */
void slot_queue_sweep(struct slot_queue *queue, struct list_node *dropped);

#endif

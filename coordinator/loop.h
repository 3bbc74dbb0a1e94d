/* loop.h -- the order of things.
 *
 * A coordinator may tell no one a decision that it could forget.  Everything that happens goes
 * through loop_turn(), which alone knows engine, journal and dispatch, and keeps this order:
 *
 *   1. what the journal has synced is noted;
 *   2. events are stepped through the engine; its records go into the open batch, all its other
 *      effects wait, stamped with the LSN of the newest record emitted so far;
 *   3. if the journal is idle, the open batch is handed to it;
 *   4. effects whose LSN is durable are carried out, in order;
 *   5. dispatch says what may be sent now, and it is sent.
 *
 * Invariants
 *   1. An effect is carried out only when every record emitted before it is durable.
 *   2. One batch at a time is with the journal; LSNs have no gaps.
 *   3. It starts no thread, reads no clock and never blocks: what it does to the world goes through
 *      struct loop_hands, which the daemon fills with threads and sockets, and the simulator with
 *      its own world.
 *
 * Thread: one at a time. */
#ifndef COORDINATOR_LOOP_H
#define COORDINATOR_LOOP_H

#include "dispatch/dispatch.h"
#include "engine/engine.h"
#include "journal/journal.h"

struct loop;

/* What the loop does to the world. */
struct loop_hands {
    /* Write and sync; an EVENT_DURABLE with its LSN must follow.  The batch stays untouched until
     * then. */
    void (*submit)(void *context, const struct journal_batch *batch);

    /* Look for an outcome; an EVENT_FOUND must follow. */
    void (*look_up)(void *context, const char *gid);

    /* Read the payload of a branch from the journal; an EVENT_FETCHED must follow.  Takes the branch. */
    void (*fetch)(void *context, struct branch *branch_take);

    /* Answer a request; takes what the reply owns. */
    void (*reply)(void *context, struct effect_reply *reply);

    /* SEND or PROBE, in the turn of `now`; takes the order's branch.  An EVENT_ANSWER or EVENT_PROBED must
     * follow. */
    void (*carry_out)(void *context, struct order *order, const struct mark *mark,
                      struct clock_now now);

    /* Ask Inspect; an EVENT_INSPECTED must follow. */
    void (*inspect)(void *context, const struct effect_inspect *inspect);

    /* Nothing is sent to this participant any more, or again; for people. */
    void (*hold)(void *context, const struct effect_hold *hold);

    /* A participant has seen a higher epoch of this journal: another coordinator has it.  Does not
     * return. */
    void (*fenced)(void *context);

    void *context;
};

struct loop_options {
    struct engine *engine; /* borrowed, as are the next two */
    struct dispatch *dispatch;
    struct directory *directory;
    struct loop_hands hands;
    int64_t durable_lsn;    /* the journal's, once it is open */
    uint32_t end_wait_ms;   /* how long an END may wait for company; default 50 */
    uint32_t resume_ahead;  /* of each participant's parked branches so many wait in its queue;
                                    default 4096 */
    size_t batch_bytes_max; /* at that size no more events are stepped until the journal is idle;
                                    default 1 MiB */
};

struct loop *loop_create(const struct loop_options *options);
void loop_destroy(struct loop *loop);

/* After recovery, before the first turn: the effects of engine_resume(). */
void loop_resume(struct loop *loop, struct clock_now now);

/* One turn over `events` (struct event by `link`; all are taken). */
void loop_turn(struct loop *loop, struct list_node *events, struct clock_now now);

/* When the next turn is due even if nothing happens; INT64_MAX: not at all. */
int64_t loop_wake_at_boot_ms(const struct loop *loop, struct clock_now now);

/* A batch is with the journal: it must not be freed. */
bool loop_is_writing(const struct loop *loop);

/* Nothing is with the journal, nothing waits to be written, to become durable or to be stepped. */
bool loop_is_quiet(const struct loop *loop);

#endif

/* lane.h -- one store's queue and the workers that empty it.
 *
 * Each worker has a connection of its own.  It takes what is waiting, at most the store's
 * batch_max, runs it as one group (fence/group.h) and answers after the commit; what a group has
 * deferred is the beginning of its next.  Nobody waits in order to fill a group: it is what came in
 * one message, or gathered while the one before it was being committed, shared with the workers that
 * have nothing to do.  Between groups a worker applies a slice of a mark. */
#ifndef TERCET_SRC_LANE_H
#define TERCET_SRC_LANE_H

#include "fence/store.h"
#include "src/job.h"
#include "src/marks.h"

TERCET_BEGIN_DECLS

struct lane;

/* `store` is kept, not owned. */
struct lane *lane_create(struct tercet_participant *participant, struct tercet_store *store);

/* After lane_join(), or before lane_start(). */
void lane_destroy(struct lane *lane);

/* Connects once, to see that the store is there, and starts the workers.
 * Errors: those of the store's connect. */
TERCET_MUST_CHECK enum tercet_status lane_start(struct lane *lane, struct tercet_error *error_out);

/* Takes the job; false: the queue is full, or the lane stops, and the job is still the caller's. */
bool lane_push(struct lane *lane, struct job *job);

/* Remembers a mark for the lane's store. */
void lane_offer_mark(struct lane *lane, const struct tercet_fence_caller *caller,
                     const Tercet__V1__Mark *mark);

/* After either, when all that came together is there: wakes a worker, so that it finds all of it. */
void lane_wake(struct lane *lane);

/* What is queued is put off (LATER TERCET_STOPPING); what runs, runs on. */
void lane_begin_stop(struct lane *lane);

/* Waits for the workers to end, however long their handlers take. */
void lane_join(struct lane *lane);

size_t lane_queued(struct lane *lane);
struct tercet_store *lane_store(const struct lane *lane);

TERCET_END_DECLS

#endif

/* resume.h -- what a restart has parked is taken up again, slice by slice.
 *
 * After a restart decided branches lie parked in the engine, their payloads on disk (engine/recovery.c).
 * Each participant's queue in dispatch gets as many as it has room for, a whole slice at a time; so a
 * million open transactions need the memory of some thousand branches.  A slice that has not reached
 * the queues yet, because its effects wait for their LSN, is waited for: else it would be taken for
 * room.  No state of its own but that LSN; the loop's thread. */
#ifndef COORDINATOR_RESUME_H
#define COORDINATOR_RESUME_H

#include "dispatch/dispatch.h"
#include "engine/directory.h"
#include "engine/engine.h"

struct resume {
    struct engine *engine;
    struct dispatch *dispatch;
    const struct directory *directory;
    uint32_t ahead;   /* phase two branches queued for a participant, at most */
    int64_t last_lsn; /* of the last slice's effects */
};

/* Is there a participant that has parked branches, and room for a slice? */
bool resume_is_due(const struct resume *resume, int64_t durable_lsn);

/* The next slice of each participant, as effects.  `last_lsn` is the caller's to set. */
void resume_step(struct resume *resume, int64_t lsn, struct clock_now now, struct effects *effects);

#endif

/* resume.c -- see resume.h. */
#include "resume.h"

/* How many parked branches of this participant may be asked for now. */
static uint32_t room_for(const struct resume *resume, uint32_t participant)
{
    struct dispatch_stats stats;
    if (!engine_has_parked(resume->engine, participant)) {
        return 0;
    }
    dispatch_read_stats(resume->dispatch, participant, &stats);
    const uint64_t queued = stats.queued_phase_two + stats.queued_again;
    return queued > resume->ahead / 2 ? 0 : resume->ahead - (uint32_t)queued;
}

bool resume_is_due(const struct resume *resume, int64_t durable_lsn)
{
    if (resume->last_lsn > durable_lsn || !engine_is_resuming(resume->engine)) {
        return false;
    }
    for (uint32_t i = 0; i < resume->directory->count; i++) {
        if (room_for(resume, i) > 0) {
            return true;
        }
    }
    return false;
}

void resume_step(struct resume *resume, int64_t lsn, struct clock_now now, struct effects *effects)
{
    for (uint32_t i = 0; i < resume->directory->count; i++) {
        engine_resume_more(resume->engine, i, room_for(resume, i), lsn, now, effects);
    }
}

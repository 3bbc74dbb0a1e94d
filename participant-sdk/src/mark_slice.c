/* mark_slice.c -- see mark_slice.h. */
#include "src/mark_slice.h"

#include <inttypes.h>

#include "base/failpoint.h"
#include "src/moment.h"
#include "src/participant_core.h"

enum {
    SLICE_ROWS_MIN = 256,
    SLICE_ROWS_MAX = 4096,
    KEPT_QUIET_MS = 60000 /* the same TRIED row below the mark is told once in this time */
};

struct kept_rows {
    bool any; /* what follows is of the first */
    uint64_t hash;
    char gid[TERCET_GID_BYTES_MAX + 1];
    uint32_t branch;
    struct tercet_branch_number number;
};

static uint32_t slice_rows(uint64_t ran)
{
    if (ran >= SLICE_ROWS_MAX / 2) {
        return SLICE_ROWS_MAX;
    }
    return ran <= SLICE_ROWS_MIN / 2 ? SLICE_ROWS_MIN : (uint32_t)(2 * ran);
}

void mark_slice_take(struct mark_slice *slice_out, struct marks *marks, uint64_t ran,
                     int64_t now_ms, int64_t *next_ms_out)
{
    slice_out->entry = marks_take(marks, now_ms, next_ms_out);
    if (slice_out->entry != NULL) {
        slice_out->caller = slice_out->entry->caller;
        slice_out->mark = slice_out->entry->mark;
        slice_out->from = slice_out->entry->from;
        slice_out->row_count_max = slice_rows(ran);
    }
}

static bool note_kept(const struct tercet_fence_key *key, const struct tercet_fence_row *row,
                      void *context)
{
    struct kept_rows *kept = context;
    const struct tercet_branch_number *number = &row->identity.number;

    if (!kept->any && key->gid.size <= TERCET_GID_BYTES_MAX) {
        kept->any = true;
        memcpy(kept->gid, key->gid.data, key->gid.size);
        kept->gid[key->gid.size] = '\0';
        kept->branch = key->branch;
        kept->number = *number;
        kept->hash = (uint64_t)number->number ^ (uint64_t)number->incarnation << 20;
    }
    return true;
}

static void tell_kept(const struct mark_slice *slice, const char *store,
                      struct tercet_participant *participant, const struct kept_rows *kept,
                      uint32_t count)
{
    struct marks_entry *entry = slice->entry;
    const int64_t now = moment_ms();

    if (!kept->any ||
        (entry->kept_hash == kept->hash && now - entry->kept_told_ms < KEPT_QUIET_MS)) {
        return;
    }
    entry->kept_hash = kept->hash;
    entry->kept_told_ms = now;
    LOG_TELL(
        &participant->log, TERCET_LOG_WARNING, "branch.tried_below_mark",
        logger_text("participant", participant->name), logger_text("store", store),
        logger_text("gid", kept->gid), logger_int("branch", kept->branch),
        logger_int("incarnation", kept->number.incarnation),
        logger_int("number", kept->number.number), logger_int("rows", count),
        logger_text("text",
                    "the coordinator counts these branches as ended, and they are still reserved "
                    "here: an operator should look"));
}

void mark_slice_apply(struct mark_slice *slice, struct group *group,
                      struct tercet_participant *participant)
{
    struct participant_counters *counters = &participant->counters;
    struct kept_rows kept = {.any = false};
    TERCET_FAILPOINT("mark.before_apply");
    struct tercet_error error = {.status = TERCET_OK};
    const bool first = slice->from.incarnation == 0 && slice->from.number == 0;
    struct tercet_sweep sweep = {.row_count_max = slice->row_count_max,
                                 .from = slice->from,
                                 .kept_fn = note_kept,
                                 .context = &kept};

    const enum tercet_status status =
        group_apply_mark(group, &slice->caller, &slice->mark, &sweep, &error);
    if (status != TERCET_OK) {
        LOG_TELL(
            &participant->log, TERCET_LOG_WARNING, "mark.failed",
            logger_text("participant", participant->name), logger_text("store", group->ops->name),
            logger_text("status", tercet_status_name(status)), logger_text("text", error.text));
    } else if (!sweep.stale) {
        (void)atomic_fetch_add(&counters->marks, first ? 1 : 0);
        (void)atomic_fetch_add(&counters->rows_forgotten, sweep.removed);
        (void)atomic_fetch_add(&counters->rows_kept, sweep.kept);
        tell_kept(slice, group->ops->name, participant, &kept, sweep.kept);
        TERCET_FAILPOINT("mark.applied");
    }
    slice->finished = status != TERCET_OK || sweep.stale || sweep.finished;
    slice->from = sweep.from;
}

/* marks.h -- the newest mark of each coordinator, waiting to be applied to one store.
 *
 * Marks come with nearly every request; only the newest of an origin matters.  One is applied in
 * slices, each a short local transaction between groups, so that a sweep of a long table delays
 * nobody for long.  A mark that is newer than the one being swept joins the running sweep, which
 * then goes round once more.  Losing a mark costs nothing: a newer one comes.
 *
 * No lock and no clock of its own: the lane's mutex guards it. */
#ifndef TERCET_SRC_MARKS_H
#define TERCET_SRC_MARKS_H

#include "tercet/fence.h"
#include "tercet/v1/participant.pb-c.h"

TERCET_BEGIN_DECLS

enum {
    MARKS_ORIGIN_COUNT_MAX = 16, /* coordinators of one store; the one longest unused makes room */
    MARKS_INTERVAL_MS = 100 /* from the end of one sweep of an origin to the next's beginning */
};

struct marks_entry {
    bool used;
    bool taken; /* a worker has a slice of it in hand */
    bool due;   /* there is something to sweep */
    bool again; /* a newer mark came while the sweep was under way */
    struct tercet_fence_caller caller;
    struct tercet_mark mark;
    struct tercet_branch_number from; /* where the next slice begins */
    int64_t not_before_ms;
    int64_t offered_ms;
    /* The last TRIED row below the mark that was told to the log. */
    uint64_t kept_hash;
    int64_t kept_told_ms;
};

struct marks {
    struct marks_entry entries[MARKS_ORIGIN_COUNT_MAX];
};

/* Translates a mark that request_check.h has passed. */
void marks_read(const Tercet__V1__Mark *message, struct tercet_mark *mark_out);

/* Remembers it if it is newer than what is known of its origin.  True: there is something to sweep
 * that was not there before. */
bool marks_offer(struct marks *marks, const struct tercet_fence_caller *caller,
                 const Tercet__V1__Mark *message, int64_t now_ms);

/* The entry whose next slice is due, taken until marks_give_back(); NULL: none.  `next_ms_out` is
 * then when one will be, INT64_MAX for never. */
struct marks_entry *marks_take(struct marks *marks, int64_t now_ms, int64_t *next_ms_out);

/* After a slice.  `finished`: that sweep has reached the mark, or is not worth going on with. */
void marks_give_back(struct marks_entry *entry, struct tercet_branch_number next, bool finished,
                     int64_t now_ms);

TERCET_END_DECLS

#endif

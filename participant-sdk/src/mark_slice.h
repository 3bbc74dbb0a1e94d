/* mark_slice.h -- one slice of a mark, applied to one store by one of its workers.
 *
 * A slice looks at twice as many rows as branches were run since the one before it, so that a table
 * does not grow under a load that leaves no pause, however fast it is; and at 256 at least.
 *
 * What the slice needs is copied out of the lane's marks, because a newer mark may come while it
 * runs.  Rows that are still TRIED below the mark are kept by the store; they are told to the log,
 * because the coordinator counts them as ended. */
#ifndef TERCET_SRC_MARK_SLICE_H
#define TERCET_SRC_MARK_SLICE_H

#include "fence/group.h"
#include "src/marks.h"

TERCET_BEGIN_DECLS

struct tercet_participant;

struct mark_slice {
    struct marks_entry *entry; /* NULL: there is none */
    struct tercet_fence_caller caller;
    struct tercet_mark mark;
    uint32_t row_count_max;
    struct tercet_branch_number from; /* after applying: where the next slice begins */
    bool finished;                    /* after applying: the sweep is over */
};

/* Takes the next slice that is due, as marks_take().  `ran`: branches since the last one. */
void mark_slice_take(struct mark_slice *slice_out, struct marks *marks, uint64_t ran,
                     int64_t now_ms, int64_t *next_ms_out);

/* Applies it over `group`'s connection, in a local transaction of its own. */
void mark_slice_apply(struct mark_slice *slice, struct group *group,
                      struct tercet_participant *participant);

TERCET_END_DECLS

#endif

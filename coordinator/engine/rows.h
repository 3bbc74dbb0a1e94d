/* rows.h -- how a transaction was decided, read from the fence rows that its participants still have, where
 * the journal was restored and does not know it (restored.h).
 *
 * All rows that participants told stand in one array, sorted by gid, then branch.  Thread: the loop's. */
#ifndef COORDINATOR_ENGINE_ROWS_H
#define COORDINATOR_ENGINE_ROWS_H

#include "engine/engine_internal.h"

/* Numbers of tercet.v1.FenceState. */
enum { ROW_TRIED = 1, ROW_CONFIRMED = 2, ROW_CANCELLED = 3, ROW_SUSPENDED = 4 };

struct row_seen {
    struct inspected_row row;
    uint32_t participant;
};

/* Those of one gid: a part of the array, borrowed. */
struct rows {
    struct row_seen *items;
    size_t count;
};

/* None of the three: it was not decided. */
struct judgement {
    bool confirmed;
    bool cancelled;
    bool forgotten; /* a row has been there and is gone */
};

/* The row of this branch, or NULL. */
const struct row_seen *rows_find(const struct rows *rows, const struct branch *branch);

bool row_is_undone(uint32_t state);
bool rows_have(const struct rows *rows, uint32_t state);

/* Out of the `count` rows of the array `all`: those of the gid that begins at `at`; those of `gid`, count 0 if
 * there are none. */
struct rows rows_at(struct row_seen *all, size_t count, size_t at);
struct rows rows_of(struct row_seen *all, size_t count, const char *gid);

/* How the transaction was decided, by its rows.  Marks the branches whose rows are gone, and no others
 * (branch_set_conflict()). */
struct judgement rows_judge(const struct engine *engine, const struct txn *txn,
                            const struct rows *rows);

#endif

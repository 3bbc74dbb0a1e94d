/* rows.c -- see rows.h. */
#include "engine/rows.h"

#include <string.h>

static bool is_row_of(const struct row_seen *seen, const struct branch *branch)
{
    return seen->participant == branch->spec.participant &&
           seen->row.branch == branch->spec.index &&
           branch_number_compare(seen->row.number, branch->number) == 0;
}

const struct row_seen *rows_find(const struct rows *rows, const struct branch *branch)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (is_row_of(&rows->items[i], branch)) {
            return &rows->items[i];
        }
    }
    return NULL;
}

bool row_is_undone(uint32_t state)
{
    return state == ROW_CANCELLED || state == ROW_SUSPENDED;
}

/* Step by step a branch may have been added after the backup, and its row be gone. */
static bool may_have_lost_more(const struct engine *engine, const struct txn *txn)
{
    bool passed = false;
    for (uint32_t i = 0; i < engine->peer_count; i++) {
        passed =
            passed || branch_number_compare(engine->options.lost_from, engine->peers[i].passed) < 0;
    }
    return passed && txn->mode == TXN_MODE_STEPS;
}

struct judgement rows_judge(const struct engine *engine, const struct txn *txn,
                            const struct rows *rows)
{
    struct judgement found = {false, false, false};
    struct branch *undone = NULL; /* optional, or perhaps */
    bool may_be_left_out = false;
    bool tried = false;
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        struct branch *branch = txn->branches[i];
        const struct row_seen *seen = rows_find(rows, branch);
        if (seen == NULL) {
            const struct peer *peer = &engine->peers[branch->spec.participant];
            const bool passed = branch_number_compare(branch->number, peer->passed) < 0;
            branch_set_conflict(branch, passed ? CONFLICT_FORGOTTEN : 0);
            found.forgotten = found.forgotten || passed;
        } else if (seen->row.state == ROW_CONFIRMED) {
            found.confirmed = true;
        } else if (row_is_undone(seen->row.state) && branch->payload_lost) {
            may_be_left_out = true;
            undone = branch;
        } else if (row_is_undone(seen->row.state) && !branch->spec.optional) {
            found.cancelled = true;
        } else if (row_is_undone(seen->row.state)) {
            undone = branch;
        } else {
            tried = true;
        }
    }
    /* It was decided, and had ended, or one would not be undone and the others, if there were others,
     * be gone: rows go when all of a transaction has ended. */
    if (undone != NULL && !tried && !found.confirmed && !found.cancelled &&
        may_have_lost_more(engine, txn)) {
        branch_set_conflict(undone, CONFLICT_FORGOTTEN);
        found.forgotten = true;
    }
    /* Of a branch that the journal has lost its row does not say whether it was optional: where it is
     * undone the others may have been confirmed, unless their rows are there and say that they were not. */
    found.cancelled = found.cancelled || (may_be_left_out && !found.confirmed && !found.forgotten);
    return found;
}

bool rows_have(const struct rows *rows, uint32_t state)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->items[i].row.state == state) {
            return true;
        }
    }
    return false;
}

struct rows rows_at(struct row_seen *all, size_t count, size_t at)
{
    struct rows rows = {&all[at], 1};
    while (at + rows.count < count && strcmp(all[at].row.gid, all[at + rows.count].row.gid) == 0) {
        rows.count++;
    }
    return rows;
}

struct rows rows_of(struct row_seen *all, size_t count, const char *gid)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(all[middle].row.gid, gid) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < count && strcmp(all[low].row.gid, gid) == 0) {
        return rows_at(all, count, low);
    }
    return (struct rows){NULL, 0};
}

/* restore.c -- tercetd restore (tools.h). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "journal/journal_files.h"
#include "journal/journal_leveldb.h"
#include "journal/journal_leveldb_internal.h"
#include "journal/record_key.h"
#include "journal/record_participant.h"
#include "journal/tools/copy.h"
#include "journal/tools/hold.h"
#include "journal/tools/new_life.h"
#include "journal/tools/tools.h"

struct telling {
    FILE *to;
    bool began;
};

static void tell_undecided(const struct inspected_txn *txn, void *context)
{
    struct telling *telling = context;
    if (txn->decided) {
        return;
    }
    if (!telling->began) {
        (void)fputs("undecided in it; its first start asks the participants what became of them:\n",
                    telling->to);
        telling->began = true;
    }
    (void)fprintf(telling->to, "  %s (%s)\n", txn->gid, txn->participants);
}

/* ---- What has ended and is open as well --------------------------------------------------------- */

struct removing {
    const int64_t *sequences; /* sorted */
    size_t count;
    struct journal_batch *removals;
};

static int compare_sequences(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left;
    const int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static enum tercet_status remove_pair(struct tercet_bytes key, struct tercet_bytes value,
                                      struct digest128 hash, void *context)
{
    struct removing *removing = context;
    struct record_key parsed;
    (void)value;
    if (!record_participant_is(key) && record_key_parse(key, &parsed) &&
        bsearch(&parsed.sequence, removing->sequences, removing->count, sizeof parsed.sequence,
                compare_sequences) != NULL) {
        journal_batch_delete(removing->removals, key, &hash);
    }
    return TERCET_OK;
}

/* An outcome was told, and is never taken back: the transaction's own pairs go. */
static enum tercet_status remove_ended(struct journal *journal, const struct inspection *inspection,
                                       FILE *to, struct journal_batch *removals,
                                       struct tercet_error *error_out)
{
    const struct open_gids *ended = &inspection->ended;
    if (ended->count == 0) {
        return TERCET_OK;
    }
    int64_t *sequences = xcalloc(ended->count, sizeof sequences[0]);
    (void)fputs("open in it, but ended as well; the outcome holds:\n", to);
    for (size_t i = 0; i < ended->count; i++) {
        (void)fprintf(to, "  %s\n", ended->items[i].gid);
        sequences[i] = ended->items[i].sequence;
    }
    qsort(sequences, ended->count, sizeof sequences[0], compare_sequences);
    struct removing removing = {sequences, ended->count, removals};
    enum tercet_status status = journal_load(journal, remove_pair, &removing, error_out);
    free(sequences);
    return status;
}

enum tercet_status new_life_begin(const char *copy, FILE *to, struct tercet_error *error_out)
{
    struct journal *journal = NULL;
    struct inspection inspection = {0};
    struct telling telling = {.to = to};
    struct journal_batch removals;
    enum tercet_status status =
        inspect(copy, tell_undecided, &telling, &inspection, &journal, error_out);
    if (status != TERCET_OK) {
        inspection_deinit(&inspection);
        return status;
    }
    const int64_t was = inspection.head.incarnation;
    journal_batch_init(&removals);
    status = remove_ended(journal, &inspection, to, &removals, error_out);
    record_key_raise(removals.greatest_ended_gid, inspection.greatest_ended_gid);
    TERCET_FAILPOINT("new_life.before_write");
    if (status == TERCET_OK) {
        status = journal_leveldb_new_life(journal, clock_read().unix_ms, &removals, error_out);
    }
    if (status == TERCET_OK) {
        journal_read_head(journal, &inspection.head);
        (void)fprintf(to,
                      "incarnation %" PRId64 " becomes %" PRId64 ", epoch %" PRId64
                      ", write %" PRId64 "\n%" PRId64 " open transactions (%" PRId64
                      " undecided), %" PRId64 " outcomes in the live store and %" PRId64 " days\n",
                      was, inspection.head.incarnation, inspection.head.epoch, inspection.head.lsn,
                      inspection.open_count - (int64_t)inspection.ended.count,
                      inspection.undecided_count, inspection.outcome_count, inspection.day_count);
    }
    journal_batch_deinit(&removals);
    inspection_deinit(&inspection);
    journal_close(journal);
    return status;
}

enum tercet_status new_life_place(const char *directory, struct tercet_error *error_out)
{
    if (access(directory, F_OK) == 0) {
        return error_set(error_out, TERCET_ALREADY_EXISTS,
                         "%.160s is there already; name a directory that is not", directory);
    }
    return journal_place_begin(directory, error_out);
}

enum tercet_status tools_restore(const char *from, const char *directory, FILE *to,
                                 struct tercet_error *error_out)
{
    int fd = -1;
    enum tercet_status status = hold_journal(from, &fd, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    char *making = files_join(directory, NAME_MAKING);
    status = new_life_place(directory, error_out);
    const bool placed = status == TERCET_OK;
    if (status == TERCET_OK) {
        status = copy_journal(from, making, COPY_BYTES, error_out);
    }
    if (status == TERCET_OK) {
        status = new_life_begin(making, to, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("restore.before_finish");
        status = journal_place_finish(directory, error_out);
    }
    if (status == TERCET_OK) {
        (void)fprintf(to, "%s is restored from %s\n", directory, from);
    } else if (placed) {
        copy_remove(making);
        (void)rmdir(
            directory); /* stays when something is in place already: no FORMAT, no journal */
    }
    close(fd);
    free(making);
    return status;
}

/* journal_open.c -- opens a journal, or says why not (docs/journal-format.md has each refusal).
 *
 * The order matters:
 *   1. lock the directory     two coordinators on one journal decide twice
 *   2. check the format       before anything of a newer version is touched
 *   3. link the files         LevelDB deletes while it opens; the witness is synced, which then knows better
 *   4. open and scan          every pair is read and checksummed; digest and count must fit
 *   5. compare the witness    a head that is older than the witness has lost its end
 *   6. write a higher epoch   synced; from here on it is ours
 * Up to 5 nothing of ours is written; what LevelDB rewrites while it opens is in safety/ as it
 * was. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "journal/journal_ballast.h"
#include "journal/journal_damage.h"
#include "journal/journal_day_verify.h"
#include "journal/journal_files.h"
#include "journal/journal_head.h"
#include "journal/journal_leveldb_internal.h"
#include "journal/journal_safety.h"
#include "journal/record.h"
#include "journal/record_key.h"

static const int64_t DEFAULT_KEEP_MS = 7 * 24 * 3600 * 1000LL;
static const int64_t DEFAULT_KEEP_BYTES = 20LL * 1024 * 1024 * 1024;
/* LevelDB maps every table that it has open, 64 at least, and what a scan has touched counts as ours
 * until the table is closed: so tables are small, and those of level 0, as large as a log, too.
 * Each block of a table is a write of its own, and most of what is written here is gone before
 * anybody looks it up: so blocks are large.  Days, which are there to be asked, have small ones. */
enum {
    DEFAULT_WRITE_BUFFER_BYTES = 8 * 1024 * 1024,
    LIVE_FILE_BYTES = 1024 * 1024,
    LIVE_BLOCK_BYTES = 32 * 1024,
    LIVE_CACHE_BYTES = 32 * 1024 * 1024,
    LIVE_OPEN_FILE_COUNT = 10 + 64
};

/* ---- 3. and 4. Open, read everything --------------------------------------------------------- */

static enum tercet_status check_directories(const struct journal_leveldb *journal,
                                            struct tercet_error *error_out)
{
    const char *const paths[] = {journal->live_path, journal->outcomes_path, journal->safety_path};
    enum tercet_status status = TERCET_OK;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0] && status == TERCET_OK; i++) {
        bool there = false;
        status = files_look(paths[i], &there, error_out);
        if (status == TERCET_OK && !there) {
            status = error_set(error_out, TERCET_DATA_LOSS,
                               "one of its directories live, outcomes and safety is missing");
        }
    }
    return status;
}

/* LevelDB, while it opens, renames CURRENT, deletes the log behind it, and syncs neither.  When the power
 * goes then, a file system may have kept the second and not the first; and the word of a killed process
 * that the log was longer may be in memory only. */
static enum tercet_status keep_witness(const struct journal_leveldb *journal,
                                       struct tercet_error *error_out)
{
    bool there = false;
    const enum tercet_status status = files_look(journal->witness_path, &there, error_out);
    /* That it is missing is found by whoever reads it. */
    return status == TERCET_OK && there ? files_sync(journal->witness_path, error_out) : status;
}

static enum tercet_status open_live(struct journal_leveldb *journal, struct tercet_error *error_out)
{
    const struct store_options options = {
        .path = journal->live_path,
        .write_buffer_bytes = journal->write_buffer_bytes,
        .file_bytes = LIVE_FILE_BYTES,
        .block_bytes = LIVE_BLOCK_BYTES,
        .cache_bytes = LIVE_CACHE_BYTES,
        .open_file_count_max = LIVE_OPEN_FILE_COUNT,
    };
    enum tercet_status status = check_directories(journal, error_out);
    if (status == TERCET_OK && !journal->inspecting) {
        status = keep_witness(journal, error_out);
    }
    if (status == TERCET_OK && !journal->inspecting) {
        status = safety_take(journal->safety_path, NAME_LIVE, journal->live_path,
                             journal->witness_path, error_out);
    }
    if (status == TERCET_OK) {
        status = store_open(&options, &journal->live, error_out);
    }
    if (status == TERCET_OK && !identity_of(journal->lock_path, &journal->lock)) {
        status = files_failed(error_out, "open", journal->lock_path);
    }
    return status;
}

struct scan {
    struct journal_leveldb *journal;
    struct digest128 digest;
    int64_t count;
    bool has_head;
    char greatest_ended_gid[TERCET_GID_BYTES_MAX + 1]; /* of the outcomes */
};

static void raise_newest_end(struct journal_leveldb *journal, int64_t unix_ms)
{
    if (unix_ms > journal->newest_end_unix_ms) {
        journal->newest_end_unix_ms = unix_ms;
    }
}

static enum tercet_status scan_pair(struct tercet_bytes key, struct tercet_bytes value,
                                    void *context, struct tercet_error *error_out)
{
    struct scan *scan = context;
    if (bytes_equal(key, tercet_bytes_of_text(JOURNAL_HEAD_KEY))) {
        scan->has_head = true;
        return journal_head_decode(value, &scan->journal->head, error_out);
    }
    scan->digest = digest128_add(scan->digest, digest128_of_pair(key, value));
    scan->count++;
    if (store_key_begins(key, RECORD_OUTCOME_PREFIX) && key.size <= RECORD_OUTCOME_KEY_BYTES_MAX) {
        int64_t ended_unix_ms = 0;
        if (record_peek_ended(value, &ended_unix_ms)) {
            raise_newest_end(scan->journal, ended_unix_ms);
        }
        record_key_raise_by_key(scan->greatest_ended_gid, key);
        return TERCET_OK;
    }
    if (store_key_begins(key, "t/") || store_key_begins(key, "p/") ||
        store_key_begins(key, DAY_KEY_PREFIX)) {
        return TERCET_OK;
    }
    return error_set(
        error_out, TERCET_DATA_LOSS,
        "it holds a key that this tercetd does not know: use the version that wrote it");
}

static enum tercet_status scan_live(struct journal_leveldb *journal, struct tercet_error *error_out)
{
    struct scan scan = {.journal = journal};
    const struct tercet_bytes all = tercet_bytes_of_text("");
    enum tercet_status status = store_scan(journal->live, all, all, scan_pair, &scan, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    const struct journal_head *head = &journal->head;
    if (!scan.has_head) {
        return error_set(error_out, TERCET_DATA_LOSS, "its head is missing");
    }
    status = journal_head_knows(head, scan.greatest_ended_gid, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (scan.count != head->live_count || !digest128_equal(scan.digest, head->live_digest)) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "it does not add up: %" PRId64 " records are there, its head counts "
                         "%" PRId64 " of that digest",
                         scan.count, head->live_count);
    }
    return TERCET_OK;
}

/* ---- 5. Witness and days --------------------------------------------------------------------- */

static enum tercet_status compare_witness(const struct journal_head *head,
                                          const struct journal_head *witness,
                                          struct tercet_error *error_out)
{
    if (memcmp(head->origin, witness->origin, sizeof head->origin) != 0 ||
        head->incarnation != witness->incarnation) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "its witness is of another journal, or of another life of this one");
    }
    if (head->lsn < witness->lsn || head->epoch < witness->epoch ||
        head->next_number < witness->next_number) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "its newest writes are gone: the last is %" PRId64 " (epoch %" PRId64
                         "), the witness saw %" PRId64 " (epoch %" PRId64 ")",
                         head->lsn, head->epoch, witness->lsn, witness->epoch);
    }
    if (head->lsn == witness->lsn &&
        (head->epoch != witness->epoch || head->live_count != witness->live_count ||
         !digest128_equal(head->live_digest, witness->live_digest))) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "its head and its witness differ at write %" PRId64, head->lsn);
    }
    return TERCET_OK;
}

static enum tercet_status check_witness(struct journal_leveldb *journal,
                                        struct tercet_error *error_out)
{
    struct journal_head seen;
    enum tercet_status status =
        witness_open(journal->witness_path, &journal->witness, &seen, error_out);
    return status == TERCET_OK ? compare_witness(&journal->head, &seen, error_out) : status;
}

struct noting {
    struct days *days;
};

static enum tercet_status note_day(struct tercet_bytes key, struct tercet_bytes value,
                                   void *context, struct tercet_error *error_out)
{
    struct noting *noting = context;
    return days_note_record(noting->days, key, value, digest128_of_pair(key, value), error_out);
}

static enum tercet_status check_days(struct journal_leveldb *journal,
                                     struct tercet_error *error_out)
{
    struct noting noting = {&journal->days};
    const struct tercet_bytes prefix = tercet_bytes_of_text(DAY_KEY_PREFIX);
    days_init(&journal->days, journal->outcomes_path, journal->safety_path, journal->head.origin,
              journal->outcome_keep_ms);
    enum tercet_status status =
        store_scan(journal->live, prefix, prefix, note_day, &noting, error_out);
    if (status == TERCET_OK && !journal->inspecting && journal->days.count > 0 &&
        journal->head.greatest_ended_gid[0] == '\0') {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "it has outcomes of whole days, and its head takes all gids for unused");
    }
    if (journal->days.count > 0) {
        raise_newest_end(journal, days_newest_start_unix_ms(&journal->days));
    }
    return status == TERCET_OK ? days_check(&journal->days, error_out) : status;
}

/* ---- 6. Ours --------------------------------------------------------------------------------- */

static enum tercet_status write_epoch(struct journal_leveldb *journal, struct journal_batch *batch,
                                      struct tercet_error *error_out)
{
    batch->lsn = journal->head.lsn + 1;
    batch->next_number = journal->head.next_number;
    TERCET_FAILPOINT("journal.before_epoch");
    journal_write_batch(journal, batch, journal->head.epoch + 1);
    TERCET_FAILPOINT("journal.after_epoch");
    /* LevelDB renames CURRENT without syncing the directory. */
    enum tercet_status status = files_sync(journal->live_path, error_out);
    if (status == TERCET_OK) {
        status = witness_sync(journal->witness, error_out);
    }
    if (status == TERCET_OK && !journal->inspecting) {
        status = safety_done(journal->safety_path, NAME_LIVE, journal->head.epoch, error_out);
    }
    return status;
}

static enum tercet_status begin_epoch(struct journal_leveldb *journal,
                                      struct tercet_error *error_out)
{
    struct journal_batch batch;
    journal_batch_init(&batch);
    enum tercet_status status = write_epoch(journal, &batch, error_out);
    journal_batch_deinit(&batch);
    return status;
}

enum tercet_status journal_leveldb_new_life(struct journal *base, int64_t now_unix_ms,
                                            struct journal_batch *removals,
                                            struct tercet_error *error_out)
{
    struct journal_leveldb *journal = journal_of(base);
    tercet_assert(journal->inspecting);
    journal_head_begin_life(&journal->head, now_unix_ms); /* written with the epoch */
    return write_epoch(journal, removals, error_out);
}

enum tercet_status journal_leveldb_count_days(struct journal *base, struct tercet_error *error_out)
{
    struct journal_leveldb *journal = journal_of(base);
    enum tercet_status status = TERCET_OK;
    bool more = true;
    while (more && status == TERCET_OK) {
        status = days_verify_some(&journal->days, &more, error_out);
    }
    return status;
}

/* What a process before us found while it ran is looked at before anybody is served, and then
 * forgotten: a supervisor must not start us into the same damage again and again. */
static enum tercet_status look_at_damage(struct journal_leveldb *journal,
                                         struct tercet_error *error_out)
{
    if (journal->inspecting) {
        return TERCET_OK;
    }
    bool noted = false;
    enum tercet_status status = damage_is_noted(journal->path, &noted, error_out);
    if (status != TERCET_OK || !noted) {
        return status;
    }
    status = journal_leveldb_count_days(&journal->base, error_out);
    return status == TERCET_OK ? damage_forget(journal->path, error_out) : status;
}

/* A refusal for damage names the directory and where to read on, whoever found it. */
static void explain(const char *directory, struct tercet_error *error)
{
    if (error != NULL) {
        const struct tercet_error found = *error;
        error_set(error, TERCET_DATA_LOSS,
                  "journal in %.60s not opened: %.110s; run tercetd verify; see \"Refusals\" in "
                  "docs/journal-format.md",
                  directory, found.text);
    }
}

static enum tercet_status open_steps(struct journal_leveldb *journal, const char *directory,
                                     struct tercet_error *error_out)
{
    enum tercet_status status = journal_claim(journal, directory, error_out);
    if (status == TERCET_OK && !journal->inspecting) {
        TERCET_FAILPOINT("journal.claimed");
        ballast_release(journal->path, journal->live_path);
    }
    if (status == TERCET_OK) {
        status = open_live(journal, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("journal.opened");
        status = scan_live(journal, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("journal.scanned");
        status = check_witness(journal, error_out);
    }
    if (status == TERCET_OK) {
        status = check_days(journal, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("journal.checked");
        status = look_at_damage(journal, error_out);
    }
    if (status == TERCET_OK && !journal->inspecting) {
        status = begin_epoch(journal, error_out);
    }
    if (status == TERCET_OK && !journal->inspecting) {
        ballast_keep(journal->path, journal->live_path, journal->ballast_bytes);
    }
    if (status == TERCET_DATA_LOSS && !journal->inspecting) {
        explain(directory, error_out);
    }
    return status;
}

enum tercet_status journal_leveldb_open(const struct journal_leveldb_options *options,
                                        int64_t now_unix_ms, struct journal **journal_out,
                                        struct tercet_error *error_out)
{
    struct journal_leveldb *journal = xcalloc(1, sizeof *journal);
    journal->base.ops = &journal_leveldb_ops;
    journal->directory_fd = -1;
    journal->outcome_keep_ms =
        options->outcome_keep_ms > 0 ? options->outcome_keep_ms : DEFAULT_KEEP_MS;
    journal->outcome_keep_bytes_max =
        options->outcome_keep_bytes_max > 0 ? options->outcome_keep_bytes_max : DEFAULT_KEEP_BYTES;
    journal->write_buffer_bytes =
        options->write_buffer_bytes > 0 ? options->write_buffer_bytes : DEFAULT_WRITE_BUFFER_BYTES;
    journal->ballast_bytes = options->ballast_bytes;
    journal->inspecting = options->inspect;
    journal->writes = leveldb_writebatch_create();
    journal->next_pass_unix_ms = now_unix_ms;
    journal->next_expiry_unix_ms = now_unix_ms;
    tercet_assert(pthread_mutex_init(&journal->mutex, NULL) == 0);
    enum tercet_status status = open_steps(journal, options->directory, error_out);
    if (status != TERCET_OK) {
        journal_leveldb_close(&journal->base);
        return status;
    }
    *journal_out = &journal->base;
    return TERCET_OK;
}

void journal_leveldb_close(struct journal *base)
{
    struct journal_leveldb *journal = journal_of(base);
    if (journal->witness != NULL) {
        struct tercet_error ignored; /* what is not synced is only older */
        (void)!witness_sync(journal->witness, &ignored);
    }
    TERCET_FAILPOINT("journal.closing");
    journal_backup_stop(journal);
    days_deinit(&journal->days);
    store_close(journal->live);
    witness_close(journal->witness);
    if (journal->directory_fd >= 0) {
        close(journal->directory_fd);
    }
    journal_batch_deinit(&journal->upkeep);
    journal_batch_deinit(&journal->taken);
    leveldb_writebatch_destroy(journal->writes);
    buffer_deinit(&journal->pass_key);
    tercet_assert(pthread_mutex_destroy(&journal->mutex) == 0);
    free(journal->path);
    free(journal->live_path);
    free(journal->lock_path);
    free(journal->outcomes_path);
    free(journal->safety_path);
    free(journal->witness_path);
    free(journal);
}

/* salvage.c -- see salvage.h.
 *
 *   1. The logs' whole batches are read into memory, and the logs removed.
 *   2. LevelDB's repair makes a store of the tables, whose blocks it verifies.  (Logs it would not.)
 *   3. The batches that are newer than that store's head go on top.
 *   4. Every pair is looked at (salvage_pairs.c) and, when it can be vouched for, put into a new store.
 *   5. A head and a witness are made that fit exactly these pairs. */
#include "journal/tools/salvage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "journal/journal_files.h"
#include "journal/journal_head.h"
#include "journal/journal_leveldb_internal.h"
#include "journal/log_file.h"
#include "journal/tools/salvage_pairs.h"

enum { STORE_BUFFER_BYTES = 4 * 1024 * 1024, STORE_OPEN_FILE_COUNT = 1000 };

/* The batches of all logs, one behind another: SIZE(4) BYTES. */
struct logs {
    struct buffer batches;
    int64_t skipped_bytes;
};

static enum tercet_status keep_batch(struct tercet_bytes batch, void *context,
                                     struct tercet_error *error_out)
{
    struct logs *logs = context;
    (void)error_out;
    buffer_append_be32(&logs->batches, (uint32_t)batch.size);
    buffer_append(&logs->batches, batch.data, batch.size);
    return TERCET_OK;
}

static bool ends_with(const char *name, const char *ending)
{
    const size_t size = strlen(name);
    return size >= strlen(ending) && strcmp(name + size - strlen(ending), ending) == 0;
}

/* Reads the logs and leaves nothing but tables. */
static enum tercet_status take_logs(const char *live, struct logs *logs,
                                    struct tercet_error *error_out)
{
    struct files_names names = {0};
    enum tercet_status status = files_list(live, &names, error_out);
    for (size_t i = 0; i < names.count && status == TERCET_OK; i++) {
        int64_t skipped_bytes = 0;
        char *path = files_join(live, names.items[i]);
        if (ends_with(names.items[i], ".log")) {
            status = log_file_read(path, keep_batch, logs, &skipped_bytes, error_out);
            logs->skipped_bytes += skipped_bytes;
        }
        if (status == TERCET_OK && !ends_with(names.items[i], ".ldb") && unlink(path) != 0) {
            status = files_failed(error_out, "remove", path);
        }
        free(path);
    }
    files_names_deinit(&names);
    return status;
}

static enum tercet_status open_store(const char *path, bool create, struct store **store_out,
                                     struct tercet_error *error_out)
{
    const struct store_options options = {.path = path,
                                          .create = create,
                                          .write_buffer_bytes = STORE_BUFFER_BYTES,
                                          .file_bytes = STORE_BUFFER_BYTES,
                                          .cache_bytes = STORE_BUFFER_BYTES,
                                          .open_file_count_max = STORE_OPEN_FILE_COUNT};
    return store_open(&options, store_out, error_out);
}

static enum tercet_status repair(const char *live, struct tercet_error *error_out)
{
    char *text = NULL;
    leveldb_options_t *options = leveldb_options_create();
    leveldb_options_set_paranoid_checks(options, 1); /* verifies the tables' blocks */
    leveldb_options_set_compression(options, leveldb_no_compression);
    leveldb_repair_db(options, live, &text);
    leveldb_options_destroy(options);
    if (text == NULL) {
        return TERCET_OK;
    }
    enum tercet_status status = error_set(error_out, TERCET_DATA_LOSS, "%s", text);
    leveldb_free(text);
    return status;
}

/* ---- Logs on top of tables --------------------------------------------------------------------- */

struct replay {
    leveldb_writebatch_t *writes;
    struct journal_head head; /* of this batch */
    bool has_head;
};

static void replay_operation(bool put, struct tercet_bytes key, struct tercet_bytes value,
                             void *context)
{
    struct replay *replay = context;
    if (put) {
        store_batch_put(replay->writes, key, value);
    } else {
        leveldb_writebatch_delete(replay->writes, key.data, key.size);
    }
    if (put && bytes_equal(key, tercet_bytes_of_text(JOURNAL_HEAD_KEY))) {
        replay->has_head = journal_head_decode(value, &replay->head, NULL) == TERCET_OK;
    }
}

/* Puts what is newer than `head_io`, and moves that along. */
static enum tercet_status put_on_top(const struct logs *logs, struct store *store,
                                     struct journal_head *head_io, struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_OK;
    const struct tercet_bytes all = buffer_bytes(&logs->batches);
    const uint8_t *data = all.data;
    size_t at = 0;
    while (at < all.size && status == TERCET_OK) {
        const uint32_t size = load_be32(data + at);
        struct replay replay = {.writes = leveldb_writebatch_create()};
        const bool whole =
            log_batch_read(tercet_bytes_of(data + at + 4, size), replay_operation, &replay);
        if (whole && replay.has_head && replay.head.lsn > head_io->lsn) {
            status = store_write(store, replay.writes, error_out);
            *head_io = replay.head;
        }
        leveldb_writebatch_destroy(replay.writes);
        at += 4 + size;
    }
    return status;
}

static struct journal_head read_head(struct store *store)
{
    struct buffer value;
    struct journal_head head = {0};
    struct tercet_error ignored;
    buffer_init(&value);
    if (store_get(store, tercet_bytes_of_text(JOURNAL_HEAD_KEY), &value, &ignored) == TERCET_OK &&
        journal_head_decode(buffer_bytes(&value), &head, NULL) != TERCET_OK) {
        head = (struct journal_head){0};
    }
    buffer_deinit(&value);
    return head;
}

/* ---- The new head ------------------------------------------------------------------------------ */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* All that is known of how far the journal had come. */
static enum tercet_status combine(struct journal_head *head, const char *witness_path, FILE *to,
                                  struct tercet_error *error_out)
{
    struct journal_head seen = {0};
    struct witness *witness = NULL;
    struct tercet_error error;
    const bool has_witness = witness_open(witness_path, &witness, &seen, &error) == TERCET_OK;
    witness_close(witness);
    if (!has_witness) {
        (void)fprintf(to, "%s: how much was written after write %" PRId64 " is not known\n",
                      error.text, head->lsn);
    }
    if (!has_witness && head->lsn == 0) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "neither its head nor its witness can be read: nothing can be vouched "
                         "for; restore a backup");
    }
    if (has_witness && seen.lsn > head->lsn) {
        (void)fprintf(to, "writes %" PRId64 " to %" PRId64 " are not there\n", head->lsn + 1,
                      seen.lsn);
    }
    if (has_witness && seen.next_number > larger(head->next_number, 1)) {
        (void)fprintf(to,
                      "branch numbers %" PRId64 " to %" PRId64 " of incarnation %" PRId64
                      " may have been given out in them\n",
                      larger(head->next_number, 1), seen.next_number - 1, seen.incarnation);
    }
    if (has_witness && head->lsn == 0) {
        memcpy(head->origin, seen.origin, sizeof head->origin);
    }
    head->incarnation = larger(head->incarnation, seen.incarnation);
    head->epoch = larger(head->epoch, seen.epoch);
    head->lsn = larger(head->lsn, seen.lsn);
    head->next_number = larger(head->next_number, seen.next_number);
    head->horizon_unix_ms = larger(head->horizon_unix_ms, seen.horizon_unix_ms);
    return TERCET_OK;
}

static enum tercet_status finish(const char *copy, struct store *store,
                                 const struct journal_head *head, struct tercet_error *error_out)
{
    struct buffer value;
    char text[sizeof FORMAT_PREFIX + 16];
    char *witness = files_join(copy, NAME_WITNESS);
    char *format = files_join(copy, NAME_FORMAT);
    leveldb_writebatch_t *writes = leveldb_writebatch_create();
    buffer_init(&value);
    journal_head_encode(head, &value);
    store_batch_put(writes, tercet_bytes_of_text(JOURNAL_HEAD_KEY), buffer_bytes(&value));
    enum tercet_status status = store_write(store, writes, error_out);
    (void)unlink(witness);
    (void)unlink(format);
    if (status == TERCET_OK) {
        status = witness_create(witness, head, error_out);
    }
    if (status == TERCET_OK) {
        snprintf(text, sizeof text, FORMAT_PREFIX "%d\n", JOURNAL_FORMAT);
        status = files_write_new(format, tercet_bytes_of_text(text), error_out);
    }
    leveldb_writebatch_destroy(writes);
    buffer_deinit(&value);
    free(witness);
    free(format);
    return status;
}

/* From the repaired store into a new one. */
static enum tercet_status sift(const char *copy, struct store *old, struct store *made,
                               struct journal_head *head, FILE *to, struct tercet_error *error_out)
{
    char *witness = files_join(copy, NAME_WITNESS);
    enum tercet_status status = combine(head, witness, to, error_out);
    free(witness);
    if (status == TERCET_OK) {
        status = salvage_pairs(copy, old, made, head, to, error_out);
    }
    return status == TERCET_OK ? finish(copy, made, head, error_out) : status;
}

static enum tercet_status salvage_live(const char *copy, const char *live, const char *made_path,
                                       FILE *to, struct tercet_error *error_out)
{
    struct logs logs = {0};
    struct journal_head head = {0};
    struct store *old = NULL;
    struct store *made = NULL;
    buffer_init(&logs.batches);
    enum tercet_status status = take_logs(live, &logs, error_out);
    if (logs.skipped_bytes > 0) {
        (void)fprintf(to, "%" PRId64 " bytes of its logs are damaged\n", logs.skipped_bytes);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("salvage.before_repair");
        status = repair(live, error_out);
    }
    if (status == TERCET_OK) {
        status = open_store(live, false, &old, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("salvage.before_replay");
        head = read_head(old);
        status = put_on_top(&logs, old, &head, error_out);
    }
    if (status == TERCET_OK) {
        status = open_store(made_path, true, &made, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("salvage.before_sift");
        status = sift(copy, old, made, &head, to, error_out);
    }
    store_close(old);
    store_close(made);
    buffer_deinit(&logs.batches);
    return status == TERCET_OK ? files_sync_all(made_path, error_out) : status;
}

/* A directory that a copy must have, made when it is missing. */
static enum tercet_status make_missing(const char *path, const char *name, FILE *to,
                                       struct tercet_error *error_out)
{
    if (access(path, F_OK) == 0) {
        return TERCET_OK;
    }
    (void)fprintf(to, "the directory %s is missing\n", name);
    return files_make_directory(path, error_out);
}

static enum tercet_status remove_lost(const char *live, struct tercet_error *error_out)
{
    char *lost = files_join(live, "lost"); /* where a repair moves what it does not want */
    enum tercet_status status = files_remove_directory(lost, error_out);
    free(lost);
    return status == TERCET_OK ? files_remove_directory(live, error_out) : status;
}

enum tercet_status salvage(const char *copy, FILE *to, struct tercet_error *error_out)
{
    char *live = files_join(copy, NAME_LIVE);
    char *outcomes = files_join(copy, NAME_OUTCOMES);
    char *made = files_join(copy, "live.new");
    enum tercet_status status = make_missing(live, NAME_LIVE, to, error_out);
    if (status == TERCET_OK) {
        status = make_missing(outcomes, NAME_OUTCOMES, to, error_out);
    }
    if (status == TERCET_OK) {
        status = salvage_live(copy, live, made, to, error_out);
    }
    if (status == TERCET_OK) {
        status = remove_lost(live, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("salvage.before_rename");
        status = files_rename(made, live, error_out);
    }
    free(live);
    free(outcomes);
    free(made);
    return status;
}

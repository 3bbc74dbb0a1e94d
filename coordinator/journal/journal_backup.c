/* journal_backup.c -- a copy of a running journal.
 *
 * LevelDB has no call for it, and its files must not be copied while it writes them.  So pairs are
 * read, verified, through an iterator, which sees the store as it was when it was made, and written
 * to new stores; a few milliseconds at a time, because look-ups wait for the same thread.
 *
 * The live store's iterator is made first.  Its head goes with exactly its pairs, and each day is
 * read after it, and so holds at least what the "d/" pair of the copy says.  Days do not expire while a backup
 * is made.  All is built in PATH.new and renamed when it is synced; its FORMAT is called BACKUP, so that
 * nobody can run it: `tercetd restore` makes a new life of it.
 *
 * A backup that cannot be written is given up and logged; the coordinator goes on. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/logger.h"
#include "base/memory.h"
#include "journal/journal_files.h"
#include "journal/journal_head.h"
#include "journal/journal_leveldb_internal.h"

enum {
    SLICE_COUNT_MAX = 1024,
    SLICE_US_MAX = 3000,
    LOOK_AT_CLOCK_EVERY = 32,
    STORE_BUFFER_BYTES = 4 * 1024 * 1024,
    STORE_OPEN_FILE_COUNT = 74
};

struct backup {
    char *path;
    char *making;
    struct store *to; /* the copy that is being written; NULL: between two */
    char *to_path;
    leveldb_iterator_t *iterator; /* where reading goes on */
    struct day *day;              /* that is read; NULL: the live store */
    char date[DAY_DATE_SIZE];     /* of the newest day that is copied; "": none yet */
    struct journal_head head;     /* of the copy */
    int64_t pair_count;
};

struct slice {
    struct backup *backup;
    leveldb_writebatch_t *writes;
    int64_t began_us;
    int64_t count;
};

static enum tercet_status begin_store(struct backup *backup, const char *parent, const char *name,
                                      struct tercet_error *error_out)
{
    char *directory = parent == NULL ? xstrdup(backup->making) : files_join(backup->making, parent);
    backup->to_path = files_join(directory, name);
    free(directory);
    const struct store_options options = {.path = backup->to_path,
                                          .create = true,
                                          .write_buffer_bytes = STORE_BUFFER_BYTES,
                                          .file_bytes = STORE_BUFFER_BYTES,
                                          .cache_bytes = STORE_BUFFER_BYTES,
                                          .open_file_count_max = STORE_OPEN_FILE_COUNT};
    return store_open(&options, &backup->to, error_out);
}

static enum tercet_status finish_store(struct backup *backup, struct tercet_error *error_out)
{
    leveldb_iter_destroy(backup->iterator);
    backup->iterator = NULL;
    store_close(backup->to);
    backup->to = NULL;
    TERCET_FAILPOINT("backup.before_sync");
    enum tercet_status status = files_sync_all(backup->to_path, error_out);
    free(backup->to_path);
    backup->to_path = NULL;
    if (backup->day != NULL) {
        memcpy(backup->date, backup->day->date, sizeof backup->date);
        backup->day->copied = false;
        backup->day = NULL;
    }
    return status;
}

static enum tercet_status make_in(const struct backup *backup, const char *name,
                                  struct tercet_error *error_out)
{
    char *path = files_join(backup->making, name);
    enum tercet_status status = files_make_directory(path, error_out);
    free(path);
    return status;
}

static void destroy(struct backup *backup)
{
    if (backup->iterator != NULL) {
        leveldb_iter_destroy(backup->iterator);
    }
    if (backup->day != NULL) {
        backup->day->copied = false;
    }
    store_close(backup->to);
    free(backup->to_path);
    free(backup->making);
    free(backup->path);
    free(backup);
}

/* Removes what was built so far. */
static void clear(const struct backup *backup)
{
    struct files_names names = {0};
    struct tercet_error ignored;
    char *live = files_join(backup->making, NAME_LIVE);
    char *outcomes = files_join(backup->making, NAME_OUTCOMES);
    if (files_list(outcomes, &names, &ignored) == TERCET_OK) {
        for (size_t i = 0; i < names.count; i++) {
            char *day = files_join(outcomes, names.items[i]);
            (void)!files_remove_directory(day, &ignored);
            free(day);
        }
        files_names_deinit(&names);
    }
    (void)!files_remove_directory(outcomes, &ignored);
    (void)!files_remove_directory(live, &ignored);
    (void)!files_remove_directory(backup->making, &ignored);
    free(live);
    free(outcomes);
}

void journal_backup_stop(struct journal_leveldb *journal)
{
    if (journal->backup != NULL) {
        struct backup *backup = journal->backup;
        journal->backup = NULL;
        char *path = xstrdup(backup->making);
        struct backup named = {.making = path};
        destroy(backup);
        clear(&named);
        free(path);
    }
}

enum tercet_status journal_leveldb_backup(struct journal *base, const char *directory,
                                          struct tercet_error *error_out)
{
    struct journal_leveldb *journal = journal_of(base);
    if (journal->backup != NULL) {
        return error_set(error_out, TERCET_FAILED_PRECONDITION, "a backup is being made: %.160s",
                         journal->backup->path);
    }
    if (access(directory, F_OK) == 0) {
        return error_set(error_out, TERCET_ALREADY_EXISTS, "%.200s is there already", directory);
    }
    const size_t size = strlen(directory) + sizeof ".new";
    struct backup *backup = xcalloc(1, sizeof *backup);
    backup->path = xstrdup(directory);
    backup->making = xmalloc(size);
    snprintf(backup->making, size, "%s.new", directory);
    clear(backup); /* of a process that has ended meanwhile */
    enum tercet_status status = files_make_directory(backup->making, error_out);
    if (status != TERCET_OK) {
        destroy(backup);
        return status;
    }
    journal->backup = backup;
    status = make_in(backup, NAME_OUTCOMES, error_out);
    if (status == TERCET_OK) {
        status = begin_store(backup, NULL, NAME_LIVE, error_out);
    }
    if (status != TERCET_OK) {
        journal_backup_stop(journal);
        return status;
    }
    TERCET_FAILPOINT("backup.begun");
    backup->iterator = store_iterator(journal->live);
    leveldb_iter_seek_to_first(backup->iterator);
    return TERCET_OK;
}

/* ---- Slices ------------------------------------------------------------------------------------ */

static enum tercet_status copy_pair(struct tercet_bytes key, struct tercet_bytes value,
                                    void *context, struct tercet_error *error_out)
{
    struct slice *slice = context;
    struct backup *backup = slice->backup;
    store_batch_put(slice->writes, key, value);
    slice->count++;
    if (backup->day == NULL && bytes_equal(key, tercet_bytes_of_text(JOURNAL_HEAD_KEY))) {
        enum tercet_status status = journal_head_decode(value, &backup->head, error_out);
        if (status != TERCET_OK) {
            return status;
        }
    }
    const bool full =
        slice->count >= SLICE_COUNT_MAX || (slice->count % LOOK_AT_CLOCK_EVERY == 0 &&
                                            clock_boot_us() - slice->began_us >= SLICE_US_MAX);
    return full ? TERCET_CALL_CANCELLED : TERCET_OK;
}

/* One slice of one store.  A read error of the journal itself ends the process, as any does. */
static enum tercet_status copy_some(struct journal_leveldb *journal, struct tercet_error *error_out)
{
    struct backup *backup = journal->backup;
    struct slice slice = {
        .backup = backup, .writes = leveldb_writebatch_create(), .began_us = clock_boot_us()};
    enum tercet_status status =
        store_iterate(backup->iterator, (struct tercet_bytes){0}, copy_pair, &slice, error_out);
    const bool more = status == TERCET_CALL_CANCELLED;
    if (status != TERCET_OK && !more) {
        journal_die(journal, "journal.read_failed", error_out);
    }
    TERCET_FAILPOINT("backup.before_write");
    status = store_write(backup->to, slice.writes, error_out);
    if (TERCET_FAILPOINT_FAILS("backup.write")) {
        status = error_set(error_out, TERCET_UNAVAILABLE, "failpoint backup.write");
    }
    leveldb_writebatch_destroy(slice.writes);
    backup->pair_count += slice.count;
    if (status == TERCET_OK && !more) {
        status = finish_store(backup, error_out);
    }
    return status;
}

/* The oldest day that is newer than the last one; NULL: all are copied.  Also one that is about to go: the
 * live store may be copied as it was when that day's record was there. */
static struct day *next_day(struct journal_leveldb *journal)
{
    for (size_t i = 0; i < journal->days.count; i++) {
        struct day *day = journal->days.items[i];
        if (day->made && strcmp(day->date, journal->backup->date) > 0) {
            return day;
        }
    }
    return NULL;
}

static enum tercet_status begin_day(struct journal_leveldb *journal, struct day *day,
                                    struct tercet_error *error_out)
{
    struct backup *backup = journal->backup;
    struct store *store = NULL;
    if (days_store(&journal->days, day, &store, error_out) != TERCET_OK) {
        journal_die(journal, "journal.read_failed", error_out);
    }
    backup->day = day;
    day->copied = true;
    backup->iterator = store_iterator(store);
    leveldb_iter_seek_to_first(backup->iterator);
    return begin_store(backup, NAME_OUTCOMES, day->date, error_out);
}

static enum tercet_status finish(struct backup *backup, struct tercet_error *error_out)
{
    char text[sizeof FORMAT_PREFIX + 16];
    snprintf(text, sizeof text, FORMAT_PREFIX "%d\n", JOURNAL_FORMAT);
    char *witness = files_join(backup->making, NAME_WITNESS);
    char *format = files_join(backup->making, NAME_BACKUP);
    char *parent = files_join(backup->path, "..");
    char *outcomes = files_join(backup->making, NAME_OUTCOMES);
    TERCET_FAILPOINT("backup.copied");
    enum tercet_status status = files_sync(outcomes, error_out);
    if (status == TERCET_OK) {
        status = witness_create(witness, &backup->head, error_out);
    }
    if (status == TERCET_OK) {
        status = files_write_new(format, tercet_bytes_of_text(text), error_out);
    }
    if (status == TERCET_OK) {
        status = files_sync(backup->making, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("backup.before_rename");
        status = files_rename(backup->making, backup->path, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("backup.renamed");
        status = files_sync(parent, error_out);
    }
    free(witness);
    free(format);
    free(parent);
    free(outcomes);
    return status;
}

bool journal_backup_some(struct journal_leveldb *journal)
{
    struct backup *backup = journal->backup;
    struct tercet_error error = {0};
    if (backup == NULL) {
        return false;
    }
    if (backup->to != NULL) {
        const enum tercet_status copied = copy_some(journal, &error);
        if (copied == TERCET_OK) {
            return true;
        }
    } else {
        struct day *day = next_day(journal);
        const enum tercet_status status =
            day == NULL ? finish(backup, &error) : begin_day(journal, day, &error);
        if (status == TERCET_OK && day != NULL) {
            return true;
        }
        if (status == TERCET_OK) {
            LOGGER(LOGGER_INFO, "journal.backup_done", logger_text("directory", backup->path),
                   logger_int("lsn", backup->head.lsn), logger_int("pairs", backup->pair_count));
            journal->backup = NULL;
            destroy(backup);
            return true;
        }
    }
    LOGGER(LOGGER_ERROR, "journal.backup_failed", logger_text("directory", backup->path),
           logger_text("text", error.text));
    journal_backup_stop(journal);
    return true;
}

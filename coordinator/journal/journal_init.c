/* journal_init.c -- makes a new journal (journal_leveldb.h).
 *
 * All is built in DIRECTORY/.new and synced there, then renamed into place, FORMAT last: a
 * directory without FORMAT is no journal yet, and what a crash leaves in .new is removed by the
 * next init. (Inside, not beside: the service's user often may write to its directory only, and it
 * is often mounted.) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "journal/journal_files.h"
#include "journal/journal_head.h"
#include "journal/journal_leveldb_internal.h"

enum { STORE_BUFFER_BYTES = 1024 * 1024, STORE_OPEN_FILE_COUNT = 64 };

static enum tercet_status check_is_empty(const char *directory, struct tercet_error *error_out)
{
    struct files_names names = {0};
    enum tercet_status status = files_list(directory, &names, error_out);
    for (size_t i = 0; i < names.count && status == TERCET_OK; i++) {
        if (strcmp(names.items[i], NAME_FORMAT) == 0) {
            status =
                error_set(error_out, TERCET_ALREADY_EXISTS,
                          "there is a journal in %.120s already; it is left as it is", directory);
        } else if (strcmp(names.items[i], NAME_MAKING) != 0 &&
                   strcmp(names.items[i], "lost+found") != 0) {
            status = error_set(error_out, TERCET_ALREADY_EXISTS,
                               "%.120s is not empty (%.60s) and is no journal; name another "
                               "directory or empty it",
                               directory, names.items[i]);
        }
    }
    files_names_deinit(&names);
    return status;
}

static enum tercet_status make_live(const char *path, const struct journal_head *head,
                                    struct tercet_error *error_out)
{
    const struct store_options options = {
        .path = path,
        .create = true,
        .write_buffer_bytes = STORE_BUFFER_BYTES,
        .file_bytes = STORE_BUFFER_BYTES,
        .cache_bytes = STORE_BUFFER_BYTES,
        .open_file_count_max = STORE_OPEN_FILE_COUNT,
    };
    struct store *store = NULL;
    enum tercet_status status = store_open(&options, &store, error_out);
    if (status == TERCET_OK) {
        struct buffer value;
        buffer_init(&value);
        journal_head_encode(head, &value);
        leveldb_writebatch_t *writes = leveldb_writebatch_create();
        store_batch_put(writes, tercet_bytes_of_text(JOURNAL_HEAD_KEY), buffer_bytes(&value));
        status = store_write(store, writes, error_out);
        leveldb_writebatch_destroy(writes);
        buffer_deinit(&value);
    }
    store_close(store);
    return status == TERCET_OK ? files_sync_all(path, error_out) : status;
}

static enum tercet_status make_directory_in(const char *making, const char *name,
                                            struct tercet_error *error_out)
{
    char *path = files_join(making, name);
    enum tercet_status status = files_make_directory(path, error_out);
    free(path);
    return status;
}

static enum tercet_status make_file_in(const char *making, const struct journal_head *head,
                                       struct tercet_error *error_out)
{
    char text[sizeof FORMAT_PREFIX + 16];
    snprintf(text, sizeof text, FORMAT_PREFIX "%d\n", JOURNAL_FORMAT);
    char *format = files_join(making, NAME_FORMAT);
    char *witness = files_join(making, NAME_WITNESS);
    enum tercet_status status = files_write_new(format, tercet_bytes_of_text(text), error_out);
    if (status == TERCET_OK) {
        status = witness_create(witness, head, error_out);
    }
    free(format);
    free(witness);
    return status;
}

static enum tercet_status build(const char *making, const struct journal_head *head,
                                struct tercet_error *error_out)
{
    char *live = files_join(making, NAME_LIVE);
    enum tercet_status status = files_make_directory(making, error_out);
    if (status == TERCET_OK) {
        status = make_directory_in(making, NAME_OUTCOMES, error_out);
    }
    if (status == TERCET_OK) {
        status = make_directory_in(making, NAME_SAFETY, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("init.before_live");
        status = make_live(live, head, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("init.before_files");
        status = make_file_in(making, head, error_out);
    }
    if (status == TERCET_OK) {
        status = files_sync(making, error_out);
    }
    free(live);
    return status;
}

/* FORMAT goes last: with it, the directory is a journal. */
static const char *const parts[] = {NAME_LIVE, NAME_OUTCOMES, NAME_SAFETY, NAME_WITNESS,
                                    NAME_FORMAT};
enum { PART_COUNT = sizeof parts / sizeof parts[0] };

static enum tercet_status move_into_place(const char *making, const char *directory,
                                          struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_OK;
    for (size_t i = 0; i < PART_COUNT && status == TERCET_OK; i++) {
        char *from = files_join(making, parts[i]);
        char *to = files_join(directory, parts[i]);
        if (i == PART_COUNT - 1) {
            status = files_sync(directory, error_out);
        }
        if (status == TERCET_OK) {
            TERCET_FAILPOINT("init.before_move"); /* five times; FORMAT is the last */
            status = files_rename(from, to, error_out);
        }
        free(from);
        free(to);
    }
    if (status == TERCET_OK) {
        status = files_sync(directory, error_out);
    }
    return status;
}

/* Parts that were moved into place before an interruption go back to where they were built.  FORMAT is
 * moved last: while it is not, what stands beside it was never a journal. */
static enum tercet_status take_back(const char *making, const char *directory,
                                    struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_OK;
    char *built = files_join(making, NAME_FORMAT);
    char *placed = files_join(directory, NAME_FORMAT);
    const bool interrupted = access(built, F_OK) == 0 && access(placed, F_OK) != 0;
    free(built);
    free(placed);
    for (size_t i = 0; interrupted && i < PART_COUNT - 1 && status == TERCET_OK; i++) {
        char *from = files_join(directory, parts[i]);
        char *to = files_join(making, parts[i]);
        if (access(from, F_OK) == 0) {
            TERCET_FAILPOINT("init.before_take_back");
            status = files_rename(from, to, error_out);
        }
        free(from);
        free(to);
    }
    return status;
}

/* What a build that did not finish has left. */
static enum tercet_status clear(const char *making, struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_OK;
    if (access(making, F_OK) != 0) {
        return TERCET_OK;
    }
    for (size_t i = 0; i < 3 && status == TERCET_OK; i++) { /* the directories among the parts */
        char *path = files_join(making, parts[i]);
        status = files_remove_directory(path, error_out);
        free(path);
    }
    return status == TERCET_OK ? files_remove_directory(making, error_out) : status;
}

/* The directory's own entry must be durable as well. */
static enum tercet_status sync_parent(const char *directory, struct tercet_error *error_out)
{
    char *parent = files_join(directory, "..");
    enum tercet_status status = files_sync(parent, error_out);
    free(parent);
    return status;
}

enum tercet_status journal_place_begin(const char *directory, struct tercet_error *error_out)
{
    if (access(directory, F_OK) != 0 && files_make_directory(directory, error_out) != TERCET_OK) {
        return TERCET_PERMISSION_DENIED; /* another name may do */
    }
    char *making = files_join(directory, NAME_MAKING);
    enum tercet_status status = take_back(making, directory, error_out);
    if (status == TERCET_OK) {
        status = check_is_empty(directory, error_out);
    }
    if (status == TERCET_OK) {
        status = clear(making, error_out);
    }
    free(making);
    return status;
}

enum tercet_status journal_place_finish(const char *directory, struct tercet_error *error_out)
{
    char *making = files_join(directory, NAME_MAKING);
    enum tercet_status status = move_into_place(making, directory, error_out);
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("init.moved");
        status = clear(making, error_out);
    }
    if (status == TERCET_OK) {
        status = sync_parent(directory, error_out);
    }
    free(making);
    return status;
}

enum tercet_status journal_leveldb_init(const char *directory, int64_t now_unix_ms,
                                        struct tercet_error *error_out)
{
    struct journal_head head;
    enum tercet_status status = journal_place_begin(directory, error_out);
    if (status == TERCET_OK) {
        char *making = files_join(directory, NAME_MAKING);
        journal_head_make(now_unix_ms, &head);
        status = build(making, &head, error_out);
        free(making);
    }
    return status == TERCET_OK ? journal_place_finish(directory, error_out) : status;
}

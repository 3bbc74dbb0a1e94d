/* leveldb_backend.c -- see leveldb_backend.h. */
#include "fence/leveldb_backend.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"

/* LevelDB's message as a status.  Takes ownership of `words`. */
static enum tercet_status explain(char *words, const char *what, struct tercet_error *error_out)
{
    const enum tercet_status status =
        strncmp(words, "Corruption", 10) == 0 ? TERCET_DATA_LOSS : TERCET_UNAVAILABLE;
    (void)error_set(error_out, status, "%s: %s", what, words);
    leveldb_free(words);
    return status;
}

/* ---- Slots ------------------------------------------------------------------------------------ */

static enum tercet_status backend_usable(void *self, struct tercet_error *error_out)
{
    const struct leveldb_backend *backend = self;
    if (backend->dead != NULL) {
        return error_set(error_out, TERCET_UNAVAILABLE,
                         "LevelDB has failed to write and cannot be trusted any more; start the "
                         "process again: %s",
                         backend->dead);
    }
    return TERCET_OK;
}

static enum tercet_status backend_get(void *self, struct tercet_bytes key,
                                      struct tercet_bytes *value_out,
                                      struct tercet_error *error_out)
{
    struct leveldb_backend *backend = self;
    char *words = NULL;
    size_t size = 0;

    leveldb_free(backend->value);
    backend->value =
        leveldb_get(backend->database, backend->read_options, key.data, key.size, &size, &words);
    if (words != NULL) {
        return explain(words, "LevelDB cannot read", error_out);
    }
    *value_out = tercet_bytes_of(backend->value, size);
    return TERCET_OK;
}

static enum tercet_status backend_scan(void *self, struct tercet_bytes from,
                                       struct tercet_bytes end, kv_scan_fn fn, void *context,
                                       struct tercet_error *error_out)
{
    const struct leveldb_backend *backend = self;
    leveldb_iterator_t *iterator =
        leveldb_create_iterator(backend->database, backend->scan_options);
    char *words = NULL;

    leveldb_iter_seek(iterator, from.data, from.size);
    for (; leveldb_iter_valid(iterator); leveldb_iter_next(iterator)) {
        struct tercet_bytes key;
        struct tercet_bytes value;
        key.data = leveldb_iter_key(iterator, &key.size);
        value.data = leveldb_iter_value(iterator, &value.size);
        if (byte_map_compare(key, end) >= 0 || !fn(key, value, context)) {
            break;
        }
    }
    /* A block that cannot be read is skipped, and only this tells. */
    leveldb_iter_get_error(iterator, &words);
    leveldb_iter_destroy(iterator);
    return words == NULL ? TERCET_OK : explain(words, "LevelDB cannot read", error_out);
}

static enum tercet_status backend_apply(void *self, const struct byte_map *changes,
                                        struct tercet_error *error_out)
{
    struct leveldb_backend *backend = self;
    char *words = NULL;
    tercet_assert(backend->dead == NULL); /* whoever begins asks whether it is usable */
    leveldb_writebatch_t *batch = leveldb_writebatch_create();
    for (size_t i = 0; i < changes->count; i++) {
        const struct byte_map_entry *change = changes->entries[i];
        const struct tercet_bytes key = byte_map_key(change);
        const struct tercet_bytes value = byte_map_value(change);
        if (change->removed) {
            leveldb_writebatch_delete(batch, key.data, key.size);
        } else {
            leveldb_writebatch_put(batch, key.data, key.size, value.data, value.size);
        }
    }
    TERCET_FAILPOINT("leveldb.before_write");
    leveldb_write(backend->database, backend->write_options, batch, &words);
    TERCET_FAILPOINT("leveldb.after_write");
    leveldb_writebatch_destroy(batch);
    if (words == NULL) {
        return TERCET_OK;
    }
    backend->dead = xstrdup(words);
    (void)explain(words, "LevelDB cannot write", error_out);
    if (error_out != NULL) {
        error_out->status = TERCET_UNKNOWN;
    }
    return TERCET_UNKNOWN; /* the log may hold it or not; whoever opens it next will see */
}

const struct kv_backend leveldb_backend_slots = {
    .get = backend_get, .scan = backend_scan, .apply = backend_apply, .usable = backend_usable};

/* ---- Opening ---------------------------------------------------------------------------------- */

/* Whether `name` stands for rows of a database.  LevelDB writes the first manifest before CURRENT and
 * removes it when the first log is there: alone it tells of a process that died while it made the
 * database, before anybody could write. */
static bool holds_rows(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (dot != NULL) {
        return strcmp(dot, ".ldb") == 0 || strcmp(dot, ".sst") == 0 || strcmp(dot, ".log") == 0;
    }
    return strncmp(name, "MANIFEST-", 9) == 0 && strcmp(name, "MANIFEST-000001") != 0;
}

static enum tercet_status say_unlisted(const char *path, struct tercet_error *error_out)
{
    return error_set(error_out, TERCET_UNAVAILABLE, "%s: cannot be listed: %s", path,
                     strerror(errno));
}

/* Whether CURRENT is there, and whether rows are.  A missing directory has neither. */
static enum tercet_status look_at_directory(const char *path, bool *current_out, bool *rows_out,
                                            struct tercet_error *error_out)
{
    DIR *directory = opendir(path);
    *current_out = false;
    *rows_out = false;
    if (directory == NULL) {
        return errno == ENOENT ? TERCET_OK : say_unlisted(path, error_out);
    }
    errno = 0; /* only this tells an error from the end */
    for (const struct dirent *item = readdir(directory); item != NULL; item = readdir(directory)) {
        *current_out = *current_out || strcmp(item->d_name, "CURRENT") == 0;
        *rows_out = *rows_out || holds_rows(item->d_name);
    }
    const enum tercet_status status = errno == 0 ? TERCET_OK : say_unlisted(path, error_out);
    (void)closedir(directory);
    return status;
}

static enum tercet_status sync_directory(const char *path, struct tercet_error *error_out)
{
    const int file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = file >= 0 && fsync(file) == 0;
    const int reason = errno;
    if (file >= 0) {
        (void)close(file);
    }
    return synced ? TERCET_OK
                  : error_set(error_out, TERCET_UNAVAILABLE, "%s: cannot be synced: %s", path,
                              strerror(reason));
}

/* After a database is made, its name and CURRENT's must outlive a power cut too. */
static enum tercet_status sync_new_database(const char *path, struct tercet_error *error_out)
{
    char parent[PATH_MAX];
    const enum tercet_status status = sync_directory(path, error_out);
    const int size = snprintf(parent, sizeof parent, "%s/..", path);
    if (status != TERCET_OK || size < 0 || (size_t)size >= sizeof parent) {
        return status;
    }
    return sync_directory(parent, error_out);
}

/* LevelDB starts its own thread when there is something to compact, and that thread takes over the
 * signals which the caller blocks: all, or one of the caller's handlers runs there. */
static leveldb_t *open_database(const leveldb_options_t *options, const char *path,
                                char **words_out)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    tercet_assert(pthread_sigmask(SIG_BLOCK, &all, &before) == 0);
    leveldb_t *const database = leveldb_open(options, path, words_out);
    tercet_assert(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return database;
}

enum tercet_status leveldb_backend_open(struct leveldb_backend *backend, const char *path,
                                        bool create_if_missing, struct tercet_error *error_out)
{
    bool current = false;
    bool rows = false;
    char *words = NULL;

    *backend = (struct leveldb_backend){0};
    const enum tercet_status looked = look_at_directory(path, &current, &rows, error_out);
    if (looked != TERCET_OK) {
        return looked;
    }
    if (!current && rows) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "%s: holds files of a LevelDB database and no CURRENT; it was not touched",
                         path);
    }
    backend->options = leveldb_options_create();
    leveldb_options_set_paranoid_checks(backend->options, 1);
    leveldb_options_set_create_if_missing(backend->options, !current && create_if_missing);
    backend->read_options = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(backend->read_options, 1);
    backend->scan_options = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(backend->scan_options, 1);
    leveldb_readoptions_set_fill_cache(backend->scan_options, 0);
    backend->write_options = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(backend->write_options, 1);

    enum tercet_status status = TERCET_OK;
    backend->database = open_database(backend->options, path, &words);
    TERCET_FAILPOINT("leveldb.opened");
    if (words != NULL) {
        status = explain(words, path, error_out);
    } else if (!current) {
        status = sync_new_database(path, error_out);
    }
    if (status != TERCET_OK) {
        leveldb_backend_close(backend);
    }
    return status;
}

void leveldb_backend_close(struct leveldb_backend *backend)
{
    if (backend->database != NULL) {
        leveldb_close(backend->database);
    }
    if (backend->options != NULL) {
        leveldb_options_destroy(backend->options);
        leveldb_readoptions_destroy(backend->read_options);
        leveldb_readoptions_destroy(backend->scan_options);
        leveldb_writeoptions_destroy(backend->write_options);
    }
    leveldb_free(backend->value);
    free(backend->dead);
    *backend = (struct leveldb_backend){0};
}

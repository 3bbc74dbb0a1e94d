/* journal_store.c -- see journal_store.h.
 *
 * paranoid_checks and verify_checksums belong together: without the first, a compaction reads
 * blocks unchecked and writes damage back with a good checksum. */
#include "journal/journal_store.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "journal/journal_files.h"
#include "journal/log_sequence.h"
#include "journal/store_share.h"

enum { BLOOM_BITS_PER_KEY = 10 };

static leveldb_options_t *make_options(const struct store_options *options, struct store *store)
{
    leveldb_options_t *made = leveldb_options_create();
    leveldb_options_set_create_if_missing(made, options->create);
    leveldb_options_set_error_if_exists(made, options->create);
    leveldb_options_set_paranoid_checks(made, 1);
    leveldb_options_set_compression(made, leveldb_no_compression);
    leveldb_options_set_filter_policy(made, store->bloom);
    leveldb_options_set_cache(made, store->cache);
    leveldb_options_set_write_buffer_size(made, options->write_buffer_bytes);
    leveldb_options_set_max_file_size(made, options->file_bytes);
    if (options->block_bytes > 0) {
        leveldb_options_set_block_size(made, options->block_bytes);
    }
    leveldb_options_set_max_open_files(made, options->open_file_count_max);
    return made;
}

/* Does the text speak of a file that is missing or cut short, in the system's words? */
static bool tells_of_damage(const char *text)
{
    return strstr(text, "No such file") != NULL || strstr(text, "Invalid argument") != NULL;
}

/* LevelDB says what kind of error it is in the first words of its text.  Takes `text`. */
static enum tercet_status take_error(char *text, struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_DATA_LOSS;
    if (strstr(text, "IO error: lock ") == text) {
        status = TERCET_FAILED_PRECONDITION;
    } else if (strstr(text, "IO error: ") == text && !tells_of_damage(text)) {
        status = TERCET_UNAVAILABLE;
    }
    error_set(error_out, status, "%s", text);
    leveldb_free(text);
    return status;
}

/* LevelDB takes any failure to look at CURRENT for a store that is not there. */
static enum tercet_status take_open_error(char *text, const char *store_path,
                                          struct tercet_error *error_out)
{
    bool there = false;
    const bool missing = strstr(text, "does not exist (create_if_missing") != NULL;
    enum tercet_status status = take_error(text, error_out);
    if (!missing) {
        return status;
    }
    char *current = files_join(store_path, "CURRENT");
    enum tercet_status looked = files_look(current, &there, error_out);
    if (looked == TERCET_OK && there) {
        looked =
            error_set(error_out, TERCET_UNAVAILABLE, "cannot look at %.160s: it was away", current);
    }
    free(current);
    return looked == TERCET_OK ? status : looked;
}

/* What LevelDB does not look at before it acts. */
static enum tercet_status look_before(const char *path, struct tercet_error *error_out)
{
    enum tercet_status status = log_sequence_check(path, error_out);
    return status == TERCET_OK ? store_share_end(path, error_out) : status;
}

enum tercet_status store_open(const struct store_options *options, struct store **store_out,
                              struct tercet_error *error_out)
{
    char *error = NULL;
    enum tercet_status status = options->create ? TERCET_OK : look_before(options->path, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    struct store *store = xcalloc(1, sizeof *store);
    store_names_init(&store->names, options->path);
    store->bloom = leveldb_filterpolicy_create_bloom(BLOOM_BITS_PER_KEY);
    store->cache = leveldb_cache_create_lru(options->cache_bytes);
    store->options = make_options(options, store);
    store->reading = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(store->reading, 1);
    store->scanning = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(store->scanning, 1);
    leveldb_readoptions_set_fill_cache(store->scanning, 0);
    store->writing = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(store->writing, 1);
    store->db = leveldb_open(store->options, options->path, &error);
    if (error != NULL) {
        store_close(store);
        return take_open_error(error, options->path, error_out);
    }
    *store_out = store;
    return TERCET_OK;
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    if (store->db != NULL) {
        leveldb_close(store->db);
    }
    leveldb_writeoptions_destroy(store->writing);
    leveldb_readoptions_destroy(store->scanning);
    leveldb_readoptions_destroy(store->reading);
    leveldb_options_destroy(store->options);
    leveldb_cache_destroy(store->cache);
    leveldb_filterpolicy_destroy(store->bloom);
    store_names_deinit(&store->names);
    free(store);
}

enum tercet_status store_get(struct store *store, struct tercet_bytes key, struct buffer *value_out,
                             struct tercet_error *error_out)
{
    char *error = NULL;
    size_t size = 0;
    char *value = leveldb_get(store->db, store->reading, key.data, key.size, &size, &error);
    if (error != NULL) {
        return take_error(error, error_out);
    }
    if (value == NULL) {
        return TERCET_NOT_FOUND;
    }
    buffer_append(value_out, value, size);
    leveldb_free(value);
    return TERCET_OK;
}

enum tercet_status store_write(struct store *store, leveldb_writebatch_t *batch,
                               struct tercet_error *error_out)
{
    char *error = NULL;
    if (TERCET_FAILPOINT_FAILS("store.write")) {
        return error_set(error_out, TERCET_UNAVAILABLE, "failpoint store.write");
    }
    leveldb_write(store->db, store->writing, batch, &error);
    if (error != NULL) {
        return take_error(error, error_out);
    }
    return store_names_sync(&store->names, error_out);
}

leveldb_iterator_t *store_iterator(struct store *store)
{
    return leveldb_create_iterator(store->db, store->scanning);
}

enum tercet_status store_iterate(leveldb_iterator_t *iterator, struct tercet_bytes prefix,
                                 store_pair_fn pair_fn, void *context,
                                 struct tercet_error *error_out)
{
    char *error = NULL;
    enum tercet_status status = TERCET_OK;
    while (leveldb_iter_valid(iterator) && status == TERCET_OK) {
        struct tercet_bytes key;
        struct tercet_bytes value;
        key.data = leveldb_iter_key(iterator, &key.size);
        value.data = leveldb_iter_value(iterator, &value.size);
        if (key.size < prefix.size ||
            (prefix.size > 0 && memcmp(key.data, prefix.data, prefix.size) != 0)) {
            break;
        }
        status = pair_fn(key, value, context, error_out);
        leveldb_iter_next(iterator);
    }
    /* An iterator that meets damage just ends; only this tells. */
    leveldb_iter_get_error(iterator, &error);
    if (error != NULL) {
        return take_error(error, error_out);
    }
    return status;
}

enum tercet_status store_scan(struct store *store, struct tercet_bytes from,
                              struct tercet_bytes prefix, store_pair_fn pair_fn, void *context,
                              struct tercet_error *error_out)
{
    leveldb_iterator_t *iterator = store_iterator(store);
    leveldb_iter_seek(iterator, from.data, from.size);
    enum tercet_status status = store_iterate(iterator, prefix, pair_fn, context, error_out);
    leveldb_iter_destroy(iterator);
    return status;
}

void store_batch_put(leveldb_writebatch_t *batch, struct tercet_bytes key,
                     struct tercet_bytes value)
{
    leveldb_writebatch_put(batch, key.data, key.size, value.data, value.size);
}

bool store_key_begins(struct tercet_bytes bytes, const char *prefix)
{
    const size_t size = strlen(prefix);
    return bytes.size >= size && memcmp(bytes.data, prefix, size) == 0;
}

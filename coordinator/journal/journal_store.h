/* journal_store.h -- one LevelDB, opened the only way in which we open one: every read verified,
 * every write synced, nothing compressed, never created in passing. */
#ifndef COORDINATOR_JOURNAL_JOURNAL_STORE_H
#define COORDINATOR_JOURNAL_JOURNAL_STORE_H

#include <leveldb/c.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "journal/store_names.h"

struct store {
    leveldb_t *db;
    leveldb_options_t *options;
    leveldb_filterpolicy_t *bloom;
    leveldb_cache_t *cache;
    leveldb_readoptions_t *reading;
    leveldb_readoptions_t *scanning; /* does not fill the cache */
    leveldb_writeoptions_t *writing;
    struct store_names names;
};

struct store_options {
    const char *path;
    bool create; /* there must be none yet; else there must be one */
    size_t write_buffer_bytes;
    size_t file_bytes;
    size_t block_bytes; /* what a look-up reads and LevelDB writes at a time; 0: its own 4 KiB */
    size_t cache_bytes;
    int open_file_count_max;
};

/* Before LevelDB sees what is there, its logs are looked through and its files made safe to write
 * over (log_sequence.h, store_share.h).
 * FAILED_PRECONDITION (locked by another), DATA_LOSS (LevelDB finds damage, or nothing),
 * UNAVAILABLE (the system's words). */
TERCET_MUST_CHECK enum tercet_status store_open(const struct store_options *options,
                                                struct store **store_out,
                                                struct tercet_error *error_out);
void store_close(struct store *store); /* NULL is fine */

/* The value, appended.  OK, NOT_FOUND, or a read error as above. */
TERCET_MUST_CHECK enum tercet_status store_get(struct store *store, struct tercet_bytes key,
                                               struct buffer *value_out,
                                               struct tercet_error *error_out);

/* Durable when it is OK: the bytes, and the name of the log that they are in.  One thread at a time. */
TERCET_MUST_CHECK enum tercet_status store_write(struct store *store, leveldb_writebatch_t *batch,
                                                 struct tercet_error *error_out);

/* A pair that a scan comes by; anything but OK stops it and is its result. */
typedef enum tercet_status (*store_pair_fn)(struct tercet_bytes key, struct tercet_bytes value,
                                            void *context, struct tercet_error *error_out);

/* All pairs whose key begins with `prefix`, from `from` on, as they stood when the scan began. */
TERCET_MUST_CHECK enum tercet_status store_scan(struct store *store, struct tercet_bytes from,
                                                struct tercet_bytes prefix, store_pair_fn pair_fn,
                                                void *context, struct tercet_error *error_out);

/* The same in parts: an iterator, to be put in its place and destroyed before the store is closed;
 * and all pairs from where it stands.  It sees the store as it was when it was made, and goes on
 * behind the pair at which it was stopped. */
leveldb_iterator_t *store_iterator(struct store *store);
TERCET_MUST_CHECK enum tercet_status store_iterate(leveldb_iterator_t *iterator,
                                                   struct tercet_bytes prefix,
                                                   store_pair_fn pair_fn, void *context,
                                                   struct tercet_error *error_out);

void store_batch_put(leveldb_writebatch_t *batch, struct tercet_bytes key,
                     struct tercet_bytes value);

bool store_key_begins(struct tercet_bytes bytes, const char *prefix);

#endif

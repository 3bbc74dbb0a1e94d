/* store_leveldb.h -- a participant whose database is LevelDB.
 *
 * LevelDB has no transactions and serves one process, so the store owns the database and makes
 * transactions of it: one worker thread runs the handlers one at a time, gathers their writes and
 * the fence rows of up to batch_max branches into one synced WriteBatch, and answers when that is
 * written.  Until then a plain leveldb_get() does not see them; so handlers read with
 * tercet_leveldb_get(), which sees this handler's own writes, those of the branches before it in
 * the same batch, and then the database.  As no two handlers run at once, no locks are needed
 * between them.
 *
 * A handler that is refused or fails leaves nothing: its writes are dropped before the batch is
 * written.  A failed write ends the store: all later requests are answered LATER, and the process
 * must be started again (LevelDB may otherwise lose writes that it has acknowledged). */
#ifndef TERCET_STORE_LEVELDB_H
#define TERCET_STORE_LEVELDB_H

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

struct leveldb_t; /* the same type as in <leveldb/c.h>, which this header does not need */
struct tercet_request;
struct tercet_store;

/* Keys that begin with these bytes are the store's own. */
#define TERCET_LEVELDB_PREFIX "\xfftercet/"

struct tercet_leveldb_options {
    size_t size;
    const char *path;       /* the directory.  Required */
    bool create_if_missing; /* false: a missing database is an error, never an empty one */
    /* Branches in one write, which their payloads close at 1 MiB; 1: no sharing.  Default 512, at most
     * 1024. */
    uint32_t batch_max;
    /* Requests waiting for the worker; above it LATER.  Default 10000. */
    uint32_t queue_max;
};

/* Opens the store, with paranoid checks.  Close it with tercet_store_close().
 * Errors: INVALID_ARGUMENT, UNAVAILABLE (missing, or open elsewhere), FAILED_PRECONDITION (rows of
 * a newer version), DATA_LOSS (LevelDB's words). */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_leveldb_open(
    const struct tercet_leveldb_options *options, struct tercet_store **store_out,
    struct tercet_error *error_out);

/* The value of `key` as this handler must see it.  `value_out` is valid until the handler returns.
 * Errors: NOT_FOUND; DATA_LOSS, UNAVAILABLE (LevelDB's error; return tercet_answer_failed);
 * FAILED_PRECONDITION (the action is not registered on a LevelDB store). */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_leveldb_get(struct tercet_request *request,
                                                                   struct tercet_bytes key,
                                                                   struct tercet_bytes *value_out);

/* Writes or removes `key` together with the fence row; both are copied.  Removing a key that is not
 * there is OK.
 * Errors: INVALID_ARGUMENT (the key is the store's own; key over 4 KiB, value over 1 MiB),
 * RESOURCE_EXHAUSTED (the handler's writes are over 4 MiB), FAILED_PRECONDITION as above. */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_leveldb_put(struct tercet_request *request,
                                                                   struct tercet_bytes key,
                                                                   struct tercet_bytes value);
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_leveldb_delete(
    struct tercet_request *request, struct tercet_bytes key);

/* The database itself, for iterators and reads outside handlers.  It shows what is committed, not
 * what this batch will write.  Do not write through it: a write of yours can overtake a handler
 * that has read before it.  The store's, until it is closed.  NULL when `store` is of another kind. */
TERCET_API struct leveldb_t *tercet_leveldb_database(struct tercet_store *store);

TERCET_END_DECLS

#endif

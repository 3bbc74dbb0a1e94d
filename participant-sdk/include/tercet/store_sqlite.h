/* store_sqlite.h -- a participant whose database is SQLite (3.37 or newer).
 *
 * The store opens the file itself: WAL, synchronous=FULL, foreign_keys on, every local transaction
 * by BEGIN IMMEDIATE.  SQLite has one writer at a time, so the store has one worker thread with one
 * connection; what makes it fast is that it takes what is waiting, up to batch_max branches, into
 * one local transaction with one sync.  Other connections of yours may read and write the same
 * file; a writer of yours holds the store up for at most busy_timeout_ms.
 *
 * Its own tables are made when missing: tercet_schema, tercet_scope, tercet_fence.  Never change
 * them.  They must lie in the same file as the business tables; ATTACHed databases are not covered
 * by the fence, because SQLite does not commit them in one step in WAL mode.
 *
 * The store uses the connection's commit and rollback hooks to notice a handler that ends the local
 * transaction by itself; leave them alone. */
#ifndef TERCET_STORE_SQLITE_H
#define TERCET_STORE_SQLITE_H

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

struct sqlite3; /* the same types as in <sqlite3.h>, which this header does not need */
struct sqlite3_stmt;
struct tercet_request;
struct tercet_store;

struct tercet_sqlite_options {
    size_t size;
    const char *path; /* the file; made when missing.  ":memory:" for tests.  Required */
    /* Run on the store's connection when it is opened, after the store's own tables are there, and
     * again should it have to be opened anew: CREATE TABLE IF NOT EXISTS, PRAGMA, ...  It must leave no
     * transaction open.  synchronous is EXTRA behind it, so that a commit is kept in any journal mode;
     * in WAL that is FULL.  Default NULL: nothing. */
    const char *setup_sql;
    uint32_t busy_timeout_ms; /* how long to wait for another writer.  Default 5000 */
    /* Branches in one local transaction, which their payloads close at 1 MiB; 1: no sharing.  Default
     * 512, at most 1024. */
    uint32_t batch_max;
    /* Requests waiting for the worker; above it LATER.  Default 10000. */
    uint32_t queue_max;
};

/* Opens the store.  Close it with tercet_store_close().
 * Errors: INVALID_ARGUMENT (names the field, or SQLite's words about setup_sql), UNAVAILABLE (the
 * file cannot be opened or written, or is locked), FAILED_PRECONDITION (tables of a newer version;
 * SQLite too old), DATA_LOSS (SQLite calls the file corrupt). */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_sqlite_open(
    const struct tercet_sqlite_options *options, struct tercet_store **store_out,
    struct tercet_error *error_out);

/* The connection in whose open transaction the handler runs.  NULL when the action is not
 * registered on a SQLite store.
 * Ownership: the store's.  Thread: the handler's, until it returns. */
TERCET_API struct sqlite3 *tercet_sqlite_connection(const struct tercet_request *request);

/* The prepared statement of `sql` on that connection, reset and with no bindings: prepared on first
 * use and kept for later requests; of more than 128, those not used for longest go.  The store's: do
 * not finalize it, and do not use it after the handler returns (it is then reset).  The same sql
 * twice in one handler is the same statement.  NULL when SQLite cannot prepare it, or when one
 * handler asks for more than 128; sqlite3_step(NULL) is then an error too, and sqlite3_errmsg()
 * tells why. */
TERCET_API struct sqlite3_stmt *tercet_sqlite_prepare(const struct tercet_request *request,
                                                      const char *sql);

TERCET_END_DECLS

#endif

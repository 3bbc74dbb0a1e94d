/* sqlite_connection.h -- one SQLite connection: opened strictly, watched, its tables checked.
 *
 * Invariants
 *   1. Every local transaction is BEGIN IMMEDIATE: once it has begun, nobody else can write, so that
 *      inside it there is no race and no deadlock, and reading before writing is safe.  A description
 *      only reads, in a transaction that holds up no writer.
 *   2. Only sqlite_commit() commits.  A COMMIT of anybody else on this connection, and any write
 *      outside a transaction, is turned into a rollback by the commit hook, and noticed.
 *   3. After a COMMIT that failed in any other way than "locked" or a constraint, the connection is
 *      suspect: its outcome is not known, and the connection is not used again. */
#ifndef TERCET_FENCE_SQLITE_CONNECTION_H
#define TERCET_FENCE_SQLITE_CONNECTION_H

#include "fence/sqlite_statements.h"
#include "tercet/fence.h"

TERCET_BEGIN_DECLS

/* The store's own statements. */
enum sqlite_query {
    SQLITE_QUERY_BEGIN,
    SQLITE_QUERY_BEGIN_READING,
    SQLITE_QUERY_COMMIT,
    SQLITE_QUERY_ROLLBACK,
    SQLITE_QUERY_SAVEPOINT,
    SQLITE_QUERY_RELEASE,
    SQLITE_QUERY_REWIND,
    SQLITE_QUERY_SCOPE,
    SQLITE_QUERY_SCOPE_OPEN,
    SQLITE_QUERY_SCOPE_EPOCH,
    SQLITE_QUERY_SCOPE_MARK,
    SQLITE_QUERY_ROW,
    SQLITE_QUERY_ROW_INSERT,
    SQLITE_QUERY_ROW_WRITE,
    SQLITE_QUERY_ROW_DELETE,
    SQLITE_QUERY_PLACES,
    SQLITE_QUERY_COUNT_ROWS,
    SQLITE_QUERY_HIGHEST,
    SQLITE_QUERY_STORE_ID,
    SQLITE_QUERY_COUNT
};

struct sqlite_connection {
    sqlite3 *database;
    void *owner; /* the store's */
    sqlite3_stmt *queries[SQLITE_QUERY_COUNT];
    struct sqlite_statements statements; /* of handlers */
    bool savepoint_open;
    bool committing;       /* sqlite_commit() runs */
    bool ending;           /* sqlite_commit() or sqlite_rollback() runs */
    bool commit_prevented; /* in this transaction somebody else tried to commit */
    bool rolled_back;      /* in this transaction, by somebody else */
    bool suspect;          /* must be closed, not used again */
};

/* The store's. */
struct sqlite_settings {
    char *path;
    char *setup_sql; /* NULL: none */
    uint32_t busy_timeout_ms;
    bool made; /* it was there, and is not made anew where it is not */
};

/* Errors: as tercet_sqlite_open(). */
TERCET_MUST_CHECK enum tercet_status sqlite_connection_open(
    const struct sqlite_settings *settings, struct sqlite_connection **connection_out,
    struct tercet_error *error_out);
void sqlite_connection_close(struct sqlite_connection *connection);

/* Lets the hooks see the connection's commits and rollbacks from now on (invariant 2). */
void sqlite_watch(struct sqlite_connection *connection);

/* SQLite's last error on this connection as a status with its words. */
enum tercet_status sqlite_explain(struct sqlite_connection *connection, const char *what,
                                  struct tercet_error *error_out);

/* The statement, reset and with no bindings. */
TERCET_MUST_CHECK enum tercet_status sqlite_query_take(struct sqlite_connection *connection,
                                                       enum sqlite_query query,
                                                       sqlite3_stmt **statement_out,
                                                       struct tercet_error *error_out);

/* Steps a statement that gives no rows, and resets it. */
TERCET_MUST_CHECK enum tercet_status sqlite_query_run(struct sqlite_connection *connection,
                                                      sqlite3_stmt *statement,
                                                      struct tercet_error *error_out);

/* Steps once.  `row_out`: whether there is a row; if so the caller resets, else it is reset. */
TERCET_MUST_CHECK enum tercet_status sqlite_query_step(struct sqlite_connection *connection,
                                                       sqlite3_stmt *statement, bool *row_out,
                                                       struct tercet_error *error_out);

/* What is read until sqlite_rollback() is of one moment; others write meanwhile. */
TERCET_MUST_CHECK enum tercet_status sqlite_begin_reading(struct sqlite_connection *connection,
                                                          struct tercet_error *error_out);

/* Slots of struct tercet_store_ops; `connection` is a struct sqlite_connection. */
enum tercet_status sqlite_begin(void *connection, struct tercet_error *error_out);
enum tercet_status sqlite_savepoint(void *connection, struct tercet_error *error_out);
enum tercet_status sqlite_rewind(void *connection, struct tercet_error *error_out);
enum tercet_status sqlite_check(void *connection, struct tercet_error *error_out);
enum tercet_status sqlite_commit(void *connection, struct tercet_error *error_out);
void sqlite_rollback(void *connection);

TERCET_END_DECLS

#endif

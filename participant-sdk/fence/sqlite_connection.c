/* sqlite_connection.c -- see sqlite_connection.h; opening is in sqlite_open.c. */
#include "fence/sqlite_connection.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"

static const char *const query_sql[SQLITE_QUERY_COUNT] = {
    [SQLITE_QUERY_BEGIN] = "BEGIN IMMEDIATE",
    [SQLITE_QUERY_BEGIN_READING] = "BEGIN",
    [SQLITE_QUERY_COMMIT] = "COMMIT",
    [SQLITE_QUERY_ROLLBACK] = "ROLLBACK",
    [SQLITE_QUERY_SAVEPOINT] = "SAVEPOINT tercet_branch",
    [SQLITE_QUERY_RELEASE] = "RELEASE tercet_branch",
    [SQLITE_QUERY_REWIND] = "ROLLBACK TO tercet_branch",
    [SQLITE_QUERY_SCOPE] =
        "SELECT id, incarnation, epoch, mark_incarnation, mark_lsn, low_incarnation, low_number"
        " FROM main.tercet_scope WHERE participant = ?1 AND origin = ?2",
    [SQLITE_QUERY_SCOPE_OPEN] = "SELECT open FROM main.tercet_scope WHERE id = ?1",
    [SQLITE_QUERY_SCOPE_EPOCH] =
        "INSERT INTO main.tercet_scope (participant, origin, incarnation, epoch)"
        " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (participant, origin) DO UPDATE"
        " SET incarnation = excluded.incarnation, epoch = excluded.epoch"
        " WHERE (incarnation, epoch) < (excluded.incarnation, excluded.epoch)",
    [SQLITE_QUERY_SCOPE_MARK] = "UPDATE main.tercet_scope SET mark_incarnation = ?2, mark_lsn = ?3,"
                                " low_incarnation = ?4, low_number = ?5, open = ?6 WHERE id = ?1",
    [SQLITE_QUERY_ROW] =
        "SELECT f.state, s.origin, f.incarnation, f.number, f.digest, s.participant, f.action,"
        " f.result FROM main.tercet_fence f JOIN main.tercet_scope s ON s.id = f.scope"
        " WHERE f.gid = ?1 AND f.branch = ?2",
    [SQLITE_QUERY_ROW_INSERT] =
        "INSERT INTO main.tercet_fence"
        " (gid, branch, scope, state, incarnation, number, digest, action, result)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (gid, branch) DO NOTHING",
    [SQLITE_QUERY_ROW_WRITE] =
        "INSERT INTO main.tercet_fence"
        " (gid, branch, scope, state, incarnation, number, digest, action, result)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (gid, branch) DO UPDATE"
        " SET state = excluded.state, result = excluded.result",
    [SQLITE_QUERY_ROW_DELETE] =
        "DELETE FROM main.tercet_fence WHERE gid = ?1 AND branch = ?2 AND state <> 1",
    [SQLITE_QUERY_PLACES] =
        "SELECT incarnation, number, state, branch, gid FROM main.tercet_fence"
        " WHERE scope = ?1 AND (incarnation, number) >= (?2, ?3)"
        " AND (incarnation, number) < (?4, ?5) ORDER BY incarnation, number LIMIT ?6",
    [SQLITE_QUERY_COUNT_ROWS] = "SELECT count(*) FROM main.tercet_fence WHERE scope = ?1",
    [SQLITE_QUERY_HIGHEST] = "SELECT incarnation, number FROM main.tercet_fence WHERE scope = ?1"
                             " ORDER BY incarnation DESC, number DESC LIMIT 1",
    [SQLITE_QUERY_STORE_ID] = "SELECT store_id FROM main.tercet_schema WHERE id = 1",
};

/* ---- Errors ----------------------------------------------------------------------------------- */

static enum tercet_status status_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_NOMEM:
        return TERCET_RESOURCE_EXHAUSTED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return TERCET_DATA_LOSS;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
        return TERCET_UNAVAILABLE;
    case SQLITE_INTERRUPT:
        return TERCET_ABORTED;
    default:
        return TERCET_INTERNAL;
    }
}

enum tercet_status sqlite_explain(struct sqlite_connection *connection, const char *what,
                                  struct tercet_error *error_out)
{
    const int code = sqlite3_extended_errcode(connection->database);
    if ((code & 0xff) == SQLITE_IOERR) {
        connection->suspect = true;
    }
    return error_set(error_out, status_of(code), "SQLite: %s: %s (%d)", what,
                     sqlite3_errmsg(connection->database), code);
}

/* ---- Statements ------------------------------------------------------------------------------- */

enum tercet_status sqlite_query_take(struct sqlite_connection *connection, enum sqlite_query query,
                                     sqlite3_stmt **statement_out, struct tercet_error *error_out)
{
    sqlite3_stmt **slot = &connection->queries[query];
    if (*slot == NULL && sqlite3_prepare_v3(connection->database, query_sql[query], -1,
                                            SQLITE_PREPARE_PERSISTENT, slot, NULL) != SQLITE_OK) {
        return sqlite_explain(connection, "cannot use the fence's tables", error_out);
    }
    (void)sqlite3_reset(*slot);
    (void)sqlite3_clear_bindings(*slot);
    *statement_out = *slot;
    return TERCET_OK;
}

enum tercet_status sqlite_query_step(struct sqlite_connection *connection, sqlite3_stmt *statement,
                                     bool *row_out, struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_OK;
    const int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *row_out = true;
        return TERCET_OK;
    }
    if (code == SQLITE_DONE) {
        *row_out = false;
    } else {
        status = sqlite_explain(connection, sqlite3_sql(statement), error_out);
    }
    (void)sqlite3_reset(statement);
    return status;
}

enum tercet_status sqlite_query_run(struct sqlite_connection *connection, sqlite3_stmt *statement,
                                    struct tercet_error *error_out)
{
    bool row = false;
    const enum tercet_status status = sqlite_query_step(connection, statement, &row, error_out);
    tercet_assert(status != TERCET_OK || !row);
    return status;
}

static enum tercet_status run(struct sqlite_connection *connection, enum sqlite_query query,
                              struct tercet_error *error_out)
{
    sqlite3_stmt *statement = NULL;
    const enum tercet_status status = sqlite_query_take(connection, query, &statement, error_out);
    return status != TERCET_OK ? status : sqlite_query_run(connection, statement, error_out);
}

/* ---- The local transaction -------------------------------------------------------------------- */

static int on_commit(void *context)
{
    struct sqlite_connection *connection = context;
    if (connection->committing) {
        return 0;
    }
    connection->commit_prevented = true;
    return 1; /* SQLite rolls back instead */
}

static void on_rollback(void *context)
{
    struct sqlite_connection *connection = context;
    if (!connection->ending) {
        connection->rolled_back = true;
    }
}

void sqlite_watch(struct sqlite_connection *connection)
{
    (void)sqlite3_commit_hook(connection->database, on_commit, connection);
    (void)sqlite3_rollback_hook(connection->database, on_rollback, connection);
}

static enum tercet_status begin(struct sqlite_connection *self, enum sqlite_query query,
                                struct tercet_error *error_out)
{
    if (self->suspect) {
        return error_set(error_out, TERCET_UNAVAILABLE,
                         "SQLite: the connection has failed, and is made anew");
    }
    self->savepoint_open = false;
    self->commit_prevented = false;
    self->rolled_back = false;
    return run(self, query, error_out);
}

enum tercet_status sqlite_begin(void *connection, struct tercet_error *error_out)
{
    return begin(connection, SQLITE_QUERY_BEGIN, error_out);
}

enum tercet_status sqlite_begin_reading(struct sqlite_connection *connection,
                                        struct tercet_error *error_out)
{
    return begin(connection, SQLITE_QUERY_BEGIN_READING, error_out);
}

enum tercet_status sqlite_savepoint(void *connection, struct tercet_error *error_out)
{
    struct sqlite_connection *self = connection;
    enum tercet_status status = TERCET_OK;
    if (self->savepoint_open) {
        self->savepoint_open = false;
        status = run(self, SQLITE_QUERY_RELEASE, error_out);
    }
    if (status == TERCET_OK) {
        status = run(self, SQLITE_QUERY_SAVEPOINT, error_out);
        self->savepoint_open = status == TERCET_OK;
    }
    return status;
}

enum tercet_status sqlite_rewind(void *connection, struct tercet_error *error_out)
{
    return run(connection, SQLITE_QUERY_REWIND, error_out);
}

enum tercet_status sqlite_check(void *connection, struct tercet_error *error_out)
{
    struct sqlite_connection *self = connection;
    const int code = sqlite3_errcode(self->database); /* before the resets below change it */

    sqlite_statements_end_turn(&self->statements);
    const bool ended = self->rolled_back || sqlite3_get_autocommit(self->database) != 0;
    if (!ended && !self->commit_prevented) {
        return TERCET_OK;
    }
    if (!self->commit_prevented && status_of(code) != TERCET_INTERNAL) {
        /* SQLite itself rolls back when the disk is full or cannot be read. */
        return error_set(error_out, status_of(code), "SQLite: the transaction fell: %s",
                         sqlite3_errstr(code));
    }
    return error_set(error_out, TERCET_FAILED_PRECONDITION, "%s",
                     self->commit_prevented ? "it tried to commit, which was turned into a rollback"
                                            : "it ended the transaction");
}

enum tercet_status sqlite_commit(void *connection, struct tercet_error *error_out)
{
    struct sqlite_connection *self = connection;
    self->committing = true;
    self->ending = true;
    TERCET_FAILPOINT("sqlite.before_commit");
    enum tercet_status status = run(self, SQLITE_QUERY_COMMIT, error_out);
    TERCET_FAILPOINT("sqlite.after_commit");
    self->committing = false;
    self->ending = false;
    if (status == TERCET_OK) {
        return TERCET_OK;
    }
    const int code = sqlite3_errcode(self->database) & 0xff; /* a handler may want extended ones */
    if (code == SQLITE_BUSY || code == SQLITE_CONSTRAINT) {
        status = TERCET_ABORTED; /* still open, nothing written */
    } else {
        /* The log may hold the transaction, as whoever reads it next will find. */
        self->suspect = true;
        status = TERCET_UNKNOWN;
    }
    if (error_out != NULL) {
        error_out->status = status;
    }
    return status;
}

void sqlite_rollback(void *connection)
{
    struct sqlite_connection *self = connection;
    sqlite_statements_end_turn(&self->statements);
    self->savepoint_open = false;
    if (sqlite3_get_autocommit(self->database) != 0) {
        return;
    }
    self->ending = true;
    if (run(self, SQLITE_QUERY_ROLLBACK, NULL) != TERCET_OK) {
        self->suspect = true;
    }
    self->ending = false;
}

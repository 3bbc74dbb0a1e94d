/* sqlite_open.c -- opening a connection strictly: settings, tables, their version. */
#include <limits.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "base/random.h"
#include "fence/sqlite_connection.h"
#include "fence/sqlite_schema.h"

enum { SQLITE_OLDEST = 3037000 }; /* STRICT tables */

static enum tercet_status execute(struct sqlite_connection *connection, const char *sql,
                                  const char *what, struct tercet_error *error_out)
{
    return sqlite3_exec(connection->database, sql, NULL, NULL, NULL) == SQLITE_OK
               ? TERCET_OK
               : sqlite_explain(connection, what, error_out);
}

/* The first column of the first row as a number; `there_out` false when there is no row. */
static enum tercet_status read_integer(struct sqlite_connection *connection, const char *sql,
                                       bool *there_out, int64_t *value_out,
                                       struct tercet_error *error_out)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(connection->database, sql, -1, &statement, NULL) != SQLITE_OK) {
        return sqlite_explain(connection, "cannot read the fence's version", error_out);
    }
    const enum tercet_status status =
        sqlite_query_step(connection, statement, there_out, error_out);
    if (status == TERCET_OK && *there_out) {
        *value_out = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return status;
}

static enum tercet_status create_tables(struct sqlite_connection *connection,
                                        struct tercet_error *error_out)
{
    uint8_t store_id[TERCET_STORE_ID_BYTES];
    sqlite3_stmt *statement = NULL;

    enum tercet_status status =
        execute(connection, SQLITE_SCHEMA_SQL, "cannot make the fence's tables", error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (sqlite3_prepare_v2(connection->database,
                           "INSERT INTO tercet_schema (id, version, store_id) VALUES (1, ?1, ?2)",
                           -1, &statement, NULL) != SQLITE_OK) {
        return sqlite_explain(connection, "cannot make the fence's tables", error_out);
    }
    random_entropy(store_id, sizeof store_id);
    (void)sqlite3_bind_int(statement, 1, SQLITE_SCHEMA_VERSION);
    (void)sqlite3_bind_blob(statement, 2, store_id, sizeof store_id, SQLITE_TRANSIENT);
    status = sqlite_query_run(connection, statement, error_out);
    (void)sqlite3_finalize(statement);
    return status;
}

/* In an open write transaction, so that two processes do not both make the tables. */
static enum tercet_status check_or_create_tables(struct sqlite_connection *connection, bool made,
                                                 struct tercet_error *error_out)
{
    bool there = false;
    int64_t value = 0;
    enum tercet_status status = read_integer(
        connection,
        "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'tercet_schema'", &there,
        &value, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (!there && made) {
        return error_set(error_out, TERCET_UNAVAILABLE, "SQLite: the fence's tables have gone");
    }
    if (!there) {
        return create_tables(connection, error_out);
    }
    status = read_integer(connection, "SELECT version FROM main.tercet_schema WHERE id = 1", &there,
                          &value, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (!there) {
        return error_set(error_out, TERCET_DATA_LOSS, "SQLite: tercet_schema has lost its row");
    }
    if (value != SQLITE_SCHEMA_VERSION) {
        return error_set(error_out, TERCET_FAILED_PRECONDITION,
                         "SQLite: the fence's tables have version %lld, and this library knows %d: "
                         "they were made by a newer one; use that",
                         (long long)value, SQLITE_SCHEMA_VERSION);
    }
    return TERCET_OK;
}

static enum tercet_status prepare_tables(struct sqlite_connection *connection, bool made,
                                         struct tercet_error *error_out)
{
    enum tercet_status status =
        execute(connection, "BEGIN IMMEDIATE", "cannot be written", error_out);
    if (status == TERCET_OK) {
        status = check_or_create_tables(connection, made, error_out);
        if (status == TERCET_OK) {
            status = execute(connection, "COMMIT", "cannot be written", error_out);
        }
        if (status != TERCET_OK) {
            (void)sqlite3_exec(connection->database, "ROLLBACK", NULL, NULL, NULL);
        }
    }
    return status;
}

static enum tercet_status run_setup(struct sqlite_connection *connection, const char *setup_sql,
                                    struct tercet_error *error_out)
{
    const enum tercet_status status = execute(connection, setup_sql, "setup_sql", error_out);
    if (status != TERCET_OK) {
        return status == TERCET_INTERNAL ? TERCET_INVALID_ARGUMENT : status;
    }
    if (sqlite3_get_autocommit(connection->database) == 0) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "SQLite: setup_sql leaves a transaction open: end it there");
    }
    /* It may have chosen another journal, of which FULL can forget the last commit; in WAL they are one. */
    return execute(connection, "PRAGMA synchronous = EXTRA", "cannot be set up", error_out);
}

static enum tercet_status configure(struct sqlite_connection *connection,
                                    const struct sqlite_settings *settings,
                                    struct tercet_error *error_out)
{
    const uint32_t wanted_ms = settings->busy_timeout_ms;
    const int timeout = wanted_ms > INT_MAX ? INT_MAX : (int)wanted_ms;
    (void)sqlite3_busy_timeout(connection->database, timeout);
    (void)sqlite3_extended_result_codes(connection->database, 0);
    if (sqlite3_db_readonly(connection->database, "main") == 1) {
        return error_set(error_out, TERCET_UNAVAILABLE, "SQLite: the file cannot be written");
    }
    enum tercet_status status =
        execute(connection,
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
                "cannot be set up", error_out);
    if (status == TERCET_OK) {
        status = prepare_tables(connection, settings->made, error_out);
    }
    if (status == TERCET_OK && settings->setup_sql != NULL) {
        status = run_setup(connection, settings->setup_sql, error_out);
    }
    if (status == TERCET_OK) {
        /* Now, so that a transaction can be ended, and its lock, when memory is short. */
        sqlite3_stmt *rollback = NULL;
        status = sqlite_query_take(connection, SQLITE_QUERY_ROLLBACK, &rollback, error_out);
    }
    return status;
}

enum tercet_status sqlite_connection_open(const struct sqlite_settings *settings,
                                          struct sqlite_connection **connection_out,
                                          struct tercet_error *error_out)
{
    if (sqlite3_libversion_number() < SQLITE_OLDEST) {
        return error_set(error_out, TERCET_FAILED_PRECONDITION,
                         "SQLite %s is too old; 3.37 or newer is needed", sqlite3_libversion());
    }
    struct sqlite_connection *connection = xcalloc(1, sizeof *connection);
    enum tercet_status status = TERCET_OK;
    const int create = settings->made ? 0 : SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(settings->path, &connection->database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | create, NULL) != SQLITE_OK) {
        status = error_set(error_out, TERCET_UNAVAILABLE, "SQLite: %s: %s", settings->path,
                           connection->database == NULL ? "out of memory"
                                                        : sqlite3_errmsg(connection->database));
    }
    if (status == TERCET_OK) {
        status = configure(connection, settings, error_out);
    }
    if (status != TERCET_OK) {
        /* Locked, full or unreadable: to whoever opens, that is one thing. */
        if (status == TERCET_RESOURCE_EXHAUSTED || status == TERCET_INTERNAL) {
            status = TERCET_UNAVAILABLE;
        }
        if (error_out != NULL) {
            error_out->status = status;
        }
        sqlite_connection_close(connection);
        return status;
    }
    TERCET_FAILPOINT("sqlite.opened");
    sqlite_watch(connection);
    *connection_out = connection;
    return TERCET_OK;
}

void sqlite_connection_close(struct sqlite_connection *connection)
{
    if (connection == NULL) {
        return;
    }
    sqlite_statements_deinit(&connection->statements);
    for (size_t i = 0; i < SQLITE_QUERY_COUNT; i++) {
        (void)sqlite3_finalize(connection->queries[i]);
    }
    (void)sqlite3_close_v2(connection->database); /* waits for what a handler did not finalize */
    free(connection);
}

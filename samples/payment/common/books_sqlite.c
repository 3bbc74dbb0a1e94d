/* books_sqlite.c -- books in a SQLite file, see books.h. */
#include "common/books.h"

#include <sqlite3.h>
#include <stdio.h>
#include <tercet/store_sqlite.h>

enum { BUSY_TIMEOUT_MS = 5000 };

static enum tercet_status open_store(const char *database, struct tercet_store **store_out,
                                     struct tercet_error *error_out)
{
    const struct tercet_sqlite_options options = {.size = sizeof options, .path = database};

    return tercet_sqlite_open(&options, store_out, error_out);
}

static void *of_request(struct tercet_request *request)
{
    return tercet_sqlite_connection(request);
}

static bool commands(sqlite3 *connection, const char *sql, char error_out[BOOKS_ERROR_SIZE])
{
    int code = sqlite3_exec(connection, sql, NULL, NULL, NULL);

    if (code != SQLITE_OK) {
        snprintf(error_out, BOOKS_ERROR_SIZE, "%s", sqlite3_errmsg(connection));
    }
    return code == SQLITE_OK;
}

static void *begin(const char *database, char error_out[BOOKS_ERROR_SIZE])
{
    sqlite3 *connection = NULL;
    int code = sqlite3_open(database, &connection);

    sqlite3_busy_timeout(connection, BUSY_TIMEOUT_MS);
    if (code != SQLITE_OK) {
        snprintf(error_out, BOOKS_ERROR_SIZE, "%s", sqlite3_errmsg(connection));
    } else if (commands(connection, "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE", error_out)) {
        return connection;
    }
    sqlite3_close(connection);
    return NULL;
}

static bool commit(void *connection, char error_out[BOOKS_ERROR_SIZE])
{
    return commands(connection, "COMMIT", error_out);
}

static void close_connection(void *connection)
{
    sqlite3_close(connection);
}

/* Binds all parameters by their names.  Returns SQLite's code. */
static int bind(sqlite3_stmt *statement, const json_t *values)
{
    int count = sqlite3_bind_parameter_count(statement);
    int code = SQLITE_OK;

    for (int i = 1; i <= count && code == SQLITE_OK; i++) {
        const char *name = sqlite3_bind_parameter_name(statement, i);
        const json_t *value = name == NULL ? NULL : json_object_get(values, name + 1);
        if (json_is_integer(value)) {
            code = sqlite3_bind_int64(statement, i, json_integer_value(value));
        } else if (json_is_string(value)) {
            code = sqlite3_bind_text(statement, i, json_string_value(value), -1, SQLITE_TRANSIENT);
        } else {
            code = SQLITE_MISUSE;
        }
    }
    return code;
}

static void copy_row(sqlite3_stmt *statement, struct books_row *row_out)
{
    for (int i = 0; i < sqlite3_column_count(statement) && i < BOOKS_COLUMNS_MAX; i++) {
        const unsigned char *text = sqlite3_column_text(statement, i);
        snprintf(row_out->text[i], BOOKS_TEXT_SIZE, "%s", text == NULL ? "" : (const char *)text);
    }
}

static int run(void *connection, const char *sql, const json_t *values, struct books_row *row_out,
               char error_out[BOOKS_ERROR_SIZE])
{
    sqlite3_stmt *statement = NULL;
    int result = 0;
    int code = sqlite3_prepare_v2(connection, sql, -1, &statement, NULL);

    code = code == SQLITE_OK ? bind(statement, values) : code;
    code = code == SQLITE_OK ? sqlite3_step(statement) : code;
    if (code == SQLITE_ROW && row_out != NULL) {
        copy_row(statement, row_out);
        result = 1;
    } else if (code == SQLITE_DONE) {
        result = row_out == NULL ? sqlite3_changes(connection) : 0;
    } else {
        snprintf(error_out, BOOKS_ERROR_SIZE, "%s: %s", sqlite3_errstr(code),
                 sqlite3_errmsg(connection));
        result = -1;
    }
    sqlite3_finalize(statement);
    return result;
}

const struct books books_sqlite = {.store = "sqlite",
                                   .prefix = "",
                                   .suffix = ".db",
                                   .open = open_store,
                                   .of_request = of_request,
                                   .begin = begin,
                                   .commit = commit,
                                   .close = close_connection,
                                   .run = run};

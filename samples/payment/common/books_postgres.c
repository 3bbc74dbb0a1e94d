/* books_postgres.c -- books in a PostgreSQL database, see books.h.  --database is libpq's conninfo. */
#include "common/books.h"
#include "common/parameters.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tercet/store_postgres.h>

/* Types by their numbers in pg_type: without them the server would take a number for a short one. */
enum { INT8_TYPE = 20, TEXT_TYPE = 25, NUMBER_SIZE = 24, DECIMAL = 10 };

static enum tercet_status open_store(const char *database, struct tercet_store **store_out,
                                     struct tercet_error *error_out)
{
    const struct tercet_postgres_options options = {
        .size = sizeof options, .conninfo = database, .create_tables = true};

    return tercet_postgres_open(&options, store_out, error_out);
}

static void *of_request(struct tercet_request *request)
{
    return tercet_postgres_connection(request);
}

/* The server's words, without the line's end. */
static void explain(const char *words, char error_out[BOOKS_ERROR_SIZE])
{
    snprintf(error_out, BOOKS_ERROR_SIZE, "%.*s", (int)strcspn(words, "\n"), words);
}

static bool command(PGconn *connection, const char *sql, char error_out[BOOKS_ERROR_SIZE])
{
    PGresult *result = PQexec(connection, sql);
    bool done = PQresultStatus(result) == PGRES_COMMAND_OK;

    if (!done) {
        explain(PQerrorMessage(connection), error_out);
    }
    PQclear(result);
    return done;
}

static void *begin(const char *database, char error_out[BOOKS_ERROR_SIZE])
{
    PGconn *connection = PQconnectdb(database);

    if (PQstatus(connection) != CONNECTION_OK) {
        explain(PQerrorMessage(connection), error_out);
    } else if (command(connection, "SET client_min_messages = warning", error_out) &&
               command(connection, "BEGIN", error_out)) {
        return connection;
    }
    PQfinish(connection);
    return NULL;
}

static bool commit(void *connection, char error_out[BOOKS_ERROR_SIZE])
{
    return command(connection, "COMMIT", error_out);
}

static void close_connection(void *connection)
{
    PQfinish(connection);
}

static PGresult *execute(PGconn *connection, const struct parameters *parameters)
{
    Oid types[PARAMETERS_MAX];
    const char *texts[PARAMETERS_MAX];
    char numbers[PARAMETERS_MAX][NUMBER_SIZE];

    for (size_t i = 0; i < parameters->count; i++) {
        const json_t *value = parameters->values[i];
        types[i] = json_is_integer(value) ? INT8_TYPE : TEXT_TYPE;
        snprintf(numbers[i], sizeof numbers[i], "%" PRId64, (int64_t)json_integer_value(value));
        texts[i] = json_is_integer(value) ? numbers[i] : json_string_value(value);
    }
    return PQexecParams(connection, parameters->sql, (int)parameters->count, types, texts, NULL,
                        NULL, 0);
}

static int run(void *connection, const char *sql, const json_t *values, struct books_row *row_out,
               char error_out[BOOKS_ERROR_SIZE])
{
    struct parameters parameters;
    int found = -1;

    if (!parameters_read(sql, values, true, &parameters, error_out)) {
        return -1;
    }
    PGresult *result = execute(connection, &parameters);
    if (PQresultStatus(result) == PGRES_COMMAND_OK && row_out == NULL) {
        found = (int)strtol(PQcmdTuples(result), NULL, DECIMAL);
    } else if (PQresultStatus(result) == PGRES_TUPLES_OK && row_out != NULL) {
        found = PQntuples(result) > 0 ? 1 : 0;
        for (int i = 0; found == 1 && i < PQnfields(result) && i < BOOKS_COLUMNS_MAX; i++) {
            snprintf(row_out->text[i], BOOKS_TEXT_SIZE, "%s", PQgetvalue(result, 0, i));
        }
    } else {
        explain(PQerrorMessage(connection), error_out);
    }
    PQclear(result);
    return found;
}

const struct books books_postgres = {.store = "postgres",
                                     .prefix = "dbname=",
                                     .suffix = "",
                                     .open = open_store,
                                     .of_request = of_request,
                                     .begin = begin,
                                     .commit = commit,
                                     .close = close_connection,
                                     .run = run};

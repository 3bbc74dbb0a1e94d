/* seed.c -- tables and demo data, see seed.h. */
#include "common/seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char end_of_statement[] = ";\n";

/* Without the comments before it. */
static bool is_query(const char *statement)
{
    return strncmp(statement, "SELECT", strlen("SELECT")) == 0;
}

/* Carries out the statements of `sql`, one after the other, each on lines of its own. */
static bool run_all(const struct seed *seed, void *connection, const char *sql,
                    char error_out[BOOKS_ERROR_SIZE])
{
    json_t *values = json_pack("{s:I}", "set", (json_int_t)seed->set);
    struct books_row row;
    int done = 0;

    for (const char *rest = sql; done >= 0 && *rest != '\0';) {
        const char *end = strstr(rest, end_of_statement);
        size_t length = end == NULL ? strlen(rest) : (size_t)(end - rest);
        char *statement = strndup(rest, length);
        bool query = is_query(statement);
        done = seed->books->run(connection, statement, values, query ? &row : NULL, error_out);
        free(statement);
        if (query && done == 1) {
            break;
        }
        rest += end == NULL ? length : length + strlen(end_of_statement);
    }
    json_decref(values);
    return done >= 0;
}

bool seed_run(const struct seed *seed, char error_out[BOOKS_ERROR_SIZE])
{
    void *connection = seed->books->begin(seed->database, error_out);

    if (connection == NULL) {
        return false;
    }
    bool done = run_all(seed, connection, seed->schema_sql, error_out) &&
                (seed->seed_sql == NULL || run_all(seed, connection, seed->seed_sql, error_out)) &&
                seed->books->commit(connection, error_out);
    seed->books->close(connection);
    return done;
}

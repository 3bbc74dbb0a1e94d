/* books_mariadb.c -- books in a MariaDB database, see books.h.
 *
 * --database is the database's name; "@FILE" behind it is an option file, whose group [client] says
 * where the server is and who we are. */
#include "common/books.h"
#include "common/parameters.h"

#include <mysql.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tercet/store_mariadb.h>

enum { PLACE_SIZE = 1024, DECIMAL = 10 };

/* --database, taken apart. */
struct place {
    char name[PLACE_SIZE];
    const char *option_file; /* NULL: none */
};

static void read_place(const char *database, struct place *place_out)
{
    snprintf(place_out->name, sizeof place_out->name, "%s", database);
    char *at = strchr(place_out->name, '@');
    place_out->option_file = NULL;
    if (at != NULL) {
        *at = '\0';
        place_out->option_file = at + 1;
    }
}

static enum tercet_status open_store(const char *database, struct tercet_store **store_out,
                                     struct tercet_error *error_out)
{
    struct place place = {.option_file = NULL};

    read_place(database, &place);
    const struct tercet_mariadb_options options = {.size = sizeof options,
                                                   .database = place.name,
                                                   .defaults_file = place.option_file,
                                                   .create_tables = true};
    return tercet_mariadb_open(&options, store_out, error_out);
}

static void *of_request(struct tercet_request *request)
{
    return tercet_mariadb_connection(request);
}

static void *begin(const char *database, char error_out[BOOKS_ERROR_SIZE])
{
    MYSQL *connection = mysql_init(NULL);
    struct place place = {.option_file = NULL};

    read_place(database, &place);
    /* ANSI: || joins texts, as elsewhere. */
    mysql_options(connection, MYSQL_INIT_COMMAND,
                  "SET sql_mode = 'ANSI,TRADITIONAL', autocommit = 0");
    if (place.option_file != NULL) {
        mysql_options(connection, MYSQL_READ_DEFAULT_FILE, place.option_file);
        mysql_options(connection, MYSQL_READ_DEFAULT_GROUP, "client");
    }
    if (mysql_real_connect(connection, NULL, NULL, NULL, place.name, 0, NULL, 0) == NULL) {
        snprintf(error_out, BOOKS_ERROR_SIZE, "%s", mysql_error(connection));
        mysql_close(connection);
        return NULL;
    }
    return connection;
}

static bool commit(void *connection, char error_out[BOOKS_ERROR_SIZE])
{
    bool done = mysql_commit(connection) == 0;

    if (!done) {
        snprintf(error_out, BOOKS_ERROR_SIZE, "%s", mysql_error(connection));
    }
    return done;
}

static void close_connection(void *connection)
{
    mysql_close(connection);
}

/* Sends the statement with its parameters bound. */
static bool execute(MYSQL_STMT *statement, const struct parameters *parameters)
{
    MYSQL_BIND binds[PARAMETERS_MAX] = {{0}};
    long long numbers[PARAMETERS_MAX];

    for (size_t i = 0; i < parameters->count; i++) {
        const json_t *value = parameters->values[i];
        if (json_is_integer(value)) {
            numbers[i] = json_integer_value(value);
            binds[i] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &numbers[i]};
        } else {
            /* Of a parameter it only reads. */
            binds[i] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING,
                                    .buffer = (void *)(uintptr_t)json_string_value(value),
                                    .buffer_length = json_string_length(value)};
        }
    }
    return mysql_stmt_prepare(statement, parameters->sql, strlen(parameters->sql)) == 0 &&
           (parameters->count == 0 || mysql_stmt_bind_param(statement, binds) == 0) &&
           mysql_stmt_execute(statement) == 0;
}

/* How many rows the statement has found, also those that were already as they are to be: these are not
 * among mysql_affected_rows(). */
static int changed_rows(MYSQL *connection, MYSQL_STMT *statement)
{
    static const char matched[] = "Rows matched: ";
    const char *told = mysql_info(connection);

    if (told != NULL && strncmp(told, matched, strlen(matched)) == 0) {
        return (int)strtol(told + strlen(matched), NULL, DECIMAL);
    }
    return (int)mysql_stmt_affected_rows(statement);
}

/* Takes the first row and leaves no result behind.  Returns 1, 0 or -1. */
static int first_row(MYSQL_STMT *statement, struct books_row *row_out)
{
    MYSQL_BIND binds[BOOKS_COLUMNS_MAX] = {{0}};
    unsigned long lengths[BOOKS_COLUMNS_MAX] = {0};

    if (mysql_stmt_field_count(statement) > BOOKS_COLUMNS_MAX) {
        return -1;
    }
    for (size_t i = 0; i < BOOKS_COLUMNS_MAX; i++) {
        memset(row_out->text[i], 0, BOOKS_TEXT_SIZE);
        binds[i] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING,
                                .buffer = row_out->text[i],
                                .buffer_length = BOOKS_TEXT_SIZE - 1,
                                .length = &lengths[i]};
    }
    if (mysql_stmt_bind_result(statement, binds) != 0 || mysql_stmt_store_result(statement) != 0) {
        return -1;
    }
    int code = mysql_stmt_fetch(statement);
    return code == 0 ? 1 : code == MYSQL_NO_DATA ? 0 : -1;
}

static int run(void *connection, const char *sql, const json_t *values, struct books_row *row_out,
               char error_out[BOOKS_ERROR_SIZE])
{
    struct parameters parameters;
    int result = -1;

    if (!parameters_read(sql, values, false, &parameters, error_out)) {
        return -1;
    }
    MYSQL_STMT *statement = mysql_stmt_init(connection);
    if (execute(statement, &parameters)) {
        result =
            row_out == NULL ? changed_rows(connection, statement) : first_row(statement, row_out);
    }
    if (result < 0) {
        snprintf(error_out, BOOKS_ERROR_SIZE, "%s (%u)", mysql_stmt_error(statement),
                 mysql_stmt_errno(statement));
    }
    mysql_stmt_close(statement);
    return result;
}

const struct books books_mariadb = {.store = "mariadb",
                                    .prefix = "",
                                    .suffix = "",
                                    .open = open_store,
                                    .of_request = of_request,
                                    .begin = begin,
                                    .commit = commit,
                                    .close = close_connection,
                                    .run = run};

/* books.h -- the statements of one local transaction, whichever database keeps a service's books.
 *
 * A handler changes its books on the connection that the store hands out, in the local transaction
 * that the store has begun, so that fence and books are committed together.  Each database has its own
 * way to say that; one file for each (books_sqlite.c, books_leveldb.c, books_postgres.c, books_mariadb.c) says it, and
 * the services are written once.  A service of yours has one database: take that file's few calls and
 * leave this out.
 *
 * Statements name what they need: ":user" is the value "user".  A colon before a small letter is always
 * a parameter, so no literal and no comment has one.  Values are bound; none is ever put into SQL as
 * text. */
#ifndef SAMPLES_PAYMENT_COMMON_BOOKS_H
#define SAMPLES_PAYMENT_COMMON_BOOKS_H

#include <jansson.h>
#include <stdbool.h>
#include <tercet/participant.h>

enum { BOOKS_COLUMNS_MAX = 4, BOOKS_TEXT_SIZE = 160, BOOKS_ERROR_SIZE = 256 };

/* A row that was read, each column as text. */
struct books_row {
    char text[BOOKS_COLUMNS_MAX][BOOKS_TEXT_SIZE];
};

/* A column that is a whole number. */
int64_t books_number(const struct books_row *row, size_t column);

struct books {
    const char *store;  /* --store */
    const char *prefix; /* with the service's name between: the default of --database */
    const char *suffix;

    /* The store for serving, with the fence's tables made when missing. */
    enum tercet_status (*open)(const char *database, struct tercet_store **store_out,
                               struct tercet_error *error_out);
    /* The connection on which this request's handler works. */
    void *(*of_request)(struct tercet_request *request);

    /* A connection without a store, for tables and demo data, in a transaction.  NULL and a sentence
     * when there is none.  The transaction is lost when close() comes before commit(). */
    void *(*begin)(const char *database, char error_out[BOOKS_ERROR_SIZE]);
    bool (*commit)(void *connection, char error_out[BOOKS_ERROR_SIZE]);
    void (*close)(void *connection);

    /* Carries out one statement.  Returns how many rows it has changed; with `row_out` it is a query,
     * and 1 and its first row, or 0 when there is none.  -1 and a sentence when it failed. */
    int (*run)(void *connection, const char *sql, const json_t *values, struct books_row *row_out,
               char error_out[BOOKS_ERROR_SIZE]);

    /* Prints what a query finds, a line for each row and a tab between columns; NULL where the database
     * has a program of its own for that. */
    bool (*print)(void *connection, const char *sql, char error_out[BOOKS_ERROR_SIZE]);
};

extern const struct books books_sqlite;
extern const struct books books_leveldb;
extern const struct books books_postgres;
extern const struct books books_mariadb;

/* What --store names, or NULL: not known, or its library was not there when this was built. */
const struct books *books_find(const char *store);

/* The names that books_find() knows, for people. */
extern const char books_known[];

#endif

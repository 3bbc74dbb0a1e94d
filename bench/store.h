/* store.h -- where the participants of the bench keep their fence and, if it is a database of rows, one
 * business row for each branch and phase. */
#ifndef BENCH_STORE_H
#define BENCH_STORE_H

#include <stdbool.h>

#include "tercet/participant.h"

enum { STORE_ACCOUNT_COUNT = 10000 };

/* A participant of bare gRPC core, which is asked by unary calls only (bare.h). */
#define STORE_BARE "bare"

struct store_place {
    const char *place;  /* a directory, or where the server is */
    const char *name;   /* the participant's; a server has a database of this name for it */
    uint32_t batch_max; /* branches in one local transaction; 0: the store's default */
};

struct store_kind {
    const char *name;
    const char *server; /* what --database is, when a server has to run; NULL: files of its own */
    /* NULL: there is no store, nor a fence (bare.h). */
    enum tercet_status (*open)(const struct store_place *place, struct tercet_store **store_out,
                               struct tercet_error *error_out);
    tercet_handler_fn handler; /* says yes, and changes a row where there are rows */
};

/* NULL: there is none of this name, or it was not built. */
const struct store_kind *store_find(const char *name);

/* "memory, leveldb, ...": those there are. */
const char *store_names(void);

/* The account of the request's transaction. */
unsigned store_account(const struct tercet_request *request);

/* How a row changes in each phase; the account's number goes where the database wants it. */
#define STORE_TRY_SQL     "UPDATE account SET balance = balance - 1, frozen = frozen + 1 WHERE id = "
#define STORE_CONFIRM_SQL "UPDATE account SET frozen = frozen - 1 WHERE id = "
#define STORE_CANCEL_SQL  "UPDATE account SET balance = balance + 1, frozen = frozen - 1 WHERE id = "

/* What a program of somebody's has (arguments.h): that is not known, as of a bare one.  It is not found
 * by its name. */
extern const struct store_kind store_program;

/* Each in a file of its own. */
extern const struct store_kind store_sqlite;
extern const struct store_kind store_postgres;
extern const struct store_kind store_mariadb;

#endif

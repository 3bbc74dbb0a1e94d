/* postgres_connection.h -- one connection to PostgreSQL: opened strictly, its statements travelling
 * together, its handlers watched.
 *
 * A slot that needs no answer only queues its statement (libpq's pipeline mode); the next one that
 * needs one sends all that is queued and waits once.  So BEGIN, savepoint and claim are one round
 * trip, and the last write and COMMIT another.  While a handler runs nothing is queued and the
 * connection is out of pipeline mode.
 *
 * How a handler that ends the transaction is noticed without asking the server: each savepoint is
 * signed by a value of application_name that lasts until the transaction's end or a rollback to
 * before it (SET LOCAL), and the server tells every change of it by itself.  So a COMMIT, a COMMIT AND
 * CHAIN, a ROLLBACK, either with a new BEGIN behind it, and a ROLLBACK TO tercet_branch all show in
 * PQparameterStatus().  Two values take turns, because RELEASE leaves the last one.  A statement that
 * fails takes the sign back too; then it is the rewind that fails when the savepoint is gone.
 *
 * Invariants
 *   1. Outside of this folder's functions nothing is queued unless a transaction has begun.
 *   2. A COMMIT counts when the server answers with the tag COMMIT; a transaction that has failed
 *      answers ROLLBACK, and no error.
 *   3. A connection whose state is not known for certain is suspect and not used again. */
#ifndef TERCET_FENCE_POSTGRES_CONNECTION_H
#define TERCET_FENCE_POSTGRES_CONNECTION_H

#include "fence/postgres_statements.h"

TERCET_BEGIN_DECLS

enum { POSTGRES_QUEUE_MAX = 32, POSTGRES_NAME_BYTES_MAX = 63 };

/* The store's, for all of its connections. */
struct postgres_settings {
    char *conninfo;
    char *setup_sql; /* NULL: none */
    uint32_t lock_timeout_ms;
    uint32_t statement_timeout_ms;
    uint32_t idle_timeout_ms;
    enum tercet_postgres_isolation isolation;
    bool create_tables;
};

/* How long a scope's lock is held: see postgres_fence.c. */
enum postgres_hold {
    POSTGRES_NOT_HELD,
    POSTGRES_HELD_BY_SAVEPOINT, /* rewind gives it up */
    POSTGRES_HELD               /* until the transaction ends */
};

/* What is stored of one (participant, origin). */
struct postgres_scope {
    enum postgres_hold hold; /* else the rest is not to be trusted */
    char participant[TERCET_NAME_BYTES_MAX + 1];
    uint8_t origin[TERCET_ORIGIN_BYTES];
    int64_t id; /* 0: nothing is stored */
    struct tercet_epoch epoch;
    struct tercet_mark mark;
};

struct postgres_connection {
    PGconn *link;
    bool transaction_open; /* BEGIN is queued or done */
    bool savepoint_open;
    bool suspect;                               /* must be closed, not used again */
    char signs[2][POSTGRES_NAME_BYTES_MAX + 1]; /* values of application_name */
    unsigned sign;                              /* the last savepoint's */
    char failed_sqlstate[6];                    /* of the last statement that failed; "": none */
    enum tercet_fence_state inserted;           /* by the last claim; NONE: nothing */
    struct postgres_scope scope;

    /* Queued since the last flush; after it, the results, until the next is queued. */
    unsigned queued;
    bool flushed;
    enum postgres_query queries[POSTGRES_QUEUE_MAX];
    PGresult *results[POSTGRES_QUEUE_MAX];
    enum postgres_query failed; /* when the last flush did: the first that failed */
};

/* Errors: as tercet_postgres_open(). */
TERCET_MUST_CHECK enum tercet_status postgres_connection_open(
    const struct postgres_settings *settings, struct postgres_connection **connection_out,
    struct tercet_error *error_out);
void postgres_connection_close(struct postgres_connection *connection);

/* Queues one statement; `values` may be NULL: none.
 * Errors: UNAVAILABLE. */
TERCET_MUST_CHECK enum tercet_status postgres_queue(struct postgres_connection *connection,
                                                    enum postgres_query query,
                                                    const struct postgres_values *values,
                                                    struct tercet_error *error_out);

/* Sends what is queued and waits for all of it.  The first statement that fails decides; those behind
 * it are not carried out. */
TERCET_MUST_CHECK enum tercet_status postgres_flush(struct postgres_connection *connection,
                                                    struct tercet_error *error_out);

/* What the last flush brought for this query; NULL when it was not among them.  Valid until
 * something is queued. */
PGresult *postgres_result(const struct postgres_connection *connection, enum postgres_query query);

/* A column as a number, of two, four or eight bytes; 0 for NULL. */
int64_t postgres_number(const PGresult *result, int row, int column);

/* Slots of struct tercet_store_ops; `connection` is a struct postgres_connection. */
enum tercet_status postgres_begin(void *connection, struct tercet_error *error_out);
enum tercet_status postgres_savepoint(void *connection, struct tercet_error *error_out);
enum tercet_status postgres_rewind(void *connection, struct tercet_error *error_out);
enum tercet_status postgres_check(void *connection, struct tercet_error *error_out);
enum tercet_status postgres_commit(void *connection, struct tercet_error *error_out);
void postgres_rollback(void *connection);

/* Which transaction-opening statement: for apply_mark, which has one of its own. */
TERCET_MUST_CHECK enum tercet_status postgres_begin_by(struct postgres_connection *connection,
                                                       enum postgres_query query,
                                                       struct tercet_error *error_out);

TERCET_END_DECLS

#endif

/* postgres_connection.h -- one connection to PostgreSQL: opened strictly, its statements travelling
 * together, its handlers watched.
 *
 * What is queued (sql_connection.h) is in libpq's pipeline mode.  So BEGIN, savepoint and claim are one
 * round trip, and the last write and COMMIT another.  While a handler runs nothing is queued and the
 * connection is out of pipeline mode.
 *
 * How a handler that ends the transaction is noticed without asking the server: each savepoint is
 * signed by a value of application_name that lasts until the transaction's end or a rollback to
 * before it (SET LOCAL), and the server tells every change of it by itself.  So a COMMIT, a COMMIT AND
 * CHAIN, a ROLLBACK, either with a new BEGIN behind it, and a ROLLBACK TO tercet_branch all show in
 * PQparameterStatus().  Two values take turns, because RELEASE leaves the last one.  A statement that
 * fails takes the sign back too; then it is the rewind that fails when the savepoint is gone.
 *
 * Invariant: a COMMIT counts when the server answers with the tag COMMIT; a transaction that has failed
 * answers ROLLBACK, and no error. */
#ifndef TERCET_FENCE_POSTGRES_CONNECTION_H
#define TERCET_FENCE_POSTGRES_CONNECTION_H

#include "fence/postgres_statements.h"

TERCET_BEGIN_DECLS

enum { POSTGRES_NAME_BYTES_MAX = 63 };

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

struct postgres_connection {
    struct sql_connection base; /* first */
    PGconn *link;
    char signs[2][POSTGRES_NAME_BYTES_MAX + 1]; /* values of application_name */
    unsigned sign;                              /* the last savepoint's */
    char failed_sqlstate[6];                    /* of the last statement that failed; "": none */
    PGresult *results[SQL_QUEUE_MAX];
    int rows_taken[SQL_QUEUE_MAX]; /* of each, by sql_next() */
};

extern const struct sql_dialect postgres_dialect;

/* Slots of struct tercet_store_ops; `self` is a struct postgres_settings, `connection` a struct
 * postgres_connection. */
enum tercet_status postgres_connection_open(void *self, void **connection_out,
                                            struct tercet_error *error_out);
void postgres_connection_close(void *connection);
enum tercet_status postgres_savepoint(void *connection, struct tercet_error *error_out);
enum tercet_status postgres_rewind(void *connection, struct tercet_error *error_out);
enum tercet_status postgres_write(void *connection, const struct tercet_fence_key *key,
                                  const struct tercet_fence_row *row,
                                  struct tercet_error *error_out);
enum tercet_status postgres_check(void *connection, struct tercet_error *error_out);
enum tercet_status postgres_commit(void *connection, struct tercet_error *error_out);
void postgres_rollback(void *connection);

TERCET_END_DECLS

#endif

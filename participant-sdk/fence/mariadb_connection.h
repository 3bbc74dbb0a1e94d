/* mariadb_connection.h -- one connection to MariaDB: opened strictly, its statements travelling together,
 * its handlers watched.
 *
 * What is queued (sql_connection.h) is one text of several statements, at the first failing of which the
 * server stops (CLIENT_MULTI_STATEMENTS).  The text is made of our own words, numbers and hexadecimal, and
 * of nothing else.
 *
 * How a handler that ends the transaction is noticed: a savepoint, tercet_watch, is set before it runs and
 * released after it, which fails (1305) when anything has ended the transaction or gone back before it:
 * COMMIT, ROLLBACK, a statement that commits by itself, a deadlock.  Which of them is told apart in
 * mariadb_watch.c.  autocommit is 0, so that what a handler does after such an end is not kept either,
 * unless it commits that too.
 *
 * Invariant: COMMIT travels behind a RELEASE of our savepoint; another transaction than ours is not
 * committed. */
#ifndef TERCET_FENCE_MARIADB_CONNECTION_H
#define TERCET_FENCE_MARIADB_CONNECTION_H

#include <mysql.h>

#include "base/bytes.h"
#include "fence/place.h"
#include "fence/sql_connection.h"
#include "tercet/store_mariadb.h"

TERCET_BEGIN_DECLS

/* The store's, for all of its connections. */
struct mariadb_settings {
    char *host;
    char *unix_socket;
    char *database;
    char *user;
    char *password;
    char *defaults_file;
    char *tls_ca_file;
    char *setup_sql;
    uint32_t port;
    uint32_t lock_timeout_s;
    enum tercet_mariadb_isolation isolation;
    bool create_tables;
};

/* What one statement brought. */
struct mariadb_answer {
    MYSQL_RES *rows; /* NULL: none */
    uint64_t affected;
};

struct mariadb_connection {
    struct sql_connection base; /* first */
    MYSQL link;
    bool linked;          /* mysql_init() was done */
    struct place claimed; /* the row of the last claim */
    bool vanished;        /* the last transaction, under a handler */
    struct buffer text;   /* queued */
    struct mariadb_answer answers[SQL_QUEUE_MAX];
};

extern const struct sql_dialect mariadb_dialect;

/* NULL: there is no such statement here. */
const char *mariadb_query_text(enum sql_query query);

/* The last error as a status with its words; never OK. */
enum tercet_status mariadb_explain(struct mariadb_connection *connection, const char *what,
                                   struct tercet_error *error_out);
enum tercet_status mariadb_status_of(unsigned code);

/* Slots of struct tercet_store_ops; `self` is a struct mariadb_settings, `connection` a struct
 * mariadb_connection. */
enum tercet_status mariadb_connection_open(void *self, void **connection_out,
                                           struct tercet_error *error_out);
void mariadb_connection_close(void *connection);
enum tercet_status mariadb_claim(void *connection, const struct tercet_fence_key *key,
                                 const struct tercet_fence_row *wanted,
                                 struct tercet_fence_claim *claim_out,
                                 struct tercet_error *error_out);
enum tercet_status mariadb_check(void *connection, struct tercet_error *error_out);
enum tercet_status mariadb_commit(void *connection, struct tercet_error *error_out);
void mariadb_rollback(void *connection);

TERCET_END_DECLS

#endif

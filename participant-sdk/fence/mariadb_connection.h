/* mariadb_connection.h -- one connection to MariaDB: opened strictly, its statements travelling together,
 * its handlers watched.
 *
 * A slot that needs no answer only queues its statement; the next one that needs one sends all that is
 * queued as one text, and the server stops at the first that fails (CLIENT_MULTI_STATEMENTS).  The text is
 * made of our own words, numbers and hexadecimal, and of nothing else.
 *
 * How a handler that ends the transaction is noticed: a savepoint, tercet_watch, is set before it runs and
 * released after it, which fails (1305) when anything has ended the transaction or gone back before it:
 * COMMIT, ROLLBACK, a statement that commits by itself, a deadlock.  Which of them is told apart in
 * mariadb_watch.c.  autocommit is 0, so that what a handler does after such an end is not kept either,
 * unless it commits that too.
 *
 * Invariants
 *   1. Outside of this folder's functions nothing is queued unless a transaction has begun.
 *   2. COMMIT travels behind a RELEASE of our savepoint: another transaction than ours is not committed.
 *   3. A connection whose state is not known for certain is suspect and not used again. */
#ifndef TERCET_FENCE_MARIADB_CONNECTION_H
#define TERCET_FENCE_MARIADB_CONNECTION_H

#include <mysql.h>

#include "base/bytes.h"
#include "fence/place.h"
#include "tercet/fence.h"
#include "tercet/store_mariadb.h"

TERCET_BEGIN_DECLS

enum { MARIADB_QUEUE_MAX = 32 };

/* What a queued statement is for. */
enum mariadb_query {
    MARIADB_CONTROL, /* of the transaction; brings nothing */
    MARIADB_COMMIT,
    MARIADB_SCOPE,
    MARIADB_SCOPE_WRITE,
    MARIADB_ROW,
    MARIADB_ROW_INSERT,
    MARIADB_ROW_WRITE,
    MARIADB_SLICE,
    MARIADB_SWEEP,
    MARIADB_KEPT,
    MARIADB_DESCRIBE,
    MARIADB_ERRORS
};

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

/* What is stored of one (participant, origin). */
struct mariadb_scope {
    bool held; /* by this transaction, to its end; else the rest is not to be trusted */
    char participant[TERCET_NAME_BYTES_MAX + 1];
    uint8_t origin[TERCET_ORIGIN_BYTES];
    int64_t id; /* 0: nothing is stored */
    struct tercet_epoch epoch;
    struct tercet_mark mark;
};

/* What one statement brought. */
struct mariadb_answer {
    enum mariadb_query query;
    MYSQL_RES *rows; /* NULL: none */
    uint64_t affected;
};

struct mariadb_connection {
    MYSQL link;
    bool linked; /* mysql_init() was done */
    bool suspect;
    bool savepoint_open;
    enum tercet_fence_state inserted; /* by the last claim; NONE: nothing */
    struct place claimed;             /* its row */
    bool vanished;                    /* the last transaction, under a handler */
    struct mariadb_scope scope;

    struct buffer text; /* queued */
    unsigned queued;
    bool flushed;
    struct mariadb_answer answers[MARIADB_QUEUE_MAX];
    enum mariadb_query failed; /* when the last flush did: the first that failed */
};

/* Errors: as tercet_mariadb_open(). */
TERCET_MUST_CHECK enum tercet_status mariadb_connection_open(
    const struct mariadb_settings *settings, struct mariadb_connection **connection_out,
    struct tercet_error *error_out);
void mariadb_connection_close(struct mariadb_connection *connection);

/* The last error as a status with its words; never OK. */
enum tercet_status mariadb_explain(struct mariadb_connection *connection, const char *what,
                                   struct tercet_error *error_out);
enum tercet_status mariadb_status_of(unsigned code);

/* ---- Statements that travel together ---------------------------------------------------------- */

/* Begins the next statement; what follows is appended to it. */
void mariadb_queue(struct mariadb_connection *connection, enum mariadb_query query,
                   const char *words);
void mariadb_add(struct mariadb_connection *connection, const char *words);
void mariadb_add_number(struct mariadb_connection *connection, int64_t number);
void mariadb_add_bytes(struct mariadb_connection *connection, const void *data, size_t size);
void mariadb_add_name(struct mariadb_connection *connection, const char *name);

/* Sends what is queued and waits for all of it.  The first statement that fails decides; those behind it
 * are not carried out. */
TERCET_MUST_CHECK enum tercet_status mariadb_flush(struct mariadb_connection *connection,
                                                   struct tercet_error *error_out);

/* What the last flush brought for the last statement of this kind; NULL: there was none.  Valid until
 * something is queued. */
const struct mariadb_answer *mariadb_answer_of(const struct mariadb_connection *connection,
                                               enum mariadb_query query);

/* ---- The local transaction: slots of struct tercet_store_ops ---------------------------------- */

enum tercet_status mariadb_begin(void *connection, struct tercet_error *error_out);
enum tercet_status mariadb_savepoint(void *connection, struct tercet_error *error_out);
enum tercet_status mariadb_rewind(void *connection, struct tercet_error *error_out);
enum tercet_status mariadb_check(void *connection, struct tercet_error *error_out);
enum tercet_status mariadb_commit(void *connection, struct tercet_error *error_out);
void mariadb_rollback(void *connection);

/* Before a handler may run: from here on check() tells what it did to the transaction. */
void mariadb_queue_watch(struct mariadb_connection *connection, const struct tercet_fence_key *key);

TERCET_END_DECLS

#endif

/* store_mariadb.h -- a participant whose database is MariaDB (10.5 or newer), through libmariadb.  In a
 * library of its own, libtercet-mariadb, so that nobody else needs it.
 *
 * A fixed number of connections, each used by one worker thread.  Branches that are waiting share a local
 * transaction, up to batch_max, each in a savepoint.  For one branch there are three round trips beside
 * the handler's own: BEGIN, savepoint and fence row; a look whether the transaction is still there; the
 * row's last state and COMMIT.  A deadlock (1213) rolls the whole transaction back and its branches are
 * run again; that is normal here.  Correct at every isolation level; READ COMMITTED is the default,
 * because REPEATABLE READ locks gaps.  Business tables must be InnoDB.
 *
 * Its tables are tercet_schema, tercet_scope and tercet_fence; sql/mariadb.sql makes them and says what
 * rights the participant's user needs.  They lie in the database of the business tables.  Never change
 * them.
 *
 * What each connection is set to: autocommit = 0, the isolation level, innodb_lock_wait_timeout, strict
 * SQL mode, and CLIENT_MULTI_STATEMENTS, so build no SQL out of what strangers have written: bind it.  A
 * server that may forget what it has acknowledged is refused: innodb_flush_log_at_trx_commit other than 1,
 * or a binary log with sync_binlog other than 1.  So is one that is read only.
 *
 * TLS: set tls_ca_file.  Then the connection is encrypted and the server's name verified, or there is none.
 * By default it is neither, also over a network (libmariadb of MariaDB 10.11).  The same as tls_ca_file is
 * ssl-ca=FILE with ssl-verify-server-cert=1 in defaults_file.  Mind the =1: without it libmariadb does not
 * look at the server's name, and goes on in plaintext, without a word, where the server has no TLS.  A
 * certificate that the server asks for is ssl-cert and ssl-key there.
 *
 * What a handler must leave alone, beside rule 1 of participant.h: autocommit, the savepoints whose names
 * begin with tercet_, and statements that commit by themselves (DDL, LOCK TABLES): the last are found
 * out. */
#ifndef TERCET_STORE_MARIADB_H
#define TERCET_STORE_MARIADB_H

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

struct st_mysql; /* MYSQL of <mysql.h>, which this header does not need */
struct tercet_request;
struct tercet_store;

/* Of the local transactions. */
enum tercet_mariadb_isolation {
    TERCET_MARIADB_READ_COMMITTED = 0,
    TERCET_MARIADB_REPEATABLE_READ = 1,
    TERCET_MARIADB_SERIALIZABLE = 2
};

struct tercet_mariadb_options {
    size_t size;
    /* All texts are copied.  NULL: what defaults_file says, or the library's default. */
    const char *host;
    const char *unix_socket; /* instead of host and port */
    const char *database;    /* required */
    const char *user;
    const char *password;
    /* A my.cnf whose [client] group is read; the place for a password.  return-found-rows must not stand
     * there; reconnect has no effect. */
    const char *defaults_file;
    /* Whom to trust: TLS, or no connection.  A defaults_file with words of its own about that is
     * refused.  Default NULL: as above. */
    const char *tls_ca_file;
    /* One or more statements, run on every new connection before anything else.  Default NULL:
     * nothing. */
    const char *setup_sql;
    uint32_t port;             /* default 3306 */
    uint32_t connection_count; /* default 8, at most 256 */
    /* Branches in one local transaction; 1: no sharing.  Default 16, at most 1024. */
    uint32_t batch_max;
    uint32_t queue_max;      /* requests waiting for a worker; above it LATER.  Default 10000 */
    uint32_t lock_timeout_s; /* innodb_lock_wait_timeout.  Default 2, at most 3600 */
    enum tercet_mariadb_isolation isolation;
    bool create_tables; /* run sql/mariadb.sql when the tables are missing; needs the right to */
};

/* Opens the store and tries one connection.  Close it with tercet_store_close().  A connection that is
 * lost is opened anew; while there is none, requests are answered LATER.
 * Errors: INVALID_ARGUMENT (names the field, or the server's words about setup_sql), UNAVAILABLE (the
 * server cannot be reached, does not let us in, or is read only; its words or the library's),
 * FAILED_PRECONDITION (tables are missing, of another version, not InnoDB, or not ours to use: says what
 * to run; the server is no MariaDB, too old, or not durable), DATA_LOSS (the tables do not add up). */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_mariadb_open(
    const struct tercet_mariadb_options *options, struct tercet_store **store_out,
    struct tercet_error *error_out);

/* The connection in whose open transaction the handler runs; no result pending, and to be left so.
 * NULL when the action is not registered on a MariaDB store.
 * Ownership: the store's.  Thread: the handler's, until it returns. */
TERCET_API struct st_mysql *tercet_mariadb_connection(const struct tercet_request *request);

/* tercet_answer_failed() with the connection's last error.  A transaction that fell to a deadlock or a
 * lock timeout is run again, whether the handler says so by this or answers anything else, if it returns
 * behind the statement that failed; closing that (mysql_stmt_close()) may come between.  One that goes on
 * behind a deadlock does so in a transaction of its own, because the server has rolled back ours.  Nothing
 * of that is kept either.  A try is run again then too; a confirm or cancel counts as a handler that has
 * ended the transaction, and is asked again by the coordinator. */
TERCET_API enum tercet_verdict tercet_mariadb_failed(struct tercet_request *request);

TERCET_END_DECLS

#endif

/* store_postgres.h -- a participant whose database is PostgreSQL (13 or newer), through libpq (14 or
 * newer).  In a library of its own, libtercet-postgres, so that nobody else needs libpq.
 *
 * A fixed number of connections, each used by one worker thread.  Branches that are waiting share a
 * local transaction, up to batch_max, each in a savepoint.  For one branch there are two round trips
 * beside the handler's own: BEGIN, savepoint and fence row travel together, and so do the row's last
 * state and COMMIT.  Correct at every isolation level; READ COMMITTED is the fastest.
 *
 * Its tables are tercet_schema, tercet_scope and tercet_fence; sql/postgres.sql makes them and says
 * what rights the participant's role needs.  They lie in the database of the business tables, in the
 * first schema of the search path that has them, and are found once, at connect: a search path that
 * changes later does not lead elsewhere.  Never change them.
 *
 * What each connection is set to: synchronous_commit = on (remote_apply stays), and the timeouts of
 * the options.  A server with fsync = off is refused, because it may forget what it has acknowledged;
 * so is one in recovery.  gssencmode = disable, connect_timeout = 10, TCP keepalives and
 * tcp_user_timeout that find a dead peer in some 20 seconds: each unless conninfo says otherwise.
 *
 * TLS: say sslmode=verify-full and sslrootcert=FILE, with the certificate that has signed the server's, in
 * conninfo.  Then the connection is encrypted and the server's name verified, or there is none.  libpq's
 * default, sslmode=prefer, is not that: it uses TLS where the server offers it, checks nobody, and goes on
 * in plaintext, without a word, where it does not or where TLS fails, even if sslrootcert is given.  require
 * encrypts, and checks nobody without sslrootcert; verify-ca does not look at the name.  A certificate that
 * the server asks for is sslcert and sslkey.  Over a unix socket libpq has no TLS, whatever sslmode says.
 *
 * Connections through a pooler are fine as long as one of ours keeps one of the server's (session
 * mode).
 *
 * What a handler must leave alone, beside rule 1 of participant.h: application_name (by it the store
 * notices a handler that ends the transaction), synchronous_commit, the savepoint tercet_branch, the
 * prepared statements whose names begin with tercet_, and advisory locks that are taken for the
 * session.  The transaction must not be in pipeline mode nor have a result pending when the handler
 * returns; else its connection is given up and the branch answered LATER. */
#ifndef TERCET_STORE_POSTGRES_H
#define TERCET_STORE_POSTGRES_H

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

struct pg_conn; /* PGconn and PGresult of <libpq-fe.h>, which this header does not need */
struct pg_result;
struct tercet_request;
struct tercet_store;

/* Of the local transactions. */
enum tercet_postgres_isolation {
    TERCET_POSTGRES_READ_COMMITTED = 0,
    TERCET_POSTGRES_REPEATABLE_READ = 1,
    TERCET_POSTGRES_SERIALIZABLE = 2
};

struct tercet_postgres_options {
    size_t size;
    /* libpq's: "host=... dbname=... user=... passfile=... sslmode=verify-full sslrootcert=...", or a
     * URI.  Copied.  Required. */
    const char *conninfo;
    /* Run on every new connection, before anything else: SET search_path, PREPARE debit AS ..., so
     * that a handler can call PQexecPrepared(connection, "debit", ...).  One or more statements, which
     * leave no transaction open.  Copied.  Default NULL: nothing. */
    const char *setup_sql;
    /* Default 8, at most 256; two to four times the server's cores are enough. */
    uint32_t connection_count;
    /* Branches in one local transaction; 1: no sharing.  Default 16, at most 1024.  More means fewer
     * syncs, and row locks held longer. */
    uint32_t batch_max;
    uint32_t queue_max; /* requests waiting for a worker; above it LATER.  Default 10000 */
    /* How long a statement, the handler's too, waits for one lock; then the transaction is run again.
     * Default 2000. */
    uint32_t lock_timeout_ms;
    /* How long a statement, the handler's too, may take; then it fails.  Default 5000. */
    uint32_t statement_timeout_ms;
    /* How long a handler may pause between two statements; then the server gives the connection up,
     * and the transaction is run again.  Default 10000. */
    uint32_t idle_timeout_ms;
    enum tercet_postgres_isolation isolation;
    bool create_tables; /* run sql/postgres.sql when the tables are missing; needs the right to */
};

/* Opens the store and tries one connection.  Close it with tercet_store_close().  A connection that is
 * lost is opened anew; while there is none, requests are answered LATER.
 * Errors: INVALID_ARGUMENT (names the field, or libpq's words about conninfo, or the server's about
 * setup_sql), UNAVAILABLE (the server cannot be reached, does not let us in, or is in recovery; its
 * words or libpq's), FAILED_PRECONDITION (tables are missing, of another version, or not ours to use:
 * says what to run; the server is too old, or has fsync off), DATA_LOSS (the tables do not add up). */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_postgres_open(
    const struct tercet_postgres_options *options, struct tercet_store **store_out,
    struct tercet_error *error_out);

/* The connection in whose open transaction the handler runs; not in pipeline mode, no result pending,
 * and to be left so.  NULL when the action is not registered on a PostgreSQL store.
 * Ownership: the store's.  Thread: the handler's, until it returns. */
TERCET_API struct pg_conn *tercet_postgres_connection(const struct tercet_request *request);

/* tercet_answer_failed() for a result that is not what the handler wanted, with the server's words and
 * SQLSTATE.  `result` is not cleared; NULL (out of memory, connection lost) takes the connection's own
 * error.  A transaction that fell to a deadlock, a serialization failure or a lock timeout is run
 * again, whether the handler says so by this or answers anything else. */
TERCET_API enum tercet_verdict tercet_postgres_failed(struct tercet_request *request,
                                                      const struct pg_result *result);

TERCET_END_DECLS

#endif

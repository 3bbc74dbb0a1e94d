/* sql_connection.h -- one connection to a server that speaks SQL, as the fence uses it: the common head of
 * struct postgres_connection and struct mariadb_connection.
 *
 * The fence is written once, in statements that both have (enum sql_query); a dialect says how each of
 * them reads there, how values travel, and how a result is taken apart.  A statement that a dialect does
 * not need has no text in it, and queueing it does nothing.
 *
 * A slot that needs no answer only queues its statement; the next one that needs one sends all that is
 * queued and waits once.
 *
 * Invariants
 *   1. Outside of this folder's functions nothing is queued unless a transaction has begun.
 *   2. A connection whose state is not known for certain is suspect and not used again. */
#ifndef TERCET_FENCE_SQL_CONNECTION_H
#define TERCET_FENCE_SQL_CONNECTION_H

#include "tercet/fence.h"

TERCET_BEGIN_DECLS

enum { SQL_QUEUE_MAX = 32, SQL_VALUES_MAX = 10, SQL_CELLS_MAX = 12 };

enum sql_query {
    SQL_BEGIN,       /* at the store's isolation level */
    SQL_SWEEP_LEVEL, /* says that the next is at READ COMMITTED, where BEGIN_SWEEP does not */
    SQL_BEGIN_SWEEP,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_SAVEPOINT,
    SQL_RELEASE,
    SQL_REWIND,
    SQL_SIGN,  /* behind the savepoint: postgres_connection.h */
    SQL_WATCH, /* behind the claim: mariadb_connection.h */
    SQL_UNWATCH,
    SQL_ERRORS,
    SQL_LOCK_SHARED, /* of a scope; $1 participant, $2 origin, as in all that follow of scopes */
    SQL_LOCK_ALONE,
    SQL_LOCK_SWEEP,  /* behind the last, where that is none: of a scope that is there, in a sweep */
    SQL_SCOPE,       /* the scope as it is now, until the transaction's end */
    SQL_SCOPE_EPOCH, /* $3, $4: the epoch, unless a higher one is there */
    SQL_SCOPE_MARK,  /* $3 to $7: the mark; $8, $9: of which epoch.  Nothing for an older one */
    SQL_ROW_CLAIM,   /* $1 gid, $2 branch: the row as it is now, and locked */
    SQL_ROW_INSERT,  /* values of sql_row_values(); 1 row affected: it was not there */
    SQL_ROW_WRITE,   /* the same: state and result of the row */
    SQL_ROW_FIND,
    SQL_SLICE, /* $3, $4 from, $5, $6 below, $7 how many: the last one's number, and how many */
    SQL_SWEEP, /* $1 scope's id, $2, $3 from, $4, $5 to, $6 open list: deletes what is not TRIED */
    SQL_KEPT,  /* the same: what is */
    SQL_DESCRIBE,
    SQL_LIST,     /* as SQL_SLICE: the rows */
    SQL_END_READ, /* behind a read outside of begin and commit */
    SQL_QUERY_COUNT
};

/* $1, $2, ...  Bytes are borrowed until the statement is queued. */
struct sql_values {
    unsigned count;
    struct {
        bool is_number;
        int64_t number;
        struct tercet_bytes bytes;
    } items[SQL_VALUES_MAX];
};

/* One row of a result; a NULL has no bytes.  Valid until something is queued. */
struct sql_cells {
    struct tercet_bytes items[SQL_CELLS_MAX];
};

/* How long a scope's lock is held. */
enum sql_hold {
    SQL_NOT_HELD,
    SQL_HELD_BY_SAVEPOINT, /* a rewind may give it up */
    SQL_HELD               /* until the transaction ends */
};

/* What is stored of one (participant, origin). */
struct sql_scope {
    enum sql_hold hold; /* else the rest is not to be trusted */
    char participant[TERCET_NAME_BYTES_MAX + 1];
    uint8_t origin[TERCET_ORIGIN_BYTES];
    int64_t id; /* 0: nothing is stored */
    struct tercet_epoch epoch;
    struct tercet_mark mark;
};

struct sql_connection {
    const struct sql_dialect *dialect;
    bool suspect; /* must be closed, not used again */
    bool savepoint_open;
    enum tercet_fence_state inserted; /* by the last claim; NONE: nothing */
    struct sql_scope scope;

    /* Queued since the last flush; after it, what was, until the next is queued. */
    unsigned queued;
    bool flushed;
    enum sql_query queries[SQL_QUEUE_MAX];
    enum sql_query failed; /* when the last flush did: the first that failed */
};

struct sql_dialect {
    const char *name; /* for words: "PostgreSQL" */
    /* Queues one statement; `values` may be NULL: none.  A connection that is lost is then suspect. */
    void (*queue)(struct sql_connection *connection, enum sql_query query,
                  const struct sql_values *values);
    /* Sends what is queued and waits for all of it.  The first statement that fails decides; those behind
     * it are not carried out. */
    enum tercet_status (*flush)(struct sql_connection *connection, struct tercet_error *error_out);
    /* Of the result of the queued statement `index`: the next row; false: there is none any more. */
    bool (*next)(struct sql_connection *connection, unsigned index, struct sql_cells *cells_out);
    uint32_t (*affected)(const struct sql_connection *connection, unsigned index);
    int64_t (*number)(struct tercet_bytes cell); /* 0 for NULL */
    enum tercet_status (*commit)(void *connection, struct tercet_error *error_out);
    void (*rollback)(void *connection);
};

/* ---- Statements ------------------------------------------------------------------------------- */

void sql_add_number(struct sql_values *values, int64_t number);
void sql_add_bytes(struct sql_values *values, const void *data, size_t size);
void sql_add_text(struct sql_values *values, const char *text);

void sql_queue(struct sql_connection *connection, enum sql_query query,
               const struct sql_values *values);
TERCET_MUST_CHECK enum tercet_status sql_flush(struct sql_connection *connection,
                                               struct tercet_error *error_out);

/* What the last flush brought for the last statement of this kind: the next row; false: none. */
bool sql_next(struct sql_connection *connection, enum sql_query query, struct sql_cells *cells_out);
uint32_t sql_affected(const struct sql_connection *connection, enum sql_query query);
int64_t sql_number(const struct sql_connection *connection, const struct sql_cells *cells,
                   unsigned column);

/* UNAVAILABLE when the connection is suspect; OK: what was queued waits for the next flush. */
TERCET_MUST_CHECK enum tercet_status sql_usable(const struct sql_connection *connection,
                                                struct tercet_error *error_out);

/* ---- The local transaction: slots of struct tercet_store_ops, as far as they are alike -------- */

enum tercet_status sql_begin(void *connection, struct tercet_error *error_out);
enum tercet_status sql_savepoint(void *connection, struct tercet_error *error_out);
enum tercet_status sql_rewind(void *connection, struct tercet_error *error_out);

/* For a mark's own transaction. */
TERCET_MUST_CHECK enum tercet_status sql_begin_sweep(struct sql_connection *connection,
                                                     struct tercet_error *error_out);
/* Keeps nothing of the transaction in mind. */
void sql_end(struct sql_connection *connection);

/* ---- Opening ---------------------------------------------------------------------------------- */

uint32_t sql_or_default(uint32_t value, uint32_t otherwise);
/* How a store with a server is driven; 0: 8 connections, 16 branches in a transaction. */
struct tercet_store_options sql_store_options(uint32_t connection_count, uint32_t batch_max,
                                              uint32_t queue_max);
/* Of an open that failed: full, locked or lost is one thing to whoever opens. */
enum tercet_status sql_open_status(enum tercet_status status, struct tercet_error *error_out);

TERCET_END_DECLS

#endif

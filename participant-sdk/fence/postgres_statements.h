/* postgres_statements.h -- the store's own statements, prepared once for each connection.
 *
 * The tables are named with their schema, so that a search path which a handler sets leads nowhere
 * else.  Values travel in binary: numbers as int8, big-endian; texts and bytes as they are. */
#ifndef TERCET_FENCE_POSTGRES_STATEMENTS_H
#define TERCET_FENCE_POSTGRES_STATEMENTS_H

#include <libpq-fe.h>

#include "tercet/fence.h"
#include "tercet/store_postgres.h"

TERCET_BEGIN_DECLS

enum postgres_query {
    POSTGRES_BEGIN,       /* at the store's isolation level */
    POSTGRES_BEGIN_SWEEP, /* READ COMMITTED */
    POSTGRES_COMMIT,
    POSTGRES_ROLLBACK,
    POSTGRES_SAVEPOINT,
    POSTGRES_RELEASE,
    POSTGRES_REWIND,
    POSTGRES_SIGN, /* names the transaction's savepoint: postgres_connection.h */
    POSTGRES_LOCK_SHARED,
    POSTGRES_LOCK_EXCLUSIVE,
    POSTGRES_SCOPE,
    POSTGRES_SCOPE_EPOCH,
    POSTGRES_SCOPE_MARK,
    POSTGRES_ROW_CLAIM,
    POSTGRES_ROW_INSERT,
    POSTGRES_ROW_WRITE,
    POSTGRES_ROW_FIND,
    POSTGRES_SLICE,
    POSTGRES_SWEEP,
    POSTGRES_KEPT,
    POSTGRES_DESCRIBE,
    POSTGRES_LIST,
    POSTGRES_QUERY_COUNT
};

/* What it is prepared as; begins with "tercet_". */
const char *postgres_query_name(enum postgres_query query);

/* Its text, with the tables in `schema`, an identifier that is quoted already.  The caller's to
 * free. */
char *postgres_query_text(enum postgres_query query, enum tercet_postgres_isolation isolation,
                          const char *schema);

/* Prepares all of them, in one round trip.
 * Errors: DATA_LOSS (the tables are not what they should be), UNAVAILABLE. */
TERCET_MUST_CHECK enum tercet_status postgres_statements_prepare(
    PGconn *link, enum tercet_postgres_isolation isolation, const char *schema,
    struct tercet_error *error_out);

/* ---- Parameters ------------------------------------------------------------------------------- */

enum { POSTGRES_VALUES_MAX = 9 };

/* In the order of $1, $2, ...; texts and bytes are borrowed until they are queued. */
struct postgres_values {
    int count;
    const char *data[POSTGRES_VALUES_MAX];
    int sizes[POSTGRES_VALUES_MAX];
    uint8_t numbers[POSTGRES_VALUES_MAX][8];
};

void postgres_add_number(struct postgres_values *values, int64_t number);
void postgres_add_bytes(struct postgres_values *values, const void *data, size_t size);
void postgres_add_text(struct postgres_values *values, const char *text);

TERCET_END_DECLS

#endif

/* postgres_statements.h -- the store's own statements, prepared once for each connection.
 *
 * The tables are named with their schema, so that a search path which a handler sets leads nowhere
 * else.  Values travel in binary: numbers as int8, big-endian; texts and bytes as they are. */
#ifndef TERCET_FENCE_POSTGRES_STATEMENTS_H
#define TERCET_FENCE_POSTGRES_STATEMENTS_H

#include <libpq-fe.h>

#include "fence/sql_connection.h"
#include "tercet/store_postgres.h"

TERCET_BEGIN_DECLS

/* What it is prepared as; begins with "tercet_".  NULL: there is no such statement here. */
const char *postgres_query_name(enum sql_query query);

/* Its text, with the tables in `schema`, an identifier that is quoted already.  The caller's to
 * free. */
char *postgres_query_text(enum sql_query query, enum tercet_postgres_isolation isolation,
                          const char *schema);

/* Prepares all of them, in one round trip.
 * Errors: DATA_LOSS (the tables are not what they should be), UNAVAILABLE. */
TERCET_MUST_CHECK enum tercet_status postgres_statements_prepare(
    PGconn *link, enum tercet_postgres_isolation isolation, const char *schema,
    struct tercet_error *error_out);

TERCET_END_DECLS

#endif

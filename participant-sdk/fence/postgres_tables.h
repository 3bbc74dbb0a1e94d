/* postgres_tables.h -- the fence's tables (sql/postgres.sql): found, checked, made. */
#ifndef TERCET_FENCE_POSTGRES_TABLES_H
#define TERCET_FENCE_POSTGRES_TABLES_H

#include <libpq-fe.h>

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

/* Looks for the tables along the search path; makes them when they are missing and `create` says so.
 * `schema_out`: the schema that they lie in, quoted; the caller's to free.
 * Errors: FAILED_PRECONDITION (missing, not ours to use, of another version: says what to run),
 * DATA_LOSS, UNAVAILABLE; INTERNAL: the server's words about making them. */
TERCET_MUST_CHECK enum tercet_status postgres_tables_find(PGconn *link, bool create,
                                                          char **schema_out,
                                                          struct tercet_error *error_out);

TERCET_END_DECLS

#endif

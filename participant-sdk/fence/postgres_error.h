/* postgres_error.h -- what PostgreSQL's words mean to a store. */
#ifndef TERCET_FENCE_POSTGRES_ERROR_H
#define TERCET_FENCE_POSTGRES_ERROR_H

#include <libpq-fe.h>

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

/* The status of a failed statement, by its SQLSTATE (five characters; NULL or "": none came, so the
 * connection is gone).  See fence.h for what each then leads to. */
enum tercet_status postgres_status_of(const char *sqlstate);

/* "" when the result has none, or is NULL. */
const char *postgres_sqlstate(const PGresult *result);

/* A failed result, or with NULL the connection's last error, as a status with its words; never OK. */
enum tercet_status postgres_explain(PGconn *link, const PGresult *result, const char *what,
                                    struct tercet_error *error_out);

TERCET_END_DECLS

#endif

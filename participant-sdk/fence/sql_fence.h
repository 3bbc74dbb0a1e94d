/* sql_fence.h -- the fence's rows and scopes in a server's tables (sql/postgres.sql, sql/mariadb.sql).
 *
 * Slots of struct tercet_store_ops; `connection` is a struct sql_connection, the head of a dialect's. */
#ifndef TERCET_FENCE_SQL_FENCE_H
#define TERCET_FENCE_SQL_FENCE_H

#include "fence/sql_connection.h"

TERCET_BEGIN_DECLS

/* The columns of a row, with f the row and s its scope, and those of a scope; sql_rows.c reads them. */
#define SQL_ROW_COLUMNS                                                                            \
    " f.state, s.origin, f.incarnation, f.number, f.digest, s.participant, f.action, f.result,"    \
    " f.gid, f.branch"
#define SQL_SCOPE_COLUMNS                                                                          \
    " s.id, s.incarnation, s.epoch, s.mark_incarnation, s.mark_lsn, s.low_incarnation,"            \
    " s.low_number, s.open"

enum tercet_status sql_claim(void *connection, const struct tercet_fence_key *key,
                             const struct tercet_fence_row *wanted,
                             struct tercet_fence_claim *claim_out, struct tercet_error *error_out);
enum tercet_status sql_raise_epoch(void *connection, const struct tercet_fence_caller *caller,
                                   struct tercet_error *error_out);
enum tercet_status sql_write(void *connection, const struct tercet_fence_key *key,
                             const struct tercet_fence_row *row, struct tercet_error *error_out);
enum tercet_status sql_find(void *connection, const struct tercet_fence_key *key,
                            struct tercet_fence_row *row_out, struct tercet_error *error_out);

enum tercet_status sql_apply_mark(void *connection, const struct tercet_fence_caller *caller,
                                  const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                  struct tercet_error *error_out);
enum tercet_status sql_describe(void *connection, const char *participant, const uint8_t *origin,
                                struct tercet_store_description *description_out,
                                struct tercet_error *error_out);
enum tercet_status sql_list(void *connection, const struct tercet_fence_range *range,
                            tercet_fence_row_fn row_fn, void *context,
                            struct tercet_error *error_out);

/* ---- Shared by sql_fence.c, sql_sweep.c and sql_rows.c ---------------------------------------- */

void sql_add_scope(struct sql_values *values, const char *participant, const uint8_t *origin);
/* Queues the epoch; the scope is then locked by us alone. */
void sql_queue_epoch(struct sql_connection *connection, const struct tercet_fence_caller *caller);

/* A row and its key, out of cells that begin with its columns.  The gid points into the result.
 * Errors: DATA_LOSS. */
TERCET_MUST_CHECK enum tercet_status sql_read_row(const struct sql_connection *connection,
                                                  const struct sql_cells *cells,
                                                  struct tercet_fence_key *key_out,
                                                  struct tercet_fence_row *row_out,
                                                  struct tercet_error *error_out);

/* A scope out of cells that begin with its columns; NULL: there is none, id 0.  hold, participant and
 * origin are left as they are.
 * Errors: DATA_LOSS. */
TERCET_MUST_CHECK enum tercet_status sql_read_scope(const struct sql_connection *connection,
                                                    const struct sql_cells *cells,
                                                    struct sql_scope *scope_out,
                                                    struct tercet_error *error_out);

TERCET_END_DECLS

#endif

/* postgres_fence.h -- the fence's rows and scopes in PostgreSQL's tables (sql/postgres.sql).
 *
 * Slots of struct tercet_store_ops; `connection` is a struct postgres_connection. */
#ifndef TERCET_FENCE_POSTGRES_FENCE_H
#define TERCET_FENCE_POSTGRES_FENCE_H

#include "fence/postgres_connection.h"

TERCET_BEGIN_DECLS

enum tercet_status postgres_claim(void *connection, const struct tercet_fence_key *key,
                                  const struct tercet_fence_row *wanted,
                                  struct tercet_fence_claim *claim_out,
                                  struct tercet_error *error_out);
enum tercet_status postgres_raise_epoch(void *connection, const struct tercet_fence_caller *caller,
                                        struct tercet_error *error_out);
enum tercet_status postgres_write(void *connection, const struct tercet_fence_key *key,
                                  const struct tercet_fence_row *row,
                                  struct tercet_error *error_out);
enum tercet_status postgres_find(void *connection, const struct tercet_fence_key *key,
                                 struct tercet_fence_row *row_out, struct tercet_error *error_out);

enum tercet_status postgres_apply_mark(void *connection, const struct tercet_fence_caller *caller,
                                       const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                       struct tercet_error *error_out);
enum tercet_status postgres_describe(void *connection, const char *participant,
                                     const uint8_t *origin,
                                     struct tercet_store_description *description_out,
                                     struct tercet_error *error_out);
enum tercet_status postgres_list(void *connection, const struct tercet_fence_range *range,
                                 tercet_fence_row_fn row_fn, void *context,
                                 struct tercet_error *error_out);

/* A row and its key, out of a result with the columns of a row.  The gid points into the result.
 * Errors: DATA_LOSS. */
TERCET_MUST_CHECK enum tercet_status postgres_read_row(const PGresult *result, int index,
                                                       struct tercet_fence_key *key_out,
                                                       struct tercet_fence_row *row_out,
                                                       struct tercet_error *error_out);

/* Queues the locks that change a scope, and the epoch, unless a higher one is there. */
TERCET_MUST_CHECK enum tercet_status postgres_queue_epoch(struct postgres_connection *connection,
                                                          const struct tercet_fence_caller *caller,
                                                          struct tercet_error *error_out);

/* Queues a statement that asks for nothing but a scope's names. */
TERCET_MUST_CHECK enum tercet_status postgres_queue_of_scope(struct postgres_connection *connection,
                                                             enum postgres_query query,
                                                             const char *participant,
                                                             const uint8_t *origin,
                                                             struct tercet_error *error_out);

/* A scope out of a result with its columns first; id 0: there is none.  hold, participant and origin
 * are left as they are.
 * Errors: DATA_LOSS. */
TERCET_MUST_CHECK enum tercet_status postgres_read_scope(const PGresult *result,
                                                         struct postgres_scope *scope_out,
                                                         struct tercet_error *error_out);

TERCET_END_DECLS

#endif

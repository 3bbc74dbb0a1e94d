/* sqlite_fence.h -- the fence's rows and scopes in SQLite's tables (schema in sqlite_schema.h).
 *
 * Slots of struct tercet_store_ops; `connection` is a struct sqlite_connection. */
#ifndef TERCET_FENCE_SQLITE_FENCE_H
#define TERCET_FENCE_SQLITE_FENCE_H

#include "fence/sqlite_connection.h"

TERCET_BEGIN_DECLS

enum tercet_status sqlite_claim(void *connection, const struct tercet_fence_key *key,
                                const struct tercet_fence_row *wanted,
                                struct tercet_fence_claim *claim_out,
                                struct tercet_error *error_out);
enum tercet_status sqlite_raise_epoch(void *connection, const struct tercet_fence_caller *caller,
                                      struct tercet_error *error_out);
enum tercet_status sqlite_write(void *connection, const struct tercet_fence_key *key,
                                const struct tercet_fence_row *row, struct tercet_error *error_out);
enum tercet_status sqlite_find(void *connection, const struct tercet_fence_key *key,
                               struct tercet_fence_row *row_out, struct tercet_error *error_out);

enum tercet_status sqlite_apply_mark(void *connection, const struct tercet_fence_caller *caller,
                                     const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                     struct tercet_error *error_out);
enum tercet_status sqlite_describe(void *connection, const char *participant, const uint8_t *origin,
                                   struct tercet_store_description *description_out,
                                   struct tercet_error *error_out);
enum tercet_status sqlite_list(void *connection, const struct tercet_fence_range *range,
                               tercet_fence_row_fn row_fn, void *context,
                               struct tercet_error *error_out);

/* What is kept of one (participant, origin); id 0: nothing.  The mark's open list is read when it is
 * needed. */
struct sqlite_scope {
    int64_t id;
    struct tercet_epoch epoch;
    struct tercet_mark mark;
};

TERCET_MUST_CHECK enum tercet_status sqlite_read_scope(struct sqlite_connection *connection,
                                                       const char *participant,
                                                       const uint8_t *origin,
                                                       struct sqlite_scope *scope_out,
                                                       struct tercet_error *error_out);

TERCET_MUST_CHECK enum tercet_status sqlite_read_open(struct sqlite_connection *connection,
                                                      struct sqlite_scope *scope,
                                                      struct tercet_error *error_out);

TERCET_END_DECLS

#endif

/* mariadb_fence.h -- the fence's rows and scopes in MariaDB's tables (sql/mariadb.sql).
 *
 * Slots of struct tercet_store_ops; `connection` is a struct mariadb_connection. */
#ifndef TERCET_FENCE_MARIADB_FENCE_H
#define TERCET_FENCE_MARIADB_FENCE_H

#include "fence/mariadb_connection.h"

TERCET_BEGIN_DECLS

/* The columns of a row, and where its tables are; f is the row, s its scope. */
#define MARIADB_ROW_COLUMNS                                                                        \
    " f.state, s.origin, f.incarnation, f.number, f.digest, s.participant, f.action, f.result,"    \
    " f.gid, f.branch"
#define MARIADB_ROW_TABLES " FROM tercet_fence f LEFT JOIN tercet_scope s ON s.id = f.scope"
#define MARIADB_SCOPE_COLUMNS                                                                      \
    " s.id, s.incarnation, s.epoch, s.mark_incarnation, s.mark_lsn, s.low_incarnation,"            \
    " s.low_number, s.open"

enum tercet_status mariadb_claim(void *connection, const struct tercet_fence_key *key,
                                 const struct tercet_fence_row *wanted,
                                 struct tercet_fence_claim *claim_out,
                                 struct tercet_error *error_out);
enum tercet_status mariadb_raise_epoch(void *connection, const struct tercet_fence_caller *caller,
                                       struct tercet_error *error_out);
enum tercet_status mariadb_write(void *connection, const struct tercet_fence_key *key,
                                 const struct tercet_fence_row *row,
                                 struct tercet_error *error_out);
enum tercet_status mariadb_find(void *connection, const struct tercet_fence_key *key,
                                struct tercet_fence_row *row_out, struct tercet_error *error_out);

enum tercet_status mariadb_apply_mark(void *connection, const struct tercet_fence_caller *caller,
                                      const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                      struct tercet_error *error_out);
enum tercet_status mariadb_describe(void *connection, const char *participant,
                                    const uint8_t *origin,
                                    struct tercet_store_description *description_out,
                                    struct tercet_error *error_out);
enum tercet_status mariadb_list(void *connection, const struct tercet_fence_range *range,
                                tercet_fence_row_fn row_fn, void *context,
                                struct tercet_error *error_out);

/* One row of a result. */
struct mariadb_cells {
    MYSQL_ROW cells; /* NULL: there is no more */
    const unsigned long *sizes;
};

struct mariadb_cells mariadb_next(MYSQL_RES *rows);
int64_t mariadb_number(const struct mariadb_cells *row, unsigned column); /* 0 for NULL */
struct tercet_bytes mariadb_bytes(const struct mariadb_cells *row, unsigned column);

/* A row and its key, out of cells with the columns of a row.  The gid points into the result.
 * Errors: DATA_LOSS. */
TERCET_MUST_CHECK enum tercet_status mariadb_read_row(const struct mariadb_cells *cells,
                                                      struct tercet_fence_key *key_out,
                                                      struct tercet_fence_row *row_out,
                                                      struct tercet_error *error_out);

/* A scope out of cells with its columns first; id 0: there is none.  held, participant and origin are left
 * as they are.
 * Errors: DATA_LOSS. */
TERCET_MUST_CHECK enum tercet_status mariadb_read_scope(const struct mariadb_cells *cells,
                                                        struct mariadb_scope *scope_out,
                                                        struct tercet_error *error_out);

/* " WHERE s.participant = ... AND s.origin = ..." */
void mariadb_add_scope(struct mariadb_connection *connection, const char *participant,
                       const uint8_t *origin);

/* Queues the epoch, unless a higher one is there; the scope is then locked by us alone. */
void mariadb_queue_epoch(struct mariadb_connection *connection,
                         const struct tercet_fence_caller *caller);

TERCET_END_DECLS

#endif

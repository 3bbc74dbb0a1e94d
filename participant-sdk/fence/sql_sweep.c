/* sql_sweep.c -- marks applied, and rows read for operators; the rest of sql_fence.h.
 *
 * A mark has a transaction of its own at READ COMMITTED, whatever the store's level: it takes the scope's
 * lock first (sql_fence.c), and each statement behind that sees what is committed.  As nobody can claim
 * meanwhile, there are two round trips: scope as it was, mark, and where the slice ends; then its rows and
 * COMMIT.  A scope that is not there, or of an older epoch, is written before, which takes one more; not each
 * time, because an INSERT that meets its row uses up a number of scopes all the same. */
#include "base/error.h"
#include "fence/mark_codec.h"
#include "fence/sql_fence.h"
#include "fence/store_rules.h"

static void add_number_pair(struct sql_values *values, struct tercet_branch_number number)
{
    sql_add_number(values, number.incarnation);
    sql_add_number(values, number.number);
}

/* Rows of a scope in [from, below), at most `row_count_max`. */
static void add_range(struct sql_values *values, const char *participant, const uint8_t *origin,
                      struct tercet_branch_number from, struct tercet_branch_number below,
                      uint32_t row_count_max)
{
    sql_add_scope(values, participant, origin);
    add_number_pair(values, from);
    add_number_pair(values, below);
    sql_add_number(values, row_count_max);
}

/* ---- Marks ------------------------------------------------------------------------------------ */

static void queue_mark(struct sql_connection *connection, const struct tercet_fence_caller *caller,
                       const struct tercet_mark *mark)
{
    uint8_t open[MARK_OPEN_BYTES_MAX];
    struct sql_values values = {0};

    sql_add_scope(&values, caller->participant, caller->origin);
    sql_add_number(&values, mark->as_of_incarnation);
    sql_add_number(&values, mark->as_of_lsn);
    add_number_pair(&values, mark->low);
    sql_add_bytes(&values, open, mark_open_encode(mark, open));
    sql_add_number(&values, caller->epoch.incarnation);
    sql_add_number(&values, caller->epoch.epoch);
    sql_queue(connection, SQL_SCOPE_MARK, &values);
}

/* The rows from sweep->from to `last`: what goes, and what stays. */
static void queue_sweep(struct sql_connection *connection, const struct tercet_mark *mark,
                        const struct tercet_sweep *sweep, struct tercet_branch_number last)
{
    uint8_t open[MARK_OPEN_BYTES_MAX];
    struct sql_values values = {0};

    sql_add_number(&values, connection->scope.id);
    add_number_pair(&values, sweep->from);
    add_number_pair(&values, last);
    sql_add_bytes(&values, open, mark_open_encode(mark, open));
    sql_queue(connection, SQL_SWEEP, &values);
    sql_queue(connection, SQL_KEPT, &values);
}

static enum tercet_status tell_kept(struct sql_connection *connection, struct tercet_sweep *sweep,
                                    struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_OK;
    struct sql_cells cells;

    while (status == TERCET_OK && sql_next(connection, SQL_KEPT, &cells)) {
        struct tercet_fence_key key;
        struct tercet_fence_row row;
        sweep->kept++;
        if (sweep->kept_fn != NULL) {
            status = sql_read_row(connection, &cells, &key, &row, error_out);
            if (status == TERCET_OK) {
                (void)sweep->kept_fn(&key, &row, sweep->context);
            }
        }
    }
    return status;
}

/* With the mark stored and the slice's end read: its rows, and COMMIT. */
static enum tercet_status sweep_slice(struct sql_connection *connection,
                                      const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                      struct tercet_error *error_out)
{
    enum { LAST_INCARNATION, LAST_NUMBER, SLICE_COUNT };
    struct sql_cells cells;

    if (!sql_next(connection, SQL_SLICE, &cells)) {
        return connection->dialect->commit(connection, error_out);
    }
    const struct tercet_branch_number last = {
        .incarnation = sql_number(connection, &cells, LAST_INCARNATION),
        .number = sql_number(connection, &cells, LAST_NUMBER)};
    const bool finished = sql_number(connection, &cells, SLICE_COUNT) < sweep->row_count_max;
    queue_sweep(connection, mark, sweep, last);
    const enum tercet_status status = connection->dialect->commit(connection, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    sweep->removed = sql_affected(connection, SQL_SWEEP);
    store_rules_end_slice(last, finished, sweep);
    return tell_kept(connection, sweep, error_out);
}

/* Stores the mark, reads the scope as it was before, and where the slice ends. */
static enum tercet_status store_mark(struct sql_connection *connection,
                                     const struct tercet_fence_caller *caller,
                                     const struct tercet_mark *mark,
                                     const struct tercet_sweep *sweep,
                                     struct tercet_error *error_out)
{
    struct sql_values of_scope = {0};
    struct sql_values of_slice = {0};
    struct sql_cells cells;

    sql_add_scope(&of_scope, caller->participant, caller->origin);
    add_range(&of_slice, caller->participant, caller->origin, sweep->from, mark->low,
              sweep->row_count_max);
    sql_queue(connection, SQL_SCOPE, &of_scope);
    queue_mark(connection, caller, mark);
    sql_queue(connection, SQL_SLICE, &of_slice);
    const enum tercet_status status = sql_flush(connection, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    const bool there = sql_next(connection, SQL_SCOPE, &cells);
    return sql_read_scope(connection, there ? &cells : NULL, &connection->scope, error_out);
}

/* In the mark's own transaction, up to its commit. */
static enum tercet_status apply_begun(struct sql_connection *connection,
                                      const struct tercet_fence_caller *caller,
                                      const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                      struct tercet_error *error_out)
{
    const struct sql_scope *const scope = &connection->scope;
    struct sql_values of_scope = {0};

    sql_add_scope(&of_scope, caller->participant, caller->origin);
    sql_queue(connection, SQL_LOCK_ALONE, &of_scope);
    sql_queue(connection, SQL_LOCK_SWEEP, &of_scope);
    enum tercet_status status = store_mark(connection, caller, mark, sweep, error_out);
    if (status == TERCET_OK && tercet_epoch_compare(scope->epoch, caller->epoch) < 0) {
        sql_queue_epoch(connection, caller);
        status = store_mark(connection, caller, mark, sweep, error_out);
    }
    if (status == TERCET_OK) {
        status = store_rules_judge_mark(scope->epoch, &scope->mark, caller, mark, sweep, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    return sweep->stale ? connection->dialect->commit(connection, error_out)
                        : sweep_slice(connection, mark, sweep, error_out);
}

enum tercet_status sql_apply_mark(void *connection, const struct tercet_fence_caller *caller,
                                  const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                  struct tercet_error *error_out)
{
    struct sql_connection *self = connection;

    store_rules_begin_sweep(sweep);
    enum tercet_status status = sql_begin_sweep(self, error_out);
    if (status == TERCET_OK) {
        status = apply_begun(self, caller, mark, sweep, error_out);
    }
    if (status != TERCET_OK) {
        self->dialect->rollback(self);
    }
    return status;
}

/* ---- Reading for operators -------------------------------------------------------------------- */

/* The columns behind those of the scope. */
enum { STORE_ID = 8, HIGHEST_INCARNATION, HIGHEST_NUMBER, ROW_COUNT };

enum tercet_status sql_describe(void *connection, const char *participant, const uint8_t *origin,
                                struct tercet_store_description *description_out,
                                struct tercet_error *error_out)
{
    struct sql_connection *self = connection;
    struct sql_scope scope = {0};
    struct sql_values values = {0};
    struct sql_cells cells;

    sql_add_scope(&values, participant, origin);
    sql_queue(self, SQL_DESCRIBE, &values);
    sql_queue(self, SQL_END_READ, NULL);
    enum tercet_status status = sql_flush(self, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (!sql_next(self, SQL_DESCRIBE, &cells) ||
        cells.items[STORE_ID].size != TERCET_STORE_ID_BYTES) {
        return error_set(error_out, TERCET_DATA_LOSS, "%s: the store id cannot be read",
                         self->dialect->name);
    }
    status = sql_read_scope(self, &cells, &scope, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    memset(description_out, 0, sizeof *description_out);
    memcpy(description_out->store_id, cells.items[STORE_ID].data, TERCET_STORE_ID_BYTES);
    description_out->epoch = scope.epoch;
    description_out->mark = scope.mark;
    description_out->highest.incarnation = sql_number(self, &cells, HIGHEST_INCARNATION);
    description_out->highest.number = sql_number(self, &cells, HIGHEST_NUMBER);
    description_out->rows = sql_number(self, &cells, ROW_COUNT);
    return TERCET_OK;
}

enum tercet_status sql_list(void *connection, const struct tercet_fence_range *range,
                            tercet_fence_row_fn row_fn, void *context,
                            struct tercet_error *error_out)
{
    static const struct tercet_branch_number end = {INT64_MAX, INT64_MAX};
    struct sql_connection *self = connection;
    struct sql_values values = {0};
    struct sql_cells cells;

    add_range(&values, range->participant, range->origin, range->from,
              range->below.incarnation == 0 ? end : range->below, range->row_count_max);
    sql_queue(self, SQL_LIST, &values);
    sql_queue(self, SQL_END_READ, NULL);
    enum tercet_status status = sql_flush(self, error_out);
    while (status == TERCET_OK && sql_next(self, SQL_LIST, &cells)) {
        struct tercet_fence_key key;
        struct tercet_fence_row row;
        status = sql_read_row(self, &cells, &key, &row, error_out);
        if (status == TERCET_OK && !row_fn(&key, &row, context)) {
            break;
        }
    }
    return status;
}

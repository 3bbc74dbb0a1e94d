/* postgres_sweep.c -- marks applied, and rows read for operators; the rest of postgres_fence.h.
 *
 * A mark has a transaction of its own at READ COMMITTED, whatever the store's level: it takes the
 * scope's lock first (postgres_fence.c), and each statement behind that sees what is committed.  As
 * nobody can claim meanwhile, there are two round trips and no more: lock, epoch, scope as it was, mark,
 * and where the slice ends; then its rows and COMMIT. */
#include "base/error.h"
#include "fence/mark_codec.h"
#include "fence/postgres_fence.h"

/* ---- Marks ------------------------------------------------------------------------------------ */

static void add_number_pair(struct postgres_values *values, struct tercet_branch_number number)
{
    postgres_add_number(values, number.incarnation);
    postgres_add_number(values, number.number);
}

static enum tercet_status queue_mark(struct postgres_connection *connection,
                                     const struct tercet_fence_caller *caller,
                                     const struct tercet_mark *mark, struct tercet_error *error_out)
{
    uint8_t open[MARK_OPEN_BYTES_MAX];
    struct postgres_values values = {0};

    postgres_add_text(&values, caller->participant);
    postgres_add_bytes(&values, caller->origin, TERCET_ORIGIN_BYTES);
    postgres_add_number(&values, mark->as_of_incarnation);
    postgres_add_number(&values, mark->as_of_lsn);
    add_number_pair(&values, mark->low);
    postgres_add_bytes(&values, open, mark_open_encode(mark, open));
    postgres_add_number(&values, caller->epoch.incarnation);
    postgres_add_number(&values, caller->epoch.epoch);
    return postgres_queue(connection, POSTGRES_SCOPE_MARK, &values, error_out);
}

static enum tercet_status queue_slice(struct postgres_connection *connection,
                                      const struct tercet_fence_caller *caller,
                                      const struct tercet_mark *mark,
                                      const struct tercet_sweep *sweep,
                                      struct tercet_error *error_out)
{
    struct postgres_values values = {0};

    postgres_add_text(&values, caller->participant);
    postgres_add_bytes(&values, caller->origin, TERCET_ORIGIN_BYTES);
    add_number_pair(&values, sweep->from);
    add_number_pair(&values, mark->low);
    postgres_add_number(&values, sweep->row_count_max);
    return postgres_queue(connection, POSTGRES_SLICE, &values, error_out);
}

/* The rows from sweep->from to `last`: what goes, and what stays. */
static enum tercet_status queue_sweep(struct postgres_connection *connection, int64_t scope,
                                      const struct tercet_mark *mark,
                                      const struct tercet_sweep *sweep,
                                      struct tercet_branch_number last,
                                      struct tercet_error *error_out)
{
    uint8_t open[MARK_OPEN_BYTES_MAX];
    struct postgres_values values = {0};

    postgres_add_number(&values, scope);
    add_number_pair(&values, sweep->from);
    add_number_pair(&values, last);
    postgres_add_bytes(&values, open, mark_open_encode(mark, open));
    const enum tercet_status status =
        postgres_queue(connection, POSTGRES_SWEEP, &values, error_out);
    return status == TERCET_OK ? postgres_queue(connection, POSTGRES_KEPT, &values, error_out)
                               : status;
}

static enum tercet_status tell_kept(const struct postgres_connection *connection,
                                    const struct tercet_sweep *sweep,
                                    struct tercet_error *error_out)
{
    const PGresult *result = postgres_result(connection, POSTGRES_KEPT);
    const int count = sweep->kept_fn == NULL ? 0 : PQntuples(result);
    enum tercet_status status = TERCET_OK;

    for (int i = 0; status == TERCET_OK && i < count; i++) {
        struct tercet_fence_key key;
        struct tercet_fence_row row;
        status = postgres_read_row(result, i, &key, &row, error_out);
        if (status == TERCET_OK) {
            (void)sweep->kept_fn(&key, &row, sweep->context);
        }
    }
    return status;
}

static uint32_t affected(PGresult *result)
{
    uint32_t count = 0;
    for (const char *digit = PQcmdTuples(result); *digit != '\0'; digit++) {
        count = count * 10 + (uint32_t)(*digit - '0');
    }
    return count;
}

/* With the mark stored and the slice's end read: its rows, and COMMIT. */
static enum tercet_status sweep_slice(struct postgres_connection *connection, int64_t scope,
                                      const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                      struct tercet_error *error_out)
{
    const PGresult *slice = postgres_result(connection, POSTGRES_SLICE);

    if (PQntuples(slice) == 0) {
        return postgres_commit(connection, error_out);
    }
    const struct tercet_branch_number last = {.incarnation = postgres_number(slice, 0, 0),
                                              .number = postgres_number(slice, 0, 1)};
    const bool finished = postgres_number(slice, 0, 2) < sweep->row_count_max;
    enum tercet_status status = queue_sweep(connection, scope, mark, sweep, last, error_out);
    if (status == TERCET_OK) {
        status = postgres_commit(connection, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    sweep->removed = affected(postgres_result(connection, POSTGRES_SWEEP));
    sweep->kept = (uint32_t)PQntuples(postgres_result(connection, POSTGRES_KEPT));
    sweep->finished = finished;
    if (!finished) {
        sweep->from = last;
        sweep->from.number++;
    }
    return tell_kept(connection, sweep, error_out);
}

/* In the mark's own transaction, up to its commit. */
static enum tercet_status apply_begun(struct postgres_connection *connection,
                                      const struct tercet_fence_caller *caller,
                                      const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                      struct tercet_error *error_out)
{
    struct postgres_scope *const scope = &connection->scope;

    enum tercet_status status = postgres_queue_epoch(connection, caller, error_out);
    if (status == TERCET_OK) {
        status = postgres_queue_of_scope(connection, POSTGRES_SCOPE, caller->participant,
                                         caller->origin, error_out);
    }
    if (status == TERCET_OK) {
        status = queue_mark(connection, caller, mark, error_out);
    }
    if (status == TERCET_OK) {
        status = queue_slice(connection, caller, mark, sweep, error_out);
    }
    if (status == TERCET_OK) {
        status = postgres_flush(connection, error_out);
    }
    if (status == TERCET_OK) {
        status = postgres_read_scope(postgres_result(connection, POSTGRES_SCOPE), scope, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    if (tercet_epoch_compare(scope->epoch, caller->epoch) > 0) {
        return error_set(error_out, TERCET_FAILED_PRECONDITION,
                         TERCET_CODE_OLD_EPOCH ": a mark of an epoch before the stored one");
    }
    if (tercet_mark_compare_age(mark, &scope->mark) < 0) {
        sweep->stale = true;
        return postgres_commit(connection, error_out);
    }
    return sweep_slice(connection, scope->id, mark, sweep, error_out);
}

enum tercet_status postgres_apply_mark(void *connection, const struct tercet_fence_caller *caller,
                                       const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                       struct tercet_error *error_out)
{
    struct postgres_connection *self = connection;

    sweep->removed = 0;
    sweep->kept = 0;
    sweep->stale = false;
    sweep->finished = true;
    enum tercet_status status = postgres_begin_by(self, POSTGRES_BEGIN_SWEEP, error_out);
    if (status == TERCET_OK) {
        status = apply_begun(self, caller, mark, sweep, error_out);
    }
    if (status != TERCET_OK) {
        postgres_rollback(self);
    }
    return status;
}

/* ---- Reading for operators -------------------------------------------------------------------- */

/* The columns behind those of the scope. */
enum { STORE_ID = 8, HIGHEST_INCARNATION, HIGHEST_NUMBER, ROW_COUNT };

enum tercet_status postgres_describe(void *connection, const char *participant,
                                     const uint8_t *origin,
                                     struct tercet_store_description *description_out,
                                     struct tercet_error *error_out)
{
    struct postgres_connection *self = connection;
    struct postgres_scope scope = {0};
    struct postgres_values values = {0};

    postgres_add_text(&values, participant);
    postgres_add_bytes(&values, origin, TERCET_ORIGIN_BYTES);
    enum tercet_status status = postgres_queue(self, POSTGRES_DESCRIBE, &values, error_out);
    if (status == TERCET_OK) {
        status = postgres_flush(self, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    const PGresult *result = postgres_result(self, POSTGRES_DESCRIBE);
    if (PQntuples(result) != 1 || PQgetlength(result, 0, STORE_ID) != TERCET_STORE_ID_BYTES) {
        return error_set(error_out, TERCET_DATA_LOSS, "PostgreSQL: the store id cannot be read");
    }
    status = postgres_read_scope(result, &scope, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    memset(description_out, 0, sizeof *description_out);
    memcpy(description_out->store_id, PQgetvalue(result, 0, STORE_ID), TERCET_STORE_ID_BYTES);
    description_out->epoch = scope.epoch;
    description_out->mark = scope.mark;
    description_out->highest.incarnation = postgres_number(result, 0, HIGHEST_INCARNATION);
    description_out->highest.number = postgres_number(result, 0, HIGHEST_NUMBER);
    description_out->rows = postgres_number(result, 0, ROW_COUNT);
    return TERCET_OK;
}

enum tercet_status postgres_list(void *connection, const struct tercet_fence_range *range,
                                 tercet_fence_row_fn row_fn, void *context,
                                 struct tercet_error *error_out)
{
    static const struct tercet_branch_number end = {INT64_MAX, INT64_MAX};
    struct postgres_connection *self = connection;
    struct postgres_values values = {0};

    postgres_add_text(&values, range->participant);
    postgres_add_bytes(&values, range->origin, TERCET_ORIGIN_BYTES);
    add_number_pair(&values, range->from);
    add_number_pair(&values, range->below.incarnation == 0 ? end : range->below);
    postgres_add_number(&values, range->row_count_max);
    enum tercet_status status = postgres_queue(self, POSTGRES_LIST, &values, error_out);
    if (status == TERCET_OK) {
        status = postgres_flush(self, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    const PGresult *result = postgres_result(self, POSTGRES_LIST);
    for (int i = 0; i < PQntuples(result); i++) {
        struct tercet_fence_key key;
        struct tercet_fence_row row;
        status = postgres_read_row(result, i, &key, &row, error_out);
        if (status != TERCET_OK || !row_fn(&key, &row, context)) {
            break;
        }
    }
    return status;
}

/* mariadb_sweep.c -- marks applied, and rows read for operators; the rest of mariadb_fence.h.
 *
 * A mark has a transaction of its own at READ COMMITTED, whatever the store's level: writing the epoch
 * takes the scope's row for itself (mariadb_fence.c), and each statement behind that sees what is
 * committed.  As nobody can claim meanwhile, there are two round trips: epoch, scope as it was, mark, and
 * where the slice ends; then its rows and COMMIT. */
#include "base/error.h"
#include "fence/mariadb_fence.h"
#include "fence/mark_codec.h"

/* ---- Marks ------------------------------------------------------------------------------------ */

static void add_assignment(struct mariadb_connection *connection, const char *words, int64_t number)
{
    mariadb_add(connection, words);
    mariadb_add_number(connection, number);
}

/* Nothing for an older mark, or one of an old epoch.  The conditions are judged before anything is
 * assigned. */
static void queue_mark(struct mariadb_connection *connection,
                       const struct tercet_fence_caller *caller, const struct tercet_mark *mark)
{
    uint8_t open[MARK_OPEN_BYTES_MAX];

    mariadb_queue(connection, MARIADB_SCOPE_WRITE, "UPDATE tercet_scope s SET");
    add_assignment(connection, " mark_incarnation = ", mark->as_of_incarnation);
    add_assignment(connection, ", mark_lsn = ", mark->as_of_lsn);
    add_assignment(connection, ", low_incarnation = ", mark->low.incarnation);
    add_assignment(connection, ", low_number = ", mark->low.number);
    mariadb_add(connection, ", open = ");
    mariadb_add_bytes(connection, open, mark_open_encode(mark, open));
    mariadb_add_scope(connection, caller->participant, caller->origin);
    add_assignment(connection, " AND (mark_incarnation, mark_lsn) < (", mark->as_of_incarnation);
    add_assignment(connection, ",", mark->as_of_lsn);
    add_assignment(connection, ") AND (incarnation, epoch) <= (", caller->epoch.incarnation);
    add_assignment(connection, ",", caller->epoch.epoch);
    mariadb_add(connection, ")");
}

/* Written out, because the server finds no way through its key by (a, b) >= (c, d). */
static void add_from(struct mariadb_connection *connection, struct tercet_branch_number from)
{
    add_assignment(connection, " AND f.incarnation >= ", from.incarnation);
    add_assignment(connection, " AND (f.incarnation > ", from.incarnation);
    add_assignment(connection, " OR f.number >= ", from.number);
    mariadb_add(connection, ")");
}

/* `sign`: "<" or "<=" */
static void add_to(struct mariadb_connection *connection, struct tercet_branch_number to,
                   const char *sign)
{
    add_assignment(connection, " AND f.incarnation <= ", to.incarnation);
    add_assignment(connection, " AND (f.incarnation < ", to.incarnation);
    mariadb_add(connection, " OR f.number ");
    mariadb_add(connection, sign);
    add_assignment(connection, " ", to.number);
    mariadb_add(connection, ")");
}

/* The rows from `from` on, in the order of their numbers. */
static void add_order(struct mariadb_connection *connection, uint32_t row_count_max)
{
    mariadb_add(connection, " ORDER BY f.incarnation, f.number");
    add_assignment(connection, " LIMIT ", row_count_max);
}

static void queue_slice(struct mariadb_connection *connection,
                        const struct tercet_fence_caller *caller, const struct tercet_mark *mark,
                        const struct tercet_sweep *sweep)
{
    mariadb_queue(connection, MARIADB_SLICE,
                  "SELECT f.incarnation, f.number FROM tercet_scope s"
                  " JOIN tercet_fence f ON f.scope = s.id");
    mariadb_add_scope(connection, caller->participant, caller->origin);
    add_from(connection, sweep->from);
    add_to(connection, mark->low, "<");
    add_order(connection, sweep->row_count_max);
}

/* The slice's rows that are not open. */
static void add_slice(struct mariadb_connection *connection, int64_t scope,
                      const struct tercet_mark *mark, struct tercet_branch_number from,
                      struct tercet_branch_number last)
{
    add_assignment(connection, " WHERE f.scope = ", scope);
    add_from(connection, from);
    add_to(connection, last, "<=");
    for (uint32_t i = 0; i < mark->open_count; i++) {
        mariadb_add(connection, i == 0 ? " AND (f.incarnation, f.number) NOT IN (" : ",");
        add_assignment(connection, "(", mark->open[i].incarnation);
        add_assignment(connection, ",", mark->open[i].number);
        mariadb_add(connection, i + 1 == mark->open_count ? "))" : ")");
    }
}

static enum tercet_status tell_kept(MYSQL_RES *rows, const struct tercet_sweep *sweep,
                                    struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_OK;

    while (status == TERCET_OK && sweep->kept_fn != NULL) {
        const struct mariadb_cells cells = mariadb_next(rows);
        struct tercet_fence_key key;
        struct tercet_fence_row row;
        if (cells.cells == NULL) {
            break;
        }
        status = mariadb_read_row(&cells, &key, &row, error_out);
        if (status == TERCET_OK) {
            (void)sweep->kept_fn(&key, &row, sweep->context);
        }
    }
    return status;
}

/* With the mark stored and the slice's end read: its rows, and COMMIT. */
static enum tercet_status sweep_slice(struct mariadb_connection *connection, int64_t scope,
                                      const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                      struct tercet_error *error_out)
{
    MYSQL_RES *const rows = mariadb_answer_of(connection, MARIADB_SLICE)->rows;
    const uint64_t count = mysql_num_rows(rows);

    if (count == 0) {
        return mariadb_commit(connection, error_out);
    }
    mysql_data_seek(rows, count - 1);
    const struct mariadb_cells cells = mariadb_next(rows);
    const struct tercet_branch_number last = {.incarnation = mariadb_number(&cells, 0),
                                              .number = mariadb_number(&cells, 1)};
    mariadb_queue(connection, MARIADB_SWEEP, "DELETE f FROM tercet_fence f");
    add_slice(connection, scope, mark, sweep->from, last);
    mariadb_add(connection, " AND f.state <> 1");
    mariadb_queue(connection, MARIADB_KEPT, "SELECT" MARIADB_ROW_COLUMNS MARIADB_ROW_TABLES);
    add_slice(connection, scope, mark, sweep->from, last);
    mariadb_add(connection, " AND f.state = 1");
    add_order(connection, UINT32_MAX);
    const enum tercet_status status = mariadb_commit(connection, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    MYSQL_RES *const kept = mariadb_answer_of(connection, MARIADB_KEPT)->rows;
    sweep->removed = (uint32_t)mariadb_answer_of(connection, MARIADB_SWEEP)->affected;
    sweep->kept = (uint32_t)mysql_num_rows(kept);
    sweep->finished = count < sweep->row_count_max;
    if (!sweep->finished) {
        sweep->from = last;
        sweep->from.number++;
    }
    return tell_kept(kept, sweep, error_out);
}

/* In the mark's own transaction, up to its commit. */
static enum tercet_status apply_begun(struct mariadb_connection *connection,
                                      const struct tercet_fence_caller *caller,
                                      const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                      struct tercet_error *error_out)
{
    struct mariadb_scope *const scope = &connection->scope;

    mariadb_queue_epoch(connection, caller);
    mariadb_queue(connection, MARIADB_SCOPE, "SELECT" MARIADB_SCOPE_COLUMNS " FROM tercet_scope s");
    mariadb_add_scope(connection, caller->participant, caller->origin);
    mariadb_add(connection, " FOR UPDATE");
    queue_mark(connection, caller, mark);
    queue_slice(connection, caller, mark, sweep);
    enum tercet_status status = mariadb_flush(connection, error_out);
    if (status == TERCET_OK) {
        const struct mariadb_cells cells =
            mariadb_next(mariadb_answer_of(connection, MARIADB_SCOPE)->rows);
        status = mariadb_read_scope(&cells, scope, error_out);
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
        return mariadb_commit(connection, error_out);
    }
    return sweep_slice(connection, scope->id, mark, sweep, error_out);
}

enum tercet_status mariadb_apply_mark(void *connection, const struct tercet_fence_caller *caller,
                                      const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                      struct tercet_error *error_out)
{
    struct mariadb_connection *self = connection;

    sweep->removed = 0;
    sweep->kept = 0;
    sweep->stale = false;
    sweep->finished = true;
    if (self->suspect) {
        return mariadb_begin(self, error_out);
    }
    mariadb_queue(self, MARIADB_CONTROL, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
    enum tercet_status status = mariadb_begin(self, error_out);
    if (status == TERCET_OK) {
        status = apply_begun(self, caller, mark, sweep, error_out);
    }
    if (status != TERCET_OK) {
        mariadb_rollback(self);
    }
    return status;
}

/* ---- Reading for operators -------------------------------------------------------------------- */

/* The columns behind those of the scope. */
enum { STORE_ID = 8, HIGHEST_INCARNATION, HIGHEST_NUMBER, ROW_COUNT };

enum tercet_status mariadb_describe(void *connection, const char *participant,
                                    const uint8_t *origin,
                                    struct tercet_store_description *description_out,
                                    struct tercet_error *error_out)
{
    struct mariadb_connection *self = connection;
    struct mariadb_scope scope = {0};

    mariadb_queue(self, MARIADB_DESCRIBE,
                  "SELECT" MARIADB_SCOPE_COLUMNS ", m.store_id,"
                  " (SELECT f.incarnation FROM tercet_fence f WHERE f.scope = s.id"
                  " ORDER BY f.incarnation DESC, f.number DESC LIMIT 1),"
                  " (SELECT f.number FROM tercet_fence f WHERE f.scope = s.id"
                  " ORDER BY f.incarnation DESC, f.number DESC LIMIT 1),"
                  " (SELECT COUNT(*) FROM tercet_fence f WHERE f.scope = s.id)"
                  " FROM tercet_schema m LEFT JOIN tercet_scope s ON s.participant = ");
    mariadb_add_name(self, participant);
    mariadb_add(self, " AND s.origin = ");
    mariadb_add_bytes(self, origin, TERCET_ORIGIN_BYTES);
    mariadb_add(self, " WHERE m.id = 1");
    mariadb_queue(self, MARIADB_CONTROL, "ROLLBACK");
    enum tercet_status status = mariadb_flush(self, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    const struct mariadb_cells cells =
        mariadb_next(mariadb_answer_of(self, MARIADB_DESCRIBE)->rows);
    if (cells.cells == NULL || mariadb_bytes(&cells, STORE_ID).size != TERCET_STORE_ID_BYTES) {
        return error_set(error_out, TERCET_DATA_LOSS, "MariaDB: the store id cannot be read");
    }
    status = mariadb_read_scope(&cells, &scope, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    memset(description_out, 0, sizeof *description_out);
    memcpy(description_out->store_id, mariadb_bytes(&cells, STORE_ID).data, TERCET_STORE_ID_BYTES);
    description_out->epoch = scope.epoch;
    description_out->mark = scope.mark;
    description_out->highest.incarnation = mariadb_number(&cells, HIGHEST_INCARNATION);
    description_out->highest.number = mariadb_number(&cells, HIGHEST_NUMBER);
    description_out->rows = mariadb_number(&cells, ROW_COUNT);
    return TERCET_OK;
}

enum tercet_status mariadb_list(void *connection, const struct tercet_fence_range *range,
                                tercet_fence_row_fn row_fn, void *context,
                                struct tercet_error *error_out)
{
    static const struct tercet_branch_number end = {INT64_MAX, INT64_MAX};
    struct mariadb_connection *self = connection;

    mariadb_queue(self, MARIADB_ROW,
                  "SELECT" MARIADB_ROW_COLUMNS
                  " FROM tercet_scope s JOIN tercet_fence f ON f.scope = s.id");
    mariadb_add_scope(self, range->participant, range->origin);
    add_from(self, range->from);
    add_to(self, range->below.incarnation == 0 ? end : range->below, "<");
    add_order(self, range->row_count_max);
    mariadb_queue(self, MARIADB_CONTROL, "ROLLBACK");
    enum tercet_status status = mariadb_flush(self, error_out);
    while (status == TERCET_OK) {
        const struct mariadb_cells cells = mariadb_next(mariadb_answer_of(self, MARIADB_ROW)->rows);
        struct tercet_fence_key key;
        struct tercet_fence_row row;
        if (cells.cells == NULL) {
            break;
        }
        status = mariadb_read_row(&cells, &key, &row, error_out);
        if (status == TERCET_OK && !row_fn(&key, &row, context)) {
            break;
        }
    }
    return status;
}

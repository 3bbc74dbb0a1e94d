/* sqlite_sweep.c -- marks applied, and rows read for operators; the rest of sqlite_fence.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "fence/mark.h"
#include "fence/mark_codec.h"
#include "fence/place.h"
#include "fence/sqlite_fence.h"
#include "fence/store_rules.h"

/* The first `count_max` rows of the scope in [from, below).  places_out is the caller's to free. */
static enum tercet_status read_places(struct sqlite_connection *connection, int64_t scope,
                                      struct tercet_branch_number from,
                                      struct tercet_branch_number below, uint32_t count_max,
                                      struct place **places_out, size_t *count_out,
                                      struct tercet_error *error_out)
{
    sqlite3_stmt *statement = NULL;
    size_t count = 0;
    bool there = true;

    enum tercet_status status =
        sqlite_query_take(connection, SQLITE_QUERY_PLACES, &statement, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    struct place *places = xcalloc((size_t)count_max + 1, sizeof *places);
    (void)sqlite3_bind_int64(statement, 1, scope);
    (void)sqlite3_bind_int64(statement, 2, from.incarnation);
    (void)sqlite3_bind_int64(statement, 3, from.number);
    (void)sqlite3_bind_int64(statement, 4, below.incarnation);
    (void)sqlite3_bind_int64(statement, 5, below.number);
    (void)sqlite3_bind_int64(statement, 6, count_max);
    while (count < count_max) {
        status = sqlite_query_step(connection, statement, &there, error_out);
        if (status != TERCET_OK || !there) {
            break;
        }
        struct place *place = &places[count++];
        place->number.incarnation = sqlite3_column_int64(statement, 0);
        place->number.number = sqlite3_column_int64(statement, 1);
        place->state = (enum tercet_fence_state)sqlite3_column_int(statement, 2);
        place->branch = (uint32_t)sqlite3_column_int64(statement, 3);
        const void *gid = sqlite3_column_blob(statement, 4);
        place->gid_size = (size_t)sqlite3_column_bytes(statement, 4);
        if (gid == NULL || place->gid_size > sizeof place->gid) {
            status = error_set(error_out, TERCET_DATA_LOSS, "SQLite: a stored gid cannot be read");
            break;
        }
        memcpy(place->gid, gid, place->gid_size);
    }
    (void)sqlite3_reset(statement);
    if (status != TERCET_OK) {
        free(places);
        return status;
    }
    *places_out = places;
    *count_out = count;
    return TERCET_OK;
}

/* ---- Marks ------------------------------------------------------------------------------------ */

static enum tercet_status delete_row(struct sqlite_connection *connection,
                                     const struct place *place, struct tercet_error *error_out)
{
    sqlite3_stmt *statement = NULL;
    const enum tercet_status status =
        sqlite_query_take(connection, SQLITE_QUERY_ROW_DELETE, &statement, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    (void)sqlite3_bind_blob64(statement, 1, place->gid, place->gid_size, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, place->branch);
    return sqlite_query_run(connection, statement, error_out);
}

static enum tercet_status sweep_row(struct sqlite_connection *connection, const struct place *place,
                                    struct tercet_sweep *sweep, struct tercet_error *error_out)
{
    struct tercet_fence_row row;
    const struct tercet_fence_key key = place_key(place);

    if (place->state != TERCET_FENCE_TRIED) {
        sweep->removed++;
        TERCET_FAILPOINT("sqlite.before_sweep");
        return delete_row(connection, place, error_out);
    }
    sweep->kept++;
    if (sweep->kept_fn == NULL) {
        return TERCET_OK;
    }
    const enum tercet_status status = sqlite_find(connection, &key, &row, error_out);
    if (status == TERCET_OK) {
        (void)sweep->kept_fn(&key, &row, sweep->context);
    }
    return status;
}

static enum tercet_status sweep_slice(struct sqlite_connection *connection, int64_t scope,
                                      const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                      struct tercet_error *error_out)
{
    struct place *places = NULL;
    size_t count = 0;
    enum tercet_status status = read_places(connection, scope, sweep->from, mark->low,
                                            sweep->row_count_max, &places, &count, error_out);
    for (size_t i = 0; status == TERCET_OK && i < count; i++) {
        if (!mark_is_open(mark, places[i].number)) {
            status = sweep_row(connection, &places[i], sweep, error_out);
        }
    }
    if (status == TERCET_OK && count > 0) {
        store_rules_end_slice(places[count - 1].number, count < sweep->row_count_max, sweep);
    }
    free(places);
    return status;
}

static enum tercet_status store_mark(struct sqlite_connection *connection, int64_t scope,
                                     const struct tercet_mark *mark, struct tercet_error *error_out)
{
    uint8_t open[MARK_OPEN_BYTES_MAX];
    sqlite3_stmt *statement = NULL;
    const enum tercet_status status =
        sqlite_query_take(connection, SQLITE_QUERY_SCOPE_MARK, &statement, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    (void)sqlite3_bind_int64(statement, 1, scope);
    (void)sqlite3_bind_int64(statement, 2, mark->as_of_incarnation);
    (void)sqlite3_bind_int64(statement, 3, mark->as_of_lsn);
    (void)sqlite3_bind_int64(statement, 4, mark->low.incarnation);
    (void)sqlite3_bind_int64(statement, 5, mark->low.number);
    (void)sqlite3_bind_blob64(statement, 6, open, mark_open_encode(mark, open), SQLITE_STATIC);
    return sqlite_query_run(connection, statement, error_out);
}

/* Inside the mark's own transaction. */
static enum tercet_status apply_begun(struct sqlite_connection *connection,
                                      const struct tercet_fence_caller *caller,
                                      const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                      struct tercet_error *error_out)
{
    struct sqlite_scope scope;

    enum tercet_status status = sqlite_raise_epoch(connection, caller, error_out);
    if (status == TERCET_OK) {
        status =
            sqlite_read_scope(connection, caller->participant, caller->origin, &scope, error_out);
    }
    if (status == TERCET_OK) {
        status = store_rules_judge_mark(scope.epoch, &scope.mark, caller, mark, sweep, error_out);
    }
    if (status != TERCET_OK || sweep->stale) {
        return status;
    }
    if (tercet_mark_compare_age(mark, &scope.mark) > 0) {
        status = store_mark(connection, scope.id, mark, error_out);
        TERCET_FAILPOINT("sqlite.mark_stored");
    }
    return status != TERCET_OK ? status : sweep_slice(connection, scope.id, mark, sweep, error_out);
}

enum tercet_status sqlite_apply_mark(void *connection, const struct tercet_fence_caller *caller,
                                     const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                     struct tercet_error *error_out)
{
    store_rules_begin_sweep(sweep);
    enum tercet_status status = sqlite_begin(connection, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    status = apply_begun(connection, caller, mark, sweep, error_out);
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("sqlite.swept");
        status = sqlite_commit(connection, error_out);
    }
    if (status != TERCET_OK) {
        sqlite_rollback(connection);
    }
    return status;
}

/* ---- Reading for operators -------------------------------------------------------------------- */

/* Steps a query about one scope to its only row, if it has one. */
static enum tercet_status step_for_scope(struct sqlite_connection *connection,
                                         enum sqlite_query query, int64_t scope,
                                         sqlite3_stmt **statement_out, bool *there_out,
                                         struct tercet_error *error_out)
{
    const enum tercet_status status =
        sqlite_query_take(connection, query, statement_out, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (sqlite3_bind_parameter_count(*statement_out) > 0) {
        (void)sqlite3_bind_int64(*statement_out, 1, scope);
    }
    return sqlite_query_step(connection, *statement_out, there_out, error_out);
}

static enum tercet_status read_store_id(struct sqlite_connection *connection, uint8_t *store_id_out,
                                        struct tercet_error *error_out)
{
    sqlite3_stmt *statement = NULL;
    bool there = false;
    enum tercet_status status =
        step_for_scope(connection, SQLITE_QUERY_STORE_ID, 0, &statement, &there, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    const void *data = there ? sqlite3_column_blob(statement, 0) : NULL;
    if (data == NULL || sqlite3_column_bytes(statement, 0) != TERCET_STORE_ID_BYTES) {
        status = error_set(error_out, TERCET_DATA_LOSS, "SQLite: the store id cannot be read");
    } else {
        memcpy(store_id_out, data, TERCET_STORE_ID_BYTES);
    }
    (void)sqlite3_reset(statement);
    return status;
}

static enum tercet_status read_census(struct sqlite_connection *connection, int64_t scope,
                                      struct tercet_store_description *found,
                                      struct tercet_error *error_out)
{
    sqlite3_stmt *statement = NULL;
    bool there = false;

    enum tercet_status status =
        step_for_scope(connection, SQLITE_QUERY_COUNT_ROWS, scope, &statement, &there, error_out);
    tercet_assert(status != TERCET_OK || there); /* a count is always told */
    if (status == TERCET_OK) {
        found->rows = sqlite3_column_int64(statement, 0);
        (void)sqlite3_reset(statement);
    }
    if (status == TERCET_OK) {
        status =
            step_for_scope(connection, SQLITE_QUERY_HIGHEST, scope, &statement, &there, error_out);
    }
    if (status == TERCET_OK && there) {
        found->highest.incarnation = sqlite3_column_int64(statement, 0);
        found->highest.number = sqlite3_column_int64(statement, 1);
        (void)sqlite3_reset(statement);
    }
    return status;
}

static enum tercet_status describe(struct sqlite_connection *self, const char *participant,
                                   const uint8_t *origin, struct tercet_store_description *found,
                                   struct tercet_error *error_out)
{
    struct sqlite_scope scope = {0};

    enum tercet_status status = read_store_id(self, found->store_id, error_out);
    if (status == TERCET_OK) {
        status = sqlite_read_scope(self, participant, origin, &scope, error_out);
    }
    if (status == TERCET_OK && scope.id != 0) {
        found->epoch = scope.epoch;
        status = sqlite_read_open(self, &scope, error_out);
        found->mark = scope.mark;
        if (status == TERCET_OK) {
            status = read_census(self, scope.id, found, error_out);
        }
    }
    return status;
}

/* One moment: between two reads another process could apply a mark and sweep the highest row. */
enum tercet_status sqlite_describe(void *connection, const char *participant, const uint8_t *origin,
                                   struct tercet_store_description *description_out,
                                   struct tercet_error *error_out)
{
    struct tercet_store_description found = {0};

    enum tercet_status status = sqlite_begin_reading(connection, error_out);
    if (status == TERCET_OK) {
        status = describe(connection, participant, origin, &found, error_out);
        sqlite_rollback(connection);
    }
    if (status == TERCET_OK) {
        *description_out = found;
    }
    return status;
}

enum tercet_status sqlite_list(void *connection, const struct tercet_fence_range *range,
                               tercet_fence_row_fn row_fn, void *context,
                               struct tercet_error *error_out)
{
    struct sqlite_connection *self = connection;
    const struct tercet_branch_number end = {INT64_MAX, INT64_MAX};
    struct sqlite_scope scope;
    struct place *places = NULL;
    size_t count = 0;

    enum tercet_status status =
        sqlite_read_scope(self, range->participant, range->origin, &scope, error_out);
    if (status == TERCET_OK && scope.id != 0) {
        status = read_places(self, scope.id, range->from,
                             range->below.incarnation == 0 ? end : range->below,
                             range->row_count_max, &places, &count, error_out);
    }
    for (size_t i = 0; status == TERCET_OK && i < count; i++) {
        const struct tercet_fence_key key = place_key(&places[i]);
        struct tercet_fence_row row;
        status = sqlite_find(self, &key, &row, error_out);
        /* Another connection may have deleted it since. */
        if (status == TERCET_OK && row.state != TERCET_FENCE_NONE && !row_fn(&key, &row, context)) {
            break;
        }
    }
    free(places);
    return status;
}

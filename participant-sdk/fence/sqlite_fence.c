/* sqlite_fence.c -- see sqlite_fence.h; sweeping and reading for operators is in sqlite_sweep.c. */
#include "fence/sqlite_fence.h"

#include "base/error.h"
#include "base/failpoint.h"
#include "fence/mark_codec.h"
#include "fence/store_rules.h"

static void bind_bytes(sqlite3_stmt *statement, int index, const void *data, size_t size)
{
    /* A NULL pointer would bind NULL, not the empty blob. */
    (void)sqlite3_bind_blob64(statement, index, size == 0 ? "" : data, size, SQLITE_STATIC);
}

static void bind_key(sqlite3_stmt *statement, const struct tercet_fence_key *key)
{
    bind_bytes(statement, 1, key->gid.data, key->gid.size);
    (void)sqlite3_bind_int64(statement, 2, key->branch);
}

/* Where the application's database is in UTF-16, texts are converted, and memory may be short. */
static enum tercet_status bind_text(struct sqlite_connection *connection, sqlite3_stmt *statement,
                                    int index, const char *text, struct tercet_error *error_out)
{
    return sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC) == SQLITE_OK
               ? TERCET_OK
               : sqlite_explain(connection, "cannot take a name", error_out);
}

/* ---- Scopes ----------------------------------------------------------------------------------- */

enum tercet_status sqlite_read_scope(struct sqlite_connection *connection, const char *participant,
                                     const uint8_t *origin, struct sqlite_scope *scope_out,
                                     struct tercet_error *error_out)
{
    sqlite3_stmt *statement = NULL;
    bool there = false;

    enum tercet_status status =
        sqlite_query_take(connection, SQLITE_QUERY_SCOPE, &statement, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    bind_bytes(statement, 2, origin, TERCET_ORIGIN_BYTES);
    status = bind_text(connection, statement, 1, participant, error_out);
    if (status == TERCET_OK) {
        status = sqlite_query_step(connection, statement, &there, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    scope_out->id = 0;
    scope_out->epoch = (struct tercet_epoch){0, 0};
    scope_out->mark.as_of_incarnation = 0;
    scope_out->mark.as_of_lsn = 0;
    scope_out->mark.low = (struct tercet_branch_number){0, 0};
    scope_out->mark.open_count = 0;
    if (there) {
        scope_out->id = sqlite3_column_int64(statement, 0);
        scope_out->epoch.incarnation = sqlite3_column_int64(statement, 1);
        scope_out->epoch.epoch = sqlite3_column_int64(statement, 2);
        scope_out->mark.as_of_incarnation = sqlite3_column_int64(statement, 3);
        scope_out->mark.as_of_lsn = sqlite3_column_int64(statement, 4);
        scope_out->mark.low.incarnation = sqlite3_column_int64(statement, 5);
        scope_out->mark.low.number = sqlite3_column_int64(statement, 6);
        (void)sqlite3_reset(statement);
    }
    return TERCET_OK;
}

enum tercet_status sqlite_read_open(struct sqlite_connection *connection,
                                    struct sqlite_scope *scope, struct tercet_error *error_out)
{
    sqlite3_stmt *statement = NULL;
    bool there = false;

    enum tercet_status status =
        sqlite_query_take(connection, SQLITE_QUERY_SCOPE_OPEN, &statement, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    (void)sqlite3_bind_int64(statement, 1, scope->id);
    status = sqlite_query_step(connection, statement, &there, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    const void *data = there ? sqlite3_column_blob(statement, 0) : NULL;
    const size_t size = data == NULL ? 0 : (size_t)sqlite3_column_bytes(statement, 0);
    if (!there || !mark_open_decode(tercet_bytes_of(data, size), &scope->mark)) {
        status = error_set(error_out, TERCET_DATA_LOSS, "SQLite: a stored mark cannot be read");
    }
    (void)sqlite3_reset(statement);
    return status;
}

enum tercet_status sqlite_raise_epoch(void *connection, const struct tercet_fence_caller *caller,
                                      struct tercet_error *error_out)
{
    sqlite3_stmt *statement = NULL;
    enum tercet_status status =
        sqlite_query_take(connection, SQLITE_QUERY_SCOPE_EPOCH, &statement, error_out);
    if (status == TERCET_OK) {
        status = bind_text(connection, statement, 1, caller->participant, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    bind_bytes(statement, 2, caller->origin, TERCET_ORIGIN_BYTES);
    (void)sqlite3_bind_int64(statement, 3, caller->epoch.incarnation);
    (void)sqlite3_bind_int64(statement, 4, caller->epoch.epoch);
    return sqlite_query_run(connection, statement, error_out);
}

/* ---- Rows ------------------------------------------------------------------------------------- */

static bool column_copy(sqlite3_stmt *statement, int column, uint8_t *bytes_out, size_t size)
{
    const void *data = sqlite3_column_blob(statement, column);
    if (data == NULL || (size_t)sqlite3_column_bytes(statement, column) != size) {
        return false;
    }
    memcpy(bytes_out, data, size);
    return true;
}

static bool column_name(sqlite3_stmt *statement, int column, char *name_out)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    const size_t size = (size_t)sqlite3_column_bytes(statement, column);
    if (text == NULL || size < 1 || size > TERCET_NAME_BYTES_MAX) {
        return false;
    }
    memcpy(name_out, text, size);
    name_out[size] = '\0';
    return true;
}

/* The columns of SQLITE_QUERY_ROW.  False: what is stored cannot be a row. */
static bool read_row(sqlite3_stmt *statement, struct tercet_fence_row *row_out)
{
    memset(row_out, 0, sizeof *row_out);
    const int state = sqlite3_column_int(statement, 0);
    if (state < TERCET_FENCE_TRIED || state > TERCET_FENCE_SUSPENDED) {
        return false;
    }
    row_out->state = (enum tercet_fence_state)state;
    row_out->identity.number.incarnation = sqlite3_column_int64(statement, 2);
    row_out->identity.number.number = sqlite3_column_int64(statement, 3);
    const void *result = sqlite3_column_blob(statement, 7);
    const size_t size = (size_t)sqlite3_column_bytes(statement, 7);
    if (size > TERCET_RESULT_BYTES_MAX) {
        return false;
    }
    row_out->result_bytes = (uint32_t)size;
    if (size > 0) {
        memcpy(row_out->result, result, size);
    }
    return column_copy(statement, 1, row_out->identity.origin, TERCET_ORIGIN_BYTES) &&
           column_copy(statement, 4, row_out->identity.digest, TERCET_DIGEST_BYTES) &&
           column_name(statement, 5, row_out->participant) &&
           column_name(statement, 6, row_out->action);
}

enum tercet_status sqlite_find(void *connection, const struct tercet_fence_key *key,
                               struct tercet_fence_row *row_out, struct tercet_error *error_out)
{
    struct sqlite_connection *self = connection;
    sqlite3_stmt *statement = NULL;
    bool there = false;

    enum tercet_status status = sqlite_query_take(self, SQLITE_QUERY_ROW, &statement, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    bind_key(statement, key);
    status = sqlite_query_step(self, statement, &there, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (!there) {
        row_out->state = TERCET_FENCE_NONE;
        return TERCET_OK;
    }
    if (!read_row(statement, row_out)) {
        status =
            sqlite3_errcode(self->database) == SQLITE_NOMEM
                ? sqlite_explain(self, "cannot read a fence row", error_out)
                : error_set(error_out, TERCET_DATA_LOSS, "SQLite: fence row %.*s/%u cannot be read",
                            (int)key->gid.size, (const char *)key->gid.data, key->branch);
    }
    (void)sqlite3_reset(statement);
    return status;
}

/* Runs one of the two inserts. */
static enum tercet_status put_row(struct sqlite_connection *connection, enum sqlite_query query,
                                  const struct tercet_fence_key *key,
                                  const struct tercet_fence_row *row, int64_t scope,
                                  struct tercet_error *error_out)
{
    sqlite3_stmt *statement = NULL;
    enum tercet_status status = sqlite_query_take(connection, query, &statement, error_out);
    if (status == TERCET_OK) {
        status = bind_text(connection, statement, 8, row->action, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    bind_key(statement, key);
    (void)sqlite3_bind_int64(statement, 3, scope);
    (void)sqlite3_bind_int(statement, 4, (int)row->state);
    (void)sqlite3_bind_int64(statement, 5, row->identity.number.incarnation);
    (void)sqlite3_bind_int64(statement, 6, row->identity.number.number);
    bind_bytes(statement, 7, row->identity.digest, TERCET_DIGEST_BYTES);
    bind_bytes(statement, 9, row->result, row->result_bytes);
    return sqlite_query_run(connection, statement, error_out);
}

enum tercet_status sqlite_claim(void *connection, const struct tercet_fence_key *key,
                                const struct tercet_fence_row *wanted,
                                struct tercet_fence_claim *claim_out,
                                struct tercet_error *error_out)
{
    struct sqlite_connection *self = connection;
    struct sqlite_scope scope;
    bool inserted = false;

    /* The insert needs the scope's number, so the scope is read first.  That is safe here alone: since
     * BEGIN IMMEDIATE nobody else can apply a mark. */
    enum tercet_status status =
        sqlite_read_scope(self, wanted->participant, wanted->identity.origin, &scope, error_out);
    if (status == TERCET_OK && scope.id != 0 && wanted->state != TERCET_FENCE_NONE) {
        status = put_row(self, SQLITE_QUERY_ROW_INSERT, key, wanted, scope.id, error_out);
        inserted = status == TERCET_OK && sqlite3_changes(self->database) == 1;
    }
    if (status == TERCET_OK && !inserted) {
        status = sqlite_find(self, key, &claim_out->row, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    if (inserted) {
        TERCET_FAILPOINT("sqlite.row_inserted");
        claim_out->row.state = TERCET_FENCE_NONE;
    }
    if (claim_out->row.state == TERCET_FENCE_NONE &&
        store_rules_needs_open(&scope.mark, wanted->identity.number)) {
        status = sqlite_read_open(self, &scope, error_out);
    }
    if (status == TERCET_OK) {
        store_rules_end_claim(scope.epoch, &scope.mark, wanted->identity.number, claim_out);
    }
    return status;
}

enum tercet_status sqlite_write(void *connection, const struct tercet_fence_key *key,
                                const struct tercet_fence_row *row, struct tercet_error *error_out)
{
    struct sqlite_connection *self = connection;
    struct sqlite_scope scope;
    const enum tercet_status status =
        sqlite_read_scope(self, row->participant, row->identity.origin, &scope, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (scope.id == 0) {
        return error_set(error_out, TERCET_INTERNAL,
                         "SQLite: the row of %s in tercet_scope is gone; no handler may touch it",
                         row->participant);
    }
    return put_row(self, SQLITE_QUERY_ROW_WRITE, key, row, scope.id, error_out);
}

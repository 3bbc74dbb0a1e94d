/* sql_rows.c -- what a result's cells mean; part of sql_fence.h. */
#include "base/error.h"
#include "fence/mark_codec.h"
#include "fence/sql_fence.h"

/* The columns of a row, and of a scope. */
enum {
    ROW_STATE,
    ROW_ORIGIN,
    ROW_INCARNATION,
    ROW_NUMBER,
    ROW_DIGEST,
    ROW_PARTICIPANT,
    ROW_ACTION,
    ROW_TRY_RESULT,
    ROW_GID,
    ROW_BRANCH
};

enum {
    SCOPE_ID,
    SCOPE_INCARNATION,
    SCOPE_EPOCH,
    SCOPE_MARK_INCARNATION,
    SCOPE_MARK_LSN,
    SCOPE_LOW_INCARNATION,
    SCOPE_LOW_NUMBER,
    SCOPE_OPEN
};

static bool copy_bytes(struct tercet_bytes cell, uint8_t *bytes_out, size_t size)
{
    if (cell.size != size) {
        return false;
    }
    memcpy(bytes_out, cell.data, size);
    return true;
}

static bool copy_name(struct tercet_bytes cell, char *name_out)
{
    if (cell.size < 1 || cell.size > TERCET_NAME_BYTES_MAX) {
        return false;
    }
    memcpy(name_out, cell.data, cell.size);
    name_out[cell.size] = '\0';
    return true;
}

enum tercet_status sql_read_row(const struct sql_connection *connection,
                                const struct sql_cells *cells, struct tercet_fence_key *key_out,
                                struct tercet_fence_row *row_out, struct tercet_error *error_out)
{
    const int64_t state = sql_number(connection, cells, ROW_STATE);
    const struct tercet_bytes result = cells->items[ROW_TRY_RESULT];

    key_out->gid = cells->items[ROW_GID];
    key_out->branch = (uint32_t)sql_number(connection, cells, ROW_BRANCH);
    memset(row_out, 0, sizeof *row_out);
    if (state < TERCET_FENCE_TRIED || state > TERCET_FENCE_SUSPENDED ||
        result.size > TERCET_RESULT_BYTES_MAX ||
        !copy_bytes(cells->items[ROW_ORIGIN], row_out->identity.origin, TERCET_ORIGIN_BYTES) ||
        !copy_bytes(cells->items[ROW_DIGEST], row_out->identity.digest, TERCET_DIGEST_BYTES) ||
        !copy_name(cells->items[ROW_PARTICIPANT], row_out->participant) ||
        !copy_name(cells->items[ROW_ACTION], row_out->action)) {
        return error_set(error_out, TERCET_DATA_LOSS, "%s: fence row %.*s/%u cannot be read",
                         connection->dialect->name, (int)key_out->gid.size,
                         (const char *)key_out->gid.data, key_out->branch);
    }
    row_out->state = (enum tercet_fence_state)state;
    row_out->identity.number.incarnation = sql_number(connection, cells, ROW_INCARNATION);
    row_out->identity.number.number = sql_number(connection, cells, ROW_NUMBER);
    row_out->result_bytes = (uint32_t)result.size;
    if (result.size > 0) {
        memcpy(row_out->result, result.data, result.size);
    }
    return TERCET_OK;
}

enum tercet_status sql_read_scope(const struct sql_connection *connection,
                                  const struct sql_cells *cells, struct sql_scope *scope_out,
                                  struct tercet_error *error_out)
{
    scope_out->id = 0;
    scope_out->epoch = (struct tercet_epoch){0, 0};
    memset(&scope_out->mark, 0, sizeof scope_out->mark);
    if (cells == NULL || cells->items[SCOPE_ID].size == 0) {
        return TERCET_OK;
    }
    if (!mark_open_decode(cells->items[SCOPE_OPEN], &scope_out->mark)) {
        return error_set(error_out, TERCET_DATA_LOSS, "%s: a stored mark cannot be read",
                         connection->dialect->name);
    }
    scope_out->id = sql_number(connection, cells, SCOPE_ID);
    scope_out->epoch.incarnation = sql_number(connection, cells, SCOPE_INCARNATION);
    scope_out->epoch.epoch = sql_number(connection, cells, SCOPE_EPOCH);
    scope_out->mark.as_of_incarnation = sql_number(connection, cells, SCOPE_MARK_INCARNATION);
    scope_out->mark.as_of_lsn = sql_number(connection, cells, SCOPE_MARK_LSN);
    scope_out->mark.low.incarnation = sql_number(connection, cells, SCOPE_LOW_INCARNATION);
    scope_out->mark.low.number = sql_number(connection, cells, SCOPE_LOW_NUMBER);
    return TERCET_OK;
}

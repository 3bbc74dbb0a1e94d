/* mariadb_cells.c -- what a result's cells mean; part of mariadb_fence.h. */
#include <stdlib.h>

#include "base/error.h"
#include "fence/mariadb_fence.h"
#include "fence/mark_codec.h"

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

struct mariadb_cells mariadb_next(MYSQL_RES *rows)
{
    struct mariadb_cells row = {.cells = mysql_fetch_row(rows)};
    row.sizes = row.cells == NULL ? NULL : mysql_fetch_lengths(rows);
    return row;
}

int64_t mariadb_number(const struct mariadb_cells *row, unsigned column)
{
    return row->cells[column] == NULL ? 0 : strtoll(row->cells[column], NULL, 10);
}

struct tercet_bytes mariadb_bytes(const struct mariadb_cells *row, unsigned column)
{
    return row->cells[column] == NULL ? tercet_bytes_of("", 0)
                                      : tercet_bytes_of(row->cells[column], row->sizes[column]);
}

static bool copy_bytes(const struct mariadb_cells *row, unsigned column, uint8_t *bytes_out,
                       size_t size)
{
    const struct tercet_bytes bytes = mariadb_bytes(row, column);
    if (bytes.size != size) {
        return false;
    }
    memcpy(bytes_out, bytes.data, size);
    return true;
}

static bool copy_name(const struct mariadb_cells *row, unsigned column, char *name_out)
{
    const struct tercet_bytes name = mariadb_bytes(row, column);
    if (name.size < 1 || name.size > TERCET_NAME_BYTES_MAX) {
        return false;
    }
    memcpy(name_out, name.data, name.size);
    name_out[name.size] = '\0';
    return true;
}

enum tercet_status mariadb_read_row(const struct mariadb_cells *cells,
                                    struct tercet_fence_key *key_out,
                                    struct tercet_fence_row *row_out,
                                    struct tercet_error *error_out)
{
    const int64_t state = mariadb_number(cells, ROW_STATE);
    const struct tercet_bytes result = mariadb_bytes(cells, ROW_TRY_RESULT);

    key_out->gid = mariadb_bytes(cells, ROW_GID);
    key_out->branch = (uint32_t)mariadb_number(cells, ROW_BRANCH);
    memset(row_out, 0, sizeof *row_out);
    if (state < TERCET_FENCE_TRIED || state > TERCET_FENCE_SUSPENDED ||
        result.size > TERCET_RESULT_BYTES_MAX ||
        !copy_bytes(cells, ROW_ORIGIN, row_out->identity.origin, TERCET_ORIGIN_BYTES) ||
        !copy_bytes(cells, ROW_DIGEST, row_out->identity.digest, TERCET_DIGEST_BYTES) ||
        !copy_name(cells, ROW_PARTICIPANT, row_out->participant) ||
        !copy_name(cells, ROW_ACTION, row_out->action)) {
        return error_set(error_out, TERCET_DATA_LOSS, "MariaDB: fence row %.*s/%u cannot be read",
                         (int)key_out->gid.size, (const char *)key_out->gid.data, key_out->branch);
    }
    row_out->state = (enum tercet_fence_state)state;
    row_out->identity.number.incarnation = mariadb_number(cells, ROW_INCARNATION);
    row_out->identity.number.number = mariadb_number(cells, ROW_NUMBER);
    row_out->result_bytes = (uint32_t)result.size;
    memcpy(row_out->result, result.data, result.size);
    return TERCET_OK;
}

enum tercet_status mariadb_read_scope(const struct mariadb_cells *cells,
                                      struct mariadb_scope *scope_out,
                                      struct tercet_error *error_out)
{
    scope_out->id = 0;
    scope_out->epoch = (struct tercet_epoch){0, 0};
    memset(&scope_out->mark, 0, sizeof scope_out->mark);
    if (cells->cells == NULL || cells->cells[SCOPE_ID] == NULL) {
        return TERCET_OK;
    }
    if (!mark_open_decode(mariadb_bytes(cells, SCOPE_OPEN), &scope_out->mark)) {
        return error_set(error_out, TERCET_DATA_LOSS, "MariaDB: a stored mark cannot be read");
    }
    scope_out->id = mariadb_number(cells, SCOPE_ID);
    scope_out->epoch.incarnation = mariadb_number(cells, SCOPE_INCARNATION);
    scope_out->epoch.epoch = mariadb_number(cells, SCOPE_EPOCH);
    scope_out->mark.as_of_incarnation = mariadb_number(cells, SCOPE_MARK_INCARNATION);
    scope_out->mark.as_of_lsn = mariadb_number(cells, SCOPE_MARK_LSN);
    scope_out->mark.low.incarnation = mariadb_number(cells, SCOPE_LOW_INCARNATION);
    scope_out->mark.low.number = mariadb_number(cells, SCOPE_LOW_NUMBER);
    return TERCET_OK;
}

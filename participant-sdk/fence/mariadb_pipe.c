/* mariadb_pipe.c -- statements that travel together, and their results: the dialect of sql_connection.h. */
#include <errmsg.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/error.h"
#include "fence/mariadb_connection.h"
#include "fence/mark_codec.h"

/* ---- Errors ----------------------------------------------------------------------------------- */

struct meaning {
    unsigned code;
    enum tercet_status status;
};

static const struct meaning meanings[] = {
    {1213, TERCET_ABORTED}, /* deadlock */
    {1205, TERCET_ABORTED}, /* lock wait timeout */
    {1020, TERCET_ABORTED}, /* changed since the snapshot */
    {1317, TERCET_RESOURCE_EXHAUSTED},
    {1969, TERCET_RESOURCE_EXHAUSTED}, /* statement timeout */
    {1021, TERCET_RESOURCE_EXHAUSTED}, /* disk full */
    {1114, TERCET_RESOURCE_EXHAUSTED}, /* table full */
    {1037, TERCET_RESOURCE_EXHAUSTED}, /* out of memory */
    {1041, TERCET_RESOURCE_EXHAUSTED},
    {1206, TERCET_RESOURCE_EXHAUSTED}, /* too many locks */
    {1040, TERCET_UNAVAILABLE},        /* too many connections */
    {1053, TERCET_UNAVAILABLE},        /* shutdown */
    {1290, TERCET_UNAVAILABLE},        /* read only */
    {1792, TERCET_UNAVAILABLE},
    {1836, TERCET_UNAVAILABLE},
    {1927, TERCET_UNAVAILABLE}, /* killed */
    {1034, TERCET_DATA_LOSS},
    {1712, TERCET_DATA_LOSS},
};

enum tercet_status mariadb_status_of(unsigned code)
{
    if (code >= CR_MIN_ERROR && code <= CR_MAX_ERROR) {
        return TERCET_UNAVAILABLE; /* the library's own: the connection is not to be used again */
    }
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (meanings[i].code == code) {
            return meanings[i].status;
        }
    }
    return TERCET_INTERNAL;
}

enum tercet_status mariadb_explain(struct mariadb_connection *connection, const char *what,
                                   struct tercet_error *error_out)
{
    const unsigned code = mysql_errno(&connection->link);
    const enum tercet_status status = mariadb_status_of(code);

    connection->base.suspect = connection->base.suspect || status == TERCET_UNAVAILABLE;
    return error_set(error_out, status, "MariaDB: %s: %s (%u)", what,
                     mysql_error(&connection->link), code);
}

/* ---- The text --------------------------------------------------------------------------------- */

static void add_number(struct buffer *text, int64_t number)
{
    char digits[24];
    const int size = snprintf(digits, sizeof digits, "%" PRId64, number);
    buffer_append(text, digits, (size_t)size);
}

static void add_bytes(struct buffer *text, struct tercet_bytes bytes)
{
    buffer_append(text, "x'", 2);
    /* One byte more, for the NUL, which the quote takes the place of. */
    char *digits = (char *)buffer_extend(text, 2 * bytes.size + 1);
    hex_encode(bytes.data, bytes.size, digits);
    digits[2 * bytes.size] = '\'';
}

/* An open list as pairs; one more, which no number is, because there is no empty list in SQL. */
static void add_pairs(struct buffer *text, struct tercet_bytes open)
{
    const uint8_t *const bytes = open.data;

    buffer_append(text, "(0,0)", 5);
    for (size_t at = 0; at + MARK_OPEN_ITEM_BYTES <= open.size; at += MARK_OPEN_ITEM_BYTES) {
        buffer_append(text, ",(", 2);
        add_number(text, big_endian_read(bytes + at));
        buffer_append(text, ",", 1);
        add_number(text, big_endian_read(bytes + at + MARK_OPEN_ITEM_BYTES / 2));
        buffer_append(text, ")", 1);
    }
}

/* The statement with its values in place of $1, $2, ... and @1, @2, ... */
static void spell(struct buffer *text, const char *words, const struct sql_values *values)
{
    while (*words != '\0') {
        const size_t plain = strcspn(words, "$@");
        buffer_append(text, words, plain);
        words += plain;
        if (*words == '\0') {
            break;
        }
        const bool pairs = *words == '@';
        char *end = NULL;
        const unsigned long place = strtoul(words + 1, &end, 10);
        words = end;
        tercet_assert(values != NULL && place >= 1 && place <= values->count);
        if (pairs) {
            add_pairs(text, values->items[place - 1].bytes);
        } else if (values->items[place - 1].is_number) {
            add_number(text, values->items[place - 1].number);
        } else {
            add_bytes(text, values->items[place - 1].bytes);
        }
    }
}

/* ---- The queue -------------------------------------------------------------------------------- */

static struct mariadb_connection *self_of(struct sql_connection *connection)
{
    return (struct mariadb_connection *)connection;
}

static void forget_answers(struct mariadb_connection *self)
{
    for (unsigned i = 0; i < self->base.queued; i++) {
        mysql_free_result(self->answers[i].rows);
    }
    self->base.queued = 0;
    self->base.flushed = false;
    buffer_clear(&self->text);
}

static void queue(struct sql_connection *connection, enum sql_query query,
                  const struct sql_values *values)
{
    struct mariadb_connection *const self = self_of(connection);

    if (mariadb_query_text(query) == NULL) {
        return;
    }
    if (connection->flushed || connection->queued == 0) {
        forget_answers(self);
    } else {
        buffer_append(&self->text, ";", 1);
    }
    tercet_assert(connection->queued < SQL_QUEUE_MAX);
    self->answers[connection->queued] = (struct mariadb_answer){0};
    connection->queries[connection->queued++] = query;
    spell(&self->text, mariadb_query_text(query), values);
}

/* Takes one statement's answer.  False: it has failed. */
static bool take_answer(struct mariadb_connection *self, struct mariadb_answer *answer)
{
    answer->rows = mysql_store_result(&self->link);
    if (answer->rows == NULL && mysql_errno(&self->link) != 0) {
        return false;
    }
    answer->affected = mysql_affected_rows(&self->link);
    return true;
}

static enum tercet_status flush(struct sql_connection *connection, struct tercet_error *error_out)
{
    struct mariadb_connection *const self = self_of(connection);
    bool good = mysql_real_query(&self->link, (const char *)self->text.data, self->text.size) == 0;
    unsigned at = 0;

    for (; good && at < connection->queued; at++) {
        good = at == 0 || mysql_next_result(&self->link) == 0;
        good = good && take_answer(self, &self->answers[at]);
        if (!good) {
            break;
        }
    }
    if (good) {
        return TERCET_OK;
    }
    connection->failed = connection->queries[at];
    return mariadb_explain(self, "the fence's statement", error_out);
}

/* ---- Results ---------------------------------------------------------------------------------- */

static bool next(struct sql_connection *connection, unsigned index, struct sql_cells *cells_out)
{
    MYSQL_RES *const rows = self_of(connection)->answers[index].rows;
    const MYSQL_ROW row = rows == NULL ? NULL : mysql_fetch_row(rows);

    if (row == NULL) {
        return false;
    }
    const unsigned long *const sizes = mysql_fetch_lengths(rows);
    const unsigned columns = mysql_num_fields(rows);
    tercet_assert(columns <= SQL_CELLS_MAX);
    for (unsigned i = 0; i < columns; i++) {
        cells_out->items[i] =
            row[i] == NULL ? tercet_bytes_of("", 0) : tercet_bytes_of(row[i], sizes[i]);
    }
    return true;
}

static uint32_t affected(const struct sql_connection *connection, unsigned index)
{
    return (uint32_t)((const struct mariadb_connection *)connection)->answers[index].affected;
}

/* A cell ends in a NUL that is not counted. */
static int64_t number(struct tercet_bytes cell)
{
    return cell.size == 0 ? 0 : strtoll(cell.data, NULL, 10);
}

const struct sql_dialect mariadb_dialect = {.name = "MariaDB",
                                            .queue = queue,
                                            .flush = flush,
                                            .next = next,
                                            .affected = affected,
                                            .number = number,
                                            .commit = mariadb_commit,
                                            .rollback = mariadb_rollback};

/* sql_connection.c -- see sql_connection.h. */
#include "fence/sql_connection.h"

#include "base/assert.h"
#include "base/error.h"

enum { CONNECTION_COUNT_DEFAULT = 8, BATCH_DEFAULT = 16 };

/* ---- Statements ------------------------------------------------------------------------------- */

void sql_add_number(struct sql_values *values, int64_t number)
{
    tercet_assert(values->count < SQL_VALUES_MAX);
    values->items[values->count].is_number = true;
    values->items[values->count++].number = number;
}

void sql_add_bytes(struct sql_values *values, const void *data, size_t size)
{
    tercet_assert(values->count < SQL_VALUES_MAX && size <= INT32_MAX);
    values->items[values->count].is_number = false;
    /* A NULL pointer would be NULL, not the empty value. */
    values->items[values->count++].bytes = tercet_bytes_of(size == 0 ? "" : data, size);
}

void sql_add_text(struct sql_values *values, const char *text)
{
    sql_add_bytes(values, text, strlen(text));
}

void sql_queue(struct sql_connection *connection, enum sql_query query,
               const struct sql_values *values)
{
    if (!connection->suspect) {
        connection->dialect->queue(connection, query, values);
    }
}

enum tercet_status sql_usable(const struct sql_connection *connection,
                              struct tercet_error *error_out)
{
    return connection->suspect ? error_set(error_out, TERCET_UNAVAILABLE,
                                           "%s: the connection has failed, and is made anew",
                                           connection->dialect->name)
                               : TERCET_OK;
}

enum tercet_status sql_flush(struct sql_connection *connection, struct tercet_error *error_out)
{
    const enum tercet_status status = sql_usable(connection, error_out);

    if (status != TERCET_OK) {
        connection->flushed = true;
        return status;
    }
    tercet_assert(connection->queued > 0 && !connection->flushed);
    connection->flushed = true;
    return connection->dialect->flush(connection, error_out);
}

/* The last of its kind. */
static unsigned index_of(const struct sql_connection *connection, enum sql_query query)
{
    unsigned at = connection->queued;

    while (at > 0 && connection->queries[at - 1] != query) {
        at--;
    }
    tercet_assert(connection->flushed && at > 0);
    return at - 1;
}

bool sql_next(struct sql_connection *connection, enum sql_query query, struct sql_cells *cells_out)
{
    return connection->dialect->next(connection, index_of(connection, query), cells_out);
}

uint32_t sql_affected(const struct sql_connection *connection, enum sql_query query)
{
    return connection->dialect->affected(connection, index_of(connection, query));
}

int64_t sql_number(const struct sql_connection *connection, const struct sql_cells *cells,
                   unsigned column)
{
    return connection->dialect->number(cells->items[column]);
}

/* ---- The local transaction -------------------------------------------------------------------- */

void sql_end(struct sql_connection *connection)
{
    connection->savepoint_open = false;
    connection->inserted = TERCET_FENCE_NONE;
    connection->scope.hold = SQL_NOT_HELD;
}

enum tercet_status sql_begin(void *connection, struct tercet_error *error_out)
{
    struct sql_connection *self = connection;

    sql_end(self);
    sql_queue(self, SQL_BEGIN, NULL);
    return sql_usable(self, error_out);
}

enum tercet_status sql_begin_sweep(struct sql_connection *connection,
                                   struct tercet_error *error_out)
{
    sql_end(connection);
    sql_queue(connection, SQL_SWEEP_LEVEL, NULL);
    sql_queue(connection, SQL_BEGIN_SWEEP, NULL);
    return sql_usable(connection, error_out);
}

enum tercet_status sql_savepoint(void *connection, struct tercet_error *error_out)
{
    struct sql_connection *self = connection;

    if (self->savepoint_open) {
        sql_queue(self, SQL_RELEASE, NULL);
    }
    sql_queue(self, SQL_SAVEPOINT, NULL);
    self->savepoint_open = true;
    self->inserted = TERCET_FENCE_NONE;
    if (self->scope.hold == SQL_HELD_BY_SAVEPOINT) {
        self->scope.hold = SQL_HELD;
    }
    return sql_usable(self, error_out);
}

enum tercet_status sql_rewind(void *connection, struct tercet_error *error_out)
{
    struct sql_connection *self = connection;

    self->inserted = TERCET_FENCE_NONE;
    if (self->scope.hold == SQL_HELD_BY_SAVEPOINT) {
        self->scope.hold = SQL_NOT_HELD;
    }
    sql_queue(self, SQL_REWIND, NULL);
    return sql_usable(self, error_out);
}

/* ---- Opening ---------------------------------------------------------------------------------- */

uint32_t sql_or_default(uint32_t value, uint32_t otherwise)
{
    return value == 0 ? otherwise : value;
}

struct tercet_store_options sql_store_options(uint32_t connection_count, uint32_t batch_max,
                                              uint32_t queue_max)
{
    const struct tercet_store_options options = {
        .size = sizeof options,
        .connection_count = sql_or_default(connection_count, CONNECTION_COUNT_DEFAULT),
        .batch_max = sql_or_default(batch_max, BATCH_DEFAULT),
        .queue_max = queue_max};
    return options;
}

enum tercet_status sql_open_status(enum tercet_status status, struct tercet_error *error_out)
{
    const bool passing = status == TERCET_RESOURCE_EXHAUSTED || status == TERCET_INTERNAL ||
                         status == TERCET_ABORTED;
    const enum tercet_status told = passing ? TERCET_UNAVAILABLE : status;

    if (error_out != NULL) {
        error_out->status = told;
    }
    return told;
}

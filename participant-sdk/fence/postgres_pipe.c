/* postgres_pipe.c -- statements that travel together, and their results: the dialect of sql_connection.h. */
#include "base/assert.h"
#include "fence/mark_codec.h"
#include "fence/postgres_connection.h"
#include "fence/postgres_error.h"

enum { UPDATE_VALUES = 4 }; /* of a row: key, state, result */

static struct postgres_connection *self_of(struct sql_connection *connection)
{
    return (struct postgres_connection *)connection;
}

static void forget_results(struct postgres_connection *self)
{
    for (unsigned i = 0; i < self->base.queued; i++) {
        PQclear(self->results[i]);
        self->results[i] = NULL;
        self->rows_taken[i] = 0;
    }
    self->base.queued = 0;
    self->base.flushed = false;
}

static enum tercet_status lost(struct postgres_connection *self, struct tercet_error *error_out)
{
    self->base.suspect = true;
    (void)postgres_explain(self->link, NULL, "the connection is lost", error_out);
    if (error_out != NULL) {
        error_out->status = TERCET_UNAVAILABLE;
    }
    return TERCET_UNAVAILABLE;
}

/* Values travel in binary: numbers as int8, big-endian; texts and bytes as they are. */
static bool send_query(PGconn *link, enum sql_query query, const struct sql_values *values)
{
    static const int binary[SQL_VALUES_MAX] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    uint8_t numbers[SQL_VALUES_MAX][sizeof(int64_t)];
    const char *data[SQL_VALUES_MAX];
    int sizes[SQL_VALUES_MAX];
    const int count = values == NULL           ? 0
                      : query == SQL_ROW_WRITE ? UPDATE_VALUES
                                               : (int)values->count;

    for (int i = 0; i < count; i++) {
        if (values->items[i].is_number) {
            big_endian_write(numbers[i], values->items[i].number);
            data[i] = (const char *)numbers[i];
            sizes[i] = sizeof numbers[i];
        } else {
            data[i] = values->items[i].bytes.data;
            sizes[i] = (int)values->items[i].bytes.size;
        }
    }
    return PQsendQueryPrepared(link, postgres_query_name(query), count, data, sizes, binary, 1) ==
           1;
}

static void queue(struct sql_connection *connection, enum sql_query query,
                  const struct sql_values *values)
{
    struct postgres_connection *const self = self_of(connection);

    if (postgres_query_name(query) == NULL) {
        return;
    }
    if (query == SQL_BEGIN || query == SQL_BEGIN_SWEEP) {
        connection->suspect = PQtransactionStatus(self->link) != PQTRANS_IDLE;
        self->failed_sqlstate[0] = '\0';
    }
    if (connection->flushed || connection->queued == 0) {
        forget_results(self);
        connection->suspect = connection->suspect || PQenterPipelineMode(self->link) != 1;
    }
    tercet_assert(connection->queued < SQL_QUEUE_MAX);
    if (connection->suspect || !send_query(self->link, query, values)) {
        connection->suspect = true;
        return;
    }
    connection->queries[connection->queued++] = query;
}

/* One queued statement's result.  False: none came any more. */
static bool take_result(struct postgres_connection *self, unsigned index)
{
    self->results[index] = PQgetResult(self->link);
    if (self->results[index] == NULL || PQstatus(self->link) != CONNECTION_OK) {
        return false;
    }
    PGresult *end = PQgetResult(self->link);
    const bool ended = end == NULL;
    PQclear(end);
    return ended;
}

static bool take_sync(struct postgres_connection *self)
{
    PGresult *sync = PQgetResult(self->link);
    const bool synced = PQresultStatus(sync) == PGRES_PIPELINE_SYNC;
    PQclear(sync);
    return synced && PQexitPipelineMode(self->link) == 1;
}

static enum tercet_status flush(struct sql_connection *connection, struct tercet_error *error_out)
{
    struct postgres_connection *const self = self_of(connection);
    enum tercet_status status = TERCET_OK;

    if (PQpipelineSync(self->link) != 1) {
        return lost(self, error_out);
    }
    for (unsigned i = 0; i < connection->queued; i++) {
        if (!take_result(self, i)) {
            return lost(self, error_out);
        }
        const ExecStatusType told = PQresultStatus(self->results[i]);
        if (status == TERCET_OK && told != PGRES_COMMAND_OK && told != PGRES_TUPLES_OK) {
            connection->failed = connection->queries[i];
            status = postgres_explain(self->link, self->results[i],
                                      postgres_query_name(connection->queries[i]), error_out);
        }
    }
    return take_sync(self) ? status : lost(self, error_out);
}

/* ---- Results ---------------------------------------------------------------------------------- */

static bool next(struct sql_connection *connection, unsigned index, struct sql_cells *cells_out)
{
    struct postgres_connection *const self = self_of(connection);
    const PGresult *const result = self->results[index];
    const int columns = PQnfields(result);
    const int row = self->rows_taken[index];

    if (row >= PQntuples(result)) {
        return false;
    }
    self->rows_taken[index]++;
    tercet_assert(columns <= SQL_CELLS_MAX);
    for (int i = 0; i < columns; i++) {
        cells_out->items[i] =
            tercet_bytes_of(PQgetvalue(result, row, i), (size_t)PQgetlength(result, row, i));
    }
    return true;
}

static uint32_t affected(const struct sql_connection *connection, unsigned index)
{
    const struct postgres_connection *const self = (const struct postgres_connection *)connection;
    uint32_t count = 0;

    for (const char *digit = PQcmdTuples(self->results[index]); *digit != '\0'; digit++) {
        count = count * 10 + (uint32_t)(*digit - '0');
    }
    return count;
}

/* Of two, four or eight bytes. */
static int64_t number(struct tercet_bytes cell)
{
    const uint8_t *const bytes = cell.data;
    const size_t size = cell.size;

    if (size == 2) {
        return (int16_t)((bytes[0] << 8) | bytes[1]);
    }
    if (size == 4) {
        return (int32_t)(((uint32_t)bytes[0] << 24) | ((uint32_t)bytes[1] << 16) |
                         ((uint32_t)bytes[2] << 8) | bytes[3]);
    }
    return size == 8 ? big_endian_read(bytes) : 0;
}

const struct sql_dialect postgres_dialect = {.name = "PostgreSQL",
                                             .queue = queue,
                                             .flush = flush,
                                             .next = next,
                                             .affected = affected,
                                             .number = number,
                                             .commit = postgres_commit,
                                             .rollback = postgres_rollback};

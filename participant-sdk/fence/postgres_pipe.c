/* postgres_pipe.c -- statements that travel together: the queue of postgres_connection.h. */
#include "base/assert.h"
#include "base/error.h"
#include "fence/mark_codec.h"
#include "fence/postgres_connection.h"
#include "fence/postgres_error.h"

static void forget_results(struct postgres_connection *connection)
{
    for (unsigned i = 0; i < connection->queued; i++) {
        PQclear(connection->results[i]);
        connection->results[i] = NULL;
    }
    connection->queued = 0;
    connection->flushed = false;
}

static enum tercet_status lost(struct postgres_connection *connection,
                               struct tercet_error *error_out)
{
    connection->suspect = true;
    (void)postgres_explain(connection->link, NULL, "the connection is lost", error_out);
    if (error_out != NULL) {
        error_out->status = TERCET_UNAVAILABLE;
    }
    return TERCET_UNAVAILABLE;
}

enum tercet_status postgres_queue(struct postgres_connection *connection, enum postgres_query query,
                                  const struct postgres_values *values,
                                  struct tercet_error *error_out)
{
    static const int binary[POSTGRES_VALUES_MAX] = {1, 1, 1, 1, 1, 1, 1, 1, 1};

    if (connection->flushed || connection->queued == 0) {
        forget_results(connection);
        if (PQenterPipelineMode(connection->link) != 1) {
            return lost(connection, error_out);
        }
    }
    tercet_assert(connection->queued < POSTGRES_QUEUE_MAX);
    const int count = values == NULL ? 0 : values->count;
    if (PQsendQueryPrepared(connection->link, postgres_query_name(query), count,
                            count == 0 ? NULL : values->data, count == 0 ? NULL : values->sizes,
                            binary, 1) != 1) {
        return lost(connection, error_out);
    }
    connection->queries[connection->queued++] = query;
    return TERCET_OK;
}

/* One queued statement's result.  False: none came any more. */
static bool take_result(struct postgres_connection *connection, unsigned index)
{
    connection->results[index] = PQgetResult(connection->link);
    if (connection->results[index] == NULL || PQstatus(connection->link) != CONNECTION_OK) {
        return false;
    }
    PGresult *end = PQgetResult(connection->link);
    const bool ended = end == NULL;
    PQclear(end);
    return ended;
}

static bool take_sync(struct postgres_connection *connection)
{
    PGresult *sync = PQgetResult(connection->link);
    const bool synced = PQresultStatus(sync) == PGRES_PIPELINE_SYNC;
    PQclear(sync);
    return synced && PQexitPipelineMode(connection->link) == 1;
}

enum tercet_status postgres_flush(struct postgres_connection *connection,
                                  struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_OK;

    tercet_assert(connection->queued > 0 && !connection->flushed);
    connection->flushed = true;
    if (PQpipelineSync(connection->link) != 1) {
        return lost(connection, error_out);
    }
    for (unsigned i = 0; i < connection->queued; i++) {
        if (!take_result(connection, i)) {
            return lost(connection, error_out);
        }
        const ExecStatusType told = PQresultStatus(connection->results[i]);
        if (status == TERCET_OK && told != PGRES_COMMAND_OK && told != PGRES_TUPLES_OK) {
            connection->failed = connection->queries[i];
            status = postgres_explain(connection->link, connection->results[i],
                                      postgres_query_name(connection->queries[i]), error_out);
        }
    }
    return take_sync(connection) ? status : lost(connection, error_out);
}

PGresult *postgres_result(const struct postgres_connection *connection, enum postgres_query query)
{
    tercet_assert(connection->flushed);
    for (unsigned i = connection->queued; i > 0; i--) {
        if (connection->queries[i - 1] == query) {
            return connection->results[i - 1];
        }
    }
    return NULL;
}

int64_t postgres_number(const PGresult *result, int row, int column)
{
    const uint8_t *bytes = (const uint8_t *)PQgetvalue(result, row, column);
    const int size = PQgetlength(result, row, column);

    if (size == 2) {
        return (int16_t)((bytes[0] << 8) | bytes[1]);
    }
    if (size == 4) {
        return (int32_t)(((uint32_t)bytes[0] << 24) | ((uint32_t)bytes[1] << 16) |
                         ((uint32_t)bytes[2] << 8) | bytes[3]);
    }
    return size == 8 ? big_endian_read(bytes) : 0;
}

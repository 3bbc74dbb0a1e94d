/* store_postgres.c -- see store_postgres.h: options, the connections' lives, accessors. */
#include "tercet/store_postgres.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "fence/postgres_connection.h"
#include "fence/postgres_error.h"
#include "fence/sql_fence.h"
#include "fence/struct_size.h"
#include "tercet/participant.h"

enum {
    LOCK_TIMEOUT_MS_DEFAULT = 2000,
    STATEMENT_TIMEOUT_MS_DEFAULT = 5000,
    IDLE_TIMEOUT_MS_DEFAULT = 10000
};

static void store_close(void *self)
{
    struct postgres_settings *settings = self;
    free(settings->conninfo);
    free(settings->setup_sql);
    free(settings);
}

static const struct tercet_store_ops postgres_ops = {
    .size = sizeof(struct tercet_store_ops),
    .name = "postgres",
    .connect = postgres_connection_open,
    .disconnect = postgres_connection_close,
    .begin = sql_begin,
    .savepoint = postgres_savepoint,
    .rewind = postgres_rewind,
    .claim = sql_claim,
    .raise_epoch = sql_raise_epoch,
    .write = postgres_write,
    .check = postgres_check,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .apply_mark = sql_apply_mark,
    .describe = sql_describe,
    .find = sql_find,
    .list = sql_list,
    .close = store_close,
};

/* libpq looks at conninfo's values (sslmode=..., service=...) only when it connects, and its words do not
 * say whether it has asked a server at all.  So it connects here where nobody listens, port 1 of this
 * machine: what goes wrong before that is conninfo's. */
static enum tercet_status check_values(const char *conninfo, struct tercet_error *error_out)
{
    /* What stands behind conninfo takes the place of what stands in it. */
    static const char *const keywords[] = {"dbname",          "host", "hostaddr", "port",
                                           "connect_timeout", NULL};
    const char *const values[] = {conninfo, "localhost", "127.0.0.1", "1", "2", NULL};

    if (PQpingParams(keywords, values, 1) != PQPING_NO_ATTEMPT) {
        return TERCET_OK;
    }
    PGconn *link = PQconnectdbParams(keywords, values, 1);
    /* Without memory there is no link, and libpq has words for that, too. */
    const enum tercet_status status =
        error_set(error_out, TERCET_INVALID_ARGUMENT, "tercet_postgres_options.conninfo: %s",
                  PQerrorMessage(link));
    PQfinish(link);
    return status;
}

static enum tercet_status check_conninfo(const char *conninfo, struct tercet_error *error_out)
{
    char *words = NULL;
    enum tercet_status status = TERCET_OK;

    if (conninfo == NULL || conninfo[0] == '\0') {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "tercet_postgres_options.conninfo: required");
    }
    PQconninfoOption *parsed = PQconninfoParse(conninfo, &words);
    if (parsed == NULL) {
        status =
            error_set(error_out, TERCET_INVALID_ARGUMENT, "tercet_postgres_options.conninfo: %s",
                      words == NULL ? "out of memory" : words);
    }
    PQconninfoFree(parsed);
    PQfreemem(words);
    return status == TERCET_OK ? check_values(conninfo, error_out) : status;
}

static enum tercet_status check_timeout(const char *field, uint32_t value,
                                        struct tercet_error *error_out)
{
    if (value > INT32_MAX) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "tercet_postgres_options.%s: %u, must be at most %d", field, value,
                         INT32_MAX);
    }
    return TERCET_OK;
}

static enum tercet_status check_options(const struct tercet_postgres_options *options,
                                        struct tercet_error *error_out)
{
    enum tercet_status status = check_conninfo(options->conninfo, error_out);
    if (status == TERCET_OK) {
        status = check_timeout("lock_timeout_ms", options->lock_timeout_ms, error_out);
    }
    if (status == TERCET_OK) {
        status = check_timeout("statement_timeout_ms", options->statement_timeout_ms, error_out);
    }
    if (status == TERCET_OK) {
        status = check_timeout("idle_timeout_ms", options->idle_timeout_ms, error_out);
    }
    if (status == TERCET_OK &&
        (unsigned)options->isolation > (unsigned)TERCET_POSTGRES_SERIALIZABLE) {
        status =
            error_set(error_out, TERCET_INVALID_ARGUMENT,
                      "tercet_postgres_options.isolation: %d is none", (int)options->isolation);
    }
    return status;
}

enum tercet_status tercet_postgres_open(const struct tercet_postgres_options *options,
                                        struct tercet_store **store_out,
                                        struct tercet_error *error_out)
{
    struct tercet_postgres_options known;
    enum tercet_status status =
        struct_size_read(options, &known, sizeof known, "tercet_postgres_options", error_out);
    if (status == TERCET_OK) {
        status = check_options(&known, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    const struct tercet_store_options driving =
        sql_store_options(known.connection_count, known.batch_max, known.queue_max);
    struct postgres_settings *settings = xcalloc(1, sizeof *settings);
    settings->conninfo = xstrdup(known.conninfo);
    settings->setup_sql = known.setup_sql == NULL ? NULL : xstrdup(known.setup_sql);
    settings->lock_timeout_ms = sql_or_default(known.lock_timeout_ms, LOCK_TIMEOUT_MS_DEFAULT);
    settings->statement_timeout_ms =
        sql_or_default(known.statement_timeout_ms, STATEMENT_TIMEOUT_MS_DEFAULT);
    settings->idle_timeout_ms = sql_or_default(known.idle_timeout_ms, IDLE_TIMEOUT_MS_DEFAULT);
    settings->isolation = known.isolation;
    settings->create_tables = known.create_tables;
    status = tercet_store_create(&postgres_ops, settings, &driving, store_out, error_out);
    if (status != TERCET_OK) {
        store_close(settings);
    }
    return status;
}

/* ---- For handlers ----------------------------------------------------------------------------- */

struct pg_conn *tercet_postgres_connection(const struct tercet_request *request)
{
    struct postgres_connection *connection = tercet_request_connection(request, &postgres_ops);
    return connection == NULL ? NULL : connection->link;
}

enum tercet_verdict tercet_postgres_failed(struct tercet_request *request,
                                           const struct pg_result *result)
{
    struct tercet_error error = {0};
    PGconn *link = tercet_postgres_connection(request);

    if (link == NULL) {
        return tercet_answer_failed(request, "the action is not registered on a PostgreSQL store");
    }
    (void)postgres_explain(link, result, "the handler's statement", &error);
    return tercet_answer_failed(request, "%s", error.text);
}

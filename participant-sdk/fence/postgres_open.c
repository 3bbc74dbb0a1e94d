/* postgres_open.c -- opening a connection strictly: settings, tables, their version.
 *
 * setup_sql runs first, so that it may set the search path, and so that our settings are the last
 * word. */
#include <inttypes.h>
#include <libpq-events.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "fence/postgres_connection.h"
#include "fence/postgres_error.h"
#include "fence/postgres_tables.h"

enum { POSTGRES_OLDEST = 130000 };

/* The library does not write to its user's stderr. */
static void ignore_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

/* Only says that one before it has failed. */
static const char *const in_failed_transaction = "25P02";

/* Remembers why the last statement failed, so that a handler need not tell. */
static int watch_results(PGEventId event, void *information, void *context)
{
    struct postgres_connection *connection = context;

    if (event == PGEVT_RESULTCREATE) {
        const PGEventResultCreate *created = information;
        const char *sqlstate = postgres_sqlstate(created->result);
        if (sqlstate[0] != '\0' && strcmp(sqlstate, in_failed_transaction) != 0) {
            (void)snprintf(connection->failed_sqlstate, sizeof connection->failed_sqlstate, "%s",
                           sqlstate);
        }
    }
    return 1;
}

/* Whether conninfo, the environment or a service file has told libpq never to use TLS, and it went by
 * the network: over a unix socket there is none. */
static bool is_without_tls(PGconn *link)
{
    PQconninfoOption *const options = PQconninfo(link);
    const char *const address = PQhostaddr(link);
    bool disabled = false;

    for (const PQconninfoOption *option = options; option != NULL && option->keyword != NULL;
         option++) {
        disabled = disabled || (strcmp(option->keyword, "sslmode") == 0 && option->val != NULL &&
                                strcmp(option->val, "disable") == 0);
    }
    PQconninfoFree(options);
    return disabled && address != NULL && address[0] != '\0';
}

/* What libpq's words about a failure leave unsaid.  Of a certificate that it does not trust it tells the
 * first error of its TLS library, which may be any ("EVP lib"); an alert comes from the server. */
static const char *hint_for(PGconn *link, const char *words)
{
    if (strstr(words, "certificate verify failed") != NULL ||
        (strstr(words, "SSL error: ") != NULL && strstr(words, " alert ") == NULL)) {
        return "the server's certificate may have expired, or is not signed by what sslrootcert "
               "names: ";
    }
    if (strstr(words, "pg_hba.conf") != NULL && is_without_tls(link)) {
        return "sslmode is disable, and the server may let nobody in without TLS: ";
    }
    return "";
}

static enum tercet_status connect_link(const struct postgres_settings *settings, PGconn **link_out,
                                       struct tercet_error *error_out)
{
    /* What stands in conninfo takes the place of what stands before it. */
    static const char *const keywords[] = {"gssencmode",
                                           "connect_timeout",
                                           "keepalives_idle",
                                           "keepalives_interval",
                                           "keepalives_count",
                                           "tcp_user_timeout",
                                           "fallback_application_name",
                                           "dbname",
                                           NULL};
    const char *const values[] = {"disable",          "10", "10", "3", "3", "20000", "tercet",
                                  settings->conninfo, NULL};
    PGconn *link = PQconnectdbParams(keywords, values, 1);

    if (PQstatus(link) != CONNECTION_OK) {
        const char *const words = link == NULL ? "out of memory" : PQerrorMessage(link);
        /* The hint comes first, because words about several addresses may be cut. */
        const enum tercet_status status = error_set(
            error_out, TERCET_UNAVAILABLE, "PostgreSQL: %s%s", hint_for(link, words), words);
        PQfinish(link);
        return status;
    }
    *link_out = link;
    return TERCET_OK;
}

static enum tercet_status run_setup(PGconn *link, const char *setup_sql,
                                    struct tercet_error *error_out)
{
    if (setup_sql == NULL) {
        return TERCET_OK;
    }
    enum tercet_status status = TERCET_OK;
    PGresult *result = PQexec(link, setup_sql);
    const ExecStatusType told = PQresultStatus(result);
    if (told == PGRES_BAD_RESPONSE || told == PGRES_FATAL_ERROR) {
        status = postgres_explain(link, result, "setup_sql", error_out);
        status = status == TERCET_INTERNAL ? TERCET_INVALID_ARGUMENT : status;
    } else if (PQtransactionStatus(link) != PQTRANS_IDLE) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT,
                           "PostgreSQL: setup_sql leaves a transaction or a copy open");
    }
    PQclear(result);
    return status;
}

/* Sets what the store rests on, and looks at what it cannot set. */
static enum tercet_status configure(PGconn *link, const struct postgres_settings *settings,
                                    struct tercet_error *error_out)
{
    static const char *const sql =
        "SELECT pg_catalog.current_setting('fsync'), pg_catalog.pg_is_in_recovery()::text,"
        " pg_catalog.set_config('lock_timeout', $1::text, false),"
        " pg_catalog.set_config('statement_timeout', $2::text, false),"
        " pg_catalog.set_config('idle_in_transaction_session_timeout', $3::text, false),"
        " pg_catalog.set_config('synchronous_commit',"
        " CASE pg_catalog.current_setting('synchronous_commit') WHEN 'remote_apply'"
        " THEN 'remote_apply' ELSE 'on' END, false)";
    char texts[3][16];
    const char *const values[] = {texts[0], texts[1], texts[2]};
    enum tercet_status status = TERCET_OK;

    if (PQserverVersion(link) < POSTGRES_OLDEST) {
        return error_set(error_out, TERCET_FAILED_PRECONDITION,
                         "PostgreSQL %s is too old; 13 or newer is needed",
                         PQparameterStatus(link, "server_version"));
    }
    (void)snprintf(texts[0], sizeof texts[0], "%" PRIu32, settings->lock_timeout_ms);
    (void)snprintf(texts[1], sizeof texts[1], "%" PRIu32, settings->statement_timeout_ms);
    (void)snprintf(texts[2], sizeof texts[2], "%" PRIu32, settings->idle_timeout_ms);
    PGresult *result = PQexecParams(link, sql, 3, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        status = postgres_explain(link, result, "cannot be set up", error_out);
    } else if (strcmp(PQgetvalue(result, 0, 1), "true") == 0) {
        status =
            error_set(error_out, TERCET_UNAVAILABLE,
                      "PostgreSQL: the server is in recovery and takes no writes; with several "
                      "hosts in conninfo, add target_session_attrs=read-write");
    } else if (strcmp(PQgetvalue(result, 0, 0), "on") != 0) {
        status =
            error_set(error_out, TERCET_FAILED_PRECONDITION,
                      "PostgreSQL: the server runs with fsync = off and may forget what it has "
                      "acknowledged: set it to on");
    }
    PQclear(result);
    return status;
}

/* application_name with one sign more, which it does not end in. */
static void make_signs(struct postgres_connection *connection)
{
    static const char marks[] = "*+-";
    const char *told = PQparameterStatus(connection->link, "application_name");
    const char *name = told == NULL ? "" : told;
    size_t size = strlen(name);
    unsigned made = 0;

    size = size < POSTGRES_NAME_BYTES_MAX ? size : POSTGRES_NAME_BYTES_MAX - 1;
    for (const char *mark = marks; *mark != '\0' && made < 2; mark++) {
        if (name[size] != *mark) {
            memcpy(connection->signs[made], name, size);
            connection->signs[made][size] = *mark;
            connection->signs[made][size + 1] = '\0';
            made++;
        }
    }
}

static enum tercet_status open_link(struct postgres_connection *connection,
                                    const struct postgres_settings *settings,
                                    struct tercet_error *error_out)
{
    char *schema = NULL;

    enum tercet_status status = connect_link(settings, &connection->link, error_out);
    if (status == TERCET_OK) {
        (void)PQsetNoticeReceiver(connection->link, ignore_notice, NULL);
        status = run_setup(connection->link, settings->setup_sql, error_out);
    }
    if (status == TERCET_OK) {
        status = configure(connection->link, settings, error_out);
    }
    if (status == TERCET_OK) {
        status =
            postgres_tables_find(connection->link, settings->create_tables, &schema, error_out);
    }
    if (status == TERCET_OK) {
        status =
            postgres_statements_prepare(connection->link, settings->isolation, schema, error_out);
    }
    if (status == TERCET_OK &&
        PQregisterEventProc(connection->link, watch_results, "tercet", connection) == 0) {
        status = error_set(error_out, TERCET_RESOURCE_EXHAUSTED, "PostgreSQL: out of memory");
    }
    free(schema);
    return status;
}

enum tercet_status postgres_connection_open(void *self, void **connection_out,
                                            struct tercet_error *error_out)
{
    struct postgres_settings *const settings = self;
    struct postgres_connection *connection = xcalloc(1, sizeof *connection);
    connection->base.dialect = &postgres_dialect;
    enum tercet_status status = open_link(connection, settings, error_out);
    if (status != TERCET_OK) {
        postgres_connection_close(connection);
        return sql_open_status(status, error_out);
    }
    make_signs(connection);
    if (settings->create_tables) { /* the store's first, and nobody else connects yet */
        settings->create_tables = false;
    }
    *connection_out = connection;
    return TERCET_OK;
}

void postgres_connection_close(void *connection)
{
    struct postgres_connection *self = connection;

    for (unsigned i = 0; i < self->base.queued; i++) {
        PQclear(self->results[i]);
    }
    PQfinish(self->link);
    free(self);
}

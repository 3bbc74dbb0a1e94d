/* store_mariadb.c -- see store_mariadb.h: options, the connections' lives, accessors. */
#include "tercet/store_mariadb.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "fence/mariadb_connection.h"
#include "fence/sql_fence.h"
#include "fence/struct_size.h"
#include "tercet/participant.h"

enum { LOCK_TIMEOUT_S_DEFAULT = 2, LOCK_TIMEOUT_S_MAX = 3600 };

static void store_close(void *self)
{
    struct mariadb_settings *settings = self;
    if (settings->password != NULL) {
        explicit_bzero(settings->password, strlen(settings->password));
    }
    free(settings->host);
    free(settings->unix_socket);
    free(settings->database);
    free(settings->user);
    free(settings->password);
    free(settings->defaults_file);
    free(settings->tls_ca_file);
    free(settings->setup_sql);
    free(settings);
}

static const struct tercet_store_ops mariadb_ops = {
    .size = sizeof(struct tercet_store_ops),
    .name = "mariadb",
    .connect = mariadb_connection_open,
    .disconnect = mariadb_connection_close,
    .begin = sql_begin,
    .savepoint = sql_savepoint,
    .rewind = sql_rewind,
    .claim = mariadb_claim,
    .raise_epoch = sql_raise_epoch,
    .write = sql_write,
    .check = mariadb_check,
    .commit = mariadb_commit,
    .rollback = mariadb_rollback,
    .apply_mark = sql_apply_mark,
    .describe = sql_describe,
    .find = sql_find,
    .list = sql_list,
    .close = store_close,
};

static enum tercet_status check_options(const struct tercet_mariadb_options *options,
                                        struct tercet_error *error_out)
{
    if (options->database == NULL || options->database[0] == '\0') {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "tercet_mariadb_options.database: required");
    }
    if (options->port > UINT16_MAX) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "tercet_mariadb_options.port: %u, must be at most %d", options->port,
                         UINT16_MAX);
    }
    if (options->lock_timeout_s > LOCK_TIMEOUT_S_MAX) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "tercet_mariadb_options.lock_timeout_s: %u, must be at most %d",
                         options->lock_timeout_s, LOCK_TIMEOUT_S_MAX);
    }
    if ((unsigned)options->isolation > (unsigned)TERCET_MARIADB_SERIALIZABLE) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "tercet_mariadb_options.isolation: %d is none", (int)options->isolation);
    }
    return TERCET_OK;
}

static char *copy_of(const char *text)
{
    return text == NULL ? NULL : xstrdup(text);
}

enum tercet_status tercet_mariadb_open(const struct tercet_mariadb_options *options,
                                       struct tercet_store **store_out,
                                       struct tercet_error *error_out)
{
    struct tercet_mariadb_options known;
    enum tercet_status status =
        struct_size_read(options, &known, sizeof known, "tercet_mariadb_options", error_out);
    if (status == TERCET_OK) {
        status = check_options(&known, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    const struct tercet_store_options driving =
        sql_store_options(known.connection_count, known.batch_max, known.queue_max);
    struct mariadb_settings *settings = xcalloc(1, sizeof *settings);
    settings->host = copy_of(known.host);
    settings->unix_socket = copy_of(known.unix_socket);
    settings->database = copy_of(known.database);
    settings->user = copy_of(known.user);
    settings->password = copy_of(known.password);
    settings->defaults_file = copy_of(known.defaults_file);
    settings->tls_ca_file = copy_of(known.tls_ca_file);
    settings->setup_sql = copy_of(known.setup_sql);
    settings->port = known.port;
    settings->lock_timeout_s = sql_or_default(known.lock_timeout_s, LOCK_TIMEOUT_S_DEFAULT);
    settings->isolation = known.isolation;
    settings->create_tables = known.create_tables;
    status = tercet_store_create(&mariadb_ops, settings, &driving, store_out, error_out);
    if (status != TERCET_OK) {
        store_close(settings);
    }
    return status;
}

/* ---- For handlers ----------------------------------------------------------------------------- */

struct st_mysql *tercet_mariadb_connection(const struct tercet_request *request)
{
    struct mariadb_connection *connection = tercet_request_connection(request, &mariadb_ops);
    return connection == NULL ? NULL : &connection->link;
}

enum tercet_verdict tercet_mariadb_failed(struct tercet_request *request)
{
    MYSQL *link = tercet_mariadb_connection(request);

    if (link == NULL) {
        return tercet_answer_failed(request, "the action is not registered on a MariaDB store");
    }
    return tercet_answer_failed(request, "MariaDB: the handler's statement: %s (%u)",
                                mysql_error(link), mysql_errno(link));
}

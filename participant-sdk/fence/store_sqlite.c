/* store_sqlite.c -- see store_sqlite.h: options, the connections' lives, accessors.
 *
 * A connection that is given back in good order is parked and handed out again, so that setup_sql
 * runs once and a database in memory survives. */
#include "tercet/store_sqlite.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "fence/sqlite_fence.h"
#include "fence/store.h"
#include "fence/struct_size.h"

enum { BUSY_TIMEOUT_MS_DEFAULT = 5000 };

struct sqlite_store {
    struct sqlite_settings settings;
    struct sqlite_connection *parked; /* NULL: in use, or none */
};

static enum tercet_status store_connect(void *self, void **connection_out,
                                        struct tercet_error *error_out)
{
    struct sqlite_store *store = self;
    struct sqlite_connection *connection = store->parked;
    if (connection == NULL) {
        const enum tercet_status status =
            sqlite_connection_open(&store->settings, &connection, error_out);
        if (status != TERCET_OK) {
            return status;
        }
        store->settings.made = true;
        connection->owner = store;
    }
    store->parked = NULL;
    *connection_out = connection;
    return TERCET_OK;
}

static void store_disconnect(void *connection)
{
    struct sqlite_connection *self = connection;
    struct sqlite_store *store = self->owner;

    sqlite_rollback(self);
    if (self->suspect) {
        sqlite_connection_close(self);
        return;
    }
    tercet_assert(store->parked == NULL);
    store->parked = self;
}

static void store_close(void *self)
{
    struct sqlite_store *store = self;
    sqlite_connection_close(store->parked);
    free(store->settings.setup_sql);
    free(store->settings.path);
    free(store);
}

static const struct tercet_store_ops sqlite_ops = {
    .size = sizeof(struct tercet_store_ops),
    .name = "sqlite",
    .connect = store_connect,
    .disconnect = store_disconnect,
    .begin = sqlite_begin,
    .savepoint = sqlite_savepoint,
    .rewind = sqlite_rewind,
    .claim = sqlite_claim,
    .raise_epoch = sqlite_raise_epoch,
    .write = sqlite_write,
    .check = sqlite_check,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .apply_mark = sqlite_apply_mark,
    .describe = sqlite_describe,
    .find = sqlite_find,
    .list = sqlite_list,
    .close = store_close,
};

enum tercet_status tercet_sqlite_open(const struct tercet_sqlite_options *options,
                                      struct tercet_store **store_out,
                                      struct tercet_error *error_out)
{
    struct tercet_sqlite_options known;
    enum tercet_status status =
        struct_size_read(options, &known, sizeof known, "tercet_sqlite_options", error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (known.path == NULL || known.path[0] == '\0') {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "tercet_sqlite_options.path: required");
    }
    const struct tercet_store_options driving = {
        .size = sizeof driving,
        .batch_max = known.batch_max != 0 ? known.batch_max : STORE_BATCH_EMBEDDED_DEFAULT,
        .queue_max = known.queue_max};
    struct sqlite_store *store = xcalloc(1, sizeof *store);
    store->settings.path = xstrdup(known.path);
    store->settings.setup_sql = known.setup_sql == NULL ? NULL : xstrdup(known.setup_sql);
    store->settings.busy_timeout_ms =
        known.busy_timeout_ms == 0 ? BUSY_TIMEOUT_MS_DEFAULT : known.busy_timeout_ms;
    status = tercet_store_create(&sqlite_ops, store, &driving, store_out, error_out);
    if (status != TERCET_OK) {
        store_close(store);
    }
    return status;
}

/* ---- For handlers ----------------------------------------------------------------------------- */

struct sqlite3 *tercet_sqlite_connection(const struct tercet_request *request)
{
    struct sqlite_connection *connection = tercet_request_connection(request, &sqlite_ops);
    return connection == NULL ? NULL : connection->database;
}

struct sqlite3_stmt *tercet_sqlite_prepare(const struct tercet_request *request, const char *sql)
{
    struct sqlite_connection *connection = tercet_request_connection(request, &sqlite_ops);
    if (connection == NULL || sql == NULL) {
        return NULL;
    }
    return sqlite_statements_get(&connection->statements, connection->database, sql);
}

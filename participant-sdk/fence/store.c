/* store.c -- see store.h. */
#include "fence/store.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "fence/struct_size.h"
#include "tercet/participant.h"

static enum tercet_status check_max(const char *field, uint32_t value, uint32_t max,
                                    struct tercet_error *error_out)
{
    if (value > max) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "tercet_store_options.%s: %" PRIu32 ", must be 1 to %" PRIu32, field,
                         value, max);
    }
    return TERCET_OK;
}

static enum tercet_status read_options(const struct tercet_store_options *given,
                                       struct tercet_store_options *options,
                                       struct tercet_error *error_out)
{
    enum tercet_status status =
        struct_size_read(given, options, sizeof *options, "tercet_store_options", error_out);
    if (status != TERCET_OK) {
        return status;
    }
    options->size = sizeof *options;
    options->connection_count = options->connection_count == 0 ? 1 : options->connection_count;
    options->batch_max = options->batch_max == 0 ? STORE_BATCH_DEFAULT : options->batch_max;
    options->queue_max = options->queue_max == 0 ? STORE_QUEUE_DEFAULT : options->queue_max;
    status = check_max("connection_count", options->connection_count, STORE_CONNECTION_COUNT_MAX,
                       error_out);
    if (status == TERCET_OK) {
        status = check_max("batch_max", options->batch_max, STORE_BATCH_MAX, error_out);
    }
    if (status == TERCET_OK) {
        status = check_max("queue_max", options->queue_max, INT32_MAX, error_out);
    }
    return status;
}

/* The name of the first slot that is not filled; NULL when all are. */
static const char *missing_slot(const struct tercet_store_ops *ops)
{
    const struct {
        const char *name;
        bool there;
    } slots[] = {
        {"name", ops->name != NULL},
        {"connect", ops->connect != NULL},
        {"disconnect", ops->disconnect != NULL},
        {"begin", ops->begin != NULL},
        {"savepoint", ops->savepoint != NULL},
        {"rewind", ops->rewind != NULL},
        {"claim", ops->claim != NULL},
        {"raise_epoch", ops->raise_epoch != NULL},
        {"write", ops->write != NULL},
        {"check", ops->check != NULL},
        {"commit", ops->commit != NULL},
        {"rollback", ops->rollback != NULL},
        {"apply_mark", ops->apply_mark != NULL},
        {"describe", ops->describe != NULL},
        {"find", ops->find != NULL},
        {"list", ops->list != NULL},
        {"close", ops->close != NULL},
    };
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        if (!slots[i].there) {
            return slots[i].name;
        }
    }
    return NULL;
}

static enum tercet_status check_ops(const struct tercet_store_ops *ops,
                                    struct tercet_error *error_out)
{
    struct tercet_store_ops known;
    const enum tercet_status status =
        struct_size_read(ops, &known, sizeof known, "tercet_store_ops", error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (ops->size < sizeof *ops) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "tercet_store_ops.size: %zu, must be at least %zu", ops->size,
                         sizeof *ops);
    }
    const char *missing = missing_slot(ops);
    if (missing != NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "tercet_store_ops.%s: must not be NULL", missing);
    }
    return TERCET_OK;
}

enum tercet_status store_read_id(const struct tercet_store_ops *ops, void *connection,
                                 uint8_t *id_out, struct tercet_error *error_out)
{
    static const uint8_t nobody[TERCET_ORIGIN_BYTES]; /* has no rows: nothing is counted */
    struct tercet_store_description told;
    const enum tercet_status status = ops->describe(connection, "nobody", nobody, &told, error_out);

    if (status == TERCET_OK) {
        memcpy(id_out, told.store_id, sizeof told.store_id);
        return TERCET_OK;
    }
    /* Locked, full or out of memory: to whoever connects that is one thing. */
    const enum tercet_status of_connect =
        status == TERCET_FAILED_PRECONDITION || status == TERCET_DATA_LOSS ? status
                                                                           : TERCET_UNAVAILABLE;
    if (error_out != NULL) {
        error_out->status = of_connect;
    }
    return of_connect;
}

enum tercet_status tercet_store_create(const struct tercet_store_ops *ops, void *self,
                                       const struct tercet_store_options *options,
                                       struct tercet_store **store_out,
                                       struct tercet_error *error_out)
{
    struct tercet_store_options known;
    void *connection = NULL;
    uint8_t id[TERCET_STORE_ID_BYTES];

    if (store_out == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "store_out: must not be NULL");
    }
    enum tercet_status status = check_ops(ops, error_out);
    if (status == TERCET_OK) {
        status = read_options(options, &known, error_out);
    }
    if (status == TERCET_OK) {
        status = ops->connect(self, &connection, error_out);
    }
    if (status == TERCET_OK) {
        status = store_read_id(ops, connection, id, error_out);
        ops->disconnect(connection);
    }
    if (status != TERCET_OK) {
        return status;
    }
    struct tercet_store *store = xcalloc(1, sizeof *store);
    store->ops = ops;
    store->self = self;
    store->options = known;
    memcpy(store->id, id, sizeof id);
    *store_out = store;
    return TERCET_OK;
}

void tercet_store_close(struct tercet_store *store)
{
    if (store != NULL) {
        store->ops->close(store->self);
        free(store);
    }
}

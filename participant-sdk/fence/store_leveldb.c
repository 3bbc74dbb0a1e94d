/* store_leveldb.c -- see store_leveldb.h: the fence of kv_fence.h over LevelDB. */
#include "tercet/store_leveldb.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "fence/leveldb_backend.h"
#include "fence/store.h"
#include "fence/struct_size.h"

enum {
    KEY_BYTES_MAX = 4096,
    VALUE_BYTES_MAX = 1048576,
    HANDLER_BYTES_MAX = 4194304 /* all writes of one handler */
};

/* NOLINTNEXTLINE(misc-redundant-expression): the two macros are meant to be alike. */
static_assert(sizeof TERCET_LEVELDB_PREFIX == sizeof ROW_CODEC_PREFIX, "one prefix");

struct leveldb_store {
    struct leveldb_backend backend;
    struct kv_fence fence; /* the one connection */
};

static enum tercet_status store_connect(void *self, void **connection_out,
                                        struct tercet_error *error_out)
{
    struct leveldb_store *store = self;
    const enum tercet_status status = leveldb_backend_slots.usable(&store->backend, error_out);
    if (status == TERCET_OK) {
        *connection_out = &store->fence;
    }
    return status;
}

static void store_close(void *self)
{
    struct leveldb_store *store = self;
    kv_fence_close(&store->fence);
    leveldb_backend_close(&store->backend);
    free(store);
}

static const struct tercet_store_ops leveldb_ops = {
    .size = sizeof(struct tercet_store_ops),
    .name = "leveldb",
    .connect = store_connect,
    .disconnect = kv_fence_disconnect,
    .begin = kv_fence_begin,
    .savepoint = kv_fence_savepoint,
    .rewind = kv_fence_rewind,
    .claim = kv_fence_claim,
    .raise_epoch = kv_fence_raise_epoch,
    .write = kv_fence_write,
    .check = kv_fence_check,
    .commit = kv_fence_commit,
    .rollback = kv_fence_rollback,
    .apply_mark = kv_fence_apply_mark,
    .describe = kv_fence_describe,
    .find = kv_fence_find,
    .list = kv_fence_list,
    .close = store_close,
};

enum tercet_status tercet_leveldb_open(const struct tercet_leveldb_options *options,
                                       struct tercet_store **store_out,
                                       struct tercet_error *error_out)
{
    struct tercet_leveldb_options known;
    enum tercet_status status =
        struct_size_read(options, &known, sizeof known, "tercet_leveldb_options", error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (known.path == NULL || known.path[0] == '\0') {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "tercet_leveldb_options.path: required");
    }
    const struct tercet_store_options driving = {
        .size = sizeof driving,
        .batch_max = known.batch_max != 0 ? known.batch_max : STORE_BATCH_EMBEDDED_DEFAULT,
        .queue_max = known.queue_max};
    struct leveldb_store *store = xcalloc(1, sizeof *store);
    status = leveldb_backend_open(&store->backend, known.path, known.create_if_missing, error_out);
    if (status == TERCET_OK) {
        status = kv_fence_open(&store->fence, &leveldb_backend_slots, &store->backend, error_out);
    }
    if (status == TERCET_OK) {
        status = tercet_store_create(&leveldb_ops, store, &driving, store_out, error_out);
    }
    if (status != TERCET_OK) {
        store_close(store);
    }
    return status;
}

struct leveldb_t *tercet_leveldb_database(struct tercet_store *store)
{
    if (store == NULL || store->ops != &leveldb_ops) {
        return NULL;
    }
    struct leveldb_store *self = store->self;
    return self->backend.database;
}

/* ---- For handlers ----------------------------------------------------------------------------- */

enum tercet_status tercet_leveldb_get(struct tercet_request *request, struct tercet_bytes key,
                                      struct tercet_bytes *value_out)
{
    struct kv_fence *fence = tercet_request_connection(request, &leveldb_ops);
    if (fence == NULL) {
        return TERCET_FAILED_PRECONDITION;
    }
    return value_out == NULL ? TERCET_INVALID_ARGUMENT : kv_fence_get(fence, key, value_out, NULL);
}

static enum tercet_status change(struct tercet_request *request, struct tercet_bytes key,
                                 const struct tercet_bytes *value)
{
    struct kv_fence *fence = tercet_request_connection(request, &leveldb_ops);
    const size_t prefix_size = sizeof TERCET_LEVELDB_PREFIX - 1;
    const size_t value_size = value == NULL ? 0 : value->size;

    if (fence == NULL) {
        return TERCET_FAILED_PRECONDITION;
    }
    if (key.size < 1 || key.size > KEY_BYTES_MAX || value_size > VALUE_BYTES_MAX ||
        (key.size >= prefix_size && memcmp(key.data, TERCET_LEVELDB_PREFIX, prefix_size) == 0)) {
        return TERCET_INVALID_ARGUMENT;
    }
    if (fence->overlay.bytes + key.size + value_size > HANDLER_BYTES_MAX) {
        return TERCET_RESOURCE_EXHAUSTED;
    }
    overlay_put(&fence->overlay, key, value);
    return TERCET_OK;
}

enum tercet_status tercet_leveldb_put(struct tercet_request *request, struct tercet_bytes key,
                                      struct tercet_bytes value)
{
    return change(request, key, &value);
}

enum tercet_status tercet_leveldb_delete(struct tercet_request *request, struct tercet_bytes key)
{
    return change(request, key, NULL);
}

/* store_memory.c -- see store_memory.h: the fence of kv_fence.h over a map in memory. */
#include "tercet/store_memory.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"
#include "fence/kv_fence.h"
#include "fence/store.h"
#include "fence/struct_size.h"

struct memory_store {
    struct byte_map committed;
    struct kv_fence fence; /* the one connection */
};

/* ---- The backend ------------------------------------------------------------------------------ */

static enum tercet_status memory_get(void *self, struct tercet_bytes key,
                                     struct tercet_bytes *value_out, struct tercet_error *error_out)
{
    struct memory_store *store = self;
    const struct byte_map_entry *entry = byte_map_find(&store->committed, key);
    (void)error_out;
    *value_out = entry == NULL ? tercet_bytes_of(NULL, 0) : byte_map_value(entry);
    return TERCET_OK;
}

static enum tercet_status memory_scan(void *self, struct tercet_bytes from, struct tercet_bytes end,
                                      kv_scan_fn fn, void *context, struct tercet_error *error_out)
{
    struct memory_store *store = self;
    const size_t stop = byte_map_lower_bound(&store->committed, end);
    (void)error_out;
    for (size_t i = byte_map_lower_bound(&store->committed, from); i < stop; i++) {
        const struct byte_map_entry *entry = store->committed.entries[i];
        if (!fn(byte_map_key(entry), byte_map_value(entry), context)) {
            break;
        }
    }
    return TERCET_OK;
}

static enum tercet_status memory_apply(void *self, const struct byte_map *changes,
                                       struct tercet_error *error_out)
{
    struct memory_store *store = self;
    (void)error_out;
    byte_map_merge(&store->committed, changes);
    return TERCET_OK;
}

static enum tercet_status memory_usable(void *self, struct tercet_error *error_out)
{
    (void)self;
    (void)error_out;
    return TERCET_OK;
}

static const struct kv_backend memory_backend = {
    .get = memory_get, .scan = memory_scan, .apply = memory_apply, .usable = memory_usable};

/* ---- The store -------------------------------------------------------------------------------- */

static enum tercet_status memory_connect(void *self, void **connection_out,
                                         struct tercet_error *error_out)
{
    struct memory_store *store = self;
    (void)error_out;
    *connection_out = &store->fence;
    return TERCET_OK;
}

static void memory_close(void *self)
{
    struct memory_store *store = self;
    kv_fence_close(&store->fence);
    byte_map_deinit(&store->committed);
    free(store);
}

static const struct tercet_store_ops memory_ops = {
    .size = sizeof(struct tercet_store_ops),
    .name = "memory",
    .connect = memory_connect,
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
    .close = memory_close,
};

enum tercet_status tercet_memory_open(const struct tercet_memory_options *options,
                                      struct tercet_store **store_out,
                                      struct tercet_error *error_out)
{
    struct tercet_memory_options known;
    enum tercet_status status =
        struct_size_read(options, &known, sizeof known, "tercet_memory_options", error_out);
    if (status != TERCET_OK) {
        return status;
    }
    const struct tercet_store_options driving = {
        .size = sizeof driving,
        .batch_max = known.batch_max != 0 ? known.batch_max : STORE_BATCH_EMBEDDED_DEFAULT,
        .queue_max = known.queue_max};
    struct memory_store *store = xcalloc(1, sizeof *store);
    status = kv_fence_open(&store->fence, &memory_backend, store, error_out);
    tercet_assert(status == TERCET_OK); /* nothing of it can fail */
    status = tercet_store_create(&memory_ops, store, &driving, store_out, error_out);
    if (status != TERCET_OK) {
        memory_close(store);
    }
    return status;
}

/* kv_fence.c -- see kv_fence.h; sweeping and reading for operators is in kv_sweep.c. */
#include "fence/kv_fence.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "base/random.h"
#include "fence/store_rules.h"

/* ---- Reading through the overlay -------------------------------------------------------------- */

/* What stands for a key. */
struct found {
    struct tercet_bytes value; /* data NULL: nothing.  Good until the next read or write */
    bool uncommitted;
};

static enum tercet_status read_through(struct kv_fence *fence, struct tercet_bytes key,
                                       struct found *found_out, struct tercet_error *error_out)
{
    const struct byte_map_entry *own = byte_map_find(&fence->overlay.changes, key);
    *found_out = (struct found){.uncommitted = own != NULL};
    if (own == NULL) {
        return fence->backend->get(fence->self, key, &found_out->value, error_out);
    }
    if (!own->removed) {
        found_out->value = byte_map_value(own);
    }
    return TERCET_OK;
}

static void lend(struct kv_fence *fence, struct byte_map_entry *entry)
{
    if (fence->lent_count == fence->lent_capacity) {
        fence->lent_capacity = fence->lent_capacity == 0 ? 16 : fence->lent_capacity * 2;
        fence->lent = xrealloc(fence->lent, fence->lent_capacity * sizeof(struct byte_map_entry *));
    }
    fence->lent[fence->lent_count++] = entry;
}

static void take_back_lent(struct kv_fence *fence)
{
    for (size_t i = 0; i < fence->lent_count; i++) {
        free(fence->lent[i]);
    }
    fence->lent_count = 0;
}

enum tercet_status kv_fence_get(struct kv_fence *fence, struct tercet_bytes key,
                                struct tercet_bytes *value_out, struct tercet_error *error_out)
{
    struct found found;
    const enum tercet_status status = read_through(fence, key, &found, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (found.value.data == NULL) {
        return error_set(error_out, TERCET_NOT_FOUND, "there is no such key");
    }
    /* A later get or put of the same handler ends what was found. */
    struct byte_map_entry *copy = byte_map_entry_create(key, &found.value);
    lend(fence, copy);
    *value_out = byte_map_value(copy);
    return TERCET_OK;
}

enum tercet_status kv_fence_read_row(struct kv_fence *fence, const struct tercet_fence_key *key,
                                     struct tercet_fence_row *row_out,
                                     struct tercet_error *error_out)
{
    struct row_key name;
    struct found found;

    row_key_row(&name, key);
    const enum tercet_status status = read_through(fence, row_key_bytes(&name), &found, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (found.value.data == NULL) {
        row_out->state = TERCET_FENCE_NONE;
    } else if (!row_decode(found.value, row_out)) {
        return error_set(error_out, TERCET_DATA_LOSS, "fence row %.*s/%u cannot be read",
                         (int)key->gid.size, (const char *)key->gid.data, key->branch);
    }
    return TERCET_OK;
}

static bool is_scope_of(const struct kv_scope *scope, const char *participant,
                        const uint8_t *origin)
{
    return scope->known && strcmp(scope->participant, participant) == 0 &&
           memcmp(scope->origin, origin, TERCET_ORIGIN_BYTES) == 0;
}

enum tercet_status kv_fence_read_scope(struct kv_fence *fence, const char *participant,
                                       const uint8_t *origin, const struct row_scope **scope_out,
                                       struct tercet_error *error_out)
{
    struct kv_scope *scope = &fence->scope;
    struct row_key name;
    struct found found;

    *scope_out = &scope->value;
    if (is_scope_of(scope, participant, origin)) {
        return TERCET_OK;
    }
    scope->known = false;
    row_key_scope(&name, participant, origin);
    enum tercet_status status = read_through(fence, row_key_bytes(&name), &found, error_out);
    if (status == TERCET_OK && found.value.data == NULL) {
        memset(&scope->value, 0, sizeof scope->value);
    } else if (status == TERCET_OK && !row_scope_decode(found.value, &scope->value)) {
        status = error_set(error_out, TERCET_DATA_LOSS, "the mark kept for %s cannot be read",
                           participant);
    }
    if (status == TERCET_OK) {
        const size_t size = strlen(participant) + 1;
        tercet_assert(size <= sizeof scope->participant);
        memcpy(scope->participant, participant, size);
        memcpy(scope->origin, origin, TERCET_ORIGIN_BYTES);
        scope->uncommitted = found.uncommitted;
        scope->known = true;
    }
    return status;
}

/* What was written since is in the database now, or nowhere. */
static void forget_uncommitted_scope(struct kv_fence *fence)
{
    if (fence->scope.uncommitted) {
        fence->scope.known = false;
    }
}

void kv_fence_write_scope(struct kv_fence *fence, const char *participant, const uint8_t *origin,
                          const struct row_scope *scope)
{
    struct row_key name;
    uint8_t bytes[ROW_CODEC_SCOPE_BYTES_MAX];
    row_key_scope(&name, participant, origin);
    const struct tercet_bytes value = tercet_bytes_of(bytes, row_scope_encode(scope, bytes));
    overlay_put(&fence->overlay, row_key_bytes(&name), &value);
    fence->scope.known = false;
}

/* ---- Opening ---------------------------------------------------------------------------------- */

enum tercet_status kv_fence_read_meta(struct kv_fence *fence, uint8_t *store_id_out,
                                      bool *there_out, struct tercet_error *error_out)
{
    struct row_key name;
    struct found found;

    row_key_meta(&name);
    enum tercet_status status = read_through(fence, row_key_bytes(&name), &found, error_out);
    if (status == TERCET_OK && found.value.data != NULL) {
        const uint8_t *bytes = found.value.data;
        if (found.value.size > 0 && bytes[0] > ROW_CODEC_VERSION) {
            status = error_set(error_out, TERCET_FAILED_PRECONDITION,
                               "the fence in this database has version %u, and this library knows "
                               "%d: it was written by a newer one; use that",
                               bytes[0], ROW_CODEC_VERSION);
        } else if (found.value.size != ROW_CODEC_META_BYTES || bytes[0] != ROW_CODEC_VERSION) {
            status = error_set(error_out, TERCET_DATA_LOSS,
                               "the version of the fence in this database cannot be read");
        } else {
            memcpy(store_id_out, bytes + 1, TERCET_STORE_ID_BYTES);
        }
    }
    if (status == TERCET_OK) {
        *there_out = found.value.data != NULL;
    }
    return status;
}

enum tercet_status kv_fence_open(struct kv_fence *fence, const struct kv_backend *backend,
                                 void *self, struct tercet_error *error_out)
{
    uint8_t meta[ROW_CODEC_META_BYTES] = {ROW_CODEC_VERSION};
    bool there = false;

    *fence = (struct kv_fence){.backend = backend, .self = self};
    overlay_init(&fence->overlay);
    enum tercet_status status = kv_fence_read_meta(fence, meta + 1, &there, error_out);
    if (status == TERCET_OK && !there) {
        struct row_key name;
        row_key_meta(&name);
        random_entropy(meta + 1, TERCET_STORE_ID_BYTES);
        const struct tercet_bytes value = tercet_bytes_of(meta, sizeof meta);
        overlay_put(&fence->overlay, row_key_bytes(&name), &value);
        status = kv_fence_commit(fence, error_out);
        if (status ==
            TERCET_UNKNOWN) { /* nobody was told of it: whoever opens it next makes it, or finds it */
            status = TERCET_UNAVAILABLE;
        }
    }
    if (status != TERCET_OK) {
        if (error_out != NULL) {
            error_out->status = status;
        }
        kv_fence_close(fence);
    }
    return status;
}

void kv_fence_close(struct kv_fence *fence)
{
    take_back_lent(fence);
    free(fence->lent);
    overlay_deinit(&fence->overlay);
    *fence = (struct kv_fence){0};
}

/* ---- The local transaction -------------------------------------------------------------------- */

void kv_fence_disconnect(void *connection)
{
    kv_fence_rollback(connection);
}

enum tercet_status kv_fence_begin(void *connection, struct tercet_error *error_out)
{
    struct kv_fence *fence = connection;
    tercet_assert(fence->overlay.changes.count == 0);
    return fence->backend->usable(fence->self, error_out);
}

enum tercet_status kv_fence_savepoint(void *connection, struct tercet_error *error_out)
{
    struct kv_fence *fence = connection;
    (void)error_out;
    take_back_lent(fence);
    overlay_savepoint(&fence->overlay);
    return TERCET_OK;
}

enum tercet_status kv_fence_rewind(void *connection, struct tercet_error *error_out)
{
    struct kv_fence *fence = connection;
    (void)error_out;
    overlay_rewind(&fence->overlay);
    forget_uncommitted_scope(fence);
    return TERCET_OK;
}

static void put_row(struct kv_fence *fence, const struct tercet_fence_key *key,
                    const struct tercet_fence_row *row)
{
    struct row_key name;
    uint8_t bytes[ROW_CODEC_ROW_BYTES_MAX];
    const struct tercet_bytes value = tercet_bytes_of(bytes, row_encode(row, bytes));
    row_key_row(&name, key);
    overlay_put(&fence->overlay, row_key_bytes(&name), &value);
}

/* The row, and its entry among the numbers. */
static void insert_row(struct kv_fence *fence, const struct tercet_fence_key *key,
                       const struct tercet_fence_row *row)
{
    const struct tercet_bytes nothing = tercet_bytes_of("", 0);
    struct row_key name;

    put_row(fence, key, row);
    row_key_number_of(&name, row, key);
    overlay_put(&fence->overlay, row_key_bytes(&name), &nothing);
}

enum tercet_status kv_fence_claim(void *connection, const struct tercet_fence_key *key,
                                  const struct tercet_fence_row *wanted,
                                  struct tercet_fence_claim *claim_out,
                                  struct tercet_error *error_out)
{
    struct kv_fence *fence = connection;
    const struct row_scope *scope = NULL;

    /* Reading before inserting is safe here and only here: nobody else can write in between. */
    fence->inserted = TERCET_FENCE_NONE;
    enum tercet_status status = kv_fence_read_row(fence, key, &claim_out->row, error_out);
    if (status == TERCET_OK && claim_out->row.state == TERCET_FENCE_NONE &&
        wanted->state != TERCET_FENCE_NONE) {
        insert_row(fence, key, wanted);
        fence->inserted = wanted->state;
    }
    if (status == TERCET_OK) {
        status = kv_fence_read_scope(fence, wanted->participant, wanted->identity.origin, &scope,
                                     error_out);
    }
    if (status == TERCET_OK) {
        store_rules_end_claim(scope->epoch, &scope->mark, wanted->identity.number, claim_out);
    }
    return status;
}

enum tercet_status kv_fence_raise_epoch(void *connection, const struct tercet_fence_caller *caller,
                                        struct tercet_error *error_out)
{
    struct kv_fence *fence = connection;
    const struct row_scope *scope = NULL;
    const enum tercet_status status =
        kv_fence_read_scope(fence, caller->participant, caller->origin, &scope, error_out);
    if (status == TERCET_OK && tercet_epoch_compare(scope->epoch, caller->epoch) < 0) {
        struct row_scope raised = *scope;
        raised.epoch = caller->epoch;
        kv_fence_write_scope(fence, caller->participant, caller->origin, &raised);
    }
    return status;
}

enum tercet_status kv_fence_write(void *connection, const struct tercet_fence_key *key,
                                  const struct tercet_fence_row *row,
                                  struct tercet_error *error_out)
{
    /* Its entry among the numbers is there: it names what never changes of a row, the identity (one
     * of another is a conflict) and the participant, which the digest covers.  And the claim may have put
     * this very row, where no handler can reach it. */
    struct kv_fence *fence = connection;
    (void)error_out;
    if (fence->inserted != row->state || row->result_bytes > 0) {
        put_row(fence, key, row);
    }
    return TERCET_OK;
}

enum tercet_status kv_fence_check(void *connection, struct tercet_error *error_out)
{
    /* A handler has no means to end this transaction. */
    const struct kv_fence *fence = connection;
    return fence->backend->usable(fence->self, error_out);
}

enum tercet_status kv_fence_commit(void *connection, struct tercet_error *error_out)
{
    struct kv_fence *fence = connection;
    enum tercet_status status = TERCET_OK;
    if (fence->overlay.changes.count > 0) {
        TERCET_FAILPOINT("kv.before_apply");
        status = fence->backend->apply(fence->self, &fence->overlay.changes, error_out);
    }
    kv_fence_rollback(fence); /* it is in the database, or nobody may believe it */
    return status;
}

void kv_fence_rollback(void *connection)
{
    struct kv_fence *fence = connection;
    take_back_lent(fence);
    overlay_clear(&fence->overlay);
    forget_uncommitted_scope(fence);
}

/* batch.c -- see journal.h and batch_read.h. */
#include <string.h>

#include "base/assert.h"
#include "journal/batch_read.h"
#include "journal/record_key.h"

enum { SIZE_BYTES = 4 };

void journal_batch_init(struct journal_batch *batch)
{
    *batch = (struct journal_batch){0};
}

void journal_batch_deinit(struct journal_batch *batch)
{
    buffer_deinit(&batch->operations);
    journal_batch_init(batch);
}

void journal_batch_clear(struct journal_batch *batch)
{
    buffer_clear(&batch->operations);
    batch->lsn = 0;
    batch->next_number = 0;
    batch->operation_count = 0;
    batch->digest_delta = (struct digest128){0};
    batch->live_delta = 0;
    batch->put_at = 0;
    batch->put_bytes_max = 0;
    batch->outcome_count = 0;
    batch->greatest_ended_gid[0] = '\0';
}

static void append_key(struct journal_batch *batch, enum batch_operation_kind kind,
                       struct tercet_bytes key)
{
    tercet_assert(key.size <= UINT32_MAX && batch->put_bytes_max == 0);
    buffer_append_u8(&batch->operations, (uint8_t)kind);
    buffer_append_be32(&batch->operations, (uint32_t)key.size);
    buffer_append(&batch->operations, key.data, key.size);
}

/* The pair with this hash is no longer live. */
static void forget_pair(struct journal_batch *batch, struct digest128 hash)
{
    batch->digest_delta = digest128_subtract(batch->digest_delta, hash);
    batch->live_delta--;
}

uint8_t *journal_batch_begin_put(struct journal_batch *batch, struct tercet_bytes key,
                                 size_t value_bytes_max)
{
    tercet_assert(value_bytes_max > 0 && value_bytes_max <= UINT32_MAX);
    const size_t at = batch->operations.size;
    append_key(batch, BATCH_PUT, key);
    batch->put_at = at;
    batch->put_bytes_max = value_bytes_max;
    return buffer_extend(&batch->operations, SIZE_BYTES + value_bytes_max) + SIZE_BYTES;
}

/* The pair whose value has been written, with its size in front of that. */
static struct batch_operation end_put(struct journal_batch *batch, size_t value_size)
{
    struct batch_reader reader = {batch, batch->put_at};
    struct batch_operation pair;
    tercet_assert(value_size <= batch->put_bytes_max);
    batch->operations.size -= batch->put_bytes_max - value_size;
    store_be32(batch->operations.data + batch->operations.size - value_size - SIZE_BYTES,
               (uint32_t)value_size);
    batch->put_bytes_max = 0;
    tercet_assert(batch_reader_next(&reader, &pair));
    return pair;
}

static void count_put(struct journal_batch *batch, const struct batch_operation *pair,
                      struct digest128 *hash_io)
{
    if (!digest128_is_zero(*hash_io)) {
        forget_pair(batch, *hash_io);
    }
    *hash_io = digest128_of_pair(pair->key, pair->value);
    batch->digest_delta = digest128_add(batch->digest_delta, *hash_io);
    batch->live_delta++;
    batch->operation_count++;
}

void journal_batch_end_put(struct journal_batch *batch, size_t value_size,
                           struct digest128 *hash_io)
{
    const struct batch_operation pair = end_put(batch, value_size);
    count_put(batch, &pair, hash_io);
}

void journal_batch_end_put_for_good(struct journal_batch *batch, size_t value_size)
{
    struct digest128 hash = {0};
    const struct batch_operation pair = end_put(batch, value_size);
    count_put(batch, &pair, &hash);
    batch->outcome_count++;
    record_key_raise_by_key(batch->greatest_ended_gid, pair.key);
}

static void put_copy(struct journal_batch *batch, struct tercet_bytes key,
                     struct tercet_bytes value)
{
    uint8_t *to = journal_batch_begin_put(batch, key, value.size > 0 ? value.size : 1);
    if (value.size > 0) {
        memcpy(to, value.data, value.size);
    }
}

void journal_batch_put(struct journal_batch *batch, struct tercet_bytes key,
                       struct tercet_bytes value, struct digest128 *hash_io)
{
    put_copy(batch, key, value);
    journal_batch_end_put(batch, value.size, hash_io);
}

void journal_batch_put_for_good(struct journal_batch *batch, struct tercet_bytes key,
                                struct tercet_bytes value)
{
    put_copy(batch, key, value);
    journal_batch_end_put_for_good(batch, value.size);
}

void journal_batch_delete(struct journal_batch *batch, struct tercet_bytes key,
                          struct digest128 *hash_io)
{
    if (digest128_is_zero(*hash_io)) {
        return;
    }
    forget_pair(batch, *hash_io);
    *hash_io = (struct digest128){0};
    append_key(batch, BATCH_DELETE, key);
    batch->operation_count++;
}

static struct tercet_bytes read_bytes(struct batch_reader *reader)
{
    const struct buffer *operations = &reader->batch->operations;
    tercet_assert(operations->size - reader->at >= SIZE_BYTES);
    const uint32_t size = load_be32(operations->data + reader->at);
    reader->at += SIZE_BYTES;
    tercet_assert(operations->size - reader->at >= size);
    const uint8_t *data = operations->data + reader->at;
    reader->at += size;
    return tercet_bytes_of(data, size);
}

bool batch_reader_next(struct batch_reader *reader, struct batch_operation *operation_out)
{
    const struct buffer *operations = &reader->batch->operations;
    if (reader->at == operations->size) {
        return false;
    }
    const uint8_t kind = operations->data[reader->at];
    tercet_assert(kind == BATCH_PUT || kind == BATCH_DELETE);
    reader->at++;
    *operation_out = (struct batch_operation){.kind = kind};
    operation_out->key = read_bytes(reader);
    if (kind == BATCH_PUT) {
        operation_out->value = read_bytes(reader);
    }
    return true;
}

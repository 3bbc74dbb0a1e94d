/* batch.c -- see journal.h and batch_read.h. */
#include "base/assert.h"
#include "journal/batch_read.h"
#include "journal/record_key.h"

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
    batch->greatest_ended_gid[0] = '\0';
}

static void append_bytes(struct buffer *buffer, struct tercet_bytes bytes)
{
    tercet_assert(bytes.size <= UINT32_MAX);
    buffer_append_be32(buffer, (uint32_t)bytes.size);
    buffer_append(buffer, bytes.data, bytes.size);
}

/* The pair with this hash is no longer live. */
static void forget_pair(struct journal_batch *batch, struct digest128 hash)
{
    batch->digest_delta = digest128_subtract(batch->digest_delta, hash);
    batch->live_delta--;
}

void journal_batch_put(struct journal_batch *batch, struct tercet_bytes key,
                       struct tercet_bytes value, struct digest128 *hash_io)
{
    if (!digest128_is_zero(*hash_io)) {
        forget_pair(batch, *hash_io);
    }
    *hash_io = digest128_of_pair(key, value);
    batch->digest_delta = digest128_add(batch->digest_delta, *hash_io);
    batch->live_delta++;
    buffer_append_u8(&batch->operations, BATCH_PUT);
    append_bytes(&batch->operations, key);
    append_bytes(&batch->operations, value);
    batch->operation_count++;
}

void journal_batch_put_for_good(struct journal_batch *batch, struct tercet_bytes key,
                                struct tercet_bytes value)
{
    struct digest128 hash = {0};
    journal_batch_put(batch, key, value, &hash);
    record_key_raise_by_key(batch->greatest_ended_gid, key);
}

void journal_batch_delete(struct journal_batch *batch, struct tercet_bytes key,
                          struct digest128 *hash_io)
{
    if (digest128_is_zero(*hash_io)) {
        return;
    }
    forget_pair(batch, *hash_io);
    *hash_io = (struct digest128){0};
    buffer_append_u8(&batch->operations, BATCH_DELETE);
    append_bytes(&batch->operations, key);
    batch->operation_count++;
}

static struct tercet_bytes read_bytes(struct batch_reader *reader)
{
    const struct buffer *operations = &reader->batch->operations;
    tercet_assert(operations->size - reader->at >= 4);
    const uint32_t size = load_be32(operations->data + reader->at);
    reader->at += 4;
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

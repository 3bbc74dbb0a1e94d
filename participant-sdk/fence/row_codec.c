/* row_codec.c -- see row_codec.h. */
#include "fence/row_codec.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "fence/mark_codec.h"

static_assert(sizeof ROW_CODEC_PREFIX - 1 + 1 + 1 + TERCET_NAME_BYTES_MAX + TERCET_ORIGIN_BYTES +
                      16 + 2 + TERCET_GID_BYTES_MAX + 4 <=
                  ROW_CODEC_KEY_BYTES_MAX,
              "the longest key fits");
static_assert(2 + TERCET_ORIGIN_BYTES + 16 + TERCET_DIGEST_BYTES + 2 * (1 + TERCET_NAME_BYTES_MAX) +
                      2 + TERCET_RESULT_BYTES_MAX <=
                  ROW_CODEC_ROW_BYTES_MAX,
              "the longest row fits");

enum { KEY_TAIL_BYTES_MIN = 2 + 1 + 4 }; /* gid of one byte, branch */

/* ---- Keys ------------------------------------------------------------------------------------ */

struct tercet_bytes row_key_bytes(const struct row_key *key)
{
    return tercet_bytes_of(key->bytes, key->size);
}

static void add_bytes(struct row_key *key, const void *data, size_t size)
{
    tercet_assert(size <= sizeof key->bytes - key->size);
    memcpy(key->bytes + key->size, data, size);
    key->size += size;
}

static void add_byte(struct row_key *key, unsigned value)
{
    const uint8_t byte = (uint8_t)value;
    add_bytes(key, &byte, 1);
}

static void begin(struct row_key *key, char kind)
{
    key->size = 0;
    add_bytes(key, ROW_CODEC_PREFIX, sizeof ROW_CODEC_PREFIX - 1);
    add_byte(key, (unsigned char)kind);
}

static void add_name(struct row_key *key, const char *name)
{
    const size_t size = strlen(name);
    tercet_assert(size >= 1 && size <= TERCET_NAME_BYTES_MAX);
    add_byte(key, (unsigned)size);
    add_bytes(key, name, size);
}

static void add_number(struct row_key *key, int64_t value)
{
    uint8_t bytes[8];
    big_endian_write(bytes, value);
    add_bytes(key, bytes, sizeof bytes);
}

static void add_branch(struct row_key *key, const struct tercet_fence_key *branch)
{
    uint8_t number[4];
    tercet_assert(branch->gid.size >= 1 && branch->gid.size <= TERCET_GID_BYTES_MAX);
    add_byte(key, (unsigned)(branch->gid.size >> 8));
    add_byte(key, (unsigned)(branch->gid.size & 0xff));
    add_bytes(key, branch->gid.data, branch->gid.size);
    store_be32(number, branch->branch);
    add_bytes(key, number, sizeof number);
}

void row_key_meta(struct row_key *key_out)
{
    begin(key_out, 'M');
}

void row_key_scope(struct row_key *key_out, const char *participant, const uint8_t *origin)
{
    begin(key_out, 'S');
    add_name(key_out, participant);
    add_bytes(key_out, origin, TERCET_ORIGIN_BYTES);
}

void row_key_row(struct row_key *key_out, const struct tercet_fence_key *key)
{
    begin(key_out, 'F');
    add_branch(key_out, key);
}

static void begin_numbers(struct row_key *key, const char *participant, const uint8_t *origin)
{
    begin(key, 'N');
    add_name(key, participant);
    add_bytes(key, origin, TERCET_ORIGIN_BYTES);
}

void row_key_number(struct row_key *key_out, const char *participant, const uint8_t *origin,
                    struct tercet_branch_number number)
{
    begin_numbers(key_out, participant, origin);
    add_number(key_out, number.incarnation);
    add_number(key_out, number.number);
}

void row_key_number_end(struct row_key *key_out, const char *participant, const uint8_t *origin)
{
    begin_numbers(key_out, participant, origin);
    add_byte(key_out, 0xff); /* numbers are positive: their first byte is below 0x80 */
}

void row_key_number_of(struct row_key *key_out, const struct tercet_fence_row *row,
                       const struct tercet_fence_key *key)
{
    row_key_number(key_out, row->participant, row->identity.origin, row->identity.number);
    add_branch(key_out, key);
}

bool row_key_number_parse(struct tercet_bytes bytes, struct tercet_branch_number *number_out,
                          struct tercet_fence_key *key_out)
{
    const uint8_t *data = bytes.data;
    size_t at = sizeof ROW_CODEC_PREFIX; /* the prefix, and the kind in the place of its NUL */
    if (bytes.size <= at) {
        return false;
    }
    at += 1u + data[at] + TERCET_ORIGIN_BYTES;
    if (bytes.size < at + 16 + KEY_TAIL_BYTES_MIN) {
        return false;
    }
    const uint8_t *tail = data + at + 16;
    const size_t gid_size = ((size_t)tail[0] << 8) | tail[1];
    if (gid_size < 1 || gid_size > TERCET_GID_BYTES_MAX ||
        bytes.size != at + 16 + 2 + gid_size + 4) {
        return false;
    }
    number_out->incarnation = big_endian_read(data + at);
    number_out->number = big_endian_read(data + at + 8);
    key_out->gid = tercet_bytes_of(tail + 2, gid_size);
    const uint8_t *branch = tail + 2 + gid_size;
    key_out->branch = ((uint32_t)branch[0] << 24) | ((uint32_t)branch[1] << 16) |
                      ((uint32_t)branch[2] << 8) | branch[3];
    return true;
}

/* ---- Values ---------------------------------------------------------------------------------- */

/* A value being read: what was taken, or that there was not enough. */
struct reader {
    const uint8_t *at;
    size_t left;
    bool short_of;
};

static const uint8_t *take(struct reader *reader, size_t size)
{
    static const uint8_t nothing[TERCET_ORIGIN_BYTES];
    static_assert(TERCET_DIGEST_BYTES <= sizeof nothing && 8 <= sizeof nothing,
                  "whoever takes a constant size may read it without looking at short_of first");
    if (reader->left < size) {
        reader->short_of = true;
        reader->left = 0;
        tercet_assert(size <= sizeof nothing);
        return nothing;
    }
    const uint8_t *taken = reader->at;
    reader->at += size;
    reader->left -= size;
    return taken;
}

static bool take_name(struct reader *reader, char *name_out)
{
    const size_t size = take(reader, 1)[0];
    if (size < 1 || size > TERCET_NAME_BYTES_MAX || size > reader->left) {
        return false;
    }
    memcpy(name_out, take(reader, size), size);
    name_out[size] = '\0';
    return memchr(name_out, '\0', size) == NULL;
}

static uint8_t *put_name(uint8_t *at, const char *name)
{
    const size_t size = strlen(name);
    *at++ = (uint8_t)size;
    memcpy(at, name, size);
    return at + size;
}

size_t row_encode(const struct tercet_fence_row *row, uint8_t *bytes_out)
{
    uint8_t *at = bytes_out;
    tercet_assert(row->state >= TERCET_FENCE_TRIED && row->state <= TERCET_FENCE_SUSPENDED);
    tercet_assert(row->result_bytes <= TERCET_RESULT_BYTES_MAX);
    *at++ = ROW_CODEC_VERSION;
    *at++ = (uint8_t)row->state;
    memcpy(at, row->identity.origin, TERCET_ORIGIN_BYTES);
    at += TERCET_ORIGIN_BYTES;
    big_endian_write(at, row->identity.number.incarnation);
    big_endian_write(at + 8, row->identity.number.number);
    at += 16;
    memcpy(at, row->identity.digest, TERCET_DIGEST_BYTES);
    at += TERCET_DIGEST_BYTES;
    at = put_name(at, row->participant);
    at = put_name(at, row->action);
    *at++ = (uint8_t)(row->result_bytes >> 8);
    *at++ = (uint8_t)(row->result_bytes & 0xff);
    memcpy(at, row->result, row->result_bytes);
    return (size_t)(at - bytes_out) + row->result_bytes;
}

bool row_decode(struct tercet_bytes bytes, struct tercet_fence_row *row_out)
{
    struct reader reader = {.at = bytes.data, .left = bytes.size};

    if (take(&reader, 1)[0] != ROW_CODEC_VERSION) {
        return false;
    }
    const uint8_t state = take(&reader, 1)[0];
    if (state < TERCET_FENCE_TRIED || state > TERCET_FENCE_SUSPENDED) {
        return false;
    }
    row_out->state = (enum tercet_fence_state)state;
    memcpy(row_out->identity.origin, take(&reader, TERCET_ORIGIN_BYTES), TERCET_ORIGIN_BYTES);
    row_out->identity.number.incarnation = big_endian_read(take(&reader, 8));
    row_out->identity.number.number = big_endian_read(take(&reader, 8));
    memcpy(row_out->identity.digest, take(&reader, TERCET_DIGEST_BYTES), TERCET_DIGEST_BYTES);
    if (!take_name(&reader, row_out->participant) || !take_name(&reader, row_out->action)) {
        return false;
    }
    const uint8_t *size = take(&reader, 2);
    row_out->result_bytes = ((uint32_t)size[0] << 8) | size[1];
    if (reader.short_of || row_out->result_bytes > TERCET_RESULT_BYTES_MAX ||
        reader.left != row_out->result_bytes) {
        return false;
    }
    memcpy(row_out->result, reader.at, row_out->result_bytes);
    row_out->result[row_out->result_bytes] = 0;
    return true;
}

size_t row_scope_encode(const struct row_scope *scope, uint8_t *bytes_out)
{
    const int64_t numbers[] = {
        scope->epoch.incarnation, scope->epoch.epoch,          scope->mark.as_of_incarnation,
        scope->mark.as_of_lsn,    scope->mark.low.incarnation, scope->mark.low.number,
    };
    uint8_t *at = bytes_out;
    *at++ = ROW_CODEC_VERSION;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++, at += 8) {
        big_endian_write(at, numbers[i]);
    }
    return (size_t)(at - bytes_out) + mark_open_encode(&scope->mark, at);
}

bool row_scope_decode(struct tercet_bytes bytes, struct row_scope *scope_out)
{
    struct reader reader = {.at = bytes.data, .left = bytes.size};
    struct tercet_mark *mark = &scope_out->mark;

    if (bytes.size < 49 || take(&reader, 1)[0] != ROW_CODEC_VERSION) {
        return false;
    }
    scope_out->epoch.incarnation = big_endian_read(take(&reader, 8));
    scope_out->epoch.epoch = big_endian_read(take(&reader, 8));
    mark->as_of_incarnation = big_endian_read(take(&reader, 8));
    mark->as_of_lsn = big_endian_read(take(&reader, 8));
    mark->low.incarnation = big_endian_read(take(&reader, 8));
    mark->low.number = big_endian_read(take(&reader, 8));
    return mark_open_decode(tercet_bytes_of(reader.at, reader.left), mark);
}

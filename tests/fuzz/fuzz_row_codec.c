/* fuzz_row_codec.c -- the fence's values and keys, from arbitrary bytes.
 *
 * Oracle: bytes that row_decode or row_scope_decode accept are the bytes that the encoder writes for
 * what was read (there is one form), and fit the buffer that the stores offer.  The first byte of the
 * input selects the reader. */
#include "base/assert.h"
#include "fence/row_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void row_round_trip(struct tercet_bytes bytes)
{
    static uint8_t again[ROW_CODEC_ROW_BYTES_MAX];
    static struct tercet_fence_row row;

    if (row_decode(bytes, &row)) {
        const size_t size = row_encode(&row, again);
        tercet_assert(size == bytes.size && memcmp(again, bytes.data, size) == 0);
    }
}

static void scope_round_trip(struct tercet_bytes bytes)
{
    static uint8_t again[ROW_CODEC_SCOPE_BYTES_MAX];
    static struct row_scope scope;

    if (row_scope_decode(bytes, &scope)) {
        const size_t size = row_scope_encode(&scope, again);
        tercet_assert(size == bytes.size && memcmp(again, bytes.data, size) == 0);
    }
}

static void number_parse(struct tercet_bytes bytes)
{
    struct tercet_branch_number number;
    struct tercet_fence_key key;

    if (row_key_number_parse(bytes, &number, &key)) {
        tercet_assert(key.gid.size >= 1 && key.gid.size <= TERCET_GID_BYTES_MAX);
        const uint8_t *start = key.gid.data;
        const uint8_t *all = bytes.data;
        tercet_assert(start > all && start + key.gid.size + 4 == all + bytes.size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    const struct tercet_bytes bytes = tercet_bytes_of(data + 1, size - 1);
    switch (data[0] % 3) {
    case 0:
        row_round_trip(bytes);
        break;
    case 1:
        scope_round_trip(bytes);
        break;
    case 2:
        number_parse(bytes);
        break;
    }
    return 0;
}

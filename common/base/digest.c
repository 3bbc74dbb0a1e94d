/* digest.c -- see digest.h. */
#include "base/digest.h"

#define XXH_STATIC_LINKING_ONLY /* the state on the stack */
#include <xxhash.h>

#include "base/assert.h"
#include "base/bytes.h"

enum { PREFIX_BYTES = 8, SMALL_BYTES = 1024 };

/* The same hash, of bytes that stand behind one another: preparing a state costs more than copying a
 * pair of the usual size. */
static XXH128_hash_t hash_small(struct tercet_bytes key, struct tercet_bytes value)
{
    uint8_t all[PREFIX_BYTES + SMALL_BYTES];
    store_be64(all, key.size);
    if (key.size > 0) {
        memcpy(all + PREFIX_BYTES, key.data, key.size);
    }
    if (value.size > 0) {
        memcpy(all + PREFIX_BYTES + key.size, value.data, value.size);
    }
    return XXH3_128bits(all, PREFIX_BYTES + key.size + value.size);
}

static XXH128_hash_t hash_large(struct tercet_bytes key, struct tercet_bytes value)
{
    XXH3_state_t state;
    uint8_t prefix[PREFIX_BYTES];
    store_be64(prefix, key.size);
    tercet_assert(XXH3_128bits_reset(&state) == XXH_OK);
    tercet_assert(XXH3_128bits_update(&state, prefix, sizeof prefix) == XXH_OK);
    tercet_assert(XXH3_128bits_update(&state, key.data, key.size) == XXH_OK);
    tercet_assert(XXH3_128bits_update(&state, value.data, value.size) == XXH_OK);
    return XXH3_128bits_digest(&state);
}

struct digest128 digest128_of_pair(struct tercet_bytes key, struct tercet_bytes value)
{
    const bool small = key.size <= SMALL_BYTES && value.size <= SMALL_BYTES - key.size;
    const XXH128_hash_t hash = small ? hash_small(key, value) : hash_large(key, value);
    struct digest128 digest = {.high = hash.high64, .low = hash.low64};
    digest.low += digest128_is_zero(digest) ? 1 : 0;
    return digest;
}

struct digest128 digest128_add(struct digest128 a, struct digest128 b)
{
    struct digest128 sum = {.high = a.high + b.high, .low = a.low + b.low};
    sum.high += sum.low < a.low ? 1 : 0;
    return sum;
}

struct digest128 digest128_subtract(struct digest128 a, struct digest128 b)
{
    struct digest128 rest = {.high = a.high - b.high, .low = a.low - b.low};
    rest.high -= a.low < b.low ? 1 : 0;
    return rest;
}

bool digest128_equal(struct digest128 a, struct digest128 b)
{
    return a.high == b.high && a.low == b.low;
}

bool digest128_is_zero(struct digest128 digest)
{
    return digest.high == 0 && digest.low == 0;
}

void digest128_store(struct digest128 digest, uint8_t to[16])
{
    store_be64(to, digest.high);
    store_be64(to + 8, digest.low);
}

struct digest128 digest128_load(const uint8_t from[16])
{
    return (struct digest128){.high = load_be64(from), .low = load_be64(from + 8)};
}

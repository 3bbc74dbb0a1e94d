/* digest.h -- a digest of a set of pairs that can be kept up to date: the sum modulo 2^128 of a
 * 128-bit hash (XXH3) of each pair.  Adding and removing a pair is one addition or subtraction; a
 * missing, stale or changed pair anywhere does not add up.  It finds damage, not malice. */
#ifndef COMMON_BASE_DIGEST_H
#define COMMON_BASE_DIGEST_H

#include "tercet/tercet.h"

struct digest128 {
    uint64_t high;
    uint64_t low;
};

#ifdef __cplusplus
extern "C" {
#endif

/* Of one pair: the key length-prefixed, then the value.  Never zero, which means "no pair". */
struct digest128 digest128_of_pair(struct tercet_bytes key, struct tercet_bytes value);
struct digest128 digest128_add(struct digest128 a, struct digest128 b);
struct digest128 digest128_subtract(struct digest128 a, struct digest128 b);
bool digest128_equal(struct digest128 a, struct digest128 b);
bool digest128_is_zero(struct digest128 digest);
void digest128_store(struct digest128 digest, uint8_t to[16]); /* big-endian */
struct digest128 digest128_load(const uint8_t from[16]);

#ifdef __cplusplus
}
#endif

#endif

/* random.h -- xoshiro256** (Blackman and Vigna), seeded by splitmix64: the same seed, the same
 * numbers, everywhere.  For jitter and simulation, never for secrets. */
#ifndef COMMON_BASE_RANDOM_H
#define COMMON_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state[4];
};

#ifdef __cplusplus
extern "C" {
#endif

void random_init(struct random *random, uint64_t seed);
uint64_t random_u64(struct random *random);
uint64_t random_below(struct random *random, uint64_t bound); /* 0 to bound - 1, unbiased */

/* The system's own randomness, for seeds and identities. */
void random_entropy(void *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif

/* random.c -- see random.h. */
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/assert.h"

void random_init(struct random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++) { /* splitmix64 */
        seed += 0x9e3779b97f4a7c15U;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        random->state[i] = z ^ (z >> 31);
    }
}

static uint64_t rotate_left(uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

uint64_t random_u64(struct random *random)
{
    uint64_t *s = random->state;
    const uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    tercet_assert(bound > 0);
    /* Values below 2^64 mod bound would make the small numbers likelier: draw again. */
    const uint64_t reject_below = (0 - bound) % bound;
    uint64_t value = random_u64(random);
    while (value < reject_below) {
        value = random_u64(random);
    }
    return value % bound;
}

void random_entropy(void *buffer, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = getrandom((char *)buffer + done, size - done, 0);
        tercet_assert(got > 0 || errno == EINTR);
        done += got > 0 ? (size_t)got : 0;
    }
}

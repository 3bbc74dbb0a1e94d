/* histogram.c -- see histogram.h.
 *
 * A value's exponent e is that of its highest bit.  Its five bits behind the highest select one of 32
 * buckets: value >> (e - 5) lies in [32, 63].  Values below 64 are their own bucket, which is what the
 * same formula gives for a shift of zero. */
#include "histogram.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

enum { SUB_BITS = 5, SUB_COUNT = 1 << SUB_BITS, EXPONENT_MAX = 40 };
enum { BUCKET_COUNT = (EXPONENT_MAX - SUB_BITS) * SUB_COUNT + 2 * SUB_COUNT };

struct histogram {
    atomic_uint_fast64_t buckets[BUCKET_COUNT];
    atomic_uint_fast64_t max;
};

struct histogram *histogram_create(void)
{
    return calloc(1, sizeof(struct histogram));
}

void histogram_destroy(struct histogram *histogram)
{
    free(histogram);
}

static unsigned shift_of(uint64_t value)
{
    unsigned exponent = 0;
    for (uint64_t rest = value >> 1; rest != 0; rest >>= 1) {
        exponent++;
    }
    return exponent <= SUB_BITS ? 0 : exponent - SUB_BITS;
}

static size_t bucket_of(uint64_t value)
{
    const unsigned shift = shift_of(value);
    return (size_t)shift * SUB_COUNT + (size_t)(value >> shift);
}

/* The largest value of a bucket. */
static uint64_t top_of(size_t bucket)
{
    const size_t shift = bucket < 2 * SUB_COUNT ? 0 : bucket / SUB_COUNT - 1;
    return (((uint64_t)(bucket - shift * SUB_COUNT) + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    const uint64_t highest = UINT64_C(1) << EXPONENT_MAX;
    const uint64_t kept = value < highest ? value : highest;

    atomic_fetch_add_explicit(&histogram->buckets[bucket_of(kept)], 1, memory_order_relaxed);
    uint_fast64_t max = atomic_load_explicit(&histogram->max, memory_order_relaxed);
    while (kept > max && !atomic_compare_exchange_weak(&histogram->max, &max, kept)) {
    }
}

uint64_t histogram_count(const struct histogram *histogram)
{
    uint64_t count = 0;
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        count += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
    }
    return count;
}

uint64_t histogram_max(const struct histogram *histogram)
{
    return atomic_load_explicit(&histogram->max, memory_order_relaxed);
}

uint64_t histogram_percentile(const struct histogram *histogram, uint32_t per_mille)
{
    const uint64_t count = histogram_count(histogram);
    const uint64_t max = histogram_max(histogram);
    const uint64_t wanted = (count * per_mille + 999) / 1000;
    uint64_t seen = 0;

    for (size_t i = 0; i < BUCKET_COUNT && count > 0; i++) {
        seen += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        if (seen >= wanted) {
            return top_of(i) < max ? top_of(i) : max;
        }
    }
    return max;
}

/* histogram.h -- counts of durations, fine enough for percentiles and of constant size.
 *
 * Log-linear: up to 63 µs each value has a bucket of its own, above that every power of two is cut
 * into 32, so that a percentile is at most 3.2 % above the truth and never below it.  The largest
 * value is kept exactly.
 *
 * Thread: histogram_add() any, several at once; the others when no one adds. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct histogram;

struct histogram *histogram_create(void); /* NULL: no memory */
void histogram_destroy(struct histogram *histogram);

/* Values above 2^40 (twelve days in µs) are counted as that. */
void histogram_add(struct histogram *histogram, uint64_t value);

uint64_t histogram_count(const struct histogram *histogram);
uint64_t histogram_max(const struct histogram *histogram);

/* The smallest value that at least `per_mille` / 1000 of all do not exceed; 0 when there are none.
 * 1 to 1000. */
uint64_t histogram_percentile(const struct histogram *histogram, uint32_t per_mille);

#ifdef __cplusplus
}
#endif

#endif

/* backoff.h -- how long to wait before the next attempt: doubling with full jitter. */
#ifndef COMMON_BASE_BACKOFF_H
#define COMMON_BASE_BACKOFF_H

#include "base/random.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A delay of 1 ms to min(cap_ms, base_ms * 2^(attempt - 1)), any with equal chance.  `attempt`
 * counts from 1. */
uint32_t backoff_delay_ms(uint32_t attempt, uint32_t base_ms, uint32_t cap_ms,
                          struct random *random);

#ifdef __cplusplus
}
#endif

#endif

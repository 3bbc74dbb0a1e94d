/* backoff.c -- see backoff.h. */
#include "base/backoff.h"

#include "base/assert.h"

uint32_t backoff_delay_ms(uint32_t attempt, uint32_t base_ms, uint32_t cap_ms,
                          struct random *random)
{
    tercet_assert(attempt >= 1 && base_ms >= 1 && cap_ms >= base_ms);
    const uint32_t doublings = attempt - 1 < 32 ? attempt - 1 : 32;
    const uint64_t grown = (uint64_t)base_ms << doublings;
    const uint64_t most = grown < cap_ms ? grown : cap_ms;
    return (uint32_t)(1 + random_below(random, most));
}

/* moment.c -- see moment.h. */
#include "src/moment.h"

#include <stdatomic.h>
#include <time.h>

#include "base/assert.h"
#include "base/clock.h"

int64_t moment_ms(void)
{
    struct timespec now;
    const int failed = clock_gettime(CLOCK_MONOTONIC, &now);
    tercet_assert(failed == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t moment_unix_ms(void)
{
    return clock_read().unix_ms;
}

/* splitmix64 over a shared counter that starts at the time. */
uint32_t moment_random(void)
{
    static atomic_uint_fast64_t counter;
    uint64_t value = atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed);
    value = (value + (uint64_t)moment_unix_ms()) * UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(value >> 32);
}

void moment_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);
    failed |= pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    failed |= pthread_cond_init(condition, &attributes);
    failed |= pthread_condattr_destroy(&attributes);
    tercet_assert(failed == 0);
}

void moment_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t until_ms)
{
    if (until_ms == INT64_MAX) {
        (void)pthread_cond_wait(condition, mutex);
        return;
    }
    const struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                                   .tv_nsec = (long)(until_ms % 1000) * 1000000};
    (void)pthread_cond_timedwait(condition, mutex, &until);
}

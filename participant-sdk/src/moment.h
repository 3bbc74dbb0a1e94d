/* moment.h -- the SDK's timers and its dice.
 *
 * Timers are by CLOCK_MONOTONIC, because a condition variable cannot wait by the clock that counts
 * sleep too (base/clock.h).  After the machine has slept the SDK waits a little longer than it
 * said, which is safe: nothing is decided by these timers. */
#ifndef TERCET_SRC_MOMENT_H
#define TERCET_SRC_MOMENT_H

#include <pthread.h>
#include <stdint.h>

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

int64_t moment_ms(void);      /* monotonic; does not jump */
int64_t moment_unix_ms(void); /* wall clock */
uint32_t moment_random(void); /* for jitter, never for secrets */

/* A condition whose timed waits are by moment_ms(). */
void moment_condition_init(pthread_cond_t *condition);

/* Waits until signalled or `until_ms`; INT64_MAX: for ever. */
void moment_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t until_ms);

TERCET_END_DECLS

#endif

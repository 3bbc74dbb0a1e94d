/* thread.h -- a thread of ours: named, and blocking all signals, so that none of the caller's handlers
 * ever runs on it. */
#ifndef COMMON_BASE_THREAD_H
#define COMMON_BASE_THREAD_H

#include <pthread.h>

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

/* `name` is what `top -H` and a debugger show, at most 15 bytes.  A thread that cannot be made ends the
 * process, like memory that cannot be had. */
void thread_start(pthread_t *thread_out, const char *name, void *(*run)(void *argument),
                  void *argument);

/* Whether the calling thread was made by thread_start(): all signals are blocked in it for good. */
bool thread_is_ours(void);

TERCET_END_DECLS

#endif

/* threads.h -- a thread of the SDK's own: it blocks all signals, so that none of the caller's
 * handlers ever runs on it. */
#ifndef TERCET_SRC_THREADS_H
#define TERCET_SRC_THREADS_H

#include <pthread.h>

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

/* A thread that cannot be made ends the process, like memory that cannot be had. */
void threads_start(pthread_t *thread_out, void *(*run)(void *argument), void *argument);

TERCET_END_DECLS

#endif

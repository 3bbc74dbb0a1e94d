/* threads.c -- see threads.h. */
#include "src/threads.h"

#include <signal.h>

#include "base/assert.h"

void threads_start(pthread_t *thread_out, void *(*run)(void *argument), void *argument)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    const int failed = pthread_create(thread_out, NULL, run, argument);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    tercet_assert(failed == 0);
}

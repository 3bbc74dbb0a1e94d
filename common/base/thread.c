/* thread.c -- see thread.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pthread_setname_np */
#endif
#include "base/thread.h"

#include <signal.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"

struct start {
    void *(*run)(void *argument);
    void *argument;
};

static _Thread_local bool ours;

static void *begin(void *argument)
{
    const struct start start = *(struct start *)argument;
    free(argument);
    ours = true;
    return start.run(start.argument);
}

bool thread_is_ours(void)
{
    return ours;
}

void thread_start(pthread_t *thread_out, const char *name, void *(*run)(void *argument),
                  void *argument)
{
    sigset_t all;
    sigset_t before;
    struct start *start = xmalloc(sizeof *start);

    *start = (struct start){.run = run, .argument = argument};
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    const int failed = pthread_create(thread_out, NULL, begin, start);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    tercet_assert(failed == 0);
    /* For show: it may have ended already, or /proc be missing. */
    (void)pthread_setname_np(*thread_out, name);
}

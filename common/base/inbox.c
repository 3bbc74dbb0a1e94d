/* inbox.c -- see inbox.h. */
#include "base/inbox.h"

#include <errno.h>
#include <time.h>

void inbox_init(struct inbox *inbox, size_t bounded_max)
{
    pthread_condattr_t attributes;
    tercet_assert(pthread_condattr_init(&attributes) == 0);
    tercet_assert(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    tercet_assert(pthread_cond_init(&inbox->wake, &attributes) == 0);
    tercet_assert(pthread_condattr_destroy(&attributes) == 0);
    tercet_assert(pthread_mutex_init(&inbox->mutex, NULL) == 0);
    list_init(&inbox->nodes);
    inbox->bounded_count = 0;
    inbox->bounded_max = bounded_max;
    inbox->sleeping = false;
    inbox->closed = false;
}

void inbox_deinit(struct inbox *inbox)
{
    tercet_assert(list_is_empty(&inbox->nodes));
    tercet_assert(pthread_cond_destroy(&inbox->wake) == 0);
    tercet_assert(pthread_mutex_destroy(&inbox->mutex) == 0);
}

static void wake(struct inbox *inbox)
{
    if (inbox->sleeping) {
        inbox->sleeping = false;
        tercet_assert(pthread_cond_signal(&inbox->wake) == 0);
    }
}

void inbox_push_all(struct inbox *inbox, struct list_node *list)
{
    tercet_assert(pthread_mutex_lock(&inbox->mutex) == 0);
    bool some = false;
    while (!inbox->closed && inbox->bounded_count < inbox->bounded_max && !list_is_empty(list)) {
        list_push_back(&inbox->nodes, list_pop_front(list));
        inbox->bounded_count++;
        some = true;
    }
    if (some) {
        wake(inbox);
    }
    tercet_assert(pthread_mutex_unlock(&inbox->mutex) == 0);
}

bool inbox_push_always(struct inbox *inbox, struct list_node *node)
{
    tercet_assert(pthread_mutex_lock(&inbox->mutex) == 0);
    const bool taken = !inbox->closed;
    if (taken) {
        list_push_back(&inbox->nodes, node);
        wake(inbox);
    }
    tercet_assert(pthread_mutex_unlock(&inbox->mutex) == 0);
    return taken;
}

bool inbox_push_all_always(struct inbox *inbox, struct list_node *list)
{
    tercet_assert(pthread_mutex_lock(&inbox->mutex) == 0);
    const bool taken = !inbox->closed;
    if (taken && !list_is_empty(list)) {
        list_append_all(&inbox->nodes, list);
        wake(inbox);
    }
    tercet_assert(pthread_mutex_unlock(&inbox->mutex) == 0);
    return taken;
}

static struct timespec moment_after(int64_t timeout_ms)
{
    struct timespec moment;
    tercet_assert(clock_gettime(CLOCK_MONOTONIC, &moment) == 0);
    moment.tv_sec += timeout_ms / 1000;
    moment.tv_nsec += timeout_ms % 1000 * 1000000;
    if (moment.tv_nsec >= 1000000000) {
        moment.tv_sec++;
        moment.tv_nsec -= 1000000000;
    }
    return moment;
}

void inbox_take_all(struct inbox *inbox, int64_t timeout_ms, struct list_node *list)
{
    const struct timespec until = moment_after(timeout_ms < 0 ? 0 : timeout_ms);
    int result = 0;
    tercet_assert(pthread_mutex_lock(&inbox->mutex) == 0);
    while (list_is_empty(&inbox->nodes) && !inbox->closed && timeout_ms != 0 &&
           result != ETIMEDOUT) {
        inbox->sleeping = true;
        result = timeout_ms < 0 ? pthread_cond_wait(&inbox->wake, &inbox->mutex)
                                : pthread_cond_timedwait(&inbox->wake, &inbox->mutex, &until);
        tercet_assert(result == 0 || result == ETIMEDOUT);
    }
    inbox->sleeping = false;
    inbox->bounded_count = 0;
    list_append_all(list, &inbox->nodes);
    tercet_assert(pthread_mutex_unlock(&inbox->mutex) == 0);
}

bool inbox_is_closed(struct inbox *inbox)
{
    tercet_assert(pthread_mutex_lock(&inbox->mutex) == 0);
    const bool closed = inbox->closed;
    tercet_assert(pthread_mutex_unlock(&inbox->mutex) == 0);
    return closed;
}

void inbox_close(struct inbox *inbox)
{
    tercet_assert(pthread_mutex_lock(&inbox->mutex) == 0);
    inbox->closed = true;
    tercet_assert(pthread_cond_broadcast(&inbox->wake) == 0);
    tercet_assert(pthread_mutex_unlock(&inbox->mutex) == 0);
}

#include "rpc/rpc_site.h"

#include <time.h>

#include "base/assert.h"

void rpc_site_init(struct rpc_site *site)
{
    pthread_condattr_t attributes;
    tercet_assert(pthread_condattr_init(&attributes) == 0);
    tercet_assert(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    tercet_assert(pthread_cond_init(&site->changed, &attributes) == 0);
    tercet_assert(pthread_mutex_init(&site->mutex, NULL) == 0);
    (void)pthread_condattr_destroy(&attributes);
    rpc_held_init(&site->unary);
    rpc_held_init(&site->streams);
    rpc_held_init(&site->duplexes);
    rpc_held_init(&site->leaving);
    list_init(&site->unsent);
}

void rpc_site_deinit(struct rpc_site *site)
{
    tercet_assert(site->open_count == 0);
    (void)pthread_mutex_destroy(&site->mutex);
    (void)pthread_cond_destroy(&site->changed);
}

void rpc_site_enter(struct rpc_site *site)
{
    pthread_mutex_lock(&site->mutex);
    site->open_count++;
    pthread_mutex_unlock(&site->mutex);
}

void rpc_site_leave(struct rpc_site *site)
{
    pthread_mutex_lock(&site->mutex);
    tercet_assert(site->open_count > 0);
    site->open_count--;
    if (site->open_count == 0) {
        pthread_cond_broadcast(&site->changed);
    }
    pthread_mutex_unlock(&site->mutex);
}

bool rpc_site_hold(struct rpc_site *site, struct rpc_held *held, struct list_node *node)
{
    pthread_mutex_lock(&site->mutex);
    const bool added = rpc_held_add(held, node);
    pthread_mutex_unlock(&site->mutex);
    return added;
}

void rpc_site_let_go(struct rpc_site *site, struct list_node *node)
{
    pthread_mutex_lock(&site->mutex);
    list_remove(node);
    if (rpc_held_is_empty(&site->unary) && rpc_held_is_empty(&site->leaving)) {
        pthread_cond_broadcast(&site->changed);
    }
    pthread_mutex_unlock(&site->mutex);
}

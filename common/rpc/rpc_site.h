/* rpc_site.h -- internal: the part of a server that its calls know.
 *
 * Invariants
 *   1. `open_count` counts everything that may still touch the server: posted slots, calls whose
 *      core part has not ended, handlers that run.  The server is destroyed only at 0.
 *   2. A unary call is in `unary` while its handler holds it; a stream is in `streams`, `duplexes` or,
 *      asked to finish, in `leaving` until it is being ended.  Who takes it out ends it.
 *   3. What is answered and cannot leave, because its client does not read, is bounded: above that the
 *      oldest are cancelled.
 *
 * Thread: any; `mutex` guards what is not atomic or constant.  It is never held while a handler or
 * an event function runs. */
#ifndef COMMON_RPC_RPC_SITE_H
#define COMMON_RPC_RPC_SITE_H

#include <pthread.h>
#include <stdatomic.h>

#include "rpc/rpc_core.h"
#include "rpc/rpc_held.h"
#include "rpc/rpc_server.h"

struct rpc_site {
    grpc_server *core;
    uint32_t element_count_max;
    rpc_refused_fn refused;
    void *refused_context;
    atomic_bool draining;

    pthread_mutex_t mutex;
    pthread_cond_t changed; /* monotonic clock */
    size_t open_count;
    bool shutdown_done; /* core says that it has closed everything */
    struct rpc_held unary;
    struct rpc_held streams;
    struct rpc_held duplexes;
    struct rpc_held leaving;
    struct list_node unsent; /* answers that core has, oldest first (rpc_incoming.c) */
    size_t unsent_bytes;     /* of these */
};

/* A method of the server's table, as registered with core. */
struct rpc_route {
    struct rpc_method method; /* `path` is owned here */
    void *registered;
    struct rpc_site *site;
};

/* Whether a call arrives together with its one request. */
static inline bool rpc_route_has_request(const struct rpc_route *route)
{
    return route->method.kind != RPC_METHOD_DUPLEX;
}

void rpc_site_init(struct rpc_site *site);
void rpc_site_deinit(struct rpc_site *site);

void rpc_site_enter(struct rpc_site *site);
void rpc_site_leave(struct rpc_site *site); /* the site may be gone afterwards */

/* False: closed. */
bool rpc_site_hold(struct rpc_site *site, struct rpc_held *held, struct list_node *node);
void rpc_site_let_go(struct rpc_site *site, struct list_node *node);

#endif

/* runtime_internal.h -- what runtime.c and runtime_loop.c share.  Nobody else includes this. */
#ifndef COORDINATOR_RUNTIME_INTERNAL_H
#define COORDINATOR_RUNTIME_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "loop.h"
#include "participant/edge.h"
#include "reader.h"
#include "rpc/rpc_health.h"
#include "rpc/rpc_server.h"
#include "runtime.h"
#include "service/service.h"
#include "writer.h"

struct runtime {
    const struct config *config;
    struct directory directory;
    struct inbox inbox;
    struct journal *journal;
    struct journal_head head;
    struct engine *engine;
    struct dispatch *dispatch;
    struct loop *loop;
    struct rpc_runtime *rpc;          /* the server's */
    struct rpc_runtime *participants; /* the edge's */
    struct edge *edge;
    struct service *service;
    struct rpc_health *health;
    struct rpc_server *server;
    struct writer *writer;
    struct reader *reader;

    pthread_t loop_thread;
    bool loop_started;
    atomic_bool stopping; /* the loop ends when it is quiet */
    atomic_bool idle;     /* nobody waits, nothing is in flight, everything is durable */
};

/* The loop's thread; `context` is the runtime. */
void *runtime_loop_run(void *context);

/* What the loop does to this world. */
struct loop_hands runtime_loop_hands(struct runtime *runtime);

#endif

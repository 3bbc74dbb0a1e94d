#include "rpc/rpc_runtime.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"
#include "rpc/rpc_core.h"
#include "rpc/rpc_crowd.h"
#include "rpc/rpc_process.h"
#include "rpc/rpc_runtime_core.h"

enum { THREAD_COUNT_DEFAULT = 4 };

struct rpc_runtime {
    struct rpc_process_user user;
    grpc_completion_queue *queue;
    struct rpc_crowd *crowd;
    atomic_size_t user_count;
};

struct rpc_runtime *rpc_runtime_create(const struct rpc_runtime_options *options)
{
    static const struct rpc_runtime_options defaults;
    if (options == NULL) {
        options = &defaults;
    }
    struct rpc_runtime *runtime = xcalloc(1, sizeof *runtime);
    runtime->user.log = options->log;
    runtime->user.log_context = options->log_context;
    sigset_t before;
    rpc_signals_block(&before);
    rpc_process_enter(&runtime->user);
    runtime->queue = grpc_completion_queue_create_for_next(NULL);
    const uint32_t count = options->thread_count > 0 ? options->thread_count : THREAD_COUNT_DEFAULT;
    runtime->crowd = rpc_crowd_create(runtime->queue, count);
    rpc_signals_restore(&before);
    return runtime;
}

void rpc_runtime_destroy(struct rpc_runtime *runtime)
{
    if (runtime == NULL) {
        return;
    }
    tercet_assert(!rpc_runtime_on_poller());
    tercet_assert(atomic_load(&runtime->user_count) == 0);
    sigset_t before;
    rpc_signals_block(&before);
    grpc_completion_queue_shutdown(runtime->queue);
    rpc_crowd_destroy(runtime->crowd);
    grpc_completion_queue_destroy(runtime->queue);
    rpc_process_leave(&runtime->user);
    rpc_signals_restore(&before);
    free(runtime);
}

bool rpc_runtime_on_poller(void)
{
    return rpc_crowd_is_poller();
}

grpc_completion_queue *rpc_runtime_queue(const struct rpc_runtime *runtime)
{
    return runtime->queue;
}

void rpc_runtime_use(struct rpc_runtime *runtime)
{
    (void)atomic_fetch_add(&runtime->user_count, 1);
}

void rpc_runtime_release(struct rpc_runtime *runtime)
{
    tercet_assert(atomic_fetch_sub(&runtime->user_count, 1) > 0);
}

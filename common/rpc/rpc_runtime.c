#include "rpc/rpc_runtime.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/memory.h"
#include "base/thread.h"
#include "rpc/rpc_core.h"
#include "rpc/rpc_process.h"
#include "rpc/rpc_runtime_core.h"

enum { QUEUE_COUNT_DEFAULT_MAX = 4, QUEUE_COUNT_MAX = 64, THREAD_COUNT_DEFAULT = 4 };

struct rpc_runtime {
    struct rpc_process_user user;
    grpc_completion_queue **queues;
    size_t queue_count;
    pthread_t *threads;
    size_t thread_count;
    atomic_uint next_queue;
    atomic_size_t user_count;
};

static _Thread_local bool on_poller;

static void *poll_main(void *argument)
{
    grpc_completion_queue *const queue = argument;
    on_poller = true;
    for (;;) {
        const grpc_event event =
            grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN) {
            return NULL;
        }
        tercet_assert(event.type == GRPC_OP_COMPLETE);
        struct rpc_tag *const tag = event.tag;
        rpc_tag_take(tag);
        tag->run(tag, event.success != 0);
    }
}

static size_t default_queue_count(void)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 1) {
        return 1;
    }
    return cores < QUEUE_COUNT_DEFAULT_MAX ? (size_t)cores : QUEUE_COUNT_DEFAULT_MAX;
}

/* Thread i polls queue i modulo the queues, so every queue has one. */
static void start_threads(struct rpc_runtime *runtime)
{
    const size_t queue_count = runtime->queue_count;
    tercet_assert(queue_count > 0);
    for (size_t i = 0; i < runtime->thread_count; i++) {
        thread_start(&runtime->threads[i], "rpc", poll_main, runtime->queues[i % queue_count]);
    }
}

struct rpc_runtime *rpc_runtime_create(const struct rpc_runtime_options *options)
{
    static const struct rpc_runtime_options defaults;
    if (options == NULL) {
        options = &defaults;
    }
    struct rpc_runtime *runtime = xcalloc(1, sizeof *runtime);
    runtime->user.log = options->log;
    runtime->user.log_context = options->log_context;
    runtime->queue_count = options->queue_count > 0 ? options->queue_count : default_queue_count();
    tercet_assert(runtime->queue_count <= QUEUE_COUNT_MAX);
    runtime->thread_count =
        options->thread_count > 0 ? options->thread_count : THREAD_COUNT_DEFAULT;
    if (runtime->thread_count < runtime->queue_count) {
        runtime->thread_count = runtime->queue_count;
    }

    sigset_t before;
    rpc_signals_block(&before);
    rpc_process_enter(&runtime->user);
    runtime->queues = xcalloc(runtime->queue_count, sizeof(grpc_completion_queue *));
    for (size_t i = 0; i < runtime->queue_count; i++) {
        runtime->queues[i] = grpc_completion_queue_create_for_next(NULL);
    }
    runtime->threads = xcalloc(runtime->thread_count, sizeof *runtime->threads);
    start_threads(runtime);

    rpc_signals_restore(&before);
    return runtime;
}

void rpc_runtime_destroy(struct rpc_runtime *runtime)
{
    if (runtime == NULL) {
        return;
    }
    tercet_assert(!on_poller);
    tercet_assert(atomic_load(&runtime->user_count) == 0);
    sigset_t before;
    rpc_signals_block(&before);
    for (size_t i = 0; i < runtime->queue_count; i++) {
        grpc_completion_queue_shutdown(runtime->queues[i]);
    }
    for (size_t i = 0; i < runtime->thread_count; i++) {
        (void)pthread_join(runtime->threads[i], NULL);
    }
    for (size_t i = 0; i < runtime->queue_count; i++) {
        grpc_completion_queue_destroy(runtime->queues[i]);
    }
    rpc_process_leave(&runtime->user);
    rpc_signals_restore(&before);
    free((void *)runtime->queues);
    free(runtime->threads);
    free(runtime);
}

bool rpc_runtime_on_poller(void)
{
    return on_poller;
}

size_t rpc_runtime_queue_count(const struct rpc_runtime *runtime)
{
    return runtime->queue_count;
}

grpc_completion_queue *rpc_runtime_queue(const struct rpc_runtime *runtime, size_t index)
{
    tercet_assert(index < runtime->queue_count);
    return runtime->queues[index];
}

grpc_completion_queue *rpc_runtime_queue_next(struct rpc_runtime *runtime)
{
    const unsigned turn = atomic_fetch_add_explicit(&runtime->next_queue, 1, memory_order_relaxed);
    return runtime->queues[turn % runtime->queue_count];
}

void rpc_runtime_use(struct rpc_runtime *runtime)
{
    (void)atomic_fetch_add(&runtime->user_count, 1);
}

void rpc_runtime_release(struct rpc_runtime *runtime)
{
    tercet_assert(atomic_fetch_sub(&runtime->user_count, 1) > 0);
}

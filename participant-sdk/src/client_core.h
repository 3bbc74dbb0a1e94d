/* client_core.h -- the inside of struct tercet_client.
 *
 * Threads: blocking calls run on their caller's thread; asynchronous ones on the client's workers.
 * rpc's pollers only put ended attempts where these find them.  One mutex guards everything here
 * but the channels, which do not change between create and destroy. */
#ifndef TERCET_SRC_CLIENT_CORE_H
#define TERCET_SRC_CLIENT_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "rpc/rpc_feed.h"
#include "rpc/rpc_runtime.h"
#include "src/client_call.h"
#include "src/log.h"

TERCET_BEGIN_DECLS

enum { CLIENT_TARGET_COUNT_MAX = 8, CLIENT_THREAD_COUNT_MAX = 16 };

struct tercet_client {
    struct rpc_runtime *runtime;
    struct rpc_channel *channels[CLIENT_TARGET_COUNT_MAX];
    struct rpc_feed feeds[CLIENT_TARGET_COUNT_MAX]; /* one for each channel */
    size_t channel_count;
    bool streams;         /* as the options say */
    atomic_size_t target; /* where the next attempt goes */
    uint32_t in_flight_max;
    uint32_t step_timeout_ms;
    uint32_t reach_timeout_ms; /* 0: none */
    struct log log;

    pthread_mutex_t mutex;
    pthread_cond_t fewer;            /* in_flight or `starting` has fallen */
    pthread_cond_t work;             /* for the workers */
    uint32_t in_flight;              /* calls begun and not completed */
    uint32_t starting;               /* threads inside client_call_start() */
    bool closing;                    /* no attempt starts any more */
    bool stopping;                   /* workers end */
    struct client_call *ready_first; /* attempts that have ended, oldest first */
    struct client_call *ready_last;
    struct heap waiting; /* between two attempts, by when the next is due */
    int64_t expire_ms;   /* when an attempt on a stream may be over */
    uint32_t thread_count;
    pthread_t threads[CLIENT_THREAD_COUNT_MAX];
};

/* Counts a call in.  RESOURCE_EXHAUSTED at the bound, FAILED_PRECONDITION when closing. */
TERCET_MUST_CHECK enum tercet_status client_enter(struct tercet_client *client,
                                                  struct tercet_error *error_out);
void client_leave(struct tercet_client *client);

/* Starts an attempt of `call`; false: the client is closing, nothing was started. */
TERCET_MUST_CHECK bool client_attempt(struct tercet_client *client, struct client_call *call);

/* After an attempt that is followed by another: if it failed, that goes to the next target, if there are
 * several. */
void client_turn(struct tercet_client *client, const struct client_call *call);

/* client_workers.c */
void client_workers_start(struct tercet_client *client);
void client_workers_stop(struct tercet_client *client); /* after in_flight has reached 0 */
void client_workers_wake(struct tercet_client *client); /* under the mutex: closing was set */
bool client_workers_on(void); /* whether the calling thread is a worker of any client */

TERCET_END_DECLS

#endif

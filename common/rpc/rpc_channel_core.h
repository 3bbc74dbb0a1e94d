/* rpc_channel_core.h -- internal: a channel as its calls see it. */
#ifndef COMMON_RPC_RPC_CHANNEL_CORE_H
#define COMMON_RPC_RPC_CHANNEL_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "rpc/rpc_channel.h"
#include "rpc/rpc_core.h"
#include "rpc/rpc_held.h"

struct rpc_channel {
    struct rpc_runtime *runtime;
    grpc_channel *core;
    char *target; /* as core calls it; a call that got no answer names it as its peer */
    pthread_mutex_t mutex;
    pthread_cond_t emptied;
    struct rpc_held calls; /* struct rpc_outgoing; guarded by the mutex */
    /* Core tells one change of the connection's state at a time, until it is destroyed. */
    struct rpc_tag changed;
    grpc_connectivity_state state; /* the watch was begun in it; guarded by the mutex */
    bool watched;                  /* core has the tag; guarded by the mutex */
    _Atomic uint64_t losses;
};

#endif

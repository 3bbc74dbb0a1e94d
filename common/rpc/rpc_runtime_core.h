/* rpc_runtime_core.h -- internal: a runtime's queue, for servers and channels. */
#ifndef COMMON_RPC_RPC_RUNTIME_CORE_H
#define COMMON_RPC_RPC_RUNTIME_CORE_H

#include <grpc/grpc.h>

#include "rpc/rpc_runtime.h"

grpc_completion_queue *rpc_runtime_queue(const struct rpc_runtime *runtime);

/* A server or channel begins or ends its use. */
void rpc_runtime_use(struct rpc_runtime *runtime);
void rpc_runtime_release(struct rpc_runtime *runtime);

#endif

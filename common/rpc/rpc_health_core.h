/* rpc_health_core.h -- internal: the rows that health adds to a server's table. */
#ifndef COMMON_RPC_RPC_HEALTH_CORE_H
#define COMMON_RPC_RPC_HEALTH_CORE_H

#include "rpc/rpc_health.h"

enum { RPC_HEALTH_METHOD_COUNT = 2 };

void rpc_health_methods(struct rpc_health *health, struct rpc_method *methods_out);

#endif

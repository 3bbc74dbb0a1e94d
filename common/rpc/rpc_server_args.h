/* rpc_server_args.h -- internal: core's channel arguments of a server. */
#ifndef COMMON_RPC_RPC_SERVER_ARGS_H
#define COMMON_RPC_RPC_SERVER_ARGS_H

#include <grpc/grpc.h>

#include "rpc/rpc_server.h"

/* A server of core's with the limits of the options, their defaults filled in. */
grpc_server *rpc_server_args_create(const struct rpc_server_options *options);

#endif

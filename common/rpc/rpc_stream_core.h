/* rpc_stream_core.h -- internal: server streams, for the server. */
#ifndef COMMON_RPC_RPC_STREAM_CORE_H
#define COMMON_RPC_RPC_STREAM_CORE_H

#include "rpc/rpc_incoming.h"
#include "rpc/rpc_stream.h"

extern const struct rpc_incoming_kind rpc_stream_kind;

/* The server ends a stream: UNAVAILABLE "stopping"; its owner is told and finishes it later. */
void rpc_stream_abandon(struct rpc_incoming *incoming);

#endif

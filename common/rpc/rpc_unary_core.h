/* rpc_unary_core.h -- internal: unary calls, for the server. */
#ifndef COMMON_RPC_RPC_UNARY_CORE_H
#define COMMON_RPC_RPC_UNARY_CORE_H

#include "rpc/rpc_incoming.h"
#include "rpc/rpc_unary.h"

extern const struct rpc_incoming_kind rpc_unary_kind;

/* The server ends a call that its handler still holds: UNAVAILABLE "stopping".  Takes the handler's
 * place only if it has not answered meanwhile. */
void rpc_unary_abandon(struct rpc_incoming *incoming);

#endif

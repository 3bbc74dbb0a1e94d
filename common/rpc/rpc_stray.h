/* rpc_stray.h -- internal: calls of methods that we do not have.
 *
 * Core keeps a call until somebody asks for it; without these slots a client of an unknown method
 * would wait for its deadline. */
#ifndef COMMON_RPC_RPC_STRAY_H
#define COMMON_RPC_RPC_STRAY_H

#include "rpc/rpc_incoming.h"

void rpc_stray_post(struct rpc_site *site, grpc_completion_queue *queue);

#endif

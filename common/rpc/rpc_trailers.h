/* rpc_trailers.h -- internal: metadata that we send, and that which we received.
 *
 * An outgoing set owns copies of what was added, since core wants it to stay until the batch has
 * ended. */
#ifndef COMMON_RPC_RPC_TRAILERS_H
#define COMMON_RPC_RPC_TRAILERS_H

#include "rpc/rpc_core.h"
#include "rpc/rpc_detail.h"

struct rpc_trailers {
    grpc_metadata items[RPC_TRAILER_COUNT_MAX + 1]; /* and grpc-status-details-bin */
    size_t count;
};

/* rpc_result's view of what came. */
struct rpc_received {
    grpc_metadata_array array;
};

void rpc_trailers_init(struct rpc_trailers *trailers);
void rpc_trailers_deinit(struct rpc_trailers *trailers);

/* Copies what a detail holds; NULL: nothing. */
void rpc_trailers_add_detail(struct rpc_trailers *trailers, const struct rpc_detail *detail);

#endif

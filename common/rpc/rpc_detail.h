/* rpc_detail.h -- what a failed call carries beside status and text, and how metadata is named.
 *
 * Keys are lower case; one that ends in "-bin" carries raw bytes, all others printable ASCII. */
#ifndef COMMON_RPC_RPC_DETAIL_H
#define COMMON_RPC_RPC_DETAIL_H

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

enum { RPC_TRAILER_COUNT_MAX = 8 };

struct rpc_metadata {
    const char *key;
    struct tercet_bytes value;
};

/* Borrowed for the call that takes it; everything is copied. */
struct rpc_detail {
    const struct rpc_metadata *trailers;
    size_t trailer_count;               /* at most RPC_TRAILER_COUNT_MAX */
    struct tercet_bytes status_details; /* a google.rpc.Status for grpc-status-details-bin; size 0:
                                           none */
};

TERCET_END_DECLS

#endif

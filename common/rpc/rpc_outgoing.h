/* rpc_outgoing.h -- internal: what a client's unary call and stream have in common.
 *
 * Core's call lives from open to close; a cancel from any thread meanwhile finds it or finds nothing.
 * Whatever of it is needed later (text, trailers) is made to outlive it. */
#ifndef COMMON_RPC_RPC_OUTGOING_H
#define COMMON_RPC_RPC_OUTGOING_H

#include "rpc/rpc_call.h"
#include "rpc/rpc_channel_core.h"
#include "rpc/rpc_trailers.h"

/* Elements of a reply: a peer that was asked is trusted more than a stranger, not endlessly. */
enum { RPC_REPLY_ELEMENT_COUNT_MAX = 1 << 18 };

struct rpc_outgoing {
    struct list_node node;       /* in the channel's list; guarded by the channel's mutex */
    struct rpc_channel *channel; /* until closed */
    pthread_mutex_t mutex;
    grpc_call *core; /* guarded by the mutex; NULL once closed */

    /* Where core puts the end. */
    grpc_status_code code;
    grpc_slice details;
    struct rpc_received trailers;
    grpc_metadata_array initial;
    char *text; /* of the result; NULL before */
};

void rpc_outgoing_init(struct rpc_outgoing *outgoing);
void rpc_outgoing_deinit(struct rpc_outgoing *outgoing);

/* Makes core's call; no batch is started yet. */
void rpc_outgoing_open(struct rpc_outgoing *outgoing, struct rpc_channel *channel, const char *path,
                       uint32_t timeout_ms);

void rpc_outgoing_cancel(struct rpc_outgoing *outgoing);

/* RECV_STATUS_ON_CLIENT into the fields above. */
void rpc_outgoing_status_op(struct rpc_outgoing *outgoing, grpc_op *op);

/* After that op has come back: status, text, trailers, sent_maybe.  They stay until deinit. */
void rpc_outgoing_result(struct rpc_outgoing *outgoing, struct rpc_result *result_out);

/* Replaces the status by our own finding: INTERNAL, "<what><name>". */
void rpc_outgoing_result_broken(struct rpc_outgoing *outgoing, struct rpc_result *result,
                                const char *what, const char *name);

/* Gives core's call up and leaves the channel, which may be gone afterwards. */
void rpc_outgoing_close(struct rpc_outgoing *outgoing);

/* Scans and decodes a reply; NULL: it is not one. */
ProtobufCMessage *rpc_outgoing_decode(const ProtobufCMessageDescriptor *descriptor,
                                      struct tercet_bytes bytes);

#endif

/* rpc_call.h -- one unary call of a client.
 *
 * rpc_call_start() gives a handle; `done` is called exactly once, on a poller thread, whatever
 * happens.  The handle is given back by rpc_call_unref(), before or after `done`.  Whoever prefers
 * to wait leaves `done` NULL and uses rpc_call_wait().
 *
 * What a status means here
 *   UNAVAILABLE        not connected (sent_maybe is false), or the connection broke under the call
 *                      (sent_maybe is true)
 *   DEADLINE_EXCEEDED  timeout_ms passed
 *   CALL_CANCELLED     rpc_call_cancel(), rpc_channel_close(), or the peer's server stopped
 *   INTERNAL           the reply is not what it should be: "reply is not a <name>"
 * and all else is the peer's word. */
#ifndef COMMON_RPC_RPC_CALL_H
#define COMMON_RPC_RPC_CALL_H

#include <protobuf-c/protobuf-c.h>

#include "rpc/rpc_channel.h"
#include "rpc/rpc_detail.h"

TERCET_BEGIN_DECLS

struct rpc_call;
struct rpc_received;

/* How a call ended.  Valid inside `done`, or as long as the handle. */
struct rpc_result {
    enum tercet_status status;
    const char *text;                /* "" when there is none */
    const ProtobufCMessage *reply;   /* status OK only, else NULL; NULL too without a descriptor */
    struct tercet_bytes reply_bytes; /* the same undecoded; status OK only */
    /* False only if it is certain that nothing of the request left this process: there was no
     * connection to send it on.  A deadline or a cancel proves nothing and says true. */
    bool sent_maybe;
    const struct rpc_received *trailers; /* rpc_result_trailer() */
};

/* The first value of a trailing metadata key, raw for "-bin"; false: none. */
bool rpc_result_trailer(const struct rpc_result *result, const char *key,
                        struct tercet_bytes *value_out);

typedef void (*rpc_call_done_fn)(const struct rpc_result *result, void *context);

struct rpc_call_options {
    const char *path;                        /* "/package.Service/Method"; copied */
    const ProtobufCMessage *request;         /* borrowed; NULL: request_bytes */
    struct tercet_bytes request_bytes;       /* ready encoded, copied */
    const ProtobufCMessageDescriptor *reply; /* static storage; NULL: reply_bytes only */
    uint32_t timeout_ms; /* TERCET_FOREVER: none; then only keepalive notices a dead peer */
    bool wait_for_ready; /* wait for a connection instead of failing at once */
    const struct rpc_metadata *metadata; /* sent with the request; copied */
    size_t metadata_count;               /* at most RPC_TRAILER_COUNT_MAX */
    rpc_call_done_fn done;               /* must not block.  May be NULL */
    void *context;
};

struct rpc_call *rpc_call_start(struct rpc_channel *channel,
                                const struct rpc_call_options *options);

/* Gives the call up; it ends soon, as CALL_CANCELLED unless it had ended already. */
void rpc_call_cancel(struct rpc_call *call);

/* Blocks until the call has ended and `done` has returned; the result is valid until
 * rpc_call_unref().  Not on a poller thread. */
const struct rpc_result *rpc_call_wait(struct rpc_call *call);

/* Gives the handle back; does not cancel.  NULL is fine. */
void rpc_call_unref(struct rpc_call *call);

TERCET_END_DECLS

#endif

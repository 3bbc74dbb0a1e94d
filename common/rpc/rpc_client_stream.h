/* rpc_client_stream.h -- a call of a client that is answered by many messages.
 *
 * `message` is called for each, one after the other, then `end` exactly once; all on poller threads.
 * The next message is read only after `message` has returned: a slow reader slows the sender.
 * The handle is given back by rpc_client_stream_unref(), before or after the end. */
#ifndef COMMON_RPC_RPC_CLIENT_STREAM_H
#define COMMON_RPC_RPC_CLIENT_STREAM_H

#include "rpc/rpc_call.h"

TERCET_BEGIN_DECLS

struct rpc_client_stream;

struct rpc_client_stream_options {
    const char *path;                        /* copied */
    const ProtobufCMessage *request;         /* borrowed */
    const ProtobufCMessageDescriptor *reply; /* static storage.  Required */
    uint32_t timeout_ms;                     /* TERCET_FOREVER: none */
    /* Valid during the call.  Must not block. */
    void (*message)(const ProtobufCMessage *message, void *context);
    /* `reply` is NULL.  A message that cannot be decoded ends the stream: INTERNAL. */
    void (*end)(const struct rpc_result *result, void *context);
    void *context;
};

struct rpc_client_stream *rpc_client_stream_start(struct rpc_channel *channel,
                                                  const struct rpc_client_stream_options *options);

void rpc_client_stream_cancel(struct rpc_client_stream *stream);
void rpc_client_stream_unref(struct rpc_client_stream *stream);

TERCET_END_DECLS

#endif

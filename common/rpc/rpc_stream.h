/* rpc_stream.h -- a call that is answered by many messages, seen from the server's handler.
 *
 * For states that change: one message is being written and at most one waits behind it.  A message
 * that comes while another waits takes its place, so a slow reader gets the latest state and never
 * a backlog.
 *
 * The handler owns the stream and ends it exactly once by rpc_stream_finish(), also after the client
 * has gone.  Inside the handler it may ask to be told by rpc_stream_listen().
 *
 * Thread: any; several at once may send and finish, but none after finish. */
#ifndef COMMON_RPC_RPC_STREAM_H
#define COMMON_RPC_RPC_STREAM_H

#include "rpc/rpc_detail.h"
#include "rpc/rpc_method.h"

TERCET_BEGIN_DECLS

struct rpc_stream_events {
    /* The client went away, or the server stops; rpc_stream_finish() is still due.  At most once,
     * not after finish was entered; but a finish on another thread may overtake it.  Poller thread
     * or that of rpc_server_stop(); may call send and finish. */
    void (*cancelled)(struct rpc_stream *stream, void *context);
    /* Nothing of this stream will call the handler's side again: `context` may be freed.  Exactly
     * once.  May be NULL, as may `cancelled`. */
    void (*released)(void *context);
    void *context;
};

/* Only inside the handler, at most once. */
void rpc_stream_listen(struct rpc_stream *stream, const struct rpc_stream_events *events);

/* Sends the message as soon as the one before it has left, unless a newer one comes first.
 * Borrowed.  After the client has gone it does nothing. */
void rpc_stream_send(struct rpc_stream *stream, const ProtobufCMessage *message);

/* Ends the stream after what was sent, the latest message included.  TERCET_OK is a normal end.
 * Consumes the stream. */
void rpc_stream_finish(struct rpc_stream *stream, enum tercet_status status, const char *text,
                       const struct rpc_detail *detail);

/* As in rpc_unary.h; only inside the handler, before anybody else has the stream. */
void rpc_stream_forget_request(struct rpc_stream *stream);

/* As in rpc_unary.h. */
uint32_t rpc_stream_timeout_ms(const struct rpc_stream *stream);

TERCET_END_DECLS

#endif

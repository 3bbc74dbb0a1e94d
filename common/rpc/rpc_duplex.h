/* rpc_duplex.h -- a call in which both sides send many messages, seen from either side.
 *
 * One message is read at a time and one is being written at a time; nothing is queued here.  Who has
 * more to say gathers it and sends it when `written` comes: so the messages grow by themselves with
 * the load, and an idle stream delays nothing.  A peer that does not read stops `written`, a side that
 * does not return from `message` stops its peer: whoever bounds what it gathers has bounded memory.
 *
 *     server   handler: rpc_duplex_listen() ──► message, written, half_closed ──► [gone]
 *                                          ──► rpc_duplex_finish() ──► ended
 *     client   rpc_duplex_start() ──► message, written ──► ended; rpc_duplex_unref()
 *
 * Events come on poller threads and must not block.  Messages come one after the other; the other
 * events may come at the same time as a message.  `ended` is the last of all and comes exactly once.
 * All functions here may be called inside events, and with the caller's own lock held: no event is
 * called from inside of them, except where it is said.
 *
 * Failures
 *   the peer dies, or its connection   client: ended with a status; server: half_closed and gone
 *   a message too large for us         client: ended, RESOURCE_EXHAUSTED; server: gone, the peer gets
 *                                      RESOURCE_EXHAUSTED
 *   a message that is not one          client: ended, INTERNAL; server: gone, the peer gets
 *                                      INVALID_ARGUMENT
 *   our server stops                   stopping; when the grace is over gone; the peer gets UNAVAILABLE
 *                                      "stopping", behind the message that is being written; a
 *                                      stream that arrives now: gone at once */
#ifndef COMMON_RPC_RPC_DUPLEX_H
#define COMMON_RPC_RPC_DUPLEX_H

#include "rpc/rpc_call.h"
#include "rpc/rpc_method.h"

TERCET_BEGIN_DECLS

struct rpc_duplex;

/* All but `message` and `ended` may be NULL. */
struct rpc_duplex_events {
    /* One of the peer's messages, owned by the receiver: rpc_codec_free(), or with `in_pieces`
     * rpc_codec_free_pieces().  The next is read when this has returned. */
    void (*message)(ProtobufCMessage *message, void *context);
    bool in_pieces; /* messages, for whoever keeps parts of them */
    /* What was sent has left; the next may be sent.  Not when the stream broke meanwhile. */
    void (*written)(void *context);
    /* Server: the client sends no more.  It may still read, or be gone. */
    void (*half_closed)(void *context);
    /* Server: our server stops.  Who finishes the stream within the grace does so behind its last answer;
     * then `gone`.  Without this event the stream ends at once.  On the thread of rpc_server_stop(). */
    void (*stopping)(void *context);
    /* Server: nobody can be answered any more; rpc_duplex_finish() is still due, if it was not
     * entered.  At most once.  Also on the thread of rpc_server_stop(). */
    void (*gone)(void *context);
    /* Nothing of this stream will call again.  Client: how it ended.  Server: NULL; also on the
     * thread of rpc_duplex_finish(). */
    void (*ended)(const struct rpc_result *result, void *context);
    void *context;
};

/* Sends one message, ready encoded, copied.  False, and nothing is done: one is being written, or the
 * stream is over.  Any thread; not after finish or unref. */
bool rpc_duplex_send(struct rpc_duplex *duplex, struct tercet_bytes message);

/* Breaks the stream off, in both directions, without waiting for what is being written: `gone`
 * (server) or `ended` (client) follows.  Any thread; not after finish or unref. */
void rpc_duplex_cancel(struct rpc_duplex *duplex);

/* ---- Server ------------------------------------------------------------------------------------ */

/* Inside the handler, exactly once. */
void rpc_duplex_listen(struct rpc_duplex *duplex, const struct rpc_duplex_events *events);

/* Ends the stream behind what is being written.  Exactly once, also when the peer has gone.  Consumes
 * the stream, but its events may come until `ended`. */
void rpc_duplex_finish(struct rpc_duplex *duplex, enum tercet_status status, const char *text);

/* ---- Client ------------------------------------------------------------------------------------ */

struct rpc_duplex_options {
    const char *path;                        /* copied */
    const ProtobufCMessageDescriptor *reply; /* of what is received; static storage */
    struct rpc_duplex_events events;
};

/* No deadline: only keepalive notices a dead peer.  Events may come before this returns. */
struct rpc_duplex *rpc_duplex_start(struct rpc_channel *channel,
                                    const struct rpc_duplex_options *options);

/* Nothing is sent any more; behind what is being written. */
void rpc_duplex_half_close(struct rpc_duplex *duplex);

/* Gives the handle back, before or after `ended`; does not cancel.  NULL is fine. */
void rpc_duplex_unref(struct rpc_duplex *duplex);

TERCET_END_DECLS

#endif

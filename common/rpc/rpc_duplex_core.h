/* rpc_duplex_core.h -- internal: what both sides of a duplex stream have in common.
 *
 * `mutex` keeps the batches of the call apart and guards what is not said otherwise.  `tags_due`
 * counts core's tags that are out, or certain to go out; with the last one core's part ends. */
#ifndef COMMON_RPC_RPC_DUPLEX_CORE_H
#define COMMON_RPC_RPC_DUPLEX_CORE_H

#include <pthread.h>

#include "rpc/rpc_duplex.h"
#include "rpc/rpc_incoming.h"

/* What differs. */
struct rpc_duplex_side {
    /* Nothing is being written: what else is to be sent?  The mutex is held. */
    void (*idle)(struct rpc_duplex *duplex);
    /* Not such a message; nothing is read any more. */
    void (*unreadable)(struct rpc_duplex *duplex);
    /* The peer sends no more. */
    void (*input_ended)(struct rpc_duplex *duplex);
    /* The last tag has come back. */
    void (*drained)(struct rpc_duplex *duplex);
    void (*cancel)(struct rpc_duplex *duplex);
};

struct rpc_duplex {
    const struct rpc_duplex_side *side;
    const ProtobufCMessageDescriptor *received; /* what the peer sends */
    uint32_t element_count_max;
    struct rpc_duplex_events events; /* constant once messages are read */
    struct rpc_tag read;
    struct rpc_tag written;
    grpc_byte_buffer *incoming; /* the read loop's */

    pthread_mutex_t mutex;
    grpc_call *core;
    grpc_completion_queue *queue; /* of its tags; borrowed */
    grpc_byte_buffer *outgoing;   /* NULL: nothing is being written */
    unsigned tags_due;
    bool muted; /* nothing may be sent any more */
};

void rpc_duplex_init(struct rpc_duplex *duplex, const struct rpc_duplex_side *side);
void rpc_duplex_deinit(struct rpc_duplex *duplex);

/* The read loop; its tag is due already. */
void rpc_duplex_read(struct rpc_duplex *duplex);

/* Starts a batch; the mutex is held. */
void rpc_duplex_batch(struct rpc_duplex *duplex, const grpc_op *ops, size_t count,
                      struct rpc_tag *tag);

bool rpc_duplex_may_send(struct rpc_duplex *duplex);

/* As rpc_duplex_send(); takes the message in any case.  `*written_out`: it has left before this returns, as
 * nearly all do, `written` is not called for it, and the next may be sent.  NULL: `written` tells in
 * any case. */
bool rpc_duplex_send_buffer(struct rpc_duplex *duplex, grpc_byte_buffer *message,
                            bool *written_out);

/* One tag has come back. */
void rpc_duplex_tag_done(struct rpc_duplex *duplex);

extern const struct rpc_incoming_kind rpc_duplex_kind; /* the server's */

/* As rpc_stream_abandon(). */
void rpc_duplex_abandon(struct rpc_incoming *incoming);

/* The server stops.  False: the owner cannot be asked to finish, abandon it. */
bool rpc_duplex_ask(struct rpc_incoming *incoming);

#endif

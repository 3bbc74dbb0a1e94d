/* rpc_incoming.h -- internal: what a unary call and a stream have in common on the server's side.
 *
 *     posted ──► requested ──► refused ───────────────► answered ──► released
 *       │            └───────► handed to its handler ──► answered ──► released
 *       └── server stops ──────────────────────────────────────────► released
 *
 * Two parties may hold one: core, until its last tag has come back and grpc_call_unref() was called
 * ("released"), and the handler's side, until it has answered.  The memory goes when both are done;
 * the server only waits for core's part. */
#ifndef COMMON_RPC_RPC_INCOMING_H
#define COMMON_RPC_RPC_INCOMING_H

#include "rpc/rpc_site.h"
#include "rpc/rpc_trailers.h"

struct rpc_incoming;

struct rpc_incoming_kind {
    /* Zeroed, except for what the kind itself needs. */
    struct rpc_incoming *(*create)(void);
    /* The request, if there is one, is decoded, and both parties hold the call. */
    void (*handle)(struct rpc_incoming *incoming);
    void (*destroy)(struct rpc_incoming *incoming);
};

struct rpc_incoming {
    const struct rpc_incoming_kind *kind;
    struct rpc_site *site;   /* not after core's part was released */
    struct rpc_route *route; /* the same */
    grpc_completion_queue *queue;
    struct rpc_tag requested;
    struct rpc_tag answered;
    struct list_node held;
    atomic_uint parties;

    grpc_call *call;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_byte_buffer *payload;
    char *peer;
    ProtobufCMessage *request;

    /* The answer; stays until its batch has ended. */
    grpc_byte_buffer *reply;
    grpc_slice text;
    struct rpc_trailers trailers;
    int cancelled;
    struct list_node unsent; /* the site's */
    size_t unsent_bytes;     /* of it, reckoned */
};

/* Posts a slot: the next call of this method on this queue becomes one of these. */
void rpc_incoming_post(struct rpc_route *route, const struct rpc_incoming_kind *kind,
                       grpc_completion_queue *queue);

/* Takes on a call that has arrived: common to the slots above and the catch-all. */
void rpc_incoming_accept(struct rpc_incoming *incoming);

/* Answers in one batch and ends core's part.  Takes `reply` (NULL: none). */
void rpc_incoming_answer(struct rpc_incoming *incoming, grpc_byte_buffer *reply,
                         enum tercet_status status, const char *text);

/* Answers with an error that rpc found itself, and tells the server's owner. */
void rpc_incoming_refuse(struct rpc_incoming *incoming, enum rpc_refusal refusal,
                         enum tercet_status status, const char *text);

/* The text for a status, cut to what fits into a header. */
grpc_slice rpc_incoming_text(const char *text);

/* Core's last tag has come back: gives up the call and core's hold. */
void rpc_incoming_release(struct rpc_incoming *incoming);

/* Before the other party can have the call. */
void rpc_incoming_forget_request(struct rpc_incoming *incoming);

/* One party lets go. */
void rpc_incoming_unref(struct rpc_incoming *incoming);

#endif

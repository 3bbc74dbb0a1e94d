/* rpc_gather.h -- what gathers while a message is being written.
 *
 * A message whose only repeated field is a list may be sent in parts: the encodings of its parts,
 * one after the other, are the encoding of the whole.  So each part is encoded when it comes, by
 * whoever has it in hand, behind the one before it, and what is sent is a run of these bytes as
 * they stand there, behind a common head.
 *
 *     add, add, add ──► send: (head, as many parts as are allowed) ──► the next send at `written`
 *
 * Thread: the owner's lock. */
#ifndef COMMON_RPC_RPC_GATHER_H
#define COMMON_RPC_RPC_GATHER_H

#include <grpc/slice.h>

#include "rpc/rpc_duplex.h"

TERCET_BEGIN_DECLS

struct rpc_part {
    size_t size;
    uint64_t *handle; /* NULL: nobody asks for it */
    bool dropped;     /* its bytes stay until room is made anew */
};

struct rpc_gather {
    size_t count; /* of what waits */
    size_t bytes; /* of what waits */

    grpc_slice room; /* the encodings, from `begin` to `end`; core shares what has been sent */
    size_t begin;
    size_t end;
    size_t room_wanted; /* as much as the last one had in it */

    struct rpc_part *parts; /* from `first` to below `last`, whose names end with `named` */
    size_t first;
    size_t last;
    size_t part_room;
    uint64_t named;
};

void rpc_gather_init(struct rpc_gather *gather);
void rpc_gather_deinit(struct rpc_gather *gather); /* with what is left */

/* Adds the encoding of `message`, which takes at most `bytes_max`; so nothing has to be counted before
 * it is encoded.  `handle` names it, never 0, until it is sent or dropped, then it is 0; may be NULL. */
void rpc_gather_add(struct rpc_gather *gather, const ProtobufCMessage *message, size_t bytes_max,
                    uint64_t *handle);

/* Takes one out that will not be sent, by what its handle says. */
void rpc_gather_drop(struct rpc_gather *gather, uint64_t name);

/* Sends `head` and the first parts in one message: at most `count_max`, and no more than what first
 * exceeds `bytes_max`.  Tells how many; 0 with no parts, too.  False: nothing was done, because
 * something is being written or the stream is over.  `written_out` as rpc_duplex_send_buffer() has it. */
bool rpc_gather_send(struct rpc_gather *gather, struct rpc_duplex *duplex, struct tercet_bytes head,
                     size_t count_max, size_t bytes_max, size_t *count_out, bool *written_out);

TERCET_END_DECLS

#endif

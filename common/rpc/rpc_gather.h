/* rpc_gather.h -- what gathers while a message is being written.
 *
 * A message whose only repeated field is a list may be sent in parts: the encodings of its parts,
 * one after the other, are the encoding of the whole.  So each part is encoded when it comes, by
 * whoever has it in hand, and what is sent is a run of parts behind a common head.
 *
 *     add, add, add ──► send: (head, as many parts as are allowed) ──► the next send at `written`
 *
 * Thread: the owner's lock. */
#ifndef COMMON_RPC_RPC_GATHER_H
#define COMMON_RPC_RPC_GATHER_H

#include "base/list.h"
#include "rpc/rpc_duplex.h"

TERCET_BEGIN_DECLS

struct rpc_part {
    struct list_node link;
    struct rpc_part **handle; /* NULL: nobody asks for it */
    size_t size;
    uint8_t bytes[];
};

struct rpc_gather {
    struct list_node parts;
    size_t count;
    size_t bytes; /* of all of them */
};

void rpc_gather_init(struct rpc_gather *gather);
void rpc_gather_deinit(struct rpc_gather *gather); /* with what is left */

/* Adds the encoding of `message`.  `handle` names it until it is sent or dropped, then it is NULL; may
 * be NULL itself. */
void rpc_gather_add(struct rpc_gather *gather, const ProtobufCMessage *message,
                    struct rpc_part **handle);

/* Takes one out that will not be sent. */
void rpc_gather_drop(struct rpc_gather *gather, struct rpc_part *part);

/* Sends `head` and the first parts in one message: at most `count_max`, and no more than what first
 * exceeds `bytes_max`.  Tells how many; 0 with no parts, too.  False: nothing was done, because
 * something is being written or the stream is over.  `written_out` as rpc_duplex_send_buffer() has it. */
bool rpc_gather_send(struct rpc_gather *gather, struct rpc_duplex *duplex, struct tercet_bytes head,
                     size_t count_max, size_t bytes_max, size_t *count_out, bool *written_out);

TERCET_END_DECLS

#endif

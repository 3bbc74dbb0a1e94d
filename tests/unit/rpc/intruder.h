/* intruder.h -- an event of somebody else, made by the very thread that sends a message.
 *
 * Core does that once in ten thousand messages, when one thread finishes what another has begun. */
#ifndef TESTS_UNIT_RPC_INTRUDER_H
#define TESTS_UNIT_RPC_INTRUDER_H

#include "rpc/rpc_duplex.h"

TERCET_BEGIN_DECLS

/* Just before the next message leaves, on whatever stream: whoever works on the event takes the lock of
 * `duplex` for a moment, which the sender holds, and calls `run`, once. */
void intruder_send(struct rpc_duplex *duplex, void (*run)(void *context), void *context);

TERCET_END_DECLS

#endif

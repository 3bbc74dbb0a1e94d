/* rpc_unary.h -- one unary call, seen from the server's handler.
 *
 * The handler owns the call until it answers; answering consumes it: afterwards neither the call nor
 * its request may be touched.  A call may be held as long as needed, it costs core nothing while it
 * waits.  Whether the client still listens is not told: a decision must not depend on it.
 *
 * Thread: any, one at a time. */
#ifndef COMMON_RPC_RPC_UNARY_H
#define COMMON_RPC_RPC_UNARY_H

#include "rpc/rpc_detail.h"
#include "rpc/rpc_method.h"

TERCET_BEGIN_DECLS

/* Answer OK.  The message or bytes are borrowed.  Consumes the call. */
void rpc_unary_reply(struct rpc_unary *call, const ProtobufCMessage *reply);
void rpc_unary_reply_bytes(struct rpc_unary *call, struct tercet_bytes reply);

/* Answer with an error; `status` is never TERCET_OK.  `detail` may be NULL.  Consumes the call. */
void rpc_unary_fail(struct rpc_unary *call, enum tercet_status status, const char *text,
                    const struct rpc_detail *detail);

/* The handler needs its request no more, which a call that waits long would keep.  Until answered. */
void rpc_unary_forget_request(struct rpc_unary *call);

/* What is left of the client's deadline: 0 when it has passed, TERCET_FOREVER without one. */
uint32_t rpc_unary_timeout_ms(const struct rpc_unary *call);

/* The other side's address, not authenticated, such as "ipv4:127.0.0.1:4711".  Until answered. */
const char *rpc_unary_peer(struct rpc_unary *call);

/* The first value of a request metadata key.  Until answered; false: none. */
bool rpc_unary_metadata(const struct rpc_unary *call, const char *key,
                        struct tercet_bytes *value_out);

TERCET_END_DECLS

#endif

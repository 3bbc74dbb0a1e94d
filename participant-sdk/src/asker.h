/* asker.h -- where a request came from, and its answer goes: a unary call, or a Work stream.
 *
 * All between the two ends (checks, queues, groups, handlers) is the same for both, and so is what is
 * answered.  An asker is answered exactly once. */
#ifndef TERCET_SRC_ASKER_H
#define TERCET_SRC_ASKER_H

#include "rpc/rpc_unary.h"
#include "tercet/v1/participant.pb-c.h"

TERCET_BEGIN_DECLS

struct rpc_answers;

struct asker {
    struct rpc_unary *call;     /* unary, else NULL */
    struct rpc_answers *stream; /* a stream, else NULL */
    int64_t stream_call;        /* which of the stream's calls */
};

/* The answer.  A unary call's request is gone afterwards. */
void asker_reply(const struct asker *asker, const Tercet__V1__BranchReply *reply);

/* An error status; `text` reaches the coordinator's log. */
void asker_fail(const struct asker *asker, enum tercet_status status, const char *text);

/* What is left of the call's deadline; a stream has none but the request's own timeout. */
uint32_t asker_timeout_ms(const struct asker *asker);

/* This asker's answer is known and follows at once; so do others, perhaps: a stream that has nothing
 * in flight sends them together.  At most once for each asker. */
void asker_announce(const struct asker *asker);

TERCET_END_DECLS

#endif

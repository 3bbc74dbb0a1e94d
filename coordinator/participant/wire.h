/* wire.h -- branches to participant.proto and back.
 *
 * What a status of a call means is decided here and nowhere else.  Whatever cannot be read as an
 * answer is UNKNOWN, never success: a verdict that we do not know is no verdict, a result that is
 * too long to be kept is garbage, for a shortened one would be another than the participant's own
 * row holds. */
#ifndef COORDINATOR_PARTICIPANT_WIRE_H
#define COORDINATOR_PARTICIPANT_WIRE_H

#include "dispatch/dispatch.h"
#include "engine/mark.h"
#include "rpc/rpc_feed.h"
#include "tercet/v1/participant.pb-c.h"

enum { WIRE_ORIGIN_BYTES = 20 };

/* Who asks. */
struct wire_identity {
    uint8_t origin[WIRE_ORIGIN_BYTES];
    int64_t incarnation;
    int64_t epoch;
};

/* A context and all that it points at.  Borrows identity and name. */
struct wire_context {
    Tercet__V1__RequestContext message;
    Tercet__V1__Mark mark;
    Tercet__V1__BranchNumber low;
    Tercet__V1__BranchNumber open[MARK_OPEN_MAX];
    Tercet__V1__BranchNumber *open_pointers[MARK_OPEN_MAX];
};

/* `mark` NULL: nothing to tell. */
void wire_context_fill(struct wire_context *wire, const struct wire_identity *identity,
                       const char *participant, const struct mark *mark);

/* One phase of one branch.  Borrows the order's branch.  `context` NULL: it stands elsewhere. */
struct wire_request {
    Tercet__V1__BranchRequest message;
    Tercet__V1__BranchNumber number;
};

void wire_request_fill(struct wire_request *wire, const struct order *order,
                       struct wire_context *context);

/* Enough for the encoding of a WorkBatch that holds this request, without a context, and nothing else. */
size_t wire_request_bytes_max(const struct wire_request *wire);

/* "/tercet.v1.Participant/Try", ... */
const char *wire_method(enum tercet_phase phase);

/* Participant.Work: calls whose message is a WorkBatch with one request, behind a head that is one with
 * the context.  An answer's reply is a BranchReply. */
extern const struct rpc_feed_kind wire_work;

/* Fills all of `answer` but its branch and phase. */
void wire_answer(struct answer *answer, const struct rpc_result *result);

/* Does this status come from something that lives at the participant's address? */
bool wire_status_is_alive(enum tercet_status status);

/* Has the participant refused us because it has seen a higher epoch? */
bool wire_is_fenced(const struct rpc_result *result);

#endif

/* reply.h -- answers to the wire.  Each of these ends a job: it answers the call, lets the request
 * go, counts it, and frees the job. */
#ifndef TERCET_SRC_REPLY_H
#define TERCET_SRC_REPLY_H

#include "src/job.h"

TERCET_BEGIN_DECLS

/* Codes with LATER that the SDK gives before the fence is asked. */
#define REPLY_CODE_QUEUE_FULL        "TERCET_QUEUE_FULL"
#define REPLY_CODE_WAITED_TOO_LONG   "TERCET_WAITED_TOO_LONG"
#define REPLY_CODE_STOPPING          "TERCET_STOPPING"
#define REPLY_CODE_WRONG_PARTICIPANT "TERCET_WRONG_PARTICIPANT"

/* What the fence or a handler answered.  A CONFLICT and what the group wants told are logged. */
void reply_answer(struct job *job, const struct group_answer *answer);

/* LATER: nothing was done. */
void reply_later(struct job *job, const char *code, const char *text);

/* The same for a request that did not become a job. */
void reply_later_to(struct tercet_participant *participant, const struct asker *asker,
                    const char *code, const char *text);

/* A row's state as the wire says it: NONE is 5 there. */
Tercet__V1__FenceState reply_fence_state(enum tercet_fence_state state);

TERCET_END_DECLS

#endif

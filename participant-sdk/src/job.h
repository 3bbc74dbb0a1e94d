/* job.h -- one request from the moment it was understood until it is answered.
 *
 * A job owns its asker.  It stands in one queue or in one worker's hands, and ends in exactly
 * one of the answers of reply.h, which free it.  The request and all that it points to live until
 * then; only the payload is copied, because a handler is promised a zero byte behind it. */
#ifndef TERCET_SRC_JOB_H
#define TERCET_SRC_JOB_H

#include "fence/group.h"
#include "src/asker.h"
#include "tercet/participant.h"
#include "tercet/v1/participant.pb-c.h"

TERCET_BEGIN_DECLS

struct survey;

enum job_kind {
    JOB_BRANCH, /* one phase of one branch */
    JOB_SURVEY  /* Describe or Inspect: this store's part of it */
};

struct job {
    struct job *next;
    enum job_kind kind;
    struct tercet_participant *participant;

    /* JOB_BRANCH */
    struct asker asker;
    enum tercet_phase phase;
    const struct tercet_action *action; /* as registered */
    struct tercet_fence_caller caller;
    int64_t until_ms; /* monotonic: when nobody waits for the answer any more */

    struct survey *survey; /* JOB_SURVEY */

    unsigned char payload[]; /* JOB_BRANCH: a zero byte follows */
};

/* ---- Queue ----------------------------------------------------------------------------------- */

/* First in, first out, in two classes: confirms, cancels and surveys go before tries, so that what
 * was decided gets done however many new transactions press; and tries fill at most three quarters
 * of the room.  No lock of its own. */
struct job_queue {
    struct job *first[2];
    struct job *last[2];
    size_t count[2];
    size_t count_max;
};

/* False: full. */
bool job_queue_push(struct job_queue *queue, struct job *job);

/* NULL: empty. */
struct job *job_queue_pop(struct job_queue *queue);

static inline size_t job_queue_count(const struct job_queue *queue)
{
    return queue->count[0] + queue->count[1];
}

TERCET_END_DECLS

#endif

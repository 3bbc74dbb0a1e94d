/* job.h -- one request from the moment it was understood until it is answered.
 *
 * A job owns its asker.  It stands in one queue or in one worker's hands, and ends in exactly
 * one of the answers of reply.h, which free it.  It holds a copy of all that is needed of the request,
 * in one piece with itself: the message that brought it goes at once, on the thread that decoded it. */
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
    struct group_request request; /* its user is this job; a zero byte follows the gid */
    struct tercet_fence_caller caller;
    const struct tercet_action *action; /* as registered */
    struct tercet_bytes payload;        /* a zero byte follows */
    const char *traceparent;
    int64_t expires_unix_ms;
    int64_t until_ms; /* monotonic: when nobody waits for the answer any more */
    uint32_t attempt;

    struct survey *survey; /* JOB_SURVEY */

    char bytes[]; /* JOB_BRANCH: payload, gid, traceparent */
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

/* job.c -- see job.h. */
#include "src/job.h"

enum { URGENT = 0, TRIES = 1 };

bool job_queue_push(struct job_queue *queue, struct job *job)
{
    const int rank =
        job->kind == JOB_BRANCH && job->request.phase == TERCET_PHASE_TRY ? TRIES : URGENT;
    const size_t room = rank == TRIES ? queue->count_max - queue->count_max / 4 : queue->count_max;

    if (queue->count[rank] >= room || job_queue_count(queue) >= queue->count_max) {
        return false;
    }
    job->next = NULL;
    if (queue->last[rank] == NULL) {
        queue->first[rank] = job;
    } else {
        queue->last[rank]->next = job;
    }
    queue->last[rank] = job;
    queue->count[rank]++;
    return true;
}

struct job *job_queue_pop(struct job_queue *queue)
{
    const int rank = queue->count[URGENT] > 0 ? URGENT : TRIES;
    struct job *job = queue->first[rank];

    if (job == NULL) {
        return NULL;
    }
    queue->first[rank] = job->next;
    if (queue->first[rank] == NULL) {
        queue->last[rank] = NULL;
    }
    queue->count[rank]--;
    job->next = NULL;
    return job;
}

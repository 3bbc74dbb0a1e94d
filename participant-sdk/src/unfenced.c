/* unfenced.c -- see unfenced.h. */
#include "src/unfenced.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/failpoint.h"
#include "base/memory.h"
#include "base/thread.h"
#include "src/answer.h"
#include "src/moment.h"
#include "src/participant_core.h"
#include "src/reply.h"

struct unfenced {
    struct tercet_participant *participant;
    pthread_mutex_t mutex; /* of queue and stopping */
    pthread_cond_t work;
    struct job_queue queue;
    bool stopping;
    bool started;
    uint32_t worker_count;
    pthread_t *threads;
};

static void later(struct group_answer *answer, const char *code, enum tercet_log_level log)
{
    answer->verdict = TERCET_VERDICT_LATER;
    answer->log = log;
    (void)snprintf(answer->code, sizeof answer->code, "%s", code);
}

/* A confirm-only action reserves nothing: there is nothing to cancel, and no handler for it. */
static bool is_empty_cancel(const struct job *job)
{
    return job->request.phase == TERCET_PHASE_CANCEL && job->action->on_cancel == NULL;
}

static void answer_empty(struct job *job)
{
    const struct group_answer answer = {.status = TERCET_OK,
                                        .verdict = TERCET_VERDICT_DONE,
                                        .how = TERCET_HOW_EMPTY,
                                        .from_fence = true};
    reply_answer(job, &answer);
}

static void run(struct job *job)
{
    if (is_empty_cancel(job)) {
        answer_empty(job);
        return;
    }
    struct participant_counters *counters = &job->participant->counters;
    struct group_answer answer = {.status = TERCET_OK};

    (void)atomic_fetch_add(&counters->handler_runs, 1);
    (void)atomic_fetch_add(&counters->running, 1);
    TERCET_FAILPOINT("unfenced.before_handler");
    const enum tercet_verdict verdict =
        answer_by_handler(job, NULL, NULL, tercet_bytes_of_text(""), &answer);
    (void)atomic_fetch_sub(&counters->running, 1);
    answer.verdict = verdict;
    switch (verdict) {
    case TERCET_VERDICT_DONE:
        answer.how = TERCET_HOW_RAN;
        break;
    case TERCET_VERDICT_REFUSED:
        if (job->request.phase != TERCET_PHASE_TRY) {
            later(&answer, TERCET_CODE_REFUSED_TOO_LATE, TERCET_LOG_ERROR);
        }
        break;
    case TERCET_VERDICT_LATER:
    case TERCET_VERDICT_CONFLICT:
        break;
    case TERCET_VERDICT_UNSPECIFIED:
        (void)atomic_fetch_add(&counters->failures, 1);
        later(&answer, TERCET_CODE_HANDLER_FAILED, TERCET_LOG_WARNING);
        break;
    }
    TERCET_FAILPOINT("unfenced.before_answer");
    reply_answer(job, &answer);
}

/* NULL: the pool stops and nothing is left. */
static struct job *take(struct unfenced *pool, bool *stopping_out)
{
    struct job *job = NULL;

    (void)pthread_mutex_lock(&pool->mutex);
    while (job == NULL) {
        job = job_queue_pop(&pool->queue);
        if (job == NULL) {
            if (pool->stopping) {
                break;
            }
            moment_condition_wait(&pool->work, &pool->mutex, INT64_MAX);
        }
    }
    *stopping_out = pool->stopping;
    (void)pthread_mutex_unlock(&pool->mutex);
    return job;
}

static void *worker_main(void *argument)
{
    struct unfenced *pool = argument;
    bool stopping = false;

    for (;;) {
        struct job *job = take(pool, &stopping);
        if (job == NULL) {
            return NULL;
        }
        if (stopping) {
            reply_later(job, REPLY_CODE_STOPPING, "the participant is stopping");
        } else if (job->until_ms <= moment_ms()) {
            reply_later(job, REPLY_CODE_WAITED_TOO_LONG,
                        "the request waited in the queue for longer than its timeout");
        } else {
            run(job);
        }
    }
}

struct unfenced *unfenced_create(struct tercet_participant *participant, uint32_t worker_count,
                                 size_t queue_max)
{
    struct unfenced *pool = xcalloc(1, sizeof *pool);

    pool->participant = participant;
    pool->worker_count = worker_count;
    pool->queue.count_max = queue_max;
    pool->threads = xcalloc(worker_count, sizeof *pool->threads);
    (void)pthread_mutex_init(&pool->mutex, NULL);
    moment_condition_init(&pool->work);
    return pool;
}

void unfenced_destroy(struct unfenced *pool)
{
    if (pool == NULL) {
        return;
    }
    (void)pthread_cond_destroy(&pool->work);
    (void)pthread_mutex_destroy(&pool->mutex);
    free(pool->threads);
    free(pool);
}

void unfenced_start(struct unfenced *pool)
{
    for (uint32_t i = 0; i < pool->worker_count; i++) {
        thread_start(&pool->threads[i], "tercet-unfenced", worker_main, pool);
    }
    pool->started = true;
}

bool unfenced_push(struct unfenced *pool, struct job *job)
{
    (void)pthread_mutex_lock(&pool->mutex);
    const bool taken = !pool->stopping && job_queue_push(&pool->queue, job);
    if (taken) {
        (void)pthread_cond_signal(&pool->work);
    }
    (void)pthread_mutex_unlock(&pool->mutex);
    return taken;
}

void unfenced_begin_stop(struct unfenced *pool)
{
    (void)pthread_mutex_lock(&pool->mutex);
    pool->stopping = true;
    (void)pthread_cond_broadcast(&pool->work);
    (void)pthread_mutex_unlock(&pool->mutex);
}

void unfenced_join(struct unfenced *pool)
{
    for (uint32_t i = 0; pool->started && i < pool->worker_count; i++) {
        (void)pthread_join(pool->threads[i], NULL);
    }
    pool->started = false;
}

size_t unfenced_queued(struct unfenced *pool)
{
    (void)pthread_mutex_lock(&pool->mutex);
    const size_t count = job_queue_count(&pool->queue);
    (void)pthread_mutex_unlock(&pool->mutex);
    return count;
}

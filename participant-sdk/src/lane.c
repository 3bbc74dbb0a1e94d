/* lane.c -- see lane.h. */
#include "src/lane.h"

#include <stdlib.h>
#include <time.h>

#include "base/assert.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "base/thread.h"
#include "src/answer.h"
#include "src/mark_slice.h"
#include "src/moment.h"
#include "src/participant_core.h"
#include "src/reply.h"
#include "src/survey.h"

enum {
    PAUSE_MS_MAX = 64,                /* between runs of a local transaction that fell */
    MARK_BETWEEN_GROUPS_MS = 20,      /* under load: at most one slice in this time */
    GROUP_PAYLOAD_BYTES = 1024 * 1024 /* what handlers write is about what they were sent */
};

struct worker {
    struct lane *lane;
    pthread_t thread;
    struct group group;
    struct job **jobs; /* room for the store's batch_max; the first `count` are in hand */
    size_t count;
    struct group_request *requests;
    struct group_answer *answers;
    int64_t slice_ms; /* when it last applied a slice */
};

struct lane {
    struct tercet_participant *participant;
    struct tercet_store *store;
    pthread_mutex_t mutex; /* of all below but the workers, which are their threads' own */
    pthread_cond_t work;
    pthread_cond_t end; /* for those that pause: told only when it stops */
    struct job_queue queue;
    struct marks marks;
    uint64_t ran_since_slice; /* branches, by all workers */
    bool stopping;
    struct worker *workers;
    uint32_t worker_count;
    uint32_t idle_count; /* of them, those that wait for work */
    bool fresh;          /* something came that no sleeper was woken for */
    bool started;
};

/* ---- What a group needs of the world --------------------------------------------------------- */

static enum tercet_verdict run_handler(const struct group_request *request, void *connection,
                                       struct tercet_bytes tried, struct group_answer *answer,
                                       void *context)
{
    const struct worker *worker = context;
    return answer_by_handler(request->user, worker->group.ops, connection, tried, answer);
}

static uint64_t now_us(void *context)
{
    struct timespec now;
    (void)context;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* A random pause of up to 2^run ms, ended early when the lane stops. */
static void pause_between_runs(unsigned run, void *context)
{
    const struct worker *worker = context;
    struct lane *lane = worker->lane;
    const uint32_t most = run < 6 ? UINT32_C(1) << run : PAUSE_MS_MAX;
    const int64_t until = moment_ms() + 1 + moment_random() % most;

    (void)pthread_mutex_lock(&lane->mutex);
    while (!lane->stopping && moment_ms() < until) {
        moment_condition_wait(&lane->end, &lane->mutex, until);
    }
    (void)pthread_mutex_unlock(&lane->mutex);
}

/* ---- Groups ---------------------------------------------------------------------------------- */

/* The group's counters only grow; what it adds is added to the participant's. */
static void add_counts(struct tercet_participant *participant, const struct group *before,
                       const struct group *after)
{
    struct participant_counters *counters = &participant->counters;
    (void)atomic_fetch_add(&counters->transactions, after->transactions - before->transactions);
    (void)atomic_fetch_add(&counters->transactions_retried,
                           after->transactions_retried - before->transactions_retried);
    (void)atomic_fetch_add(&counters->handler_runs, after->handler_runs - before->handler_runs);
    (void)atomic_fetch_add(&counters->failures, after->handler_failures - before->handler_failures);
}

/* Runs the jobs in hand; those that the group deferred stay in hand. */
static void run_group(struct worker *worker)
{
    struct tercet_participant *participant = worker->lane->participant;
    const size_t count = worker->count;
    const struct group before = worker->group;
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        worker->requests[i] = worker->jobs[i]->request;
    }
    TERCET_FAILPOINT("lane.before_group");
    (void)atomic_fetch_add(&participant->counters.running, count);
    group_run(&worker->group, worker->requests, worker->answers, count);
    (void)atomic_fetch_sub(&participant->counters.running, count);
    add_counts(participant, &before, &worker->group);
    TERCET_FAILPOINT("lane.after_group");
    for (size_t i = 0; i < count; i++) {
        if (!worker->answers[i].deferred) {
            asker_announce(&worker->jobs[i]->asker);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (worker->answers[i].deferred) {
            worker->jobs[kept++] = worker->jobs[i];
        } else {
            TERCET_FAILPOINT("lane.before_answer");
            reply_answer(worker->jobs[i], &worker->answers[i]);
            TERCET_FAILPOINT("lane.after_answer");
        }
    }
    tercet_assert(kept < count);
    worker->count = kept;
}

/* Surveys are done, and what nobody waits for any more is put off; branches stay in hand. */
static void sort_out(struct worker *worker)
{
    const int64_t now = moment_ms();
    size_t kept = 0;

    for (size_t i = 0; i < worker->count; i++) {
        struct job *job = worker->jobs[i];
        if (job->kind == JOB_SURVEY) {
            survey_visit(job, &worker->group);
        } else if (job->until_ms <= now) {
            reply_later(job, REPLY_CODE_WAITED_TOO_LONG,
                        "the request waited in the queue for longer than its timeout");
        } else {
            worker->jobs[kept++] = job;
        }
    }
    worker->count = kept;
}

/* One slice of a mark, outside the mutex; its entry is the worker's until it is given back. */
static void apply_slice(struct worker *worker, struct mark_slice *slice)
{
    struct lane *lane = worker->lane;

    mark_slice_apply(slice, &worker->group, lane->participant);
    TERCET_FAILPOINT("lane.after_slice");
    worker->slice_ms = moment_ms();
    (void)pthread_mutex_lock(&lane->mutex);
    marks_give_back(slice->entry, slice->from, slice->finished, worker->slice_ms);
    (void)pthread_mutex_unlock(&lane->mutex);
}

/* ---- The workers ----------------------------------------------------------------------------- */

static bool is_full(const struct worker *worker, size_t payload_bytes)
{
    return worker->count >= worker->lane->store->options.batch_max ||
           payload_bytes >= GROUP_PAYLOAD_BYTES;
}

/* Its share of what is queued, beside those that have nothing to do, up to the batch. */
static void take_jobs(struct worker *worker)
{
    struct lane *lane = worker->lane;
    const size_t queued = job_queue_count(&lane->queue);
    const size_t share = (queued + lane->idle_count) / (1 + lane->idle_count);
    size_t payload_bytes = 0;
    for (size_t i = 0; i < worker->count; i++) {
        payload_bytes += worker->jobs[i]->payload.size;
    }
    for (size_t i = 0; i < share && !is_full(worker, payload_bytes); i++) {
        struct job *job = job_queue_pop(&lane->queue);
        payload_bytes += job->payload.size;
        worker->jobs[worker->count++] = job;
    }
    if (job_queue_count(&lane->queue) > 0) {
        (void)pthread_cond_signal(&lane->work);
    }
}

/* Takes jobs up to the batch and perhaps a mark; waits until there is something.  False: the lane
 * stops.  Called and left with the mutex held. */
static bool take(struct worker *worker, struct mark_slice *slice_out)
{
    struct lane *lane = worker->lane;
    slice_out->entry = NULL;
    while (!lane->stopping) {
        const int64_t now = moment_ms();
        int64_t next_ms = INT64_MAX;
        take_jobs(worker);
        if (worker->count == 0 || now - worker->slice_ms >= MARK_BETWEEN_GROUPS_MS) {
            mark_slice_take(slice_out, &lane->marks, lane->ran_since_slice, now, &next_ms);
        }
        if (worker->count > 0 || slice_out->entry != NULL) {
            lane->ran_since_slice =
                worker->count + (slice_out->entry == NULL ? lane->ran_since_slice : 0);
            return true;
        }
        lane->idle_count++;
        moment_condition_wait(&lane->work, &lane->mutex, next_ms);
        lane->idle_count--;
    }
    return false;
}

static void put_off(struct job *job)
{
    if (job->kind == JOB_SURVEY) {
        survey_fail(job, TERCET_UNAVAILABLE, "the participant is stopping");
    } else {
        reply_later(job, REPLY_CODE_STOPPING, "the participant is stopping");
    }
}

/* Puts off everything that is not run. */
static void empty(struct worker *worker)
{
    struct lane *lane = worker->lane;
    struct job *job = NULL;

    for (size_t i = 0; i < worker->count; i++) {
        put_off(worker->jobs[i]);
    }
    worker->count = 0;
    do {
        (void)pthread_mutex_lock(&lane->mutex);
        job = job_queue_pop(&lane->queue);
        (void)pthread_mutex_unlock(&lane->mutex);
        if (job != NULL) {
            put_off(job);
        }
    } while (job != NULL);
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct lane *lane = worker->lane;
    bool going = true;

    while (going) {
        struct mark_slice slice;

        (void)pthread_mutex_lock(&lane->mutex);
        going = take(worker, &slice);
        (void)pthread_mutex_unlock(&lane->mutex);
        if (going) {
            sort_out(worker);
        }
        if (going && worker->count > 0) {
            run_group(worker);
        }
        if (slice.entry != NULL) {
            apply_slice(worker, &slice);
        }
    }
    empty(worker);
    group_disconnect(&worker->group);
    return NULL;
}

/* ---- The lane -------------------------------------------------------------------------------- */

struct lane *lane_create(struct tercet_participant *participant, struct tercet_store *store)
{
    struct lane *lane = xcalloc(1, sizeof *lane);
    const uint32_t batch_max = store->options.batch_max;

    lane->participant = participant;
    lane->store = store;
    lane->queue.count_max = store->options.queue_max;
    (void)pthread_mutex_init(&lane->mutex, NULL);
    moment_condition_init(&lane->work);
    moment_condition_init(&lane->end);
    lane->worker_count = store->options.connection_count;
    lane->workers = xcalloc(lane->worker_count, sizeof *lane->workers);
    for (uint32_t i = 0; i < lane->worker_count; i++) {
        struct worker *worker = &lane->workers[i];
        worker->lane = lane;
        worker->jobs = xcalloc(batch_max, sizeof(struct job *));
        worker->requests = xcalloc(batch_max, sizeof *worker->requests);
        worker->answers = xcalloc(batch_max, sizeof *worker->answers);
        worker->group = (struct group){.ops = store->ops,
                                       .self = store->self,
                                       .store_id = store->id,
                                       .handler = run_handler,
                                       .now_us = now_us,
                                       .pause = pause_between_runs,
                                       .context = worker};
    }
    return lane;
}

void lane_destroy(struct lane *lane)
{
    if (lane == NULL) {
        return;
    }
    for (uint32_t i = 0; i < lane->worker_count; i++) {
        group_disconnect(&lane->workers[i].group);
        free(lane->workers[i].jobs);
        free(lane->workers[i].requests);
        free(lane->workers[i].answers);
    }
    free(lane->workers);
    (void)pthread_cond_destroy(&lane->end);
    (void)pthread_cond_destroy(&lane->work);
    (void)pthread_mutex_destroy(&lane->mutex);
    free(lane);
}

enum tercet_status lane_start(struct lane *lane, struct tercet_error *error_out)
{
    const enum tercet_status status = group_connect(&lane->workers[0].group, error_out);

    if (status != TERCET_OK) {
        return status;
    }
    for (uint32_t i = 0; i < lane->worker_count; i++) {
        thread_start(&lane->workers[i].thread, "tercet-worker", worker_main, &lane->workers[i]);
    }
    TERCET_FAILPOINT("lane.started");
    lane->started = true;
    return TERCET_OK;
}

bool lane_push(struct lane *lane, struct job *job)
{
    (void)pthread_mutex_lock(&lane->mutex);
    const bool taken = !lane->stopping && job_queue_push(&lane->queue, job);
    lane->fresh = lane->fresh || taken;
    (void)pthread_mutex_unlock(&lane->mutex);
    return taken;
}

void lane_offer_mark(struct lane *lane, const struct tercet_fence_caller *caller,
                     const Tercet__V1__Mark *mark)
{
    (void)pthread_mutex_lock(&lane->mutex);
    if (marks_offer(&lane->marks, caller, mark, moment_ms())) {
        lane->fresh = true;
    }
    (void)pthread_mutex_unlock(&lane->mutex);
}

void lane_wake(struct lane *lane)
{
    (void)pthread_mutex_lock(&lane->mutex);
    if (lane->fresh) {
        lane->fresh = false;
        (void)pthread_cond_signal(&lane->work);
    }
    (void)pthread_mutex_unlock(&lane->mutex);
}

void lane_begin_stop(struct lane *lane)
{
    (void)pthread_mutex_lock(&lane->mutex);
    lane->stopping = true;
    (void)pthread_cond_broadcast(&lane->work);
    (void)pthread_cond_broadcast(&lane->end);
    (void)pthread_mutex_unlock(&lane->mutex);
}

void lane_join(struct lane *lane)
{
    for (uint32_t i = 0; lane->started && i < lane->worker_count; i++) {
        (void)pthread_join(lane->workers[i].thread, NULL);
    }
    lane->started = false;
}

size_t lane_queued(struct lane *lane)
{
    (void)pthread_mutex_lock(&lane->mutex);
    const size_t count = job_queue_count(&lane->queue);
    (void)pthread_mutex_unlock(&lane->mutex);
    return count;
}

struct tercet_store *lane_store(const struct lane *lane)
{
    return lane->store;
}

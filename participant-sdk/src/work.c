/* work.c -- see work.h. */
#include "src/work.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "rpc/rpc_codec.h"
#include "rpc/rpc_gather.h"
#include "src/participant_core.h"
#include "src/service.h"

enum {
    /* A message is closed when it is so large, and leaves although more is announced. */
    MESSAGE_BYTES = 256 * 1024,
    MESSAGE_COUNT_MAX = 1024
};

struct work {
    struct tercet_participant *participant;
    struct rpc_duplex *duplex; /* not after `over` */
    atomic_uint parties;       /* core's part and the askers */

    pthread_mutex_t mutex; /* of all below */
    struct rpc_gather answers;
    size_t unanswered; /* requests whose answers have not begun to leave */
    size_t announced;  /* answers that follow at once */
    bool writing;
    bool closed;  /* the client sends no more */
    bool over;    /* rpc_duplex_finish() was entered, or is about to be */
    bool holding; /* what has not left counts as one request in flight: a stop waits for it */
};

static void let_go(struct work *work)
{
    if (atomic_fetch_sub_explicit(&work->parties, 1, memory_order_acq_rel) > 1) {
        return;
    }
    rpc_gather_deinit(&work->answers);
    (void)pthread_mutex_destroy(&work->mutex);
    free(work);
}

/* ---- Answers leave --------------------------------------------------------------------------- */

/* The mutex is held. */
static void hold_or_let_go(struct work *work)
{
    const bool hold = !work->over && (work->answers.count > 0 || work->writing);
    if (hold && !work->holding) {
        participant_hold(work->participant);
    } else if (!hold && work->holding) {
        participant_let_go(work->participant, 0);
    }
    work->holding = hold;
}

/* Sends what there is, if it is time.  The mutex is held. */
static void pump(struct work *work)
{
    const bool full = work->answers.count >= MESSAGE_COUNT_MAX;
    size_t count = 0;

    if (work->over || work->writing || work->answers.count == 0 || (work->announced > 0 && !full)) {
        return;
    }
    /* False: the stream broke; `gone` follows. */
    if (rpc_gather_send(&work->answers, work->duplex, tercet_bytes_of("", 0), MESSAGE_COUNT_MAX,
                        MESSAGE_BYTES, &count)) {
        work->writing = true;
        work->unanswered -= count;
    }
}

/* Nobody will read them.  The mutex is held. */
static void drop_answers(struct work *work)
{
    work->unanswered -= work->answers.count;
    rpc_gather_deinit(&work->answers);
    rpc_gather_init(&work->answers);
}

/* Leaves the mutex; ends the stream when everything is done. */
static void leave(struct work *work)
{
    pump(work);
    const bool done = work->closed && !work->over && work->unanswered == 0 && !work->writing;
    work->over = work->over || done;
    hold_or_let_go(work);
    (void)pthread_mutex_unlock(&work->mutex);
    if (done) {
        rpc_duplex_finish(work->duplex, TERCET_OK, "");
    }
}

/* Ends the stream although something is unanswered. */
static void end(struct work *work, enum tercet_status status, const char *text)
{
    (void)pthread_mutex_lock(&work->mutex);
    const bool first = !work->over;
    const bool stuck = work->writing;
    work->over = true;
    drop_answers(work);
    hold_or_let_go(work);
    (void)pthread_mutex_unlock(&work->mutex);
    if (first && stuck) {
        rpc_duplex_cancel(work->duplex); /* it may not be reading */
    }
    if (first) {
        rpc_duplex_finish(work->duplex, status, text);
    }
}

static void answer(const struct asker *asker, const Tercet__V1__BranchReply *reply)
{
    struct work *work = asker->work;
    Tercet__V1__BranchReply named = *reply;
    Tercet__V1__BranchReply *replies[] = {&named};
    Tercet__V1__AnswerBatch batch = TERCET__V1__ANSWER_BATCH__INIT;

    named.call = asker->request->call;
    batch.n_replies = 1;
    batch.replies = replies;
    (void)pthread_mutex_lock(&work->mutex);
    work->announced -= work->announced > 0 ? 1 : 0;
    if (work->over) {
        work->unanswered--;
    } else {
        rpc_gather_add(&work->answers, &batch.base, NULL);
    }
    leave(work);
    rpc_codec_free((ProtobufCMessage *)(uintptr_t)asker->request);
    let_go(work);
}

void work_announce(struct work *work)
{
    (void)pthread_mutex_lock(&work->mutex);
    work->announced++;
    (void)pthread_mutex_unlock(&work->mutex);
}

void work_answer(const struct asker *asker, const Tercet__V1__BranchReply *reply)
{
    answer(asker, reply);
}

void work_fail(const struct asker *asker, enum tercet_status status, const char *text)
{
    Tercet__V1__BranchReply reply = TERCET__V1__BRANCH_REPLY__INIT;
    Tercet__V1__Reason reason = TERCET__V1__REASON__INIT;

    reason.text = (char *)(uintptr_t)text;
    reply.status = (uint32_t)status;
    reply.reason = &reason;
    answer(asker, &reply);
}

/* ---- Requests come --------------------------------------------------------------------------- */

static bool admit(struct work *work, size_t count, char *text, size_t text_size)
{
    (void)pthread_mutex_lock(&work->mutex);
    const size_t unanswered = work->unanswered + count;
    const bool admitted =
        !work->over && count <= WORK_REQUEST_COUNT_MAX && unanswered <= WORK_WINDOW;
    if (admitted) {
        work->unanswered = unanswered;
        work->announced++; /* until all of the batch were looked at */
    }
    (void)pthread_mutex_unlock(&work->mutex);
    (void)snprintf(text, text_size,
                   "%zu requests in one message, at most %d; %zu unanswered, the window is %d",
                   count, WORK_REQUEST_COUNT_MAX, unanswered, WORK_WINDOW);
    return admitted;
}

static void serve(struct work *work, Tercet__V1__WorkBatch *batch)
{
    struct service_context context;

    service_check_context(&context, batch->context);
    for (size_t i = 0; i < batch->n_requests; i++) {
        const struct asker asker = {.work = work, .request = batch->requests[i]};
        (void)atomic_fetch_add_explicit(&work->parties, 1, memory_order_relaxed);
        service_work_request(work->participant, &asker, &context);
    }
    if (batch->n_requests == 0) {
        service_offer_mark(work->participant, &context);
    }
    batch->n_requests = 0; /* they are their askers' now */
}

static void on_message(ProtobufCMessage *message, void *argument)
{
    struct work *work = argument;
    Tercet__V1__WorkBatch *batch = (Tercet__V1__WorkBatch *)message;
    char text[160];

    if (admit(work, batch->n_requests, text, sizeof text)) {
        serve(work, batch);
        (void)pthread_mutex_lock(&work->mutex);
        work->announced -= work->announced > 0 ? 1 : 0;
        leave(work);
    } else {
        end(work, TERCET_RESOURCE_EXHAUSTED, text);
    }
    rpc_codec_free(message);
}

static void on_written(void *argument)
{
    struct work *work = argument;
    (void)pthread_mutex_lock(&work->mutex);
    work->writing = false;
    work->announced = 0; /* what is there has waited for one message already */
    leave(work);
}

static void on_half_closed(void *argument)
{
    struct work *work = argument;
    (void)pthread_mutex_lock(&work->mutex);
    work->closed = true;
    leave(work);
}

static void on_gone(void *argument)
{
    end(argument, TERCET_CALL_CANCELLED, "the client has gone");
}

static void on_ended(const struct rpc_result *result, void *argument)
{
    struct work *work = argument;
    (void)result;
    (void)atomic_fetch_sub(&work->participant->streams, 1);
    let_go(work);
}

/* ---- The stream ------------------------------------------------------------------------------ */

static void tell_window(struct work *work)
{
    Tercet__V1__AnswerBatch hello = TERCET__V1__ANSWER_BATCH__INIT;
    size_t size = 0;

    hello.window = WORK_WINDOW;
    void *bytes = rpc_codec_pack(&hello.base, &size);
    (void)pthread_mutex_lock(&work->mutex);
    work->writing = !work->over && rpc_duplex_send(work->duplex, tercet_bytes_of(bytes, size));
    (void)pthread_mutex_unlock(&work->mutex);
    free(bytes);
}

void work_serve(struct rpc_duplex *duplex, void *participant)
{
    struct work *work = xcalloc(1, sizeof *work);
    const struct rpc_duplex_events events = {.message = on_message,
                                             .written = on_written,
                                             .half_closed = on_half_closed,
                                             .gone = on_gone,
                                             .ended = on_ended,
                                             .context = work};

    work->participant = participant;
    work->duplex = duplex;
    atomic_init(&work->parties, 1);
    (void)pthread_mutex_init(&work->mutex, NULL);
    rpc_gather_init(&work->answers);
    rpc_duplex_listen(duplex, &events);
    if (atomic_fetch_add(&work->participant->streams, 1) >= WORK_STREAM_COUNT_MAX) {
        end(work, TERCET_RESOURCE_EXHAUSTED, "too many Work streams");
        return;
    }
    tell_window(work);
}

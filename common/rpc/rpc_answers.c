/* rpc_answers.c -- see rpc_answers.h. */
#include "rpc/rpc_answers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"
#include "rpc/rpc_codec.h"
#include "rpc/rpc_gather.h"

enum { MESSAGE_COUNT_MAX = 1024 };

struct rpc_answers {
    struct rpc_answers_limits limits;
    struct rpc_answers_hands hands;
    struct rpc_duplex *duplex; /* not after `over` */
    atomic_size_t parties;     /* core's part and the requests that are unanswered */

    pthread_mutex_t mutex; /* of all below */
    struct rpc_gather waiting;
    size_t unanswered; /* requests whose answers have not begun to leave */
    size_t announced;  /* answers that follow at once */
    bool held;         /* more answers follow at once, nobody knows how many */
    bool writing;
    bool closed;   /* the client sends no more */
    bool stopping; /* our server wants to stop */
    bool over;     /* rpc_duplex_finish() was entered, or is about to be */
    bool busy;     /* as hands.busy was told */
};

static void let_go(struct rpc_answers *answers)
{
    if (atomic_fetch_sub_explicit(&answers->parties, 1, memory_order_acq_rel) > 1) {
        return;
    }
    rpc_gather_deinit(&answers->waiting);
    (void)pthread_mutex_destroy(&answers->mutex);
    free(answers);
}

/* ---- Answers leave ----------------------------------------------------------------------------- */

/* The mutex is held. */
static void tell_busy(struct rpc_answers *answers)
{
    const bool busy = !answers->over && (answers->waiting.count > 0 || answers->writing);
    if (busy != answers->busy && answers->hands.busy != NULL) {
        answers->hands.busy(busy, answers->hands.context);
    }
    answers->busy = busy;
}

/* The mutex is held. */
static bool may_pump(const struct rpc_answers *answers)
{
    const bool full = answers->waiting.count >= MESSAGE_COUNT_MAX;
    const bool early = (answers->announced > 0 || answers->held) && !full;
    return !answers->over && !answers->writing && answers->waiting.count > 0 && !early;
}

/* Sends what there is, if it is time.  The mutex is held. */
static void pump(struct rpc_answers *answers)
{
    bool written = true;
    while (written && may_pump(answers)) {
        size_t count = 0;
        written = false;
        /* False: the stream broke; `gone` follows. */
        if (rpc_gather_send(&answers->waiting, answers->duplex, tercet_bytes_of("", 0),
                            MESSAGE_COUNT_MAX, answers->limits.message_bytes, &count, &written)) {
            answers->writing = !written;
            answers->unanswered -= count;
        }
    }
}

/* Leaves the mutex; ends the stream when everything is done. */
static void leave(struct rpc_answers *answers)
{
    pump(answers);
    const bool wanted = answers->closed || answers->stopping;
    const bool done = wanted && !answers->over && answers->unanswered == 0 && !answers->writing;
    const bool closed = answers->closed;
    answers->over = answers->over || done;
    tell_busy(answers);
    pthread_mutex_unlock(&answers->mutex);
    if (done) {
        rpc_duplex_finish(answers->duplex, closed ? TERCET_OK : TERCET_UNAVAILABLE,
                          closed ? "" : "stopping");
    }
}

/* Nobody will read them.  The mutex is held. */
static void drop_waiting(struct rpc_answers *answers)
{
    answers->unanswered -= answers->waiting.count;
    rpc_gather_deinit(&answers->waiting);
    rpc_gather_init(&answers->waiting);
}

/* Whoever lets answers wait behind what is being written may never read: `breaks` does not wait for it. */
static void end(struct rpc_answers *answers, enum tercet_status status, const char *text,
                bool breaks)
{
    pthread_mutex_lock(&answers->mutex);
    const bool first = !answers->over;
    const bool stuck = answers->writing && answers->waiting.count > 0;
    answers->over = true;
    drop_waiting(answers);
    tell_busy(answers);
    pthread_mutex_unlock(&answers->mutex);
    if (first && stuck && breaks) {
        rpc_duplex_cancel(answers->duplex);
    }
    if (first) {
        rpc_duplex_finish(answers->duplex, status, text);
    }
}

void rpc_answers_end(struct rpc_answers *answers, enum tercet_status status, const char *text)
{
    end(answers, status, text, true);
}

void rpc_answers_announce(struct rpc_answers *answers)
{
    pthread_mutex_lock(&answers->mutex);
    answers->announced++;
    pthread_mutex_unlock(&answers->mutex);
}

void rpc_answers_hold(struct rpc_answers *answers)
{
    (void)atomic_fetch_add_explicit(&answers->parties, 1, memory_order_relaxed);
    pthread_mutex_lock(&answers->mutex);
    answers->held = true;
    pthread_mutex_unlock(&answers->mutex);
}

void rpc_answers_release(struct rpc_answers *answers)
{
    pthread_mutex_lock(&answers->mutex);
    answers->held = false;
    leave(answers);
    let_go(answers);
}

void rpc_answers_give(struct rpc_answers *answers, const ProtobufCMessage *message,
                      size_t bytes_max)
{
    pthread_mutex_lock(&answers->mutex);
    answers->announced -= answers->announced > 0 ? 1 : 0;
    if (answers->over) {
        answers->unanswered--;
    } else {
        rpc_gather_add(&answers->waiting, message, bytes_max, NULL);
    }
    const bool unread =
        answers->writing && answers->waiting.bytes > answers->limits.unsent_bytes_max;
    leave(answers);
    if (unread) {
        rpc_answers_end(answers, TERCET_RESOURCE_EXHAUSTED, "answers are not read");
    }
    let_go(answers);
}

/* ---- Requests come ----------------------------------------------------------------------------- */

static bool admit(struct rpc_answers *answers, size_t count, char *text, size_t text_size)
{
    const struct rpc_answers_limits *limits = &answers->limits;
    pthread_mutex_lock(&answers->mutex);
    const size_t unanswered = answers->unanswered + count;
    const bool admitted =
        !answers->over && count <= limits->request_count_max && unanswered <= limits->window;
    if (admitted) {
        answers->unanswered = unanswered;
        answers->announced++; /* until all of the message were looked at */
        (void)atomic_fetch_add_explicit(&answers->parties, count, memory_order_relaxed);
    }
    pthread_mutex_unlock(&answers->mutex);
    (void)snprintf(text, text_size,
                   "%zu requests in one message, at most %zu; %zu unanswered, the window is %zu",
                   count, limits->request_count_max, unanswered, limits->window);
    return admitted;
}

static void on_message(ProtobufCMessage *message, void *context)
{
    struct rpc_answers *answers = context;
    char text[160];
    if (admit(answers, answers->hands.count(message), text, sizeof text)) {
        answers->hands.message(answers, message, answers->hands.context);
        pthread_mutex_lock(&answers->mutex);
        answers->announced -= answers->announced > 0 ? 1 : 0;
        leave(answers);
    } else {
        rpc_answers_end(answers, TERCET_RESOURCE_EXHAUSTED, text);
        rpc_codec_free(message);
    }
}

static void on_written(void *context)
{
    struct rpc_answers *answers = context;
    pthread_mutex_lock(&answers->mutex);
    answers->writing = false;
    answers->announced = 0; /* what is there has waited for one message already */
    leave(answers);
}

static void on_half_closed(void *context)
{
    struct rpc_answers *answers = context;
    pthread_mutex_lock(&answers->mutex);
    answers->closed = true;
    leave(answers);
}

static void on_stopping(void *context)
{
    struct rpc_answers *answers = context;
    pthread_mutex_lock(&answers->mutex);
    answers->stopping = true;
    leave(answers);
}

static void on_gone(void *context)
{
    /* Or is told why behind what is being written: it sent what is no message. */
    end(context, TERCET_CALL_CANCELLED, "the client has gone", false);
}

static void on_ended(const struct rpc_result *result, void *context)
{
    struct rpc_answers *answers = context;
    (void)result;
    if (answers->hands.ended != NULL) {
        answers->hands.ended(answers->hands.context);
    }
    let_go(answers);
}

/* ---- The stream -------------------------------------------------------------------------------- */

struct rpc_answers *rpc_answers_open(struct rpc_duplex *duplex,
                                     const struct rpc_answers_limits *limits,
                                     const struct rpc_answers_hands *hands)
{
    struct rpc_answers *answers = xcalloc(1, sizeof *answers);
    const struct rpc_duplex_events events = {.message = on_message,
                                             .written = on_written,
                                             .half_closed = on_half_closed,
                                             .stopping = on_stopping,
                                             .gone = on_gone,
                                             .ended = on_ended,
                                             .context = answers};
    answers->limits = *limits;
    answers->hands = *hands;
    answers->duplex = duplex;
    atomic_init(&answers->parties, 1);
    tercet_assert(pthread_mutex_init(&answers->mutex, NULL) == 0);
    rpc_gather_init(&answers->waiting);
    rpc_duplex_listen(duplex, &events);
    return answers;
}

void rpc_answers_hello(struct rpc_answers *answers, const ProtobufCMessage *hello)
{
    size_t size = 0;
    void *bytes = rpc_codec_pack(hello, &size);
    pthread_mutex_lock(&answers->mutex);
    answers->writing =
        !answers->over && rpc_duplex_send(answers->duplex, tercet_bytes_of(bytes, size));
    pthread_mutex_unlock(&answers->mutex);
    free(bytes);
}

/* stream.c -- see stream.h.  Events come on poller threads; the mutex guards what they change. */
#include "stream.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "rpc/rpc_codec.h"
#include "rpc/rpc_duplex.h"

enum { WAIT_S = 5, WINDOW_DEFAULT = 64, UNKNOWN_PHASE = 77 };

struct stream {
    struct run *run;
    struct rpc_channel *channel;
    struct rpc_duplex *duplex;

    pthread_mutex_t mutex; /* of all below */
    pthread_cond_t news;
    bool writing;
    bool heard;
    bool ended;
    uint32_t window;
    struct answer end;
    enum tercet_phase phases[STREAM_CALL_COUNT_MAX]; /* of call 1 and up */
    bool asked[STREAM_CALL_COUNT_MAX];
    bool answered[STREAM_CALL_COUNT_MAX];
    struct answer answers[STREAM_CALL_COUNT_MAX];
    size_t answered_count;
    char complaint[ANSWER_SENTENCE_SIZE];
};

/* ---- Events ------------------------------------------------------------------------------------ */

/* The mutex is held. */
static void take_reply(struct stream *stream, const Tercet__V1__BranchReply *reply)
{
    const int64_t call = reply->call;
    if (call < 1 || call > STREAM_CALL_COUNT_MAX || !stream->asked[call - 1]) {
        text_format(stream->complaint, sizeof stream->complaint,
                    "an answer to call %" PRId64 " came, which was not asked", call);
        return;
    }
    if (stream->answered[call - 1]) {
        text_format(stream->complaint, sizeof stream->complaint,
                    "call %" PRId64 " was answered twice", call);
        return;
    }
    answer_read_reply(&stream->answers[call - 1], reply);
    stream->answered[call - 1] = true;
    stream->answered_count++;
}

static void on_message(ProtobufCMessage *message, void *context)
{
    struct stream *stream = context;
    const Tercet__V1__AnswerBatch *batch = (const Tercet__V1__AnswerBatch *)message;
    (void)pthread_mutex_lock(&stream->mutex);
    if (batch->window != 0) {
        stream->window = batch->window;
    } else if (!stream->heard) {
        stream->window = WINDOW_DEFAULT;
    }
    if (!stream->heard && batch->n_replies > 0) {
        text_format(stream->complaint, sizeof stream->complaint,
                    "the first message has replies, and nothing was asked");
    }
    stream->heard = true;
    for (size_t i = 0; i < batch->n_replies; i++) {
        take_reply(stream, batch->replies[i]);
    }
    (void)pthread_cond_broadcast(&stream->news);
    (void)pthread_mutex_unlock(&stream->mutex);
    rpc_codec_free(message);
}

static void on_written(void *context)
{
    struct stream *stream = context;
    (void)pthread_mutex_lock(&stream->mutex);
    stream->writing = false;
    (void)pthread_cond_broadcast(&stream->news);
    (void)pthread_mutex_unlock(&stream->mutex);
}

static void on_ended(const struct rpc_result *result, void *context)
{
    struct stream *stream = context;
    (void)pthread_mutex_lock(&stream->mutex);
    stream->end = (struct answer){.status = result->status};
    text_copy(stream->end.text, sizeof stream->end.text, result->text);
    answer_clean(stream->end.text);
    stream->ended = true;
    (void)pthread_cond_broadcast(&stream->news);
    (void)pthread_mutex_unlock(&stream->mutex);
}

/* ---- Life -------------------------------------------------------------------------------------- */

struct stream *stream_open(struct run *run)
{
    struct stream *stream = xcalloc(1, sizeof *stream);
    struct tercet_error error;
    pthread_condattr_t by_monotonic;
    stream->run = run;
    (void)pthread_mutex_init(&stream->mutex, NULL);
    (void)pthread_condattr_init(&by_monotonic);
    (void)pthread_condattr_setclock(&by_monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&stream->news, &by_monotonic);
    (void)pthread_condattr_destroy(&by_monotonic);
    const enum tercet_status connected = run_connect(run, &stream->channel, &error);
    tercet_assert(connected == TERCET_OK); /* the address was good four times before */
    const struct rpc_duplex_options options = {
        .path = "/tercet.v1.Participant/Work",
        .reply = &tercet__v1__answer_batch__descriptor,
        .events = {
            .message = on_message, .written = on_written, .ended = on_ended, .context = stream}};
    stream->duplex = rpc_duplex_start(stream->channel, &options);
    return stream;
}

void stream_close(struct stream *stream)
{
    rpc_duplex_cancel(stream->duplex);
    rpc_duplex_unref(stream->duplex);
    rpc_channel_close(stream->channel); /* returns when no event comes any more */
    (void)pthread_cond_destroy(&stream->news);
    (void)pthread_mutex_destroy(&stream->mutex);
    free(stream);
}

/* ---- Waiting ----------------------------------------------------------------------------------- */

static struct timespec wait_until(void)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_S;
    return until;
}

/* The mutex is held.  False: the time is over. */
static bool wait_news(struct stream *stream, const struct timespec *until)
{
    return pthread_cond_timedwait(&stream->news, &stream->mutex, until) != ETIMEDOUT;
}

bool stream_wait_window(struct stream *stream, uint32_t *window_out, struct answer *ended_out)
{
    const struct timespec until = wait_until();
    (void)pthread_mutex_lock(&stream->mutex);
    while (!stream->heard && !stream->ended && wait_news(stream, &until)) {
    }
    const bool heard = stream->heard;
    *window_out = stream->window;
    *ended_out = stream->ended ? stream->end
                               : (struct answer){.status = TERCET_DEADLINE_EXCEEDED,
                                                 .text = "no first message came"};
    (void)pthread_mutex_unlock(&stream->mutex);
    return heard;
}

bool stream_wait(struct stream *stream, int64_t call, struct answer *answer_out)
{
    const struct timespec until = wait_until();
    tercet_assert(call >= 1 && call <= STREAM_CALL_COUNT_MAX);
    (void)pthread_mutex_lock(&stream->mutex);
    while (!stream->answered[call - 1] && !stream->ended && wait_news(stream, &until)) {
    }
    const bool answered = stream->answered[call - 1];
    *answer_out = answered ? stream->answers[call - 1]
                           : (struct answer){.status = TERCET_DEADLINE_EXCEEDED,
                                             .text = "no answer came on the stream"};
    const enum tercet_phase phase = stream->phases[call - 1];
    (void)pthread_mutex_unlock(&stream->mutex);
    if (answered) {
        conduct_note(&stream->run->conduct, phase, answer_out);
    }
    return answered;
}

bool stream_wait_written(struct stream *stream)
{
    const struct timespec until = wait_until();
    (void)pthread_mutex_lock(&stream->mutex);
    while (stream->writing && !stream->ended && wait_news(stream, &until)) {
    }
    const bool written = !stream->writing;
    (void)pthread_mutex_unlock(&stream->mutex);
    return written;
}

size_t stream_answered(struct stream *stream)
{
    (void)pthread_mutex_lock(&stream->mutex);
    const size_t count = stream->answered_count;
    (void)pthread_mutex_unlock(&stream->mutex);
    return count;
}

bool stream_wait_end(struct stream *stream, struct answer *ended_out)
{
    const struct timespec until = wait_until();
    (void)pthread_mutex_lock(&stream->mutex);
    while (!stream->ended && wait_news(stream, &until)) {
    }
    const bool ended = stream->ended;
    *ended_out = stream->end;
    (void)pthread_mutex_unlock(&stream->mutex);
    return ended;
}

void stream_complaint(struct stream *stream, char sentence_out[ANSWER_SENTENCE_SIZE])
{
    (void)pthread_mutex_lock(&stream->mutex);
    text_copy(sentence_out, ANSWER_SENTENCE_SIZE, stream->complaint);
    (void)pthread_mutex_unlock(&stream->mutex);
}

/* ---- Sending ----------------------------------------------------------------------------------- */

/* One message at a time. */
static bool send_bytes(struct stream *stream, struct tercet_bytes bytes)
{
    if (!stream_wait_written(stream)) {
        return false;
    }
    (void)pthread_mutex_lock(&stream->mutex);
    stream->writing = true;
    (void)pthread_mutex_unlock(&stream->mutex);
    return rpc_duplex_send(stream->duplex, bytes);
}

bool stream_send_context(struct stream *stream, const struct persona *persona)
{
    Tercet__V1__WorkBatch batch = TERCET__V1__WORK_BATCH__INIT;
    struct request_context context;
    size_t size = 0;
    request_context_fill(&context, persona);
    batch.context = &context.message;
    void *bytes = rpc_codec_pack(&batch.base, &size);
    const bool sent = send_bytes(stream, tercet_bytes_of(bytes, size));
    free(bytes);
    return sent;
}

static bool send_batch(struct stream *stream, struct request *requests, size_t count)
{
    Tercet__V1__WorkBatch batch = TERCET__V1__WORK_BATCH__INIT;
    Tercet__V1__BranchRequest *pointers[STREAM_CALL_COUNT_MAX];
    size_t size = 0;
    batch.context = requests[0].message.context;
    for (size_t i = 0; i < count; i++) {
        requests[i].message.context = NULL;
        pointers[i] = &requests[i].message;
    }
    batch.n_requests = count;
    batch.requests = pointers;
    void *bytes = rpc_codec_pack(&batch.base, &size);
    const bool sent = send_bytes(stream, tercet_bytes_of(bytes, size));
    free(bytes);
    return sent;
}

static void expect_call(struct stream *stream, int64_t call, enum tercet_phase phase)
{
    tercet_assert(call >= 1 && call <= STREAM_CALL_COUNT_MAX);
    (void)pthread_mutex_lock(&stream->mutex);
    stream->phases[call - 1] = phase;
    stream->asked[call - 1] = true;
    (void)pthread_mutex_unlock(&stream->mutex);
    stream->run->request_count++;
}

bool stream_send(struct stream *stream, const struct question *questions, size_t count,
                 int64_t first_call)
{
    struct request *requests = arena_calloc(&stream->run->arena, count, sizeof *requests);
    for (size_t i = 0; i < count; i++) {
        request_fill(&requests[i], questions[i].branch, questions[i].phase);
        requests[i].message.call = first_call + (int64_t)i;
        expect_call(stream, requests[i].message.call, questions[i].phase);
    }
    return send_batch(stream, requests, count);
}

bool stream_send_unknown_phase(struct stream *stream, const struct branch *branch, int64_t call)
{
    struct request *request = arena_calloc(&stream->run->arena, 1, sizeof *request);
    request_fill(request, branch, TERCET_PHASE_TRY);
    request->message.phase = (Tercet__V1__Phase)UNKNOWN_PHASE;
    request->message.call = call;
    expect_call(stream, call, TERCET_PHASE_TRY);
    return send_batch(stream, request, 1);
}

void stream_half_close(struct stream *stream)
{
    rpc_duplex_half_close(stream->duplex);
}

/* floor_stream.c -- see floor.h: branch requests over one stream, with nothing behind it.
 *
 * The messages are ours (Work), encoded and decoded, with one write in flight; the batch is fixed, as
 * large as ours are under load.  So this is what gRPC core, protobuf-c and the kernel cost. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster.h"
#include "floor.h"
#include "histogram.h"
#include "process.h"
#include "rpc/rpc_channel.h"
#include "rpc/rpc_codec.h"
#include "rpc/rpc_duplex.h"
#include "rpc/rpc_server.h"
#include "tercet/v1/participant.pb-c.h"

enum { BATCH = 32, UNANSWERED_MAX = 512, LANE_COUNT_MAX = 4, START_TIMEOUT_MS = 10000 };
enum { ANSWER_MS_MAX = 5000, PAYLOAD_BYTES_MAX = 65536 };

static const char path[] = "/tercet.v1.Participant/Work";

/* ---- The side that answers --------------------------------------------------------------------- */

struct echo {
    struct rpc_duplex *duplex;
    pthread_mutex_t mutex;
    size_t owed; /* answers */
    bool writing;
    bool finished;
};

/* The mutex is held. */
static void answer(struct echo *echo)
{
    Tercet__V1__AnswerBatch batch = TERCET__V1__ANSWER_BATCH__INIT;
    Tercet__V1__BranchReply replies[BATCH];
    Tercet__V1__BranchReply *pointers[BATCH];
    if (echo->writing || echo->owed == 0) {
        return;
    }
    batch.n_replies = echo->owed < BATCH ? echo->owed : BATCH;
    batch.replies = pointers;
    for (size_t i = 0; i < batch.n_replies; i++) {
        tercet__v1__branch_reply__init(&replies[i]);
        replies[i].verdict = TERCET__V1__VERDICT__VERDICT_DONE;
        replies[i].call = (int64_t)i + 1;
        pointers[i] = &replies[i];
    }
    size_t size = 0;
    void *bytes = rpc_codec_pack(&batch.base, &size);
    if (rpc_duplex_send(echo->duplex, tercet_bytes_of(bytes, size))) {
        echo->writing = true;
        echo->owed -= batch.n_replies;
    }
    free(bytes);
}

static void echo_message(ProtobufCMessage *message, void *context)
{
    struct echo *echo = context;
    const Tercet__V1__WorkBatch *batch = (const Tercet__V1__WorkBatch *)message;
    (void)pthread_mutex_lock(&echo->mutex);
    echo->owed += batch->n_requests;
    answer(echo);
    (void)pthread_mutex_unlock(&echo->mutex);
    rpc_codec_free(message);
}

static void echo_written(void *context)
{
    struct echo *echo = context;
    (void)pthread_mutex_lock(&echo->mutex);
    echo->writing = false;
    answer(echo);
    (void)pthread_mutex_unlock(&echo->mutex);
}

static void echo_over(void *context)
{
    struct echo *echo = context;
    (void)pthread_mutex_lock(&echo->mutex);
    const bool first = !echo->finished;
    echo->finished = true;
    (void)pthread_mutex_unlock(&echo->mutex);
    if (first) {
        rpc_duplex_finish(echo->duplex, TERCET_OK, "");
    }
}

static void echo_ended(const struct rpc_result *result, void *context)
{
    struct echo *echo = context;
    (void)result;
    (void)pthread_mutex_destroy(&echo->mutex);
    free(echo);
}

static void echo_serve(struct rpc_duplex *duplex, void *context)
{
    struct echo *echo = calloc(1, sizeof *echo);
    (void)context;
    if (echo == NULL) {
        abort();
    }
    echo->duplex = duplex;
    (void)pthread_mutex_init(&echo->mutex, NULL);
    rpc_duplex_listen(duplex, &(const struct rpc_duplex_events){.message = echo_message,
                                                                .written = echo_written,
                                                                .half_closed = echo_over,
                                                                .gone = echo_over,
                                                                .ended = echo_ended,
                                                                .context = echo});
}

int floor_echo_main(const char *listen)
{
    const struct rpc_method method = {.path = path,
                                      .kind = RPC_METHOD_DUPLEX,
                                      .request = &tercet__v1__work_batch__descriptor,
                                      .duplex = echo_serve};
    struct rpc_runtime *runtime = rpc_runtime_create(NULL);
    const struct rpc_server_options options = {.runtime = runtime,
                                               .addresses = &listen,
                                               .address_count = 1,
                                               .methods = &method,
                                               .method_count = 1};
    struct rpc_server *server = NULL;
    struct tercet_error error = {0};
    const bool ok = rpc_server_create(&options, &server, &error) == TERCET_OK;
    if (ok) {
        rpc_server_start(server);
        process_serve_parent();
    } else {
        (void)fprintf(stderr, "tercet-bench: echo: %s\n", error.text);
    }
    rpc_server_destroy(server);
    rpc_runtime_destroy(runtime);
    return ok ? 0 : 1;
}

/* ---- The side that asks ------------------------------------------------------------------------ */

struct asker;

struct lane {
    struct asker *asker;
    struct process echo;
    struct rpc_channel *channel;
    struct rpc_duplex *duplex;
    bool writing;
};

struct asker {
    struct lane lanes[LANE_COUNT_MAX];
    uint32_t lane_count;
    struct rpc_runtime *runtime;
    pthread_mutex_t mutex;
    pthread_cond_t news;
    size_t unanswered;
    bool over;
    Tercet__V1__BranchRequest requests[BATCH];
    Tercet__V1__BranchRequest *pointers[BATCH];
    uint8_t payload[PAYLOAD_BYTES_MAX];
    uint8_t digest[16];
};

static void ask_message(ProtobufCMessage *message, void *context)
{
    struct asker *asker = ((struct lane *)context)->asker;
    const Tercet__V1__AnswerBatch *batch = (const Tercet__V1__AnswerBatch *)message;
    (void)pthread_mutex_lock(&asker->mutex);
    asker->unanswered -= batch->n_replies;
    (void)pthread_cond_signal(&asker->news);
    (void)pthread_mutex_unlock(&asker->mutex);
    rpc_codec_free(message);
}

static void ask_written(void *context)
{
    struct lane *lane = context;
    (void)pthread_mutex_lock(&lane->asker->mutex);
    lane->writing = false;
    (void)pthread_cond_signal(&lane->asker->news);
    (void)pthread_mutex_unlock(&lane->asker->mutex);
}

static void ask_ended(const struct rpc_result *result, void *context)
{
    struct asker *asker = ((struct lane *)context)->asker;
    (void)result;
    (void)pthread_mutex_lock(&asker->mutex);
    asker->over = true;
    (void)pthread_cond_signal(&asker->news);
    (void)pthread_mutex_unlock(&asker->mutex);
}

/* False: the stream is over, or silent. */
static bool wait_news(struct asker *asker)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ANSWER_MS_MAX / 1000;
    return !asker->over && pthread_cond_timedwait(&asker->news, &asker->mutex, &until) == 0;
}

/* Sends `count` requests as soon as they may be sent.  The mutex is held. */
static bool ask(struct lane *lane, size_t count, size_t unanswered_max)
{
    struct asker *asker = lane->asker;
    Tercet__V1__WorkBatch batch = TERCET__V1__WORK_BATCH__INIT;
    while (lane->writing || asker->unanswered + count > unanswered_max) {
        if (!wait_news(asker)) {
            return false;
        }
    }
    batch.n_requests = count;
    batch.requests = asker->pointers;
    size_t size = 0;
    void *bytes = rpc_codec_pack(&batch.base, &size);
    lane->writing = true;
    asker->unanswered += count;
    const bool sent = rpc_duplex_send(lane->duplex, tercet_bytes_of(bytes, size));
    free(bytes);
    return sent;
}

static bool wait_answered(struct asker *asker)
{
    while (asker->unanswered > 0) {
        if (!wait_news(asker)) {
            return false;
        }
    }
    return true;
}

/* One request on each of `lanes` lanes at a time; the median until the last answer. */
static bool measure_latency(struct asker *asker, uint32_t lanes, uint32_t duration_ms,
                            uint64_t *median_us_out)
{
    struct histogram *times = histogram_create();
    const uint64_t begun_us = process_now_us();
    uint64_t now_us = begun_us;
    bool ok = times != NULL;
    while (ok && now_us - begun_us < (uint64_t)duration_ms * 1000) {
        const uint64_t before_us = now_us;
        for (uint32_t i = 0; ok && i < lanes; i++) {
            ok = ask(&asker->lanes[i], 1, UNANSWERED_MAX);
        }
        ok = ok && wait_answered(asker);
        now_us = process_now_us();
        histogram_add(times, now_us - before_us);
    }
    *median_us_out = ok ? histogram_percentile(times, 500) : 0;
    histogram_destroy(times);
    return ok;
}

static bool measure_flow(struct asker *asker, uint32_t duration_ms, struct floor_stream *stream_out)
{
    struct lane *lane = &asker->lanes[0];
    const uint64_t cpu_us = process_cpu_us(getpid());
    const uint64_t server_cpu_us = process_cpu_us(lane->echo.id);
    const uint64_t begun_us = process_now_us();
    uint64_t now_us = begun_us;
    uint64_t count = 0;
    bool ok = true;
    while (ok && now_us - begun_us < (uint64_t)duration_ms * 1000) {
        ok = ask(lane, BATCH, UNANSWERED_MAX);
        count += BATCH;
        now_us = process_now_us();
    }
    ok = ok && wait_answered(asker);
    stream_out->requests_per_s = (double)count * 1e6 / (double)(process_now_us() - begun_us);
    stream_out->cpu_us = (double)(process_cpu_us(getpid()) - cpu_us) / (double)(count + 1);
    stream_out->server_cpu_us =
        (double)(process_cpu_us(lane->echo.id) - server_cpu_us) / (double)(count + 1);
    return ok;
}

/* ---- Life -------------------------------------------------------------------------------------- */

static bool open_lane(struct lane *lane, const char *directory, const char *self, uint32_t index)
{
    char address[CLUSTER_PATH_SIZE + 16];
    struct tercet_error error = {0};
    (void)snprintf(address, sizeof address, "unix:%s/floor%u", directory, (unsigned)index);
    const char *const arguments[] = {self, "echo", address, NULL};
    if (!process_start(&lane->echo, arguments, NULL) ||
        !process_wait_for(&lane->echo, PROCESS_READY, START_TIMEOUT_MS)) {
        return false;
    }
    const struct rpc_channel_options options = {.runtime = lane->asker->runtime, .target = address};
    if (rpc_channel_open(&options, &lane->channel, &error) != TERCET_OK) {
        (void)fprintf(stderr, "tercet-bench: %s\n", error.text);
        return false;
    }
    lane->duplex =
        rpc_duplex_start(lane->channel, &(const struct rpc_duplex_options){
                                            .path = path,
                                            .reply = &tercet__v1__answer_batch__descriptor,
                                            .events = {.message = ask_message,
                                                       .written = ask_written,
                                                       .ended = ask_ended,
                                                       .context = lane},
                                        });
    return true;
}

static void close_lane(struct lane *lane)
{
    rpc_channel_close(lane->channel); /* ends the stream, too */
    rpc_duplex_unref(lane->duplex);
    if (lane->echo.id != 0) {
        (void)process_stop(&lane->echo, START_TIMEOUT_MS);
    }
}

/* As a try of ours has it. */
static void fill_requests(struct asker *asker, uint32_t payload_bytes)
{
    static char gid[] = "floor-0123456789abcdef-0123456789";
    static char action[] = "agree";
    for (size_t i = 0; i < BATCH; i++) {
        Tercet__V1__BranchRequest *request = &asker->requests[i];
        tercet__v1__branch_request__init(request);
        request->gid = gid;
        request->branch = (uint32_t)i + 1;
        request->action = action;
        request->call = (int64_t)i + 1;
        request->payload.data = asker->payload;
        request->payload.len = payload_bytes;
        request->digest.data = asker->digest;
        request->digest.len = sizeof asker->digest;
        asker->pointers[i] = request;
    }
}

bool floor_measure_stream(const char *directory, const char *self, uint32_t branches,
                          uint32_t payload_bytes, uint32_t duration_ms,
                          struct floor_stream *stream_out)
{
    static struct asker asker;
    pthread_condattr_t monotonic;
    bool ok = payload_bytes <= sizeof asker.payload && pthread_condattr_init(&monotonic) == 0 &&
              pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(&asker.news, &monotonic) == 0 &&
              pthread_mutex_init(&asker.mutex, NULL) == 0;
    asker.lane_count = branches < LANE_COUNT_MAX ? branches : LANE_COUNT_MAX;
    asker.runtime = rpc_runtime_create(NULL);
    fill_requests(&asker, payload_bytes);
    for (uint32_t i = 0; ok && i < asker.lane_count; i++) {
        asker.lanes[i].asker = &asker;
        ok = open_lane(&asker.lanes[i], directory, self, i);
    }
    if (ok) {
        (void)pthread_mutex_lock(&asker.mutex);
        ok = measure_flow(&asker, duration_ms, stream_out) &&
             measure_latency(&asker, 1, duration_ms / 2, &stream_out->round_trip_us) &&
             measure_latency(&asker, asker.lane_count, duration_ms / 2, &stream_out->fan_out_us);
        (void)pthread_mutex_unlock(&asker.mutex);
    }
    for (uint32_t i = 0; i < asker.lane_count; i++) {
        close_lane(&asker.lanes[i]);
    }
    rpc_runtime_destroy(asker.runtime);
    if (!ok) {
        (void)fputs("tercet-bench: the bare stream could not be measured\n", stderr);
    }
    return ok;
}

/* feed.c -- see feed.h. */
#include "participant/feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"
#include "base/random.h"
#include "rpc/rpc_codec.h"

enum {
    WINDOW_UNTOLD = 64, /* by a first message without one */
    WINDOW_MAX = 65536,
    MESSAGE_COUNT_MAX = 1024,
    MESSAGE_BYTES = 256 * 1024,
    RETRY_BASE_MS = 100,
    RETRY_CAP_MS = 5000,
    RETRY_REFUSED_MS = 60000,
    SILENCE_MS = 5000
};

static void on_message(ProtobufCMessage *message, void *context);
static void on_written(void *context);
static void on_ended(const struct rpc_result *result, void *context);

void feed_init(struct feed *feed, struct rpc_channel *channel, const struct feed_hands *hands)
{
    uint64_t seed = 0;
    random_entropy(&seed, sizeof seed);
    *feed = (struct feed){
        .hands = *hands, .channel = channel, .state = FEED_OFF, .next_name = 1, .head_lsn = -1};
    tercet_assert(pthread_mutex_init(&feed->mutex, NULL) == 0);
    rpc_gather_init(&feed->waiting);
    table_init(&feed->calls, seed);
    heap_init(&feed->due);
}

void feed_deinit(struct feed *feed)
{
    tercet_assert(table_count(&feed->calls) == 0 && feed->waiting.count == 0);
    rpc_duplex_unref(feed->duplex);
    rpc_gather_deinit(&feed->waiting);
    table_deinit(&feed->calls);
    heap_deinit(&feed->due);
    (void)pthread_mutex_destroy(&feed->mutex);
    free((void *)(uintptr_t)feed->head.data);
}

/* ---- Opening ----------------------------------------------------------------------------------- */

/* The mutex is held: events of the stream wait until it has its handle. */
static void open_stream(struct feed *feed)
{
    rpc_duplex_unref(feed->duplex); /* of the last one, which has ended */
    feed->state = FEED_OPENING;
    feed->writing = false;
    feed->heard = false;
    feed->unanswered = 0;
    feed->silent = 0;
    feed->silent_since_ms = 0;
    feed->duplex =
        rpc_duplex_start(feed->channel, &(const struct rpc_duplex_options){
                                            .path = "/tercet.v1.Participant/Work",
                                            .reply = &tercet__v1__answer_batch__descriptor,
                                            .events = {.message = on_message,
                                                       .written = on_written,
                                                       .ended = on_ended,
                                                       .context = feed},
                                        });
}

bool feed_ready(struct feed *feed, int64_t now_ms)
{
    pthread_mutex_lock(&feed->mutex);
    const bool closed = feed->state == FEED_OFF || feed->state == FEED_REFUSED;
    if (closed && now_ms >= feed->retry_ms) {
        open_stream(feed);
    }
    const bool ready = feed->state == FEED_OPEN;
    pthread_mutex_unlock(&feed->mutex);
    return ready;
}

void feed_may_try(struct feed *feed)
{
    pthread_mutex_lock(&feed->mutex);
    if (feed->state == FEED_REFUSED) {
        feed->state = FEED_OFF;
        feed->retry_ms = 0;
    }
    pthread_mutex_unlock(&feed->mutex);
}

/* ---- Sending ----------------------------------------------------------------------------------- */

bool feed_has_context(const struct feed *feed, int64_t lsn)
{
    return feed->head_lsn == lsn; /* written by this thread alone */
}

void feed_set_context(struct feed *feed, const Tercet__V1__RequestContext *context, int64_t lsn)
{
    Tercet__V1__WorkBatch batch = TERCET__V1__WORK_BATCH__INIT;
    batch.context = (Tercet__V1__RequestContext *)(uintptr_t)context;
    size_t size = 0;
    void *bytes = rpc_codec_pack(&batch.base, &size);
    pthread_mutex_lock(&feed->mutex);
    free((void *)(uintptr_t)feed->head.data);
    feed->head = tercet_bytes_of(bytes, size);
    feed->head_lsn = lsn;
    pthread_mutex_unlock(&feed->mutex);
}

/* Sends what may be sent.  The mutex is held. */
static void pump(struct feed *feed)
{
    size_t count = 0;
    const size_t credit = feed->window > feed->unanswered ? feed->window - feed->unanswered : 0;
    if (feed->state != FEED_OPEN || feed->writing || feed->waiting.count == 0 || credit == 0) {
        return;
    }
    /* False: the stream has broken, and its end will tell. */
    if (rpc_gather_send(&feed->waiting, feed->duplex, feed->head,
                        credit < MESSAGE_COUNT_MAX ? credit : MESSAGE_COUNT_MAX, MESSAGE_BYTES,
                        &count)) {
        feed->writing = true;
        feed->unanswered += (uint32_t)count;
    }
}

bool feed_send(struct feed *feed, struct feed_call *call, Tercet__V1__BranchRequest *request,
               int64_t now_ms, int64_t until_ms)
{
    Tercet__V1__WorkBatch batch = TERCET__V1__WORK_BATCH__INIT;
    batch.n_requests = 1;
    batch.requests = &request;
    pthread_mutex_lock(&feed->mutex);
    const bool taken = feed->state == FEED_OPEN;
    if (taken) {
        tercet_assert(feed->head.size > 0);
        request->call = feed->next_name++;
        heap_node_init(&call->due);
        table_insert_u64(&feed->calls, &call->by_name, (uint64_t)request->call);
        heap_insert(&feed->due, &call->due, until_ms);
        call->taken_ms = now_ms;
        rpc_gather_add(&feed->waiting, &batch.base, &call->part);
    }
    pthread_mutex_unlock(&feed->mutex);
    return taken;
}

void feed_flush(struct feed *feed)
{
    pthread_mutex_lock(&feed->mutex);
    pump(feed);
    pthread_mutex_unlock(&feed->mutex);
}

/* ---- Ends of calls ----------------------------------------------------------------------------- */

/* The mutex is held. */
static void end_call(struct feed *feed, struct feed_call *call, const struct rpc_result *result,
                     struct list_node *events)
{
    if (call->part != NULL) {
        rpc_gather_drop(&feed->waiting, call->part);
    }
    table_remove(&feed->calls, &call->by_name);
    heap_remove(&feed->due, &call->due);
    feed->hands.ended(call, result, events);
}

static void deliver(struct feed *feed, struct list_node *events)
{
    if (!list_is_empty(events)) {
        feed->hands.deliver(events, feed->hands.context);
    }
}

/* The state and the mutex are the caller's to see to. */
static void break_off(struct feed *feed)
{
    feed->state = FEED_BREAKING;
    rpc_duplex_cancel(feed->duplex);
}

void feed_retire(struct feed *feed)
{
    pthread_mutex_lock(&feed->mutex);
    if (feed->state == FEED_OPEN) {
        feed->state = FEED_BREAKING;
        rpc_duplex_half_close(feed->duplex);
    } else if (feed->state == FEED_OPENING) {
        break_off(feed);
    }
    pthread_mutex_unlock(&feed->mutex);
}

/* Its time is over.  Nothing has come since it was taken: so long at least there is silence. */
static void note_expired(struct feed *feed, const struct feed_call *call)
{
    if (call->part == NULL) {
        feed->silent++;
    }
    const bool unheard = call->taken_ms >= feed->heard_ms;
    if (unheard && (feed->silent_since_ms == 0 || call->taken_ms < feed->silent_since_ms)) {
        feed->silent_since_ms = call->taken_ms;
    }
}

int64_t feed_expire(struct feed *feed, int64_t now_ms)
{
    const struct rpc_result over = {.status = TERCET_DEADLINE_EXCEEDED,
                                    .text = "no answer on the stream in time",
                                    .reply_bytes = tercet_bytes_of("", 0),
                                    .sent_maybe = true};
    struct list_node events;
    list_init(&events);
    pthread_mutex_lock(&feed->mutex);
    struct heap_node *first = heap_peek(&feed->due);
    while (first != NULL && first->key <= now_ms) {
        struct feed_call *call = container_of(first, struct feed_call, due);
        note_expired(feed, call);
        end_call(feed, call, &over, &events);
        first = heap_peek(&feed->due);
    }
    const bool silence = feed->silent_since_ms != 0 && now_ms - feed->silent_since_ms >= SILENCE_MS;
    if (feed->state == FEED_OPEN && (silence || feed->silent > feed->window / 2)) {
        break_off(feed);
    }
    const int64_t next_ms = first != NULL ? first->key : INT64_MAX;
    pthread_mutex_unlock(&feed->mutex);
    deliver(feed, &events);
    return next_ms;
}

/* ---- Events of the stream ---------------------------------------------------------------------- */

static void take_reply(struct feed *feed, const Tercet__V1__BranchReply *reply,
                       struct list_node *events)
{
    struct table_node *node = table_find_u64(&feed->calls, (uint64_t)reply->call);
    struct feed_call *call = node != NULL ? container_of(node, struct feed_call, by_name) : NULL;
    if (call == NULL || call->part != NULL) {
        /* Its time was over, or it was never asked. */
        if (call == NULL && feed->silent > 0) {
            feed->silent--;
            feed->unanswered--;
        }
        return;
    }
    struct rpc_result result = {.status = TERCET_OK,
                                .text = "",
                                .reply = &reply->base,
                                .reply_bytes = tercet_bytes_of("", 0),
                                .sent_maybe = true};
    if (reply->status != 0) {
        result.status = reply->status <= TERCET_UNAUTHENTICATED ? (enum tercet_status)reply->status
                                                                : TERCET_UNKNOWN;
        result.text = reply->reason != NULL ? reply->reason->text : "";
        result.reply = NULL;
    }
    feed->unanswered--;
    feed->heard = true;
    feed->failures = 0;
    end_call(feed, call, &result, events);
}

static void on_message(ProtobufCMessage *message, void *context)
{
    struct feed *feed = context;
    const Tercet__V1__AnswerBatch *batch = (const Tercet__V1__AnswerBatch *)message;
    struct list_node events;
    list_init(&events);
    pthread_mutex_lock(&feed->mutex);
    feed->heard_ms = clock_read().boot_ms;
    feed->silent_since_ms = 0;
    if (batch->window != 0) {
        feed->window = batch->window < WINDOW_MAX ? batch->window : WINDOW_MAX;
    }
    if (feed->state == FEED_OPENING) {
        feed->state = FEED_OPEN;
        feed->window = batch->window == 0 ? WINDOW_UNTOLD : feed->window;
    }
    for (size_t i = 0; i < batch->n_replies; i++) {
        take_reply(feed, batch->replies[i], &events);
    }
    pump(feed);
    pthread_mutex_unlock(&feed->mutex);
    deliver(feed, &events);
    rpc_codec_free(message);
}

static void on_written(void *context)
{
    struct feed *feed = context;
    pthread_mutex_lock(&feed->mutex);
    feed->writing = false;
    pump(feed);
    pthread_mutex_unlock(&feed->mutex);
}

static int64_t retry_after_ms(const struct feed *feed)
{
    if (feed->failures == 0) {
        return 0;
    }
    const int64_t after = (int64_t)RETRY_BASE_MS << (feed->failures < 7 ? feed->failures - 1 : 6);
    return after < RETRY_CAP_MS ? after : RETRY_CAP_MS;
}

static void on_ended(const struct rpc_result *result, void *context)
{
    struct feed *feed = context;
    char text[160];
    struct list_node events;
    list_init(&events);
    (void)snprintf(text, sizeof text, "the stream ended: %s: %.100s",
                   tercet_status_name(result->status), result->text);
    const struct rpc_result lost = {.status = TERCET_UNAVAILABLE,
                                    .text = text,
                                    .reply_bytes = tercet_bytes_of("", 0),
                                    .sent_maybe = true};
    pthread_mutex_lock(&feed->mutex);
    /* INTERNAL: one reply could not be read, and would take its neighbours along again. */
    const bool refused = (feed->state == FEED_OPENING && result->status == TERCET_UNIMPLEMENTED) ||
                         result->status == TERCET_INTERNAL;
    feed->state = refused ? FEED_REFUSED : FEED_OFF;
    feed->failures = feed->heard || refused ? 0 : feed->failures + 1;
    feed->retry_ms = clock_read().boot_ms + (refused ? RETRY_REFUSED_MS : retry_after_ms(feed));
    feed->writing = false;
    struct heap_node *first = heap_peek(&feed->due);
    while (first != NULL) {
        end_call(feed, container_of(first, struct feed_call, due), &lost, &events);
        first = heap_peek(&feed->due);
    }
    pthread_mutex_unlock(&feed->mutex);
    deliver(feed, &events);
}

/* rpc_feed.c -- see rpc_feed.h. */
#include "rpc/rpc_feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "rpc/rpc_codec.h"

enum {
    WINDOW_UNTOLD = 64, /* by a first message without one */
    WINDOW_MAX = 65536,
    RETRY_BASE_MS = 100,
    RETRY_CAP_MS = 5000,
    RETRY_REFUSED_MS = 60000,
    SILENCE_MS = 5000
};

static void on_message(ProtobufCMessage *message, void *context);
static void on_written(void *context);
static void on_ended(const struct rpc_result *result, void *context);

void rpc_feed_init(struct rpc_feed *feed, const struct rpc_feed_kind *kind,
                   struct rpc_channel *channel, const struct rpc_feed_hands *hands)
{
    uint64_t seed = 0;
    random_entropy(&seed, sizeof seed);
    *feed = (struct rpc_feed){
        .kind = kind, .hands = *hands, .channel = channel, .state = RPC_FEED_OFF, .next_name = 1};
    tercet_assert(pthread_mutex_init(&feed->mutex, NULL) == 0);
    rpc_gather_init(&feed->waiting);
    table_init(&feed->calls, seed);
    heap_init(&feed->due);
}

void rpc_feed_deinit(struct rpc_feed *feed)
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
static void open_stream(struct rpc_feed *feed)
{
    rpc_duplex_unref(feed->duplex); /* of the last one, which has ended */
    feed->state = RPC_FEED_OPENING;
    feed->writing = false;
    feed->heard = false;
    feed->vouched = false;
    feed->unanswered = 0;
    feed->silent = 0;
    feed->silent_since_ms = 0;
    feed->duplex =
        rpc_duplex_start(feed->channel, &(const struct rpc_duplex_options){
                                            .path = feed->kind->path,
                                            .reply = feed->kind->reply,
                                            .events = {.message = on_message,
                                                       .written = on_written,
                                                       .ended = on_ended,
                                                       .in_pieces = feed->kind->in_pieces,
                                                       .context = feed},
                                        });
}

bool rpc_feed_ready(struct rpc_feed *feed, int64_t now_ms)
{
    pthread_mutex_lock(&feed->mutex);
    const bool closed = feed->state == RPC_FEED_OFF || feed->state == RPC_FEED_REFUSED;
    if (closed && now_ms >= feed->retry_ms) {
        open_stream(feed);
    }
    if (feed->retired && now_ms >= feed->retry_ms && heap_count(&feed->due) == 0) {
        feed->retired = false;
        rpc_duplex_cancel(feed->duplex);
    }
    const bool ready = feed->state == RPC_FEED_OPEN;
    pthread_mutex_unlock(&feed->mutex);
    return ready;
}

void rpc_feed_may_try(struct rpc_feed *feed)
{
    pthread_mutex_lock(&feed->mutex);
    if (feed->state == RPC_FEED_REFUSED) {
        feed->state = RPC_FEED_OFF;
        feed->retry_ms = 0;
    }
    feed->vouched = true;
    pthread_mutex_unlock(&feed->mutex);
}

/* ---- Sending ----------------------------------------------------------------------------------- */

void rpc_feed_set_head(struct rpc_feed *feed, const ProtobufCMessage *head)
{
    size_t size = 0;
    void *bytes = rpc_codec_pack(head, &size);
    pthread_mutex_lock(&feed->mutex);
    free((void *)(uintptr_t)feed->head.data);
    feed->head = tercet_bytes_of(bytes, size);
    pthread_mutex_unlock(&feed->mutex);
}

/* How many may be in the next message; 0: none is sent now.  The mutex is held. */
static size_t count_to_send(const struct rpc_feed *feed)
{
    const size_t credit = feed->window > feed->unanswered ? feed->window - feed->unanswered : 0;
    const size_t count_max = feed->kind->message_count_max;
    if (feed->state != RPC_FEED_OPEN || feed->writing || feed->waiting.count == 0) {
        return 0;
    }
    return credit < count_max ? credit : count_max;
}

/* Sends what may be sent.  The mutex is held. */
static void pump(struct rpc_feed *feed)
{
    size_t count = count_to_send(feed);
    while (count > 0) {
        bool written = false;
        /* False: the stream has broken, and its end will tell. */
        if (!rpc_gather_send(&feed->waiting, feed->duplex, feed->head, count,
                             feed->kind->message_bytes, &count,
                             feed->kind->gathers ? NULL : &written)) {
            return;
        }
        feed->writing = !written;
        feed->unanswered += (uint32_t)count;
        count = count_to_send(feed);
    }
}

bool rpc_feed_send(struct rpc_feed *feed, struct rpc_feed_call *call,
                   const ProtobufCMessage *message, size_t bytes_max, int64_t *name, int64_t now_ms,
                   int64_t until_ms)
{
    pthread_mutex_lock(&feed->mutex);
    const bool full =
        feed->kind->within_window && feed->waiting.count + feed->unanswered >= feed->window;
    const bool taken = feed->state == RPC_FEED_OPEN && !full;
    if (taken) {
        *name = feed->next_name++;
        heap_node_init(&call->due);
        table_insert_u64(&feed->calls, &call->by_name, (uint64_t)*name);
        heap_insert(&feed->due, &call->due, until_ms);
        call->taken_ms = now_ms;
        rpc_gather_add(&feed->waiting, message, bytes_max, &call->part);
    }
    pthread_mutex_unlock(&feed->mutex);
    return taken;
}

void rpc_feed_flush(struct rpc_feed *feed)
{
    pthread_mutex_lock(&feed->mutex);
    pump(feed);
    pthread_mutex_unlock(&feed->mutex);
}

/* ---- Ends of calls ----------------------------------------------------------------------------- */

/* The mutex is held. */
static void end_call(struct rpc_feed *feed, struct rpc_feed_call *call,
                     const struct rpc_result *result, struct list_node *events)
{
    if (call->part != 0) {
        rpc_gather_drop(&feed->waiting, call->part);
    }
    table_remove(&feed->calls, &call->by_name);
    heap_remove(&feed->due, &call->due);
    feed->hands.ended(call, result, events);
}

static void deliver(struct rpc_feed *feed, struct list_node *events)
{
    if (!list_is_empty(events)) {
        feed->hands.deliver(events, feed->hands.context);
    }
}

/* The state and the mutex are the caller's to see to. */
static void break_off(struct rpc_feed *feed)
{
    feed->state = RPC_FEED_BREAKING;
    rpc_duplex_cancel(feed->duplex);
}

void rpc_feed_retire(struct rpc_feed *feed)
{
    pthread_mutex_lock(&feed->mutex);
    if (feed->state == RPC_FEED_OPEN) {
        feed->state = RPC_FEED_BREAKING;
        feed->retired = true;
        feed->retry_ms = clock_boot_ms() + SILENCE_MS;
        rpc_duplex_half_close(feed->duplex);
    } else if (feed->state == RPC_FEED_OPENING) {
        break_off(feed);
    }
    pthread_mutex_unlock(&feed->mutex);
}

/* Its time is over.  Nothing has come since it was taken: so long at least there is silence. */
static void note_expired(struct rpc_feed *feed, const struct rpc_feed_call *call)
{
    if (call->part == 0) {
        feed->silent++;
    }
    const bool unheard = call->taken_ms >= feed->heard_ms;
    if (unheard && (feed->silent_since_ms == 0 || call->taken_ms < feed->silent_since_ms)) {
        feed->silent_since_ms = call->taken_ms;
    }
}

int64_t rpc_feed_expire(struct rpc_feed *feed, int64_t now_ms)
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
        struct rpc_feed_call *call = container_of(first, struct rpc_feed_call, due);
        note_expired(feed, call);
        end_call(feed, call, &over, &events);
        first = heap_peek(&feed->due);
    }
    const bool silence = feed->silent_since_ms != 0 && now_ms - feed->silent_since_ms >= SILENCE_MS;
    const bool starved = !feed->kind->within_window && feed->silent > feed->window / 2;
    if (feed->state == RPC_FEED_OPEN && (silence || starved)) {
        break_off(feed);
    }
    const int64_t next_ms = first != NULL ? first->key : INT64_MAX;
    pthread_mutex_unlock(&feed->mutex);
    deliver(feed, &events);
    return next_ms;
}

/* ---- Events of the stream ---------------------------------------------------------------------- */

static void take_reply(struct rpc_feed *feed, const ProtobufCMessage *message, size_t index,
                       struct list_node *events)
{
    struct rpc_result result = {
        .status = TERCET_OK, .text = "", .reply_bytes = tercet_bytes_of("", 0), .sent_maybe = true};
    const int64_t name = feed->kind->read(message, index, &result);
    struct table_node *node = table_find_u64(&feed->calls, (uint64_t)name);
    struct rpc_feed_call *call =
        node != NULL ? container_of(node, struct rpc_feed_call, by_name) : NULL;
    if (call == NULL || call->part != 0) {
        /* Its time was over, or it was never asked. */
        if (call == NULL && feed->silent > 0) {
            feed->silent--;
            feed->unanswered--;
        }
        return;
    }
    feed->unanswered--;
    feed->heard = true;
    feed->failures = 0;
    end_call(feed, call, &result, events);
}

static void on_message(ProtobufCMessage *message, void *context)
{
    struct rpc_feed *feed = context;
    uint32_t window = 0;
    const size_t count = feed->kind->count(message, &window);
    struct list_node events;
    list_init(&events);
    pthread_mutex_lock(&feed->mutex);
    feed->heard_ms = clock_boot_ms();
    feed->silent_since_ms = 0;
    if (window != 0) {
        feed->window = window < WINDOW_MAX ? window : WINDOW_MAX;
    }
    if (feed->state == RPC_FEED_OPENING) {
        feed->state = RPC_FEED_OPEN;
        feed->window = window == 0 ? WINDOW_UNTOLD : feed->window;
    }
    for (size_t i = 0; i < count; i++) {
        take_reply(feed, message, i, &events);
    }
    pump(feed);
    pthread_mutex_unlock(&feed->mutex);
    deliver(feed, &events);
    if (feed->kind->in_pieces) {
        rpc_codec_free_pieces(message);
    } else {
        rpc_codec_free(message);
    }
}

static void on_written(void *context)
{
    struct rpc_feed *feed = context;
    pthread_mutex_lock(&feed->mutex);
    feed->writing = false;
    pump(feed);
    pthread_mutex_unlock(&feed->mutex);
}

static int64_t retry_after_ms(const struct rpc_feed *feed)
{
    if (feed->failures == 0) {
        return 0;
    }
    const int64_t after = (int64_t)RETRY_BASE_MS << (feed->failures < 7 ? feed->failures - 1 : 6);
    return after < RETRY_CAP_MS ? after : RETRY_CAP_MS;
}

/* Not to be tried again soon: there is no such method, or what was said on it once would be said again
 * and take its neighbours along: one reply that could not be read (INTERNAL), or ours.  That there was no
 * such method says nothing of a peer that may be tried since. */
static bool is_refusal(const struct rpc_feed *feed, enum tercet_status status)
{
    return status == TERCET_INTERNAL ||
           (feed->state == RPC_FEED_OPENING && status == TERCET_UNIMPLEMENTED && !feed->vouched) ||
           (feed->state == RPC_FEED_OPEN &&
            (status == TERCET_INVALID_ARGUMENT || status == TERCET_RESOURCE_EXHAUSTED));
}

static void on_ended(const struct rpc_result *result, void *context)
{
    struct rpc_feed *feed = context;
    char text[160];
    struct list_node events;
    list_init(&events);
    (void)snprintf(text, sizeof text, "the stream ended: %s: %.100s",
                   tercet_status_name(result->status), result->text);
    struct rpc_result lost = {
        .status = TERCET_UNAVAILABLE, .text = text, .reply_bytes = tercet_bytes_of("", 0)};
    pthread_mutex_lock(&feed->mutex);
    const bool refused = is_refusal(feed, result->status);
    feed->state = refused ? RPC_FEED_REFUSED : RPC_FEED_OFF;
    feed->failures = feed->heard || refused ? 0 : feed->failures + 1;
    feed->retry_ms = clock_boot_ms() + (refused ? RETRY_REFUSED_MS : retry_after_ms(feed));
    feed->writing = false;
    feed->retired = false;
    struct heap_node *first = heap_peek(&feed->due);
    while (first != NULL) {
        struct rpc_feed_call *call = container_of(first, struct rpc_feed_call, due);
        lost.sent_maybe = call->part == 0;
        end_call(feed, call, &lost, &events);
        first = heap_peek(&feed->due);
    }
    pthread_mutex_unlock(&feed->mutex);
    deliver(feed, &events);
}

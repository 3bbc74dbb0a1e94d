/* client_stream.c -- see client_stream.h. */
#include "src/client_stream.h"

#include "base/clock.h"
#include "base/list.h"
#include "src/moment.h"
#include "tercet/v1/coordinator.pb-c.h"

enum {
    /* A message is less than 64 KiB, which every coordinator takes, and holds fewer than 8192 messages:
     * each of these has ten bytes at least. */
    MESSAGE_BYTES = 32 * 1024,
    REQUEST_BYTES_MAX = 16 * 1024,
    MESSAGE_COUNT_MAX = 1024,
    AROUND_BYTES_MAX =
        64 /* a tag and a size; what was set since it was counted: name and timeout */
};

/* ---- The messages ---------------------------------------------------------------------------- */

static size_t count_replies(const ProtobufCMessage *message, uint32_t *window_out)
{
    const Tercet__V1__ExecuteReplyBatch *batch = (const Tercet__V1__ExecuteReplyBatch *)message;
    *window_out = batch->window;
    return batch->n_replies;
}

static int64_t read_reply(const ProtobufCMessage *message, size_t index,
                          struct rpc_result *result_out)
{
    const Tercet__V1__ExecuteReply *reply =
        ((const Tercet__V1__ExecuteReplyBatch *)message)->replies[index];
    const Tercet__V1__ErrorDetail *error = reply->error;

    result_out->reply = &reply->base;
    if (error != NULL) {
        const bool known = error->status > TERCET_OK && error->status <= TERCET_UNAUTHENTICATED;
        result_out->status = known ? (enum tercet_status)error->status : TERCET_UNKNOWN;
    }
    return reply->call;
}

static const struct rpc_feed_kind execute_stream = {
    .path = "/tercet.v1.Coordinator/ExecuteStream",
    .reply = &tercet__v1__execute_reply_batch__descriptor,
    .count = count_replies,
    .read = read_reply,
    .message_count_max = MESSAGE_COUNT_MAX,
    .message_bytes = MESSAGE_BYTES,
    .within_window = true,
    .gathers = true,
    .in_pieces = true,
};

/* ---- Ends of attempts ------------------------------------------------------------------------ */

static void on_end(struct rpc_feed_call *on_stream, const struct rpc_result *result,
                   struct list_node *events)
{
    struct client_call *call = container_of(on_stream, struct client_call, on_stream);
    client_call_take_reply(call, result);
    list_init(&call->delivered);
    list_push_back(events, &call->delivered);
}

static void deliver(struct list_node *events, void *context)
{
    (void)context;
    while (!list_is_empty(events)) {
        struct client_call *call =
            container_of(list_pop_front(events), struct client_call, delivered);
        call->ended(call);
    }
}

/* ---- The feeds ------------------------------------------------------------------------------- */

void client_stream_init(struct tercet_client *client, size_t index)
{
    const struct rpc_feed_hands hands = {.ended = on_end, .deliver = deliver};
    rpc_feed_init(&client->feeds[index], &execute_stream, client->channels[index], &hands);
}

void client_stream_deinit(struct tercet_client *client, size_t index)
{
    rpc_feed_deinit(&client->feeds[index]);
}

bool client_stream_send(struct rpc_feed *feed, struct client_call *call, uint32_t timeout_ms)
{
    Tercet__V1__ExecuteRequest *request = (Tercet__V1__ExecuteRequest *)call->request.message;
    Tercet__V1__ExecuteBatch batch = TERCET__V1__EXECUTE_BATCH__INIT;
    const int64_t now_ms = clock_boot_ms();

    if (call->request.size > REQUEST_BYTES_MAX || !rpc_feed_ready(feed, now_ms)) {
        return false;
    }
    batch.n_requests = 1;
    batch.requests = &request;
    if (!rpc_feed_send(feed, &call->on_stream, &batch.base, call->request.size + AROUND_BYTES_MAX,
                       &request->call, now_ms, now_ms + timeout_ms)) {
        return false;
    }
    rpc_feed_flush(feed);
    return true;
}

int64_t client_stream_expire(struct tercet_client *client)
{
    const int64_t now_ms = clock_boot_ms();
    int64_t next_ms = INT64_MAX;

    for (size_t i = 0; i < client->channel_count; i++) {
        const int64_t due_ms = rpc_feed_expire(&client->feeds[i], now_ms);
        next_ms = due_ms < next_ms ? due_ms : next_ms;
    }
    return next_ms == INT64_MAX ? INT64_MAX : moment_ms() + (next_ms - now_ms);
}

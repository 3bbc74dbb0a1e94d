/* batch.c -- see batch.h. */
#include "service/batch.h"

#include <stdio.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "rpc/rpc_codec.h"
#include "service/call.h"
#include "service/wire.h"

enum { WINDOW_MAX = 65536, MESSAGE_BYTES = 256 * 1024 };

/* ---- Replies leave ----------------------------------------------------------------------------- */

static void give(struct rpc_answers *answers, Tercet__V1__ExecuteReply *reply)
{
    Tercet__V1__ExecuteReplyBatch batch = TERCET__V1__EXECUTE_REPLY_BATCH__INIT;
    batch.n_replies = 1;
    batch.replies = &reply;
    rpc_answers_give(answers, &batch.base, rpc_codec_size(&batch.base));
}

void batch_reply(struct rpc_answers *answers, int64_t name, Tercet__V1__Transaction *transaction)
{
    Tercet__V1__ExecuteReply reply = TERCET__V1__EXECUTE_REPLY__INIT;
    reply.call = name;
    reply.transaction = transaction;
    give(answers, &reply);
}

void batch_fail(struct rpc_answers *answers, int64_t name, const struct refusal *refusal,
                bool refused)
{
    Tercet__V1__ExecuteReply reply = TERCET__V1__EXECUTE_REPLY__INIT;
    Tercet__V1__ErrorDetail detail;
    wire_error_detail(&detail, refusal);
    reply.call = name;
    reply.error = &detail;
    reply.refused = refused;
    give(answers, &reply);
}

/* Without room its answers leave at once. */
void batch_hold(struct service *service, struct rpc_answers *answers)
{
    uint32_t i = 0;
    while (i < service->held_count && service->held[i] != answers) {
        i++;
    }
    if (i == service->held_count && i < BATCH_STREAM_COUNT_MAX) {
        rpc_answers_hold(answers);
        service->held[i] = answers;
        service->held_count++;
    }
}

void service_flush(struct service *service)
{
    while (service->held_count > 0) {
        service->held_count--;
        rpc_answers_release(service->held[service->held_count]);
    }
}

/* ---- Requests come ----------------------------------------------------------------------------- */

/* rpc's scan looks at a message as a whole; here one element's unknown field is its own affair.  What
 * is unknown among enum values is found by its reader. */
static bool check_fields(struct refusal *refusal, const char *prefix,
                         const ProtobufCMessage *message)
{
    char path[REFUSAL_FIELD_SIZE];
    if (message->n_unknown_fields == 0) {
        return true;
    }
    text_format(path, sizeof path, "%s%u", prefix, (unsigned)message->unknown_fields[0].tag);
    return refusal_set(
        refusal, TERCET_INVALID_ARGUMENT, "TERCET_NOT_UNDERSTOOD", path,
        "request tercet.v1.ExecuteRequest holds %s, which this version does not know", path);
}

static bool check_element(struct refusal *refusal, const Tercet__V1__ExecuteRequest *request)
{
    bool fine = check_fields(refusal, "", &request->base);
    for (size_t i = 0; fine && i < request->n_branches; i++) {
        fine = check_fields(refusal, "branches.", &request->branches[i]->base);
    }
    return fine;
}

static size_t count_requests(const ProtobufCMessage *message)
{
    return ((const Tercet__V1__ExecuteBatch *)message)->n_requests;
}

static void on_batch(struct rpc_answers *answers, ProtobufCMessage *message, void *context)
{
    const struct method *method = context;
    const Tercet__V1__ExecuteBatch *batch = (const Tercet__V1__ExecuteBatch *)message;
    struct refusal unknown;
    struct list_node requests;
    list_init(&requests);
    TERCET_FAILPOINT("service.batch");
    /* It could mean all of them, so none is begun. */
    const bool understood = check_fields(&unknown, "batch.", message);
    if (!understood) {
        rpc_answers_end(answers, unknown.status, unknown.text);
    }
    for (size_t i = 0; i < batch->n_requests; i++) {
        const Tercet__V1__ExecuteRequest *request = batch->requests[i];
        const struct caller caller = {.answers = answers, .name = request->call};
        struct refusal refusal;
        if (!understood) {
            caller_fail(&caller, &unknown, true);
        } else if (!check_element(&refusal, request)) {
            caller_fail(&caller, &refusal, true);
        } else {
            service_take(method, &caller, &request->base, TERCET_FOREVER, &requests);
        }
    }
    call_submit_all(method->service, &requests);
    rpc_codec_free(message);
}

static void on_ended(void *context)
{
    const struct method *method = context;
    atomic_fetch_sub(&method->service->streams, 1);
}

void batch_serve(struct rpc_duplex *duplex, void *context)
{
    const struct method *method = context;
    struct service *service = method->service;
    const uint32_t waiting_max = service->options.waiting_calls_max;
    const uint32_t window = waiting_max < WINDOW_MAX ? waiting_max : WINDOW_MAX;
    const struct rpc_answers_limits limits = {.window = window,
                                              .request_count_max = BATCH_REQUEST_COUNT_MAX,
                                              .message_bytes = MESSAGE_BYTES,
                                              .unsent_bytes_max = BATCH_UNSENT_BYTES_MAX};
    const struct rpc_answers_hands hands = {
        .count = count_requests, .message = on_batch, .ended = on_ended, .context = context};
    struct rpc_answers *answers = rpc_answers_open(duplex, &limits, &hands);
    if (atomic_fetch_add(&service->streams, 1) >= BATCH_STREAM_COUNT_MAX) {
        rpc_answers_end(answers, TERCET_RESOURCE_EXHAUSTED,
                        "there are as many streams as there may be; use Execute");
        return;
    }
    Tercet__V1__ExecuteReplyBatch hello = TERCET__V1__EXECUTE_REPLY_BATCH__INIT;
    hello.window = window;
    rpc_answers_hello(answers, &hello.base);
}

/* work.c -- see work.h. */
#include "src/work.h"

#include <string.h>

#include "rpc/rpc_answers.h"
#include "rpc/rpc_codec.h"
#include "src/participant_core.h"
#include "src/service.h"

/* A message is closed when it is so large, and leaves although more is announced. */
enum { MESSAGE_BYTES = 256 * 1024 };

/* ---- Answers leave --------------------------------------------------------------------------- */

size_t work_reply_bytes_max(const Tercet__V1__BranchReply *reply)
{
    enum { NUMBERS_BYTES_MAX = 192 }; /* 14 tags, 5 sizes of 5 at most, 9 numbers of 10 */
    const Tercet__V1__Reason *reason = reply->reason;
    return NUMBERS_BYTES_MAX + reply->result.len +
           (reason != NULL ? strlen(reason->code) + strlen(reason->text) : 0);
}

void work_answer(const struct asker *asker, const Tercet__V1__BranchReply *reply)
{
    Tercet__V1__BranchReply named = *reply;
    Tercet__V1__BranchReply *replies[] = {&named};
    Tercet__V1__AnswerBatch batch = TERCET__V1__ANSWER_BATCH__INIT;

    named.call = asker->stream_call;
    batch.n_replies = 1;
    batch.replies = replies;
    rpc_answers_give(asker->stream, &batch.base, work_reply_bytes_max(&named));
}

void work_fail(const struct asker *asker, enum tercet_status status, const char *text)
{
    Tercet__V1__BranchReply reply = TERCET__V1__BRANCH_REPLY__INIT;
    Tercet__V1__Reason reason = TERCET__V1__REASON__INIT;

    reason.text = (char *)(uintptr_t)text;
    reply.status = (uint32_t)status;
    reply.reason = &reason;
    work_answer(asker, &reply);
}

/* What has not left counts as one request in flight: a stop waits for it. */
static void on_busy(bool busy, void *context)
{
    if (busy) {
        participant_hold(context);
    } else {
        participant_let_go(context, 0);
    }
}

/* ---- Requests come --------------------------------------------------------------------------- */

static size_t count_requests(const ProtobufCMessage *message)
{
    return ((const Tercet__V1__WorkBatch *)message)->n_requests;
}

static void on_batch(struct rpc_answers *answers, ProtobufCMessage *message, void *participant)
{
    const Tercet__V1__WorkBatch *batch = (const Tercet__V1__WorkBatch *)message;
    struct service_context context;

    service_check_context(&context, batch->context);
    for (size_t i = 0; i < batch->n_requests; i++) {
        const Tercet__V1__BranchRequest *request = batch->requests[i];
        const struct asker asker = {.stream = answers, .stream_call = request->call};
        service_work_request(participant, &asker, request, &context);
    }
    if (batch->n_requests == 0) {
        service_offer_mark(participant, &context);
    }
    service_wake(participant);
    rpc_codec_free(message);
}

static void on_ended(void *context)
{
    struct tercet_participant *participant = context;
    (void)atomic_fetch_sub(&participant->streams, 1);
}

void work_serve(struct rpc_duplex *duplex, void *context)
{
    struct tercet_participant *participant = context;
    const struct rpc_answers_limits limits = {.window = WORK_WINDOW,
                                              .request_count_max = WORK_REQUEST_COUNT_MAX,
                                              .message_bytes = MESSAGE_BYTES,
                                              .unsent_bytes_max = SIZE_MAX};
    const struct rpc_answers_hands hands = {.count = count_requests,
                                            .message = on_batch,
                                            .busy = on_busy,
                                            .ended = on_ended,
                                            .context = participant};
    Tercet__V1__AnswerBatch hello = TERCET__V1__ANSWER_BATCH__INIT;

    hello.window = WORK_WINDOW;
    struct rpc_answers *answers = rpc_answers_open(duplex, &limits, &hands);
    if (atomic_fetch_add(&participant->streams, 1) >= WORK_STREAM_COUNT_MAX) {
        rpc_answers_end(answers, TERCET_RESOURCE_EXHAUSTED, "too many Work streams");
        return;
    }
    rpc_answers_hello(answers, &hello.base);
}

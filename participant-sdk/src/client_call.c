/* client_call.c -- see client_call.h. */
#include "src/client_call.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "rpc/rpc_codec.h"
#include "rpc/rpc_scan.h"
#include "src/client_result.h"
#include "src/client_stream.h"
#include "src/moment.h"
#include "src/text_check.h"
#include "tercet/v1/coordinator.pb-c.h"

enum {
    ATTEMPT_MS_MAX = 60000, /* a longer wait is several attempts, so that no dead peer holds it */
    ANSWER_MARGIN_MS = 200, /* the coordinator answers so much before the attempt ends */
    BACKOFF_MS_MIN = 50,
    BACKOFF_MS_MAX = 1000,
    LAST_MS = 20 /* less than this is no time for another attempt */
};

struct client_call *client_call_create(struct client_request *request, uint32_t timeout_ms,
                                       uint32_t reach_timeout_ms)
{
    struct client_call *call = xcalloc(1, sizeof *call);

    call->request = *request;
    *request = (struct client_request){0};
    call->result = client_result_create(call->request.gid);
    call->deadline_ms = timeout_ms == TERCET_FOREVER ? INT64_MAX : moment_ms() + timeout_ms;
    call->reach_by_ms = reach_timeout_ms == 0 ? INT64_MAX : moment_ms() + reach_timeout_ms;
    return call;
}

static void ending_clear(struct client_ending *ending)
{
    free(ending->reply);
    if (ending->transaction != NULL) {
        tercet__v1__transaction__free_unpacked(ending->transaction, NULL);
    }
    *ending = (struct client_ending){0};
}

void client_call_destroy(struct client_call *call)
{
    if (call == NULL) {
        return;
    }
    client_request_deinit(&call->request);
    tercet_result_destroy(call->result);
    ending_clear(&call->ending);
    free(call);
}

/* ---- An attempt ------------------------------------------------------------------------------ */

static void *bytes_copy(struct tercet_bytes bytes)
{
    void *copy = xmalloc(bytes.size + 1);
    memcpy(copy, bytes.data, bytes.size);
    return copy;
}

/* NULL when the bytes are not such a message. */
static ProtobufCMessage *decode(const ProtobufCMessageDescriptor *descriptor,
                                struct tercet_bytes bytes)
{
    struct rpc_scan_result scanned;
    if (rpc_scan(descriptor, bytes, RPC_SCAN_ELEMENT_COUNT_DEFAULT, &scanned) != RPC_SCAN_FINE) {
        return NULL;
    }
    return rpc_codec_unpack_pieces(descriptor, bytes);
}

static void take_detail(struct client_ending *ending, const Tercet__V1__ErrorDetail *detail)
{
    if (text_is_code(detail->code)) {
        (void)snprintf(ending->code, sizeof ending->code, "%s", detail->code);
    }
    if (detail->text[0] != '\0') {
        text_copy(ending->text, sizeof ending->text, detail->text);
    }
    ending->retry_after_ms = detail->retry_after_ms;
}

/* Error text for people and code for programs, from the trailer when there is one. */
static void read_detail(struct client_ending *ending, const struct rpc_result *result)
{
    struct tercet_bytes value;

    text_copy(ending->text, sizeof ending->text, result->text);
    if (!rpc_result_trailer(result, "tercet-error-bin", &value)) {
        return;
    }
    Tercet__V1__ErrorDetail *detail =
        (Tercet__V1__ErrorDetail *)decode(&tercet__v1__error_detail__descriptor, value);
    if (detail != NULL) {
        take_detail(ending, detail);
        rpc_codec_free_pieces(&detail->base);
    }
}

/* How it went, without what it said.  True: a failpoint says that it was lost. */
static bool ending_begin(struct client_ending *ending, const struct rpc_result *result)
{
    ending_clear(ending);
    TERCET_FAILPOINT("client.answer");
    const bool lost = result->status == TERCET_OK && TERCET_FAILPOINT_FAILS("client.answer_lost");
    ending->status = lost ? TERCET_UNAVAILABLE : result->status;
    ending->left = lost || result->sent_maybe;
    return lost;
}

void client_call_take_reply(struct client_call *call, const struct rpc_result *result)
{
    struct client_ending *ending = &call->ending;
    /* The batch is freed afterwards, without what was taken out of it. */
    Tercet__V1__ExecuteReply *reply = (Tercet__V1__ExecuteReply *)(uintptr_t)result->reply;

    if (ending_begin(ending, result)) {
        (void)snprintf(ending->text, sizeof ending->text, "failpoint");
    } else if (reply == NULL) {
        text_copy(ending->text, sizeof ending->text, result->text);
    } else if (reply->error != NULL) {
        ending->refused = reply->refused != 0;
        take_detail(ending, reply->error);
    } else {
        ending->transaction = reply->transaction;
        reply->transaction = NULL;
    }
}

static void attempt_done(const struct rpc_result *result, void *context)
{
    struct client_call *call = context;
    struct client_ending *ending = &call->ending;
    struct tercet_bytes value;

    if (ending_begin(ending, result)) {
        (void)snprintf(ending->text, sizeof ending->text, "failpoint");
    } else if (result->status == TERCET_OK) {
        ending->reply = bytes_copy(result->reply_bytes);
        ending->reply_size = result->reply_bytes.size;
    } else {
        ending->refused = rpc_result_trailer(result, "tercet-refused", &value) && value.size == 1 &&
                          memcmp(value.data, "1", 1) == 0;
        read_detail(ending, result);
    }
    call->ended(call);
}

static int64_t until_ms(int64_t instant_ms)
{
    return instant_ms == INT64_MAX ? INT64_MAX : instant_ms - moment_ms();
}

/* How long the call may go on repeating. */
static int64_t remaining_ms(const struct client_call *call)
{
    const bool reaching = !call->reached && call->reach_by_ms < call->deadline_ms;
    return until_ms(reaching ? call->reach_by_ms : call->deadline_ms);
}

int64_t client_call_start(struct client_call *call, struct rpc_channel *channel,
                          struct rpc_feed *feed)
{
    TERCET_FAILPOINT("client.before_send");
    const int64_t remaining = until_ms(call->deadline_ms);
    uint32_t attempt_ms = 1;
    if (remaining >= ATTEMPT_MS_MAX) {
        attempt_ms = ATTEMPT_MS_MAX;
    } else if (remaining > 1) {
        attempt_ms = (uint32_t)remaining;
    }
    if (call->request.wait_timeout_ms != NULL) {
        const uint32_t margin =
            attempt_ms / 4 < ANSWER_MARGIN_MS ? attempt_ms / 4 : ANSWER_MARGIN_MS;
        *call->request.wait_timeout_ms = attempt_ms > margin + 1 ? attempt_ms - margin : 1;
    }
    if (call->request.method == CLIENT_EXECUTE) {
        const int64_t until = moment_ms() + attempt_ms;
        if (feed != NULL && client_stream_send(feed, call, attempt_ms)) {
            return until;
        }
        ((Tercet__V1__ExecuteRequest *)call->request.message)->call = 0; /* of an earlier attempt */
    }
    const struct rpc_call_options options = {.path = client_method_path(call->request.method),
                                             .request = call->request.message,
                                             .timeout_ms = attempt_ms,
                                             .done = attempt_done,
                                             .context = call};
    /* The call may be over and gone when this returns: nothing of it is touched any more. */
    rpc_call_unref(rpc_call_start(channel, &options));
    return INT64_MAX;
}

/* ---- Its end --------------------------------------------------------------------------------- */

static bool outcome_is_final(enum tercet_outcome outcome)
{
    return outcome == TERCET_OUTCOME_CONFIRMED || outcome == TERCET_OUTCOME_CANCELLED;
}

/* Takes a Transaction into the result.  One that contradicts what an earlier reply said takes the
 * outcome back: then nothing is known. */
static enum client_answer take_transaction(struct client_call *call, struct tercet_bytes bytes)
{
    Tercet__V1__Transaction *reply = call->ending.transaction;
    call->ending.transaction = NULL;
    if (reply == NULL) {
        reply = (Tercet__V1__Transaction *)decode(&tercet__v1__transaction__descriptor, bytes);
    }
    if (reply == NULL) {
        return CLIENT_ANSWER_SENSELESS;
    }
    enum client_answer answer =
        client_answer_transaction(reply, call->request.gid, call->request.wait);
    const enum tercet_outcome before = call->result->outcome;
    if (outcome_is_final(before) && (enum tercet_outcome)reply->outcome != before) {
        answer = CLIENT_ANSWER_SENSELESS;
    }
    if (answer == CLIENT_ANSWER_SENSELESS) {
        tercet__v1__transaction__free_unpacked(reply, NULL);
        return answer;
    }
    client_result_take_transaction(call->result, reply);
    return answer;
}

static enum client_answer take_try(struct client_call *call, struct tercet_bytes bytes)
{
    Tercet__V1__TryReply *reply =
        (Tercet__V1__TryReply *)decode(&tercet__v1__try_reply__descriptor, bytes);
    if (reply == NULL) {
        return CLIENT_ANSWER_SENSELESS;
    }
    const enum client_answer answer = client_answer_try(reply);
    if (answer == CLIENT_ANSWER_SENSELESS) {
        tercet__v1__try_reply__free_unpacked(reply, NULL);
        return answer;
    }
    client_result_take_try(call->result, reply, call->request.branch);
    return answer;
}

static enum client_answer take_answer(struct client_call *call)
{
    const struct client_ending *ending = &call->ending;
    if (ending->status != TERCET_OK) {
        return CLIENT_ANSWER_NONE;
    }
    const struct tercet_bytes bytes = tercet_bytes_of(ending->reply, ending->reply_size);
    const enum client_answer answer =
        call->request.method == CLIENT_TRY ? take_try(call, bytes) : take_transaction(call, bytes);
    if (answer == CLIENT_ANSWER_SENSELESS) {
        call->result->outcome = TERCET_OUTCOME_UNKNOWN;
        (void)snprintf(call->ending.text, sizeof call->ending.text,
                       "the coordinator's answer makes no sense; ask again with the same gid");
    }
    return answer;
}

static void finish(struct client_call *call, const struct client_judgement *judgement)
{
    struct tercet_result *result = call->result;
    const struct client_ending *ending = &call->ending;
    const char *text = ending->text;
    enum tercet_status status = judgement->status;

    if (status != TERCET_OK && outcome_is_final(result->outcome)) {
        status = TERCET_DEADLINE_EXCEEDED; /* only the end was still waited for */
    }
    if (status == TERCET_DEADLINE_EXCEEDED && text[0] == '\0') {
        text = "the wait was over first; the transaction goes on";
    }
    client_result_set_status(result, status, status == TERCET_OK ? "" : ending->code,
                             status == TERCET_OK ? "" : text);
    result->retry_after_ms = ending->retry_after_ms;
    if (!call->reached && status == TERCET_UNAVAILABLE) {
        client_result_set_status(result, TERCET_UNAVAILABLE, "TERCET_NO_COORDINATOR", text);
    }
    if (judgement->not_started && call->request.method == CLIENT_EXECUTE) {
        result->outcome = TERCET_OUTCOME_NOT_STARTED;
    }
}

/* Doubling from BACKOFF_MS_MIN to BACKOFF_MS_MAX; the upper half of it is jitter. */
static uint32_t delay_ms(const struct client_call *call, int64_t remaining)
{
    const uint32_t attempts = call->history.attempt_count;
    const uint32_t doublings = attempts < 6 ? attempts - 1 : 5;
    uint32_t delay = (uint32_t)BACKOFF_MS_MIN << doublings;
    if (delay > BACKOFF_MS_MAX) {
        delay = BACKOFF_MS_MAX;
    }
    delay -= moment_random() % (delay / 2 + 1);
    if (call->ending.retry_after_ms > delay) {
        delay = call->ending.retry_after_ms;
    }
    /* Time is left for one attempt after it. */
    return (int64_t)delay < remaining - LAST_MS ? delay : (uint32_t)(remaining - LAST_MS);
}

enum client_next client_call_judge(struct client_call *call, bool closing, uint32_t *delay_ms_out)
{
    call->reached = call->reached || call->ending.left || call->ending.refused ||
                    call->ending.status == TERCET_OK;
    const int64_t remaining = remaining_ms(call);
    const struct client_attempt attempt = {.status = call->ending.status,
                                           .refused = call->ending.refused,
                                           .left = call->ending.left,
                                           .code = call->ending.code,
                                           .answer = take_answer(call)};
    struct client_judgement judgement =
        client_policy_judge(&call->history, &attempt, closing || remaining <= LAST_MS);
    if (closing &&
        (judgement.status == TERCET_DEADLINE_EXCEEDED || judgement.status == TERCET_UNAVAILABLE)) {
        judgement.status = TERCET_CALL_CANCELLED;
    }

    if (judgement.next == CLIENT_REPEAT) {
        TERCET_FAILPOINT("client.repeat");
        *delay_ms_out = delay_ms(call, remaining);
        return CLIENT_REPEAT;
    }
    TERCET_FAILPOINT("client.finish");
    finish(call, &judgement);
    return CLIENT_FINISH;
}

void client_call_give_up(struct client_call *call, enum tercet_status status, const char *text)
{
    client_result_set_status(call->result, status, "", text);
    if (call->request.method == CLIENT_EXECUTE && !call->history.may_have_started) {
        call->result->outcome = TERCET_OUTCOME_NOT_STARTED;
    }
}

/* wire.c -- see wire.h. */
#include "participant/wire.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "participant/words.h"
#include "tercet/fence.h"

static_assert((int)TERCET__V1__VERDICT__VERDICT_CONFLICT == (int)TERCET_VERDICT_CONFLICT,
              "verdicts have one numbering");
static_assert((int)TERCET__V1__HOW__HOW_EMPTY == (int)TERCET_HOW_EMPTY, "hows have one numbering");
static_assert((int)TERCET__V1__CONFLICT_KIND__CONFLICT_KIND_FORGOTTEN ==
                  (int)TERCET_CONFLICT_FORGOTTEN,
              "conflicts have one numbering");
static_assert((int)TERCET__V1__PHASE__PHASE_CANCEL == (int)TERCET_PHASE_CANCEL,
              "phases have one numbering");

/* ---- What a status means ----------------------------------------------------------------------- */

enum { STATUS_COUNT = TERCET_UNAUTHENTICATED + 1 };

struct status_meaning {
    enum answer_kind kind;
    bool alive; /* only something that lives can have said it */
};

/* UNKNOWN and INTERNAL are what many languages make of an exception in a handler, so they count as
 * life; where core itself made them, a probe's false yes costs a few calls (breaker.h). */
static const struct status_meaning meanings[STATUS_COUNT] = {
    [TERCET_OK] = {ANSWER_REPLY, true},
    [TERCET_CALL_CANCELLED] = {ANSWER_UNKNOWN, false},
    [TERCET_UNKNOWN] = {ANSWER_UNKNOWN, true},
    [TERCET_INVALID_ARGUMENT] = {ANSWER_NOT_SERVED, true},
    [TERCET_DEADLINE_EXCEEDED] = {ANSWER_UNKNOWN, false},
    [TERCET_NOT_FOUND] = {ANSWER_UNKNOWN, true},
    [TERCET_ALREADY_EXISTS] = {ANSWER_UNKNOWN, true},
    [TERCET_PERMISSION_DENIED] = {ANSWER_UNKNOWN, true},
    [TERCET_RESOURCE_EXHAUSTED] = {ANSWER_UNKNOWN, true},
    [TERCET_FAILED_PRECONDITION] = {ANSWER_NOT_SERVED, true},
    [TERCET_ABORTED] = {ANSWER_UNKNOWN, true},
    [TERCET_OUT_OF_RANGE] = {ANSWER_UNKNOWN, true},
    [TERCET_UNIMPLEMENTED] = {ANSWER_NOT_SERVED, true},
    [TERCET_INTERNAL] = {ANSWER_UNKNOWN, true},
    [TERCET_UNAVAILABLE] = {ANSWER_UNKNOWN, false},
    [TERCET_DATA_LOSS] = {ANSWER_UNKNOWN, true},
    [TERCET_UNAUTHENTICATED] = {ANSWER_UNKNOWN, true},
};

static struct status_meaning meaning_of(enum tercet_status status)
{
    return (unsigned)status < STATUS_COUNT ? meanings[status] : meanings[TERCET_UNKNOWN];
}

bool wire_status_is_alive(enum tercet_status status)
{
    return meaning_of(status).alive;
}

bool wire_is_fenced(const struct rpc_result *result)
{
    return result->status == TERCET_FAILED_PRECONDITION &&
           strncmp(result->text, TERCET_CODE_OLD_EPOCH, strlen(TERCET_CODE_OLD_EPOCH)) == 0;
}

/* ---- Out --------------------------------------------------------------------------------------- */

/* protobuf-c's fields are not const, and it does not write through them when it packs. */
static void *borrow(const void *data)
{
    return (void *)(uintptr_t)data;
}

static Tercet__V1__BranchNumber number_of(struct branch_number number)
{
    Tercet__V1__BranchNumber message = TERCET__V1__BRANCH_NUMBER__INIT;
    message.incarnation = number.incarnation;
    message.number = number.number;
    return message;
}

static void mark_fill(struct wire_context *wire, const struct mark *mark)
{
    tercet_assert(mark->open_count <= MARK_OPEN_MAX);
    tercet__v1__mark__init(&wire->mark);
    wire->mark.as_of_incarnation = mark->as_of.incarnation;
    wire->mark.as_of_lsn = mark->as_of.number;
    wire->low = number_of(mark->low);
    wire->mark.low = &wire->low;
    for (uint32_t i = 0; i < mark->open_count; i++) {
        wire->open[i] = number_of(mark->open[i]);
        wire->open_pointers[i] = &wire->open[i];
    }
    wire->mark.n_open = mark->open_count;
    wire->mark.open = wire->open_pointers;
}

void wire_context_fill(struct wire_context *wire, const struct wire_identity *identity,
                       const char *participant, const struct mark *mark)
{
    tercet__v1__request_context__init(&wire->message);
    wire->message.participant = borrow(participant);
    wire->message.origin.data = borrow(identity->origin);
    wire->message.origin.len = sizeof identity->origin;
    wire->message.incarnation = identity->incarnation;
    wire->message.epoch = identity->epoch;
    if (mark != NULL) {
        mark_fill(wire, mark);
        wire->message.mark = &wire->mark;
    }
}

void wire_request_fill(struct wire_request *wire, const struct order *order,
                       struct wire_context *context)
{
    const struct branch *branch = order->branch;
    const struct txn *txn = branch->txn;
    tercet_assert(txn != NULL && branch->number.number > 0);

    Tercet__V1__BranchRequest *message = &wire->message;
    tercet__v1__branch_request__init(message);
    message->gid = borrow(txn->gid);
    message->branch = branch->spec.index;
    message->phase = (Tercet__V1__Phase)order->phase;
    message->action = borrow(branch->action);
    message->payload.data = branch->payload;
    message->payload.len = branch->payload_size;
    message->digest.data = borrow(branch->spec.digest.bytes);
    message->digest.len = sizeof branch->spec.digest.bytes;
    wire->number = number_of(branch->number);
    message->number = &wire->number;
    message->attempt = order->attempt;
    message->timeout_ms = order->timeout_ms;
    message->context = context != NULL ? &context->message : NULL;
    message->expires_unix_ms = order->phase == TERCET_PHASE_TRY ? txn->deadline.unix_ms : 0;
    message->traceparent = borrow(txn_traceparent(txn));
}

size_t wire_request_bytes_max(const struct wire_request *wire)
{
    enum { NUMBERS_BYTES_MAX = 192 }; /* 15 tags, 7 sizes of 5 at most, 8 numbers of 10 */
    const Tercet__V1__BranchRequest *message = &wire->message;
    return NUMBERS_BYTES_MAX + strlen(message->gid) + strlen(message->action) +
           message->payload.len + message->digest.len + strlen(message->traceparent);
}

const char *wire_method(enum tercet_phase phase)
{
    switch (phase) {
    case TERCET_PHASE_TRY:
        return "/tercet.v1.Participant/Try";
    case TERCET_PHASE_CONFIRM:
        return "/tercet.v1.Participant/Confirm";
    case TERCET_PHASE_CANCEL:
        return "/tercet.v1.Participant/Cancel";
    }
    tercet_unreachable();
}

/* ---- Back -------------------------------------------------------------------------------------- */

static enum tercet_verdict verdict_of(Tercet__V1__Verdict verdict)
{
    const int number = (int)verdict;
    return number >= TERCET_VERDICT_DONE && number <= TERCET_VERDICT_CONFLICT
               ? (enum tercet_verdict)number
               : TERCET_VERDICT_UNSPECIFIED;
}

/* Zero, which all these enums have for "not told", when it is not one that we know. */
static uint32_t known_or_zero(int number, int last)
{
    return number > 0 && number <= last ? (uint32_t)number : 0;
}

static void garbage(struct answer *answer, const char *text)
{
    answer->kind = ANSWER_UNKNOWN;
    words_copy_code(answer->reason.code, "TERCET_BAD_REPLY");
    words_copy_text(answer->reason.text, NULL, text);
}

static void reason_of(struct answer *answer, const Tercet__V1__BranchReply *reply)
{
    char text[64];
    if (reply->reason != NULL) {
        words_copy_code(answer->reason.code, reply->reason->code);
        words_copy_text(answer->reason.text, NULL, reply->reason->text);
    } else if (answer->verdict == TERCET_VERDICT_UNSPECIFIED) {
        snprintf(text, sizeof text, "verdict %d is not one that is known here",
                 (int)reply->verdict);
        words_copy_code(answer->reason.code, "TERCET_BAD_REPLY");
        words_copy_text(answer->reason.text, NULL, text);
    }
}

static void read_reply(struct answer *answer, const Tercet__V1__BranchReply *reply)
{
    answer->kind = ANSWER_REPLY;
    answer->verdict = verdict_of(reply->verdict);
    if (reply->mark_incarnation > 0 && reply->mark_lsn > 0) {
        answer->mark = (struct branch_number){reply->mark_incarnation, reply->mark_lsn};
    }
    reason_of(answer, reply);
    switch (answer->verdict) {
    case TERCET_VERDICT_DONE:
        answer->how = known_or_zero((int)reply->how, TERCET_HOW_EMPTY);
        if (answer->phase != TERCET_PHASE_TRY || reply->result.len == 0) {
            break;
        }
        if (reply->result.len > TERCET_RESULT_BYTES_MAX) {
            char text[96];
            snprintf(text, sizeof text, "the result of its try has %zu bytes; %d are allowed",
                     reply->result.len, (int)TERCET_RESULT_BYTES_MAX);
            answer->verdict = TERCET_VERDICT_UNSPECIFIED;
            garbage(answer, text);
            break;
        }
        answer->result.data = xmemdup(reply->result.data, reply->result.len);
        answer->result.size = reply->result.len;
        break;
    case TERCET_VERDICT_LATER:
        answer->after_ms = reply->after_ms;
        break;
    case TERCET_VERDICT_CONFLICT:
        answer->conflict = known_or_zero((int)reply->conflict, TERCET_CONFLICT_FORGOTTEN);
        break;
    case TERCET_VERDICT_REFUSED:
    case TERCET_VERDICT_UNSPECIFIED:
        break;
    }
}

static const char *code_of(enum answer_kind kind)
{
    switch (kind) {
    case ANSWER_REPLY:
        return "";
    case ANSWER_UNREACHABLE:
        return "TERCET_UNREACHABLE";
    case ANSWER_NOT_SERVED:
        return "TERCET_NOT_SERVED";
    case ANSWER_UNKNOWN:
        return "TERCET_NO_ANSWER";
    case ANSWER_FENCED:
        return TERCET_CODE_OLD_EPOCH;
    }
    tercet_unreachable();
}

static size_t work_count(const ProtobufCMessage *message, uint32_t *window_out)
{
    const Tercet__V1__AnswerBatch *batch = (const Tercet__V1__AnswerBatch *)message;
    *window_out = batch->window;
    return batch->n_replies;
}

static int64_t work_read(const ProtobufCMessage *message, size_t index,
                         struct rpc_result *result_out)
{
    const Tercet__V1__BranchReply *reply =
        ((const Tercet__V1__AnswerBatch *)message)->replies[index];
    if (reply->status == 0) {
        result_out->reply = &reply->base;
    } else {
        result_out->status = reply->status <= TERCET_UNAUTHENTICATED
                                 ? (enum tercet_status)reply->status
                                 : TERCET_UNKNOWN;
        result_out->text = reply->reason != NULL ? reply->reason->text : "";
    }
    return reply->call;
}

const struct rpc_feed_kind wire_work = {.path = "/tercet.v1.Participant/Work",
                                        .reply = &tercet__v1__answer_batch__descriptor,
                                        .count = work_count,
                                        .read = work_read,
                                        .message_count_max = 1024,
                                        .message_bytes = 256 * 1024};

static enum answer_kind kind_of(const struct rpc_result *result)
{
    if (wire_is_fenced(result)) {
        return ANSWER_FENCED;
    }
    /* There was no connection to send it on, at once or until its time was over.  UNAVAILABLE from a
     * living handler, or because the connection broke, is another thing: it waits for the branch's
     * own back-off, so that one branch cannot keep its participant's circuit open. */
    const bool no_connection =
        result->status == TERCET_UNAVAILABLE || result->status == TERCET_DEADLINE_EXCEEDED;
    if (no_connection && !result->sent_maybe) {
        return ANSWER_UNREACHABLE;
    }
    return meaning_of(result->status).kind;
}

void wire_answer(struct answer *answer, const struct rpc_result *result)
{
    if (result->status == TERCET_OK) {
        tercet_assert(result->reply != NULL);
        read_reply(answer, (const Tercet__V1__BranchReply *)result->reply);
        return;
    }
    answer->kind = kind_of(result);
    words_copy_code(answer->reason.code, code_of(answer->kind));
    words_copy_text(answer->reason.text, tercet_status_name(result->status), result->text);
}

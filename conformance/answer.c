/* answer.c -- see answer.h. */
#include "answer.h"

#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/utf8.h"

/* ---- Reading ----------------------------------------------------------------------------------- */

void answer_clean(char *text)
{
    char *at = text;
    while (*at != '\0') {
        const size_t size = utf8_size(at);
        const unsigned char first = (unsigned char)*at;
        if (size == 0) {
            *at = '?';
        } else if (first < ' ' || first == 0x7f) {
            *at = ' ';
        }
        at += size > 1 ? size : 1;
    }
}

void answer_read_reply(struct answer *answer_out, const Tercet__V1__BranchReply *reply)
{
    const Tercet__V1__Reason *reason = reply->reason;
    *answer_out = (struct answer){.status = TERCET_OK,
                                  .verdict = (int)reply->verdict,
                                  .how = (int)reply->how,
                                  .conflict = (int)reply->conflict,
                                  .after_ms = reply->after_ms,
                                  .result_size = reply->result.len,
                                  .mark_incarnation = reply->mark_incarnation,
                                  .mark_lsn = reply->mark_lsn};
    if (reply->status != 0) { /* of the stream */
        answer_out->status = reply->status <= TERCET_UNAUTHENTICATED
                                 ? (enum tercet_status)reply->status
                                 : TERCET_UNKNOWN;
    }
    if (reason != NULL) {
        text_copy(answer_out->code, sizeof answer_out->code, reason->code);
        text_copy(answer_out->text, sizeof answer_out->text, reason->text);
        answer_out->code_size = strlen(reason->code);
        answer_clean(answer_out->code);
        answer_clean(answer_out->text);
    }
    const size_t kept = reply->result.len < sizeof answer_out->result ? reply->result.len
                                                                      : sizeof answer_out->result;
    if (kept > 0) {
        memcpy(answer_out->result, reply->result.data, kept);
    }
}

void answer_read(struct answer *answer_out, const struct rpc_result *result)
{
    if (result->status == TERCET_OK) {
        answer_read_reply(answer_out, (const Tercet__V1__BranchReply *)result->reply);
        return;
    }
    *answer_out = (struct answer){.status = result->status};
    text_copy(answer_out->text, sizeof answer_out->text, result->text);
    answer_clean(answer_out->text);
}

/* The statuses by which something that lives says that it did nothing and never will. */
static bool is_not_served(enum tercet_status status)
{
    return status == TERCET_INVALID_ARGUMENT || status == TERCET_FAILED_PRECONDITION ||
           status == TERCET_UNIMPLEMENTED;
}

bool answer_is_unknown(const struct answer *answer)
{
    return answer->status != TERCET_OK
               ? !is_not_served(answer->status)
               : answer->verdict < TERCET_VERDICT_DONE || answer->verdict > TERCET_VERDICT_CONFLICT;
}

bool answer_is_to_repeat(const struct answer *answer)
{
    return answer_is_unknown(answer) ||
           (answer->status == TERCET_OK && answer->verdict == TERCET_VERDICT_LATER);
}

/* ---- Wants ------------------------------------------------------------------------------------- */

static bool is_done(const struct answer *answer, enum tercet_how how)
{
    return answer->status == TERCET_OK && answer->verdict == TERCET_VERDICT_DONE &&
           (answer->how == (int)how || answer->how == TERCET_HOW_UNSPECIFIED);
}

static bool is_conflict(const struct answer *answer, enum tercet_conflict conflict)
{
    return answer->status == TERCET_OK && answer->verdict == TERCET_VERDICT_CONFLICT &&
           (answer->conflict == (int)conflict || answer->conflict == TERCET_CONFLICT_NONE);
}

/* Of those that are a status or a code. */
static bool is_said(const struct answer *answer, enum want want)
{
    static const char old_epoch[] = TERCET_CODE_OLD_EPOCH;
    if (want == WANT_OLD_EPOCH) {
        return answer->status == TERCET_FAILED_PRECONDITION &&
               strncmp(answer->text, old_epoch, sizeof old_epoch - 1) == 0;
    }
    if (want == WANT_WRONG_PARTICIPANT) {
        return answer->status == TERCET_OK && answer->verdict == TERCET_VERDICT_LATER &&
               strcmp(answer->code, "TERCET_WRONG_PARTICIPANT") == 0;
    }
    return is_not_served(answer->status);
}

bool answer_is(const struct answer *answer, enum want want)
{
    switch (want) {
    case WANT_RAN: /* what is not known may have happened before */
        return is_done(answer, TERCET_HOW_RAN) ||
               (answer->unknown_before > 0 && is_done(answer, TERCET_HOW_REPEATED));
    case WANT_REPEATED:
        return is_done(answer, TERCET_HOW_REPEATED);
    case WANT_DONE:
        return is_done(answer, TERCET_HOW_RAN) || is_done(answer, TERCET_HOW_REPEATED);
    case WANT_EMPTY:
        return is_done(answer, TERCET_HOW_EMPTY);
    case WANT_REFUSED:
        return answer->status == TERCET_OK && answer->verdict == TERCET_VERDICT_REFUSED;
    case WANT_OTHER_TRANSACTION:
        return is_conflict(answer, TERCET_CONFLICT_OTHER_TRANSACTION);
    case WANT_NOT_TRIED:
        return is_conflict(answer, TERCET_CONFLICT_NOT_TRIED);
    case WANT_CONFIRMED:
        return is_conflict(answer, TERCET_CONFLICT_CONFIRMED);
    case WANT_CANCELLED:
        return is_conflict(answer, TERCET_CONFLICT_CANCELLED);
    case WANT_FORGOTTEN:
        return is_conflict(answer, TERCET_CONFLICT_FORGOTTEN);
    case WANT_INVALID:
        return answer->status == TERCET_INVALID_ARGUMENT;
    case WANT_UNIMPLEMENTED:
        return answer->status == TERCET_UNIMPLEMENTED;
    case WANT_OLD_EPOCH:
    case WANT_NOT_SERVED:
    case WANT_WRONG_PARTICIPANT:
        return is_said(answer, want);
    }
    tercet_unreachable();
}

const char *want_name(enum want want)
{
    static const char *const names[] = {
        [WANT_RAN] = "DONE RAN",
        [WANT_REPEATED] = "DONE REPEATED",
        [WANT_DONE] = "DONE",
        [WANT_EMPTY] = "DONE EMPTY",
        [WANT_REFUSED] = "REFUSED",
        [WANT_OTHER_TRANSACTION] = "CONFLICT OTHER_TRANSACTION",
        [WANT_NOT_TRIED] = "CONFLICT NOT_TRIED",
        [WANT_CONFIRMED] = "CONFLICT CONFIRMED",
        [WANT_CANCELLED] = "CONFLICT CANCELLED",
        [WANT_FORGOTTEN] = "CONFLICT FORGOTTEN",
        [WANT_OLD_EPOCH] = "status FAILED_PRECONDITION with TERCET_OLD_EPOCH",
        [WANT_INVALID] = "status INVALID_ARGUMENT",
        [WANT_NOT_SERVED] = "status FAILED_PRECONDITION",
        [WANT_UNIMPLEMENTED] = "status UNIMPLEMENTED",
        [WANT_WRONG_PARTICIPANT] = "LATER with TERCET_WRONG_PARTICIPANT",
    };
    return names[want];
}

bool answer_same_result(const struct answer *a, const struct answer *b)
{
    const size_t kept = a->result_size < sizeof a->result ? a->result_size : sizeof a->result;
    return a->result_size == b->result_size && memcmp(a->result, b->result, kept) == 0;
}

/* ---- Words ------------------------------------------------------------------------------------- */

void answer_print(const struct answer *answer, char sentence_out[ANSWER_SENTENCE_SIZE])
{
    char tail[ANSWER_SENTENCE_SIZE] = "";
    const char *colon = answer->code[0] != '\0' && answer->text[0] != '\0' ? ": " : "";
    if (answer->code[0] != '\0' || answer->text[0] != '\0') {
        text_format(tail, sizeof tail, " (%s%s%s)", answer->code, colon, answer->text);
    }
    if (answer->status != TERCET_OK) {
        text_format(sentence_out, ANSWER_SENTENCE_SIZE, "status %s%s",
                    tercet_status_name(answer->status), tail);
        return;
    }
    const char *detail = "";
    if (answer->verdict == TERCET_VERDICT_DONE) {
        detail = answer->how == TERCET_HOW_UNSPECIFIED
                     ? "without how"
                     : tercet_how_name((enum tercet_how)answer->how);
    } else if (answer->verdict == TERCET_VERDICT_CONFLICT) {
        detail = answer->conflict == TERCET_CONFLICT_NONE
                     ? "without its kind"
                     : tercet_conflict_name((enum tercet_conflict)answer->conflict);
    }
    text_format(sentence_out, ANSWER_SENTENCE_SIZE, "%s%s%s%s",
                tercet_verdict_name((enum tercet_verdict)answer->verdict),
                detail[0] != '\0' ? " " : "", detail, tail);
}

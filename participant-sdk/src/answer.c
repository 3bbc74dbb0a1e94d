/* answer.c -- see answer.h. */
#include "src/answer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"
#include "src/moment.h"
#include "src/text_check.h"

static struct answer_request *of(struct tercet_request *request)
{
    return (struct answer_request *)request;
}

TERCET_PRINTF(2, 0)
static void say_text(struct group_answer *answer, const char *format, va_list arguments)
{
    char full[1024];
    (void)vsnprintf(full, sizeof full, format, arguments);
    const size_t size = text_cut(full, strlen(full), TERCET_REASON_TEXT_BYTES_MAX);
    memcpy(answer->text, full, size);
    answer->text[size] = '\0';
}

/* Begins an answer anew: the last one that a handler gives counts. */
static struct group_answer *say(struct tercet_request *request, enum tercet_verdict verdict)
{
    struct answer_request *asked = of(request);
    struct group_answer *answer = asked->answer;

    asked->said = true;
    asked->verdict = verdict;
    answer->code[0] = '\0';
    answer->text[0] = '\0';
    answer->after_ms = 0;
    answer->result_bytes = 0;
    return answer;
}

enum tercet_verdict tercet_answer_done(struct tercet_request *request, struct tercet_bytes result)
{
    struct group_answer *answer = say(request, TERCET_VERDICT_DONE);

    if (result.size > TERCET_RESULT_BYTES_MAX) {
        return tercet_answer_failed(request, "the result has %zu bytes, at most %d are allowed",
                                    result.size, TERCET_RESULT_BYTES_MAX);
    }
    if (request->phase == TERCET_PHASE_TRY && result.size != 0) {
        memcpy(answer->result, result.data, result.size);
        answer->result_bytes = result.size;
    }
    return TERCET_VERDICT_DONE;
}

enum tercet_verdict tercet_answer_refused(struct tercet_request *request, const char *code,
                                          const char *format, ...)
{
    va_list arguments;

    if (code == NULL || code[0] == '\0' || !text_is_code(code)) {
        return tercet_answer_failed(request, "a refusal's code must be 1 to %d of A-Z 0-9 _",
                                    TERCET_REASON_CODE_BYTES_MAX);
    }
    struct group_answer *answer = say(request, TERCET_VERDICT_REFUSED);
    (void)snprintf(answer->code, sizeof answer->code, "%s", code);
    va_start(arguments, format);
    say_text(answer, format, arguments);
    va_end(arguments);
    return TERCET_VERDICT_REFUSED;
}

enum tercet_verdict tercet_answer_later(struct tercet_request *request, uint32_t after_ms,
                                        const char *format, ...)
{
    struct group_answer *answer = say(request, TERCET_VERDICT_LATER);
    va_list arguments;

    answer->after_ms = after_ms < GROUP_LATER_AFTER_MS_MAX ? after_ms : GROUP_LATER_AFTER_MS_MAX;
    va_start(arguments, format);
    say_text(answer, format, arguments);
    va_end(arguments);
    return TERCET_VERDICT_LATER;
}

enum tercet_verdict tercet_answer_failed(struct tercet_request *request, const char *format, ...)
{
    struct group_answer *answer = say(request, TERCET_VERDICT_UNSPECIFIED);
    va_list arguments;

    va_start(arguments, format);
    say_text(answer, format, arguments);
    va_end(arguments);
    return TERCET_VERDICT_UNSPECIFIED;
}

void *tercet_request_connection(const struct tercet_request *request,
                                const struct tercet_store_ops *ops)
{
    const struct answer_request *asked = (const struct answer_request *)request;
    return asked->ops == ops ? asked->connection : NULL;
}

static tercet_handler_fn handler_of(const struct tercet_action *action, enum tercet_phase phase)
{
    switch (phase) {
    case TERCET_PHASE_TRY:
        return action->on_try;
    case TERCET_PHASE_CONFIRM:
        return action->on_confirm;
    case TERCET_PHASE_CANCEL:
        return action->on_cancel;
    }
    return NULL;
}

/* Only what the answer functions said, or a plain verdict, may be returned. */
static enum tercet_verdict settle(struct answer_request *asked, enum tercet_verdict returned)
{
    if (asked->said && asked->verdict != returned) {
        return tercet_answer_failed(&asked->base, "the handler said %s and returned %d",
                                    asked->verdict == TERCET_VERDICT_UNSPECIFIED
                                        ? "that it failed"
                                        : tercet_verdict_name(asked->verdict),
                                    (int)returned);
    }
    switch (returned) {
    case TERCET_VERDICT_DONE:
    case TERCET_VERDICT_REFUSED:
    case TERCET_VERDICT_LATER:
        return returned;
    case TERCET_VERDICT_CONFLICT:
        return asked->ops == NULL
                   ? returned
                   : tercet_answer_failed(&asked->base, "a fenced handler may not say CONFLICT");
    case TERCET_VERDICT_UNSPECIFIED:
        return asked->said ? returned
                           : tercet_answer_failed(&asked->base, "the handler gave no verdict");
    }
    return tercet_answer_failed(&asked->base, "the handler returned %d, which is no verdict",
                                (int)returned);
}

enum tercet_verdict answer_by_handler(const struct job *job, const struct tercet_store_ops *ops,
                                      void *connection, struct tercet_bytes tried,
                                      struct group_answer *answer)
{
    const struct group_request *request = &job->request;
    const int64_t left = job->until_ms - moment_ms();
    struct answer_request asked = {
        .base = {.gid = request->key.gid.data,
                 .branch = request->key.branch,
                 .phase = request->phase,
                 .action = job->action->name,
                 .payload = job->payload,
                 .result = tried.data == NULL ? tercet_bytes_of_text("") : tried,
                 .attempt = job->attempt != 0 ? job->attempt : 1,
                 .expires_unix_ms = job->expires_unix_ms,
                 .traceparent = job->traceparent,
                 .context = job->action->context},
        .ops = ops,
        .connection = connection,
        .answer = answer};

    if (job->until_ms == INT64_MAX) {
        asked.base.timeout_ms = TERCET_FOREVER;
    } else if (left > 0) {
        asked.base.timeout_ms = left < INT32_MAX ? (uint32_t)left : INT32_MAX;
    }
    if (request->phase != TERCET_PHASE_TRY) {
        asked.base.expires_unix_ms = 0;
    }
    const tercet_handler_fn handler = handler_of(job->action, request->phase);
    if (handler == NULL) {
        /* Tried by a version in which the action was not confirm-only. */
        return tercet_answer_failed(
            &asked.base,
            "action %s has no on_cancel here, but this branch was tried: serve "
            "the version with all three handlers until it has ended",
            job->action->name);
    }
    return settle(&asked, handler(&asked.base));
}

/* reply.c -- see reply.h. */
#include "src/reply.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "src/participant_core.h"

/* The wire's enums and ours have the same numbers; the casts rest on that. */
static_assert((int)TERCET__V1__VERDICT__VERDICT_CONFLICT == (int)TERCET_VERDICT_CONFLICT &&
                  (int)TERCET__V1__VERDICT__VERDICT_DONE == (int)TERCET_VERDICT_DONE,
              "verdicts");
static_assert((int)TERCET__V1__HOW__HOW_EMPTY == (int)TERCET_HOW_EMPTY, "hows");
static_assert((int)TERCET__V1__CONFLICT_KIND__CONFLICT_KIND_FORGOTTEN ==
                  (int)TERCET_CONFLICT_FORGOTTEN,
              "conflicts");
static_assert((int)TERCET__V1__PHASE__PHASE_CANCEL == (int)TERCET_PHASE_CANCEL, "phases");

static void add(atomic_uint_fast64_t *counter)
{
    (void)atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void count_verdict(struct participant_counters *counters, enum tercet_verdict verdict)
{
    switch (verdict) {
    case TERCET_VERDICT_DONE:
        add(&counters->done);
        break;
    case TERCET_VERDICT_REFUSED:
        add(&counters->refused);
        break;
    case TERCET_VERDICT_LATER:
        add(&counters->later);
        break;
    case TERCET_VERDICT_CONFLICT:
        add(&counters->conflicts);
        break;
    case TERCET_VERDICT_UNSPECIFIED:
        break;
    }
}

/* After the call was answered. */
static void end(struct job *job)
{
    struct tercet_participant *participant = job->participant;
    const size_t payload_bytes = job->payload.size;
    free(job);
    participant_let_go(participant, payload_bytes);
}

static void tell_log(const struct job *job, const struct group_answer *answer)
{
    struct log *log = &job->participant->log;
    enum tercet_log_level level = answer->log;

    if (answer->verdict == TERCET_VERDICT_CONFLICT) {
        level = TERCET_LOG_ERROR;
    }
    if ((int)level == 0) {
        return;
    }
    LOG_TELL(log, level, "branch.answered", logger_text("participant", job->participant->name),
             logger_text("action", job->action->name),
             logger_text("gid", job->request.key.gid.data),
             logger_int("branch", job->request.key.branch),
             logger_text("phase", tercet_phase_name(job->request.phase)),
             logger_text("verdict", tercet_verdict_name(answer->verdict)),
             logger_text("code", answer->code),
             logger_text("found", tercet_fence_state_name(answer->found)),
             logger_text("text", answer->text));
}

/* The reply's strings are not const in protobuf-c, which does not write through them. */
static char *borrow(const char *text)
{
    union {
        const char *given;
        char *wanted;
    } borrowed = {.given = text};
    return borrowed.wanted;
}

static void send_verdict(const struct asker *asker, const Tercet__V1__BranchReply *reply,
                         const char *code, const char *text)
{
    Tercet__V1__BranchReply message = *reply;
    Tercet__V1__Reason reason = TERCET__V1__REASON__INIT;

    if (code[0] != '\0' || text[0] != '\0') {
        reason.code = borrow(code);
        reason.text = borrow(text);
        message.reason = &reason;
    }
    asker_reply(asker, &message);
}

Tercet__V1__FenceState reply_fence_state(enum tercet_fence_state state)
{
    switch (state) {
    case TERCET_FENCE_NONE:
        return TERCET__V1__FENCE_STATE__FENCE_STATE_NONE;
    case TERCET_FENCE_TRIED:
        return TERCET__V1__FENCE_STATE__FENCE_STATE_TRIED;
    case TERCET_FENCE_CONFIRMED:
        return TERCET__V1__FENCE_STATE__FENCE_STATE_CONFIRMED;
    case TERCET_FENCE_CANCELLED:
        return TERCET__V1__FENCE_STATE__FENCE_STATE_CANCELLED;
    case TERCET_FENCE_SUSPENDED:
        return TERCET__V1__FENCE_STATE__FENCE_STATE_SUSPENDED;
    }
    return TERCET__V1__FENCE_STATE__FENCE_STATE_UNSPECIFIED;
}

void reply_answer(struct job *job, const struct group_answer *answer)
{
    struct participant_counters *counters = &job->participant->counters;
    uint8_t result[TERCET_RESULT_BYTES_MAX];

    tell_log(job, answer);
    if (answer->status != TERCET_OK) {
        asker_fail(&job->asker, answer->status, answer->text);
        end(job);
        return;
    }
    count_verdict(counters, answer->verdict);
    if (answer->from_fence) {
        add(&counters->from_fence);
    }
    Tercet__V1__BranchReply reply = TERCET__V1__BRANCH_REPLY__INIT;
    reply.verdict = (Tercet__V1__Verdict)answer->verdict;
    if (answer->verdict == TERCET_VERDICT_DONE) {
        reply.how = (Tercet__V1__How)answer->how;
        memcpy(result, answer->result, answer->result_bytes);
        reply.result = (ProtobufCBinaryData){.len = answer->result_bytes, .data = result};
    }
    if (answer->verdict == TERCET_VERDICT_LATER) {
        reply.after_ms = answer->after_ms;
    }
    if (answer->verdict == TERCET_VERDICT_CONFLICT) {
        reply.conflict = (Tercet__V1__ConflictKind)answer->conflict;
        reply.found = reply_fence_state(answer->found);
    }
    reply.mark_incarnation = answer->mark_incarnation;
    reply.mark_lsn = answer->mark_lsn;
    send_verdict(&job->asker, &reply, answer->code, answer->text);
    end(job);
}

void reply_later(struct job *job, const char *code, const char *text)
{
    reply_later_to(job->participant, &job->asker, code, text);
    end(job);
}

void reply_later_to(struct tercet_participant *participant, const struct asker *asker,
                    const char *code, const char *text)
{
    Tercet__V1__BranchReply reply = TERCET__V1__BRANCH_REPLY__INIT;

    count_verdict(&participant->counters, TERCET_VERDICT_LATER);
    reply.verdict = TERCET__V1__VERDICT__VERDICT_LATER;
    send_verdict(asker, &reply, code, text);
}

/* branch_step.c -- see branch_step.h. */
#include "fence/branch_step.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"

/* All but the room for texts and result. */
static void empty_answer(struct group_answer *answer)
{
    memset(answer, 0, offsetof(struct group_answer, code));
    answer->code[0] = '\0';
    answer->text[0] = '\0';
    answer->result[0] = 0;
}

void branch_answer_later(struct group_answer *answer, const char *code, enum tercet_log_level log,
                         const char *format, ...)
{
    va_list arguments;
    empty_answer(answer);
    answer->verdict = TERCET_VERDICT_LATER;
    answer->log = log;
    (void)snprintf(answer->code, sizeof answer->code, "%s", code);
    va_start(arguments, format);
    text_format_list(answer->text, sizeof answer->text, format, arguments);
    va_end(arguments);
}

/* The row that the claim would insert. */
static void fill_wanted(const struct group_request *request, enum tercet_fence_state state,
                        struct tercet_fence_row *row_out)
{
    const size_t participant = strlen(request->caller->participant);
    const size_t action = strlen(request->action);
    tercet_assert(participant > 0 && participant <= TERCET_NAME_BYTES_MAX);
    tercet_assert(action > 0 && action <= TERCET_NAME_BYTES_MAX);
    row_out->state = state;
    memcpy(row_out->identity.origin, request->caller->origin, TERCET_ORIGIN_BYTES);
    row_out->identity.number = request->number;
    memcpy(row_out->identity.digest, request->digest, TERCET_DIGEST_BYTES);
    memcpy(row_out->participant, request->caller->participant, participant + 1);
    memcpy(row_out->action, request->action, action + 1);
    row_out->result_bytes = 0;
    row_out->result[0] = 0;
}

static void answer_old_epoch(const struct group_request *request, struct tercet_epoch stored,
                             struct group_answer *answer)
{
    empty_answer(answer);
    answer->status = TERCET_FAILED_PRECONDITION;
    answer->from_fence = true;
    answer->log = TERCET_LOG_WARNING;
    (void)snprintf(answer->code, sizeof answer->code, "%s", TERCET_CODE_OLD_EPOCH);
    (void)snprintf(answer->text, sizeof answer->text,
                   TERCET_CODE_OLD_EPOCH ": incarnation %" PRId64 " epoch %" PRId64
                                         " asks, and %" PRId64 " epoch %" PRId64
                                         " has asked before",
                   request->caller->epoch.incarnation, request->caller->epoch.epoch,
                   stored.incarnation, stored.epoch);
}

/* The answer that the table gives without a handler. */
static void answer_decided(const struct tercet_fence_decision *decision,
                           const struct tercet_fence_row *row, struct group_answer *answer)
{
    empty_answer(answer);
    answer->verdict = decision->verdict;
    answer->how = decision->how;
    answer->conflict = decision->conflict;
    answer->from_fence = true;
    (void)snprintf(answer->code, sizeof answer->code, "%s", decision->code);
    (void)snprintf(answer->text, sizeof answer->text, "%s", decision->text);
    if (decision->verdict == TERCET_VERDICT_CONFLICT) {
        answer->found = row->state;
        answer->log = TERCET_LOG_ERROR;
    }
    if (decision->stored_result) {
        answer->result_bytes = row->result_bytes;
        memcpy(answer->result, row->result, row->result_bytes + 1);
    }
}

/* Claims the row and settles the epoch. `current_out`: false when an old epoch asks, which is then
 * answered. */
static enum tercet_status claim_current(struct group *group, const struct group_request *request,
                                        const struct tercet_fence_row *wanted,
                                        struct tercet_fence_claim *claim, bool *current_out,
                                        struct tercet_error *error_out)
{
    const struct tercet_store_ops *ops = group->ops;
    enum tercet_status status = ops->savepoint(group->connection, error_out);
    if (status == TERCET_OK) {
        status = ops->claim(group->connection, &request->key, wanted, claim, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    if (tercet_epoch_compare(claim->epoch, request->caller->epoch) < 0) {
        TERCET_FAILPOINT("fence.new_epoch");
        status = ops->rewind(group->connection, error_out);
        if (status == TERCET_OK) {
            status = ops->raise_epoch(group->connection, request->caller, error_out);
        }
        if (status == TERCET_OK) {
            status = ops->savepoint(group->connection, error_out);
        }
        if (status == TERCET_OK) {
            status = ops->claim(group->connection, &request->key, wanted, claim, error_out);
        }
        if (status != TERCET_OK) {
            return status;
        }
        tercet_assert(tercet_epoch_compare(claim->epoch, request->caller->epoch) >= 0);
    }
    *current_out = tercet_epoch_compare(claim->epoch, request->caller->epoch) == 0;
    return TERCET_OK;
}

static struct tercet_fence_decision decide(const struct group_request *request,
                                           const struct tercet_fence_row *wanted,
                                           const struct tercet_fence_claim *claim)
{
    const struct tercet_fence_facts facts = {
        .row = claim->row.state,
        .phase = request->phase,
        .same_identity = claim->row.state != TERCET_FENCE_NONE &&
                         tercet_fence_identity_equal(&claim->row.identity, &wanted->identity),
        .mark = claim->mark,
        .confirm_only = request->confirm_only,
    };
    return tercet_fence_decide(&facts);
}

/* A handler's words that need no correction. */
static void keep_words(struct group_answer *answer, enum tercet_verdict verdict)
{
    answer->verdict = verdict;
    answer->result_bytes = 0;
    if (verdict == TERCET_VERDICT_REFUSED) {
        answer->after_ms = 0;
    }
    if (answer->after_ms > GROUP_LATER_AFTER_MS_MAX) {
        answer->after_ms = GROUP_LATER_AFTER_MS_MAX;
    }
}

/* What a handler said, made into what may be answered.  True: it is DONE and to be kept. */
static bool judge_verdict(const struct group_request *request, enum tercet_verdict verdict,
                          struct group_answer *answer)
{
    const bool is_try = request->phase == TERCET_PHASE_TRY;
    const char *const phase = tercet_phase_name(request->phase);
    char said[sizeof answer->text];

    answer->code[sizeof answer->code - 1] = '\0';
    answer->text[sizeof answer->text - 1] = '\0';
    memcpy(said, answer->text, sizeof said);
    switch (verdict) {
    case TERCET_VERDICT_DONE:
        if (is_try && answer->result_bytes > TERCET_RESULT_BYTES_MAX) {
            branch_answer_later(answer, TERCET_CODE_HANDLER_FAILED, TERCET_LOG_WARNING,
                                "the result has %zu bytes, at most %d are kept",
                                answer->result_bytes, TERCET_RESULT_BYTES_MAX);
            return false;
        }
        return true;
    case TERCET_VERDICT_REFUSED:
        if (is_try) {
            keep_words(answer, verdict);
        } else {
            branch_answer_later(answer, TERCET_CODE_REFUSED_TOO_LATE, TERCET_LOG_ERROR,
                                "the handler refused a %s, which must succeed in the end: %s",
                                phase, said);
        }
        return false;
    case TERCET_VERDICT_LATER:
        keep_words(answer, verdict);
        return false;
    case TERCET_VERDICT_CONFLICT:
        branch_answer_later(answer,
                            is_try ? TERCET_CODE_HANDLER_FAILED : TERCET_CODE_REFUSED_TOO_LATE,
                            TERCET_LOG_ERROR,
                            "the handler answered CONFLICT to a %s, which is the fence's to say: "
                            "%s",
                            phase, said);
        return false;
    case TERCET_VERDICT_UNSPECIFIED:
        break;
    }
    branch_answer_later(answer, TERCET_CODE_HANDLER_FAILED, TERCET_LOG_WARNING, "%s",
                        said[0] != '\0' ? said : "the handler returned no verdict");
    return false;
}

static enum tercet_status run_handler(struct group *group, const struct group_request *request,
                                      const struct tercet_fence_row *found,
                                      struct group_answer *answer, enum tercet_verdict *verdict_out,
                                      struct tercet_error *error_out)
{
    const bool has_tried = request->phase != TERCET_PHASE_TRY && found->state != TERCET_FENCE_NONE;
    const struct tercet_bytes tried =
        has_tried ? tercet_bytes_of(found->result, found->result_bytes) : tercet_bytes_of("", 0);
    struct tercet_error error = {0};

    empty_answer(answer);
    const uint64_t begun_us = group->now_us(group->context);
    TERCET_FAILPOINT("fence.before_handler");
    *verdict_out = group->handler(request, group->connection, tried, answer, group->context);
    TERCET_FAILPOINT("fence.after_handler");
    group->handler_us += group->now_us(group->context) - begun_us;
    group->handler_runs++;

    const enum tercet_status status = group->ops->check(group->connection, &error);
    if (status == TERCET_FAILED_PRECONDITION) {
        group->handler_failures++;
        branch_answer_later(answer, TERCET_CODE_HANDLER_FAILED, TERCET_LOG_ERROR,
                            "the handler ended the local transaction by itself; what it did may "
                            "have been kept without its fence row: %s",
                            error.text);
    }
    if (status != TERCET_OK) {
        *error_out = error;
    }
    return status;
}

/* The handler's part, and what it leaves in the database. */
static enum tercet_status step_by_handler(struct group *group, const struct group_request *request,
                                          const struct tercet_fence_decision *decision,
                                          struct tercet_fence_row *row,
                                          const struct tercet_fence_row *found,
                                          struct group_answer *answer,
                                          struct tercet_error *error_out)
{
    enum tercet_verdict verdict = TERCET_VERDICT_UNSPECIFIED;
    const enum tercet_status status =
        run_handler(group, request, found, answer, &verdict, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (!judge_verdict(request, verdict, answer)) {
        if (strcmp(answer->code, TERCET_CODE_HANDLER_FAILED) == 0) {
            group->handler_failures++;
        }
        return group->ops->rewind(group->connection, error_out);
    }
    if (request->phase == TERCET_PHASE_TRY) {
        answer->result[answer->result_bytes] = 0;
        row->result_bytes = (uint32_t)answer->result_bytes;
        memcpy(row->result, answer->result, answer->result_bytes + 1);
    } else {
        answer->result_bytes = 0;
        if (found->state != TERCET_FENCE_NONE) {
            row->result_bytes = found->result_bytes;
            memcpy(row->result, found->result, found->result_bytes + 1);
        }
    }
    row->state = decision->becomes;
    answer->verdict = TERCET_VERDICT_DONE;
    answer->how = TERCET_HOW_RAN;
    answer->code[0] = '\0';
    answer->text[0] = '\0';
    answer->after_ms = 0;
    TERCET_FAILPOINT("fence.before_row");
    return group->ops->write(group->connection, &request->key, row, error_out);
}

enum tercet_status branch_step(struct group *group, const struct group_request *request,
                               struct group_answer *answer, struct tercet_error *error_out)
{
    struct tercet_fence_row row;
    struct tercet_fence_claim claim;
    bool current = false;

    fill_wanted(request, tercet_fence_wanted(request->phase, request->confirm_only), &row);
    enum tercet_status status = claim_current(group, request, &row, &claim, &current, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (!current) {
        answer_old_epoch(request, claim.epoch, answer);
        return group->ops->rewind(group->connection, error_out);
    }
    const struct tercet_fence_decision decision = decide(request, &row, &claim);
    TERCET_FAILPOINT("fence.claimed");
    if (decision.run) {
        status = step_by_handler(group, request, &decision, &row, &claim.row, answer, error_out);
    } else {
        TERCET_FAILPOINT("fence.repeated");
        answer_decided(&decision, &claim.row, answer);
        if (decision.becomes == claim.row.state) {
            /* Also takes back the row that the claim inserted for a try that is then refused. */
            status = group->ops->rewind(group->connection, error_out);
        }
        /* Else it is an empty rollback, and the claim has written its row. */
    }
    answer->mark_incarnation = claim.mark_incarnation;
    answer->mark_lsn = claim.mark_lsn;
    return status;
}

enum tercet_status branch_read_again(struct group *group, const struct group_request *request,
                                     struct group_answer *answer, struct tercet_error *error_out)
{
    struct tercet_fence_row row;
    struct tercet_fence_claim claim;

    fill_wanted(request, TERCET_FENCE_NONE, &row);
    enum tercet_status status = group->ops->savepoint(group->connection, error_out);
    if (status == TERCET_OK) {
        status = group->ops->claim(group->connection, &request->key, &row, &claim, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    if (tercet_epoch_compare(claim.epoch, request->caller->epoch) > 0) {
        answer_old_epoch(request, claim.epoch, answer);
        return TERCET_OK;
    }
    const struct tercet_fence_decision decision = decide(request, &row, &claim);
    if (decision.run || decision.becomes != claim.row.state) {
        branch_answer_later(
            answer, TERCET_CODE_STORE_UNAVAILABLE, TERCET_LOG_WARNING,
            "the outcome of the commit was lost, and the fence holds nothing of it");
    } else {
        answer_decided(&decision, &claim.row, answer);
    }
    answer->mark_incarnation = claim.mark_incarnation;
    answer->mark_lsn = claim.mark_lsn;
    return TERCET_OK;
}

/* answer.c -- what a participant's answer means.
 *
 * An answer that no longer fits (the transaction is closed, or the phase is over) is not read,
 * except that a late DONE to a try is remembered: an empty rollback after it would be a
 * contradiction.  Whatever is not clearly DONE, REFUSED (to a try) or NOT_SERVED (to a try) is asked
 * again; only the deadline and the decision end a try. */

#include "base/assert.h"
#include "engine/engine_internal.h"

/* Of tercet.v1.How. */
enum { HOW_EMPTY = 3 };

enum { AFTER_MS_MAX = 60000, PROGRESS_ATTEMPTS_MIN = 8 };

static void keep_reason(struct step *step, struct branch *branch, const struct answer *answer)
{
    branch_set_reason(branch, answer->reason.code, answer->reason.text);
    branch_share_reason(branch, &step->engine->said[branch->spec.participant]);
}

/* Asks again: at once when its participant has to come back first (dispatch holds it until then),
 * else after its own back-off, or later if the participant said so. */
static void ask_again(struct step *step, struct branch *branch, const struct answer *answer)
{
    struct engine *engine = step->engine;
    int64_t not_before = 0;
    if (answer->kind != ANSWER_UNREACHABLE) {
        uint32_t delay_ms = backoff_delay_ms(branch->attempts, engine->options.limits.retry_base_ms,
                                             engine->options.limits.retry_cap_ms, &engine->random);
        uint32_t after_ms = answer->kind == ANSWER_REPLY ? answer->after_ms : 0;
        after_ms = after_ms > AFTER_MS_MAX ? AFTER_MS_MAX : after_ms;
        not_before = step->now.boot_ms + (delay_ms > after_ms ? delay_ms : after_ms);
    }
    call_branch(step, branch, not_before);
    if (branch_state_is_phase_two(branch->state)) {
        engine_drop_payload(engine, branch); /* who knows how long it waits now */
    }
    bool power_of_two = (branch->attempts & (branch->attempts - 1)) == 0;
    if (power_of_two && branch->attempts >= PROGRESS_ATTEMPTS_MIN &&
        branch_state_is_phase_two(branch->state)) {
        record(step, RECORD_PROGRESS, branch->txn, NULL);
    }
}

/* ---- Try -------------------------------------------------------------------------------------- */

static void try_said_no(struct step *step, struct branch *branch, const struct answer *answer)
{
    struct txn *txn = branch->txn;
    engine_move_branch(step, branch, BRANCH_REFUSED);
    if (branch->spec.optional) {
        record(step, RECORD_PROGRESS, txn, NULL); /* told to its initiator, so never forgotten */
        progress(step, txn);
        return;
    }
    txn->refused_branch = branch->spec.index;
    decide_to_cancel(step, txn, TXN_CAUSE_REFUSED, &answer->reason);
}

static void try_contradicted(struct step *step, struct branch *branch, const struct answer *answer)
{
    branch->foreign =
        answer->conflict == CONFLICT_OTHER_TRANSACTION || answer->conflict == CONFLICT_FORGOTTEN;
    if (branch->foreign) {
        branch_set_conflict(branch, answer->conflict); /* evidence, kept with the outcome */
    }
    struct txn *txn = branch->txn;
    txn->refused_branch = branch->spec.index;
    decide_to_cancel(step, txn, TXN_CAUSE_REFUSED, &answer->reason);
}

static void try_replied(struct step *step, struct branch *branch, const struct answer *answer)
{
    switch (answer->verdict) {
    case TERCET_VERDICT_DONE:
        branch->answered_tried = true;
        branch_set_reason(branch, "", "");
        branch_set_result(branch, answer->result);
        engine_move_branch(step, branch, BRANCH_TRIED);
        progress(step, branch->txn);
        break;
    case TERCET_VERDICT_REFUSED:
        keep_reason(step, branch, answer);
        try_said_no(step, branch, answer);
        break;
    case TERCET_VERDICT_CONFLICT:
        keep_reason(step, branch, answer);
        try_contradicted(step, branch, answer);
        break;
    case TERCET_VERDICT_LATER:
    case TERCET_VERDICT_UNSPECIFIED:
        keep_reason(step, branch, answer);
        ask_again(step, branch, answer);
        break;
    }
}

/* There was no connection to give it to: as if it had not been asked. */
static void never_left(struct branch *branch)
{
    if (branch->attempts > 0) {
        branch->attempts--;
    }
    if (branch->attempts == 0 && !branch->adopted) {
        branch->handed = (uint8_t)(branch->handed & ~(1U << TERCET_PHASE_TRY));
    }
}

static void on_try(struct step *step, struct branch *branch, const struct answer *answer)
{
    bool done = answer->kind == ANSWER_REPLY && answer->verdict == TERCET_VERDICT_DONE;
    if (branch->state != BRANCH_TRYING) {
        branch->answered_tried = branch->answered_tried || done;
        return;
    }
    if (answer->kind == ANSWER_REPLY) {
        try_replied(step, branch, answer);
        return;
    }
    keep_reason(step, branch, answer);
    if (answer->unsent) {
        never_left(branch);
    }
    if (answer->kind == ANSWER_NOT_SERVED) {
        /* Nothing ran there, and nothing of this phase was asked before: there is nothing to undo,
         * and a cancel would be answered the same. */
        branch->served = branch->attempts > 1 || branch->adopted;
        try_said_no(step, branch, answer);
    } else {
        ask_again(step, branch, answer);
    }
}

/* ---- Confirm and cancel ----------------------------------------------------------------------- */

static void contradicted(struct step *step, struct branch *branch, uint32_t kind)
{
    bool news = !branch->attention || branch_rare(branch)->conflict != kind;
    engine_raise_attention(step->engine, branch, kind);
    if (news) {
        record(step, RECORD_PROGRESS, branch->txn, NULL);
        waiters_notify(step, branch->txn);
    }
}

static void finished(struct step *step, struct branch *branch)
{
    engine_clear_attention(step->engine, branch);
    branch_set_reason(branch, "", "");
    engine_move_branch(step, branch,
                       branch->state == BRANCH_CONFIRMING ? BRANCH_CONFIRMED : BRANCH_CANCELLED);
    progress(step, branch->txn);
}

static void phase_two_replied(struct step *step, struct branch *branch, const struct answer *answer)
{
    bool empty = answer->how == HOW_EMPTY;
    switch (answer->verdict) {
    case TERCET_VERDICT_DONE:
        if (empty && (answer->phase == TERCET_PHASE_CONFIRM || branch->answered_tried)) {
            branch_set_reason(branch, "TERCET_EMPTY",
                              "it had reserved, and now says that there was nothing to undo");
            contradicted(step, branch, CONFLICT_NOT_TRIED);
            ask_again(step, branch, answer);
        } else {
            finished(step, branch);
        }
        break;
    case TERCET_VERDICT_CONFLICT:
        keep_reason(step, branch, answer);
        contradicted(step, branch, answer->conflict == 0 ? CONFLICT_NOT_TRIED : answer->conflict);
        ask_again(step, branch, answer);
        break;
    case TERCET_VERDICT_REFUSED:
        /* Not allowed: put off like LATER, but an operator should know at once. */
        keep_reason(step, branch, answer);
        contradicted(step, branch, branch_rare(branch)->conflict);
        ask_again(step, branch, answer);
        break;
    case TERCET_VERDICT_LATER:
    case TERCET_VERDICT_UNSPECIFIED:
        keep_reason(step, branch, answer);
        ask_again(step, branch, answer);
        break;
    }
}

static void on_phase_two(struct step *step, struct branch *branch, const struct answer *answer)
{
    if (branch->asked != answer->phase) {
        return; /* it has ended meanwhile: an answer to an earlier attempt came first */
    }
    if (answer->kind == ANSWER_REPLY) {
        phase_two_replied(step, branch, answer);
    } else {
        keep_reason(step, branch, answer);
        ask_again(step, branch, answer);
    }
}

void answer_apply(struct step *step, const struct answer *answer)
{
    struct branch *branch = answer->branch;
    tercet_assert(answer->kind != ANSWER_FENCED); /* the loop's */
    hold_note_answer(step, answer);
    if (branch->txn == NULL) {
        return; /* closed */
    }
    tercet_assert((branch->handed & (1U << answer->phase)) != 0);
    if (answer->phase == TERCET_PHASE_TRY) {
        on_try(step, branch, answer);
    } else {
        on_phase_two(step, branch, answer);
    }
}

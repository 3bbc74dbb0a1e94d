/* decide.c -- stages, the decision, the end.
 *
 * The decision is taken in one place, decide(), which first moves the transaction, then writes the
 * DECIDE record, and only then asks anybody for anything.  The order of effects is the order of
 * truth: whatever stands behind the record leaves after it is durable. */

#include "base/assert.h"
#include "engine/restored.h"

void record(struct step *step, enum record_kind kind, struct txn *txn, struct branch *branch)
{
    struct effect *effect = effects_add(step->effects, EFFECT_RECORD);
    effect->u.record = (struct effect_record){.kind = kind, .txn = txn, .branch = branch};
    if (kind == RECORD_END || kind == RECORD_TOMBSTONE) {
        engine_note_ended(step->engine, txn->gid);
    }
}

void call_branch(struct step *step, struct branch *branch, int64_t not_before_boot_ms)
{
    tercet_assert(branch->asked != 0);
    branch->parked = false;
    if (branch->payload_lost) {
        return; /* there is nothing to ask it with */
    }
    branch_set_next_attempt(branch, not_before_boot_ms);
    struct effect *effect = effects_add(step->effects, EFFECT_CALL);
    effect->u.call.branch = branch_ref(branch);
    effect->u.call.phase = branch->asked;
    effect->u.call.not_before_boot_ms = not_before_boot_ms;
}

/* ---- Stages ----------------------------------------------------------------------------------- */

/* Starts every stage whose earlier stages are all tried. */
static void start_stages(struct step *step, struct txn *txn)
{
    uint32_t first_open = UINT32_MAX; /* the lowest stage that is not all tried */
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        const struct branch *branch = txn->branches[i];
        bool open = branch->state == BRANCH_TRYING ||
                    (branch->state == BRANCH_WAITING && !branch->spec.confirm_only);
        if (open && branch->spec.stage < first_open) {
            first_open = branch->spec.stage;
        }
    }
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        struct branch *branch = txn->branches[i];
        if (branch->state == BRANCH_WAITING && !branch->spec.confirm_only &&
            branch->spec.stage == first_open) {
            engine_move_branch(step, branch, BRANCH_TRYING);
            call_branch(step, branch, 0);
        }
    }
}

/* ---- The decision ----------------------------------------------------------------------------- */

static void confirm_branch(struct step *step, struct branch *branch)
{
    if (branch->state == BRANCH_REFUSED) { /* optional: left out */
        engine_move_branch(step, branch, branch->served ? BRANCH_CANCELLING : BRANCH_CANCELLED);
    } else {
        engine_move_branch(step, branch, BRANCH_CONFIRMING);
    }
}

/* Every branch whose try may have left is cancelled, whatever it answered: an earlier attempt may
 * still be running there.  One whose try was never handed to a transport needs no call; nor does one
 * whose only try was answered that it is not served, or whose row belongs to somebody else. */
static void cancel_branch(struct step *step, struct branch *branch)
{
    bool may_have_left = (branch->handed & (1U << TERCET_PHASE_TRY)) != 0;
    switch (branch->state) {
    case BRANCH_WAITING:
        engine_move_branch(step, branch,
                           may_have_left && !branch->spec.confirm_only ? BRANCH_CANCELLING
                                                                       : BRANCH_SKIPPED);
        break;
    case BRANCH_TRYING:
    case BRANCH_REFUSED:
        if (branch->foreign) {
            engine_move_branch(step, branch, BRANCH_SKIPPED);
        } else {
            engine_move_branch(step, branch,
                               may_have_left && branch->served ? BRANCH_CANCELLING
                                                               : BRANCH_CANCELLED);
        }
        break;
    case BRANCH_TRIED:
        engine_move_branch(step, branch, BRANCH_CANCELLING);
        break;
    case BRANCH_NONE:
    case BRANCH_CONFIRMING:
    case BRANCH_CONFIRMED:
    case BRANCH_CANCELLING:
    case BRANCH_CANCELLED:
    case BRANCH_SKIPPED:
    case BRANCH_STATE_COUNT:
        tercet_unreachable();
    }
}

static void end(struct step *step, struct txn *txn)
{
    struct engine *engine = step->engine;
    bool confirmed = txn_state_outcome(txn->state) == TXN_OUTCOME_CONFIRMED;
    engine_end_txn(step, txn, confirmed ? TXN_CONFIRMED : TXN_CANCELLED);
    txn->ended_lsn = step->lsn;
    request_list_forget(engine, txn);
    list_remove(&txn->link);
    list_push_back(&engine->ended, &txn->link);
    engine->stats.open_transactions--;
    engine->stats.open_payload_bytes -= txn->payload_bytes;
    engine->stats.ended++;
    record(step, RECORD_END, txn, NULL);
}

void decide(struct step *step, struct txn *txn, enum txn_outcome outcome)
{
    struct engine *engine = step->engine;
    bool confirm = outcome == TXN_OUTCOME_CONFIRMED;
    tercet_assert(confirm || outcome == TXN_OUTCOME_CANCELLED);
    tercet_assert(!txn->in_doubt && !restored_is_on(engine));
    tercet_assert(!confirm || txn_all_tried(txn, NULL));
    txn_move(txn, confirm ? TXN_CONFIRMING : TXN_CANCELLING, step->now);
    txn->decided_lsn = step->lsn;
    if (heap_node_is_linked(&txn->timer)) {
        heap_remove(&engine->timers, &txn->timer);
    }
    if (confirm) {
        engine->stats.confirmed++;
    } else {
        engine->stats.cancelled++;
    }
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        if (confirm) {
            confirm_branch(step, txn->branches[i]);
        } else {
            cancel_branch(step, txn->branches[i]);
        }
    }
    record(step, RECORD_DECIDE, txn, NULL);
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        if (txn->branches[i]->asked != 0) {
            call_branch(step, txn->branches[i], 0);
        }
    }
    if (txn_all_ended(txn)) {
        end(step, txn);
    }
    txn_check(txn);
    waiters_notify(step, txn);
}

void decide_to_cancel(struct step *step, struct txn *txn, enum txn_cause cause,
                      const struct reason *reason)
{
    txn->cause = cause;
    txn_set_reason(txn, reason->code, reason->text);
    said_share(&txn->reason, &step->engine->cancelled_for);
    decide(step, txn, TXN_OUTCOME_CANCELLED);
}

void progress(struct step *step, struct txn *txn)
{
    tercet_assert(!txn->in_doubt); /* nothing of it is asked, and nobody but an operator decides */
    if (!txn_state_is_decided(txn->state)) {
        start_stages(step, txn);
        if (txn->mode == TXN_MODE_EXECUTE && txn_all_tried(txn, NULL)) {
            decide(step, txn, TXN_OUTCOME_CONFIRMED); /* tells whoever waits */
            return;
        }
    } else if (txn_all_ended(txn)) {
        end(step, txn);
    }
    waiters_notify(step, txn);
}

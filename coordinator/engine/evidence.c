/* evidence.c -- what a restored journal does not know is decided and ended as participants' rows say it was
 * (restored.h); what they say is read in rows.c. */
#include <string.h>

#include "engine/restored.h"

static const char RESTORED[] = "TERCET_RESTORED";

static bool is_closed(const struct engine *engine, const struct branch *branch)
{
    const struct closed_numbers *closed = &engine->peers[branch->spec.participant].closed;
    bool found = branch_number_compare(branch->number, closed->below) < 0;
    for (uint32_t i = 0; i < closed->open_count && found; i++) {
        found = branch_number_compare(closed->open[i], branch->number) != 0;
    }
    return found;
}

/* As it was decided.  An optional one is cancelled in a confirmed transaction too; of one whose row is gone
 * that is kept, because nobody knows whether it was (try_verdict). */
static void end_unasked(struct step *step, struct branch *branch)
{
    const bool confirms = branch->state == BRANCH_CONFIRMING;
    const bool forgotten =
        branch->spec.optional && branch_rare(branch)->conflict == CONFLICT_FORGOTTEN;
    engine_clear_attention(step->engine, branch);
    branch_set_conflict(branch, forgotten && !confirms ? CONFLICT_FORGOTTEN : 0);
    engine_move_branch(step, branch, confirms ? BRANCH_CONFIRMED : BRANCH_CANCELLED);
}

/* What the lost life had ended and the journal does not know. */
static void end_what_was_closed(struct step *step, struct txn *txn)
{
    bool any = false;
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        struct branch *branch = txn->branches[i];
        if (branch_state_is_phase_two(branch->state) && is_closed(step->engine, branch)) {
            end_unasked(step, branch);
            any = true;
        }
    }
    if (any) {
        record(step, RECORD_PROGRESS, txn, NULL);
        progress(step, txn);
    }
}

/* ---- Taking a decision again ------------------------------------------------------------------- */

/* Of what was confirmed, only an optional branch can have been left out.  Of one that the journal has lost
 * nobody knows whether it was optional, but its row says it, or has said it (add_lost_branch). */
static bool was_left_out(const struct branch *branch, const struct row_seen *seen)
{
    if (branch->payload_lost) {
        return seen != NULL ? row_is_undone(seen->row.state) : !branch->answered_tried;
    }
    return branch->spec.optional && (seen == NULL || row_is_undone(seen->row.state));
}

/* It was optional, then, and there is nothing left to undo. */
static void leave_out_lost(struct step *step, struct branch *branch)
{
    branch->spec.optional = true;
    branch->served = false;
    if (branch->txn->mode == TXN_MODE_STEPS) {
        record(step, RECORD_ADD_BRANCH, branch->txn, branch);
    }
}

/* A confirm was decided, so everything else that had to be tried was. */
static void confirm_again(struct step *step, struct txn *txn, const struct rows *rows)
{
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        struct branch *branch = txn->branches[i];
        if (branch->spec.confirm_only || branch->state != BRANCH_WAITING) {
            continue;
        }
        const bool left_out = was_left_out(branch, rows_find(rows, branch));
        if (left_out && branch->payload_lost) {
            leave_out_lost(step, branch);
        }
        engine_move_branch(step, branch, BRANCH_TRYING);
        engine_move_branch(step, branch, left_out ? BRANCH_REFUSED : BRANCH_TRIED);
    }
    decide(step, txn, TXN_OUTCOME_CONFIRMED);
}

static void cancel_again(struct step *step, struct txn *txn, const char *text)
{
    struct reason reason;
    reason_set(&reason, RESTORED, text);
    decide_to_cancel(step, txn, TXN_CAUSE_OPERATOR, &reason);
}

static void stay_unknown(struct step *step, struct txn *txn)
{
    bool forgotten = false;
    txn->in_doubt = true;
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        forgotten = forgotten || branch_rare(txn->branches[i])->conflict != 0;
    }
    if (!forgotten) {
        /* Rows contradict each other: kept by the first branch. */
        branch_set_conflict(txn->branches[0], CONFLICT_FORGOTTEN);
    }
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        struct branch *branch = txn->branches[i];
        if (branch_rare(branch)->conflict != 0) {
            branch_set_reason(branch, "TERCET_UNKNOWN_OUTCOME",
                              "decided after the backup, and its row is gone");
            engine_raise_attention(step->engine, branch, branch_rare(branch)->conflict);
        }
    }
    record(step, RECORD_PROGRESS, txn, NULL);
}

static void add_lost_branch(struct step *step, struct txn *txn, const struct row_seen *seen)
{
    const struct branch_spec spec = {
        .index = seen->row.branch,
        .participant = seen->participant,
        .action = seen->row.action,
        .payload = {.data = "", .size = 0},
        .digest = seen->row.digest,
    };
    struct branch *branch = branch_create(&spec);
    branch->number = seen->row.number;
    branch->payload_lost = true;
    branch->adopted = true;
    branch->answered_tried = seen->row.state == ROW_TRIED || seen->row.state == ROW_CONFIRMED;
    branch->handed =
        (1U << TERCET_PHASE_TRY) | (1U << TERCET_PHASE_CONFIRM) | (1U << TERCET_PHASE_CANCEL);
    txn_add_branch_take(txn, branch);
    engine_move_branch(step, branch, BRANCH_WAITING);
    engine_register_branch(step->engine, branch);
}

/* Step by step a branch may have been added after the backup. */
static void add_unknown_branches(struct step *step, struct txn *txn, const struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct row_seen *seen = &rows->items[i];
        const bool later =
            branch_number_compare(seen->row.number, step->engine->options.lost_from) >= 0;
        if (later && txn->mode == TXN_MODE_STEPS && txn_branch(txn, seen->row.branch) == NULL) {
            add_lost_branch(step, txn, seen);
            record(step, RECORD_ADD_BRANCH, txn, txn_branch(txn, seen->row.branch));
        }
    }
}

static void apply_to_open(struct step *step, struct txn *txn, const struct rows *rows)
{
    add_unknown_branches(step, txn, rows);
    if (restored_knows_no_branch(step->engine, txn)) {
        return;
    }
    const struct judgement found = rows_judge(step->engine, txn, rows);
    txn->in_doubt = false;
    if (found.confirmed != found.cancelled) {
        for (uint32_t i = 0; i < txn->branch_count; i++) {
            /* Whether it was confirmed with an optional one whose row is gone, nobody knows. */
            if (found.cancelled || !txn->branches[i]->spec.optional ||
                txn->branches[i]->state != BRANCH_WAITING) {
                branch_set_conflict(txn->branches[i], 0);
            }
        }
        engine_resume_deadline(step, txn);
        if (found.confirmed) {
            confirm_again(step, txn, rows);
        } else {
            cancel_again(step, txn, "a participant had cancelled it before the journal was lost");
        }
        end_what_was_closed(step, txn);
    } else if (found.confirmed || found.forgotten) {
        stay_unknown(step, txn);
    } else {
        engine_resume_deadline(step, txn);
        progress(step, txn);
    }
}

/* ---- Transactions that the journal does not know ------------------------------------------------ */

/* What has done its part already needs no payload. */
static void end_what_has_ended(struct step *step, struct txn *txn, const struct rows *rows)
{
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        struct branch *branch = txn->branches[i];
        const struct row_seen *seen = rows_find(rows, branch);
        if (branch->state == BRANCH_CONFIRMING && seen->row.state == ROW_CONFIRMED) {
            engine_move_branch(step, branch, BRANCH_CONFIRMED);
        } else if (branch->state == BRANCH_CANCELLING && row_is_undone(seen->row.state)) {
            engine_move_branch(step, branch, BRANCH_CANCELLED);
        }
    }
    progress(step, txn);
}

static void adopt_unknown(struct step *step, const struct rows *rows)
{
    struct engine *engine = step->engine;
    struct txn *txn = txn_create(rows->items[0].row.gid, engine->options.boot_id, "");
    txn->mode = TXN_MODE_EXECUTE;
    txn->sequence = engine_take_number(engine).number;
    txn->begun_unix_ms = step->now.unix_ms;
    txn->deadline =
        (struct txn_deadline){.boot_ms = step->now.boot_ms, .unix_ms = step->now.unix_ms};
    table_insert(&engine->by_gid, &txn->by_gid, txn->gid, strlen(txn->gid));
    txn_move(txn, TXN_TRYING, step->now);
    list_push_back(&engine->open, &txn->link);
    engine->stats.open_transactions++;
    for (size_t i = 0; i < rows->count; i++) {
        if (txn_branch(txn, rows->items[i].row.branch) == NULL) {
            add_lost_branch(step, txn, &rows->items[i]);
        }
    }
    engine_reschedule(step, txn);
    record(step, RECORD_BEGIN, txn, NULL);
    if (rows_have(rows, ROW_CONFIRMED)) {
        confirm_again(step, txn, rows);
    } else {
        cancel_again(step, txn, "it was begun after the backup, and nobody had confirmed it");
    }
    end_what_has_ended(step, txn, rows);
}

/* ---- All --------------------------------------------------------------------------------------- */

void evidence_apply(struct step *step, struct row_seen *all, size_t count)
{
    struct engine *engine = step->engine;
    struct list_node *node = engine->open.next;
    while (node != &engine->open) {
        struct txn *txn = container_of(node, struct txn, link);
        node = node->next;
        if (txn->in_doubt) {
            const struct rows rows = rows_of(all, count, txn->gid);
            apply_to_open(step, txn, &rows);
        } else {
            end_what_was_closed(step, txn);
        }
    }
    for (size_t at = 0; at < count;) {
        const struct rows rows = rows_at(all, count, at);
        at += rows.count;
        if (engine_find(engine, rows.items[0].row.gid) == NULL && rows_have(&rows, ROW_TRIED)) {
            adopt_unknown(step, &rows);
        }
    }
}

/* ---- An operator's word ------------------------------------------------------------------------ */

bool restored_settle(struct step *step, struct txn *txn, const struct request *request)
{
    if (!txn->in_doubt || restored_is_on(step->engine)) {
        return false;
    }
    txn->in_doubt = false;
    if (request->resolution == RESOLUTION_WAS_CONFIRMED) {
        confirm_again(step, txn, &(const struct rows){NULL, 0});
    } else {
        cancel_again(step, txn, request->reason.text);
    }
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        struct branch *branch = txn->branches[i];
        if (branch_rare(branch)->conflict == CONFLICT_FORGOTTEN &&
            branch_state_is_phase_two(branch->state)) {
            branch_set_resolved(branch, request->reason.text);
            end_unasked(step, branch);
        }
    }
    if (!txn_state_is_ended(txn->state)) {
        progress(step, txn);
    }
    return true;
}

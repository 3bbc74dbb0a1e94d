/* restored.c -- see restored.h.  The mode; what rows say is in evidence.c. */
#include "engine/restored.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"

enum { ASK_AGAIN_MS = 500, TOKEN_SIZE = INSPECT_TOKEN_BYTES_MAX + 1 };

struct asked {
    bool waits;   /* it has not told everything */
    bool reached; /* its probe was answered */
    bool out;     /* a question is out */
    int64_t again_at_boot_ms;
    char token[TOKEN_SIZE]; /* where its rows go on */
};

struct restored {
    struct asked *asked; /* by participant */
    struct row_seen *rows;
    size_t row_count;
    size_t row_capacity;
};

bool restored_is_on(const struct engine *engine)
{
    return engine->restored != NULL;
}

void restored_destroy(struct engine *engine)
{
    if (engine->restored != NULL) {
        free(engine->restored->asked);
        free(engine->restored->rows);
        free(engine->restored);
        engine->restored = NULL;
    }
    for (uint32_t i = 0; i < engine->peer_count; i++) {
        free(engine->peers[i].closed.open);
        engine->peers[i].closed = (struct closed_numbers){0};
    }
}

/* ---- On ---------------------------------------------------------------------------------------- */

static void hold_lane(struct step *step, uint32_t participant, bool held)
{
    struct effect *effect = effects_add(step->effects, EFFECT_HOLD);
    effect->u.hold.participant = participant;
    effect->u.hold.held = held;
    effect->u.hold.text =
        xstrdup(held ? "the journal was restored: it is asked what it has seen, and "
                       "released when all have told"
                     : "the restored journal has asked everybody");
}

bool restored_knows_no_branch(const struct engine *engine, const struct txn *txn)
{
    return txn->branch_count == 0 && txn->sequence < engine->options.lost_from.number;
}

static bool was_concluded(const struct engine *engine)
{
    for (uint32_t i = 0; i < engine->peer_count; i++) {
        if (engine->peers[i].known.asked_incarnation == engine->options.incarnation) {
            return true;
        }
    }
    return false;
}

void restored_begin(struct step *step)
{
    struct engine *engine = step->engine;
    if (engine->options.lost_from.number == 0 || was_concluded(engine)) {
        return;
    }
    struct restored *restored = xcalloc(1, sizeof *restored);
    restored->asked = xcalloc(engine->peer_count + 1, sizeof restored->asked[0]);
    engine->restored = restored;
    for (uint32_t i = 0; i < engine->peer_count; i++) {
        if (engine->options.directory->entries[i].target_count > 0) {
            restored->asked[i].waits = true;
            hold_lane(step, i, true);
        }
    }
    for (struct list_node *node = engine->open.next; node != &engine->open; node = node->next) {
        struct txn *txn = container_of(node, struct txn, link);
        txn->in_doubt = txn->in_doubt || !txn_state_is_decided(txn->state);
    }
}

/* ---- Off --------------------------------------------------------------------------------------- */

static int compare_rows(const void *left, const void *right)
{
    const struct row_seen *a = left;
    const struct row_seen *b = right;
    const int by_gid = strcmp(a->row.gid, b->row.gid);
    return by_gid != 0 ? by_gid : (a->row.branch > b->row.branch) - (a->row.branch < b->row.branch);
}

static void conclude_when_all_have_told(struct step *step)
{
    struct engine *engine = step->engine;
    struct restored *restored = engine->restored;
    for (uint32_t i = 0; i < engine->peer_count; i++) {
        if (restored->asked[i].waits) {
            return;
        }
    }
    engine->restored = NULL; /* from here on things may be decided */
    if (restored->row_count > 0) {
        qsort(restored->rows, restored->row_count, sizeof restored->rows[0], compare_rows);
    }
    evidence_apply(step, restored->rows, restored->row_count);
    for (uint32_t i = 0; i < engine->peer_count; i++) {
        struct peer *peer = &engine->peers[i];
        if (engine->options.directory->entries[i].target_count == 0) {
            continue;
        }
        peer->known.asked_incarnation = engine->options.incarnation;
        hold_record(step, i);
        if (hold_is_on(peer)) {
            hold_resume(step, i);
        } else {
            hold_lane(step, i, false);
        }
    }
    engine->restored = restored;
    restored_destroy(engine);
}

/* ---- Questions and answers --------------------------------------------------------------------- */

/* The lowest number of an undecided branch, or where the lost life began. */
static struct branch_number ask_from(const struct engine *engine, const struct peer *peer)
{
    for (const struct list_node *node = peer->open.next; node != &peer->open; node = node->next) {
        const struct branch *branch = container_of(node, struct branch, open_link);
        if (branch->txn->in_doubt &&
            branch_number_compare(branch->number, engine->options.lost_from) < 0) {
            return branch->number;
        }
    }
    return engine->options.lost_from;
}

static void ask(struct step *step, uint32_t participant)
{
    struct engine *engine = step->engine;
    struct asked *asked = &engine->restored->asked[participant];
    struct effect *effect = effects_add(step->effects, EFFECT_INSPECT);
    effect->u.inspect.participant = participant;
    effect->u.inspect.from = ask_from(engine, &engine->peers[participant]);
    effect->u.inspect.below = (struct branch_number){engine->options.incarnation, 1};
    memcpy(effect->u.inspect.token, asked->token, sizeof asked->token);
    asked->out = true;
    asked->again_at_boot_ms = INT64_MAX;
}

void restored_probed(struct step *step, struct event *event)
{
    struct restored *restored = step->engine->restored;
    if (restored == NULL || !event->u.probed.reachable) {
        return;
    }
    struct asked *asked = &restored->asked[event->u.probed.participant];
    if (event->u.probed.description == NULL && !event->u.probed.not_served) {
        return; /* it has a fence, and could not be asked what has passed it: it is probed again */
    }
    asked->reached = true;
    if (event->u.probed.description != NULL) {
        struct peer *peer = &step->engine->peers[event->u.probed.participant];
        peer->passed = acquaintance_passed(event->u.probed.description);
        free(peer->closed.open);
        peer->closed = event->u.probed.closed;
        event->u.probed.closed = (struct closed_numbers){0};
    }
    if (asked->waits && !asked->out) {
        ask(step, event->u.probed.participant);
    }
}

static void keep_row(struct engine *engine, uint32_t participant, const struct inspected_row *row)
{
    struct restored *restored = engine->restored;
    if (restored->row_count == restored->row_capacity) {
        restored->row_capacity = restored->row_capacity == 0 ? 64 : 2 * restored->row_capacity;
        restored->rows =
            xrealloc(restored->rows, restored->row_capacity * sizeof restored->rows[0]);
    }
    restored->rows[restored->row_count] =
        (struct row_seen){.row = *row, .participant = participant};
    restored->row_count++;
}

/* Rows from before the backup matter only where the journal is in doubt. */
static bool row_matters(const struct engine *engine, const struct inspected_row *row)
{
    const struct txn *txn = engine_find(engine, row->gid);
    return branch_number_compare(row->number, engine->options.lost_from) >= 0 ||
           (txn != NULL && txn->in_doubt);
}

void restored_inspected(struct step *step, const struct event *event)
{
    struct engine *engine = step->engine;
    const uint32_t participant = event->u.inspected.participant;
    if (engine->restored == NULL || !engine->restored->asked[participant].waits) {
        return; /* an operator did not wait for it */
    }
    struct asked *asked = &engine->restored->asked[participant];
    asked->out = false;
    if (!event->u.inspected.answered) {
        asked->again_at_boot_ms = step->now.boot_ms + ASK_AGAIN_MS;
        return;
    }
    for (uint32_t i = 0; i < event->u.inspected.row_count; i++) {
        if (row_matters(engine, &event->u.inspected.rows[i])) {
            keep_row(engine, participant, &event->u.inspected.rows[i]);
        }
    }
    memcpy(asked->token, event->u.inspected.token, sizeof asked->token);
    if (asked->token[0] != '\0') {
        ask(step, participant);
        return;
    }
    asked->waits = false;
    conclude_when_all_have_told(step);
}

void restored_tick(struct step *step)
{
    struct restored *restored = step->engine->restored;
    for (uint32_t i = 0; restored != NULL && i < step->engine->peer_count; i++) {
        struct asked *asked = &restored->asked[i];
        if (asked->waits && asked->reached && !asked->out &&
            asked->again_at_boot_ms <= step->now.boot_ms) {
            ask(step, i);
        }
    }
}

int64_t restored_wake_at_boot_ms(const struct engine *engine)
{
    int64_t first = INT64_MAX;
    for (uint32_t i = 0; engine->restored != NULL && i < engine->peer_count; i++) {
        const struct asked *asked = &engine->restored->asked[i];
        if (asked->waits && asked->reached && !asked->out && asked->again_at_boot_ms < first) {
            first = asked->again_at_boot_ms;
        }
    }
    return first;
}

bool restored_skip(struct step *step, uint32_t participant)
{
    struct restored *restored = step->engine->restored;
    if (restored == NULL || !restored->asked[participant].waits) {
        return false;
    }
    restored->asked[participant].waits = false;
    conclude_when_all_have_told(step);
    return true;
}

/* ---- Requests meanwhile ------------------------------------------------------------------------ */

static bool begins(enum request_kind kind)
{
    return kind == REQUEST_EXECUTE || kind == REQUEST_BEGIN || kind == REQUEST_CANCEL;
}

static bool decides(enum request_kind kind)
{
    return kind == REQUEST_TRY || kind == REQUEST_CONFIRM || kind == REQUEST_CANCEL;
}

bool restored_refuses(struct step *step, const struct request *request, const struct txn *txn)
{
    const bool on = restored_is_on(step->engine);
    if (on && ((txn == NULL && begins(request->kind)) ||
               (txn != NULL && txn->in_doubt && decides(request->kind)))) {
        reply_refused(step, request, TERCET_UNAVAILABLE, "TERCET_RECOVERING",
                      "the journal was restored from a backup and asks the participants what they "
                      "have seen since; nothing was done, try again later");
        return true;
    }
    if (txn != NULL && txn->in_doubt && decides(request->kind)) {
        reply_refused(step, request, TERCET_FAILED_PRECONDITION, "TERCET_UNKNOWN_OUTCOME",
                      "transaction \"%s\" was decided after the backup that the journal was "
                      "restored from, and nobody knows how; an operator must say",
                      txn->gid);
        return true;
    }
    return false;
}

/* ---- Payloads ---------------------------------------------------------------------------------- */

bool restored_take_payloads(struct step *step, struct txn *txn, struct request *request)
{
    for (uint32_t i = 0; i < request->branch_count; i++) {
        const struct branch_traits *spec = &request->branches[i]->spec;
        const struct branch *branch = txn_branch(txn, spec->index);
        if (branch != NULL && !digest16_equal(&branch->spec.digest, &spec->digest)) {
            return false;
        }
    }
    bool taken = false;
    for (uint32_t i = 0; i < request->branch_count; i++) {
        const struct branch *from = request->branches[i];
        struct branch *branch = txn_branch(txn, from->spec.index);
        if (branch == NULL || !branch->payload_lost || branch_state_is_ended(branch->state)) {
            continue; /* of one that was settled nothing is written any more: its end may be */
        }
        branch_set_payload(branch, branch_payload(from));
        txn->payload_bytes += from->payload_size;
        step->engine->stats.open_payload_bytes += from->payload_size;
        taken = true;
        if (txn->mode == TXN_MODE_STEPS) {
            record(step, RECORD_ADD_BRANCH, txn, branch); /* in place of the one without */
        }
        /* One that is missed is of its transaction's first stage, or decided: it is being asked. */
        call_branch(step, branch, 0);
    }
    if (taken && txn->mode == TXN_MODE_EXECUTE) {
        if (request->kind == REQUEST_EXECUTE) {
            txn->content = request->content; /* whoever repeats it once more joins */
        }
        record(step, RECORD_BEGIN, txn, NULL);
    }
    return true;
}

/* request.c -- what an initiator asks for.
 *
 * Three situations, each with its own function: the gid is in memory; it has an outcome in the
 * journal; it is nowhere.  Only in the last may something begin, behind the bounds of admit(). */
#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "engine/restored.h"

/* ---- Nowhere: begin --------------------------------------------------------------------------- */

static void take_branches(struct step *step, struct txn *txn, struct request *request)
{
    for (uint32_t i = 0; i < request->branch_count; i++) {
        struct branch *branch = request->branches[i];
        request->branches[i] = NULL;
        txn_add_branch_take(txn, branch);
        step->engine->stats.open_payload_bytes += branch->payload_size;
        branch->number = engine_take_number(step->engine);
        engine_move_branch(step, branch, BRANCH_WAITING);
        engine_register_branch(step->engine, branch);
    }
    request->branch_count = 0;
}

static struct txn *create(struct step *step, const struct request *request, enum txn_mode mode)
{
    struct engine *engine = step->engine;
    struct txn *txn = txn_create(request->gid, engine->options.boot_id, request->traceparent);
    txn->mode = mode;
    txn->content = request->content;
    txn->sequence = engine_take_number(engine).number;
    /* Never before its initiator asked, whoever's clock is wrong: its outcome is then forgotten only
     * when created_at is refused as too old. */
    const int64_t created = request->created_at_unix_ms;
    txn->begun_unix_ms = created > step->now.unix_ms ? created : step->now.unix_ms;
    table_insert(&engine->by_gid, &txn->by_gid, txn->gid, strlen(txn->gid));
    return txn;
}

static void begin(struct step *step, struct request *request, enum txn_mode mode)
{
    struct engine *engine = step->engine;
    uint32_t timeout_ms = request->try_timeout_ms != 0 ? request->try_timeout_ms
                                                       : engine->options.limits.try_timeout_ms;
    struct txn *txn = create(step, request, mode);
    txn->deadline = (struct txn_deadline){.boot_ms = step->now.boot_ms + timeout_ms,
                                          .unix_ms = step->now.unix_ms + timeout_ms};
    txn->timeout_ms = timeout_ms;
    txn_move(txn, TXN_TRYING, step->now);
    list_push_back(&engine->open, &txn->link);
    engine->stats.open_transactions++;
    engine->stats.begun++;
    take_branches(step, txn, request);
    engine_reschedule(step, txn);
    record(step, RECORD_BEGIN, txn, NULL);
    progress(step, txn);
    waiter_add(step, txn, request);
}

/* Cancel of a gid that nobody has begun: the outcome is kept, so that a Begin or Execute still on
 * its way joins a cancelled transaction. */
static void bury(struct step *step, const struct request *request)
{
    struct engine *engine = step->engine;
    struct txn *txn = create(step, request, TXN_MODE_TOMBSTONE);
    txn->cause = TXN_CAUSE_INITIATOR;
    txn_set_reason(txn, request->reason.code, request->reason.text);
    engine_end_txn(step, txn, TXN_CANCELLED);
    txn->decided_lsn = step->lsn;
    txn->ended_lsn = step->lsn;
    list_push_back(&engine->ended, &txn->link);
    record(step, RECORD_TOMBSTONE, txn, NULL);
    waiter_add(step, txn, request);
}

void request_on_nothing(struct step *step, struct event *event)
{
    struct request *request = &event->u.request;
    if (restored_refuses(step, request, NULL)) {
        event_destroy(event);
        return;
    }
    switch (request->kind) {
    case REQUEST_EXECUTE:
    case REQUEST_BEGIN:
        if (admit(step, request)) {
            begin(step, request,
                  request->kind == REQUEST_EXECUTE ? TXN_MODE_EXECUTE : TXN_MODE_STEPS);
        }
        break;
    case REQUEST_CANCEL:
        if (admit_age(step, request)) {
            bury(step, request);
        }
        break;
    case REQUEST_TRY:
    case REQUEST_CONFIRM:
    case REQUEST_GET:
    case REQUEST_WATCH:
    case REQUEST_RESOLVE:
        reply_refused(step, request, TERCET_NOT_FOUND, "TERCET_NO_SUCH_TRANSACTION",
                      "there is no transaction \"%s\", or its outcome is no longer kept",
                      request->gid);
        break;
    case REQUEST_LIST:
        tercet_unreachable();
    }
    event_destroy(event);
}

/* ---- In the journal: repeat the answer -------------------------------------------------------- */

static void refuse_other_content(struct step *step, const struct request *request)
{
    reply_refused(step, request, TERCET_ALREADY_EXISTS, "TERCET_OTHER_CONTENT",
                  "gid \"%s\" was used before with other content; a new act needs a new gid",
                  request->gid);
}

static void refuse_decided(struct step *step, const struct request *request)
{
    reply_refused(step, request, TERCET_FAILED_PRECONDITION, "TERCET_DECIDED",
                  "transaction \"%s\" is decided; no branch can be added", request->gid);
}

static bool same_content(const struct request *request, enum txn_mode mode,
                         const struct digest16 *content)
{
    if (mode == TXN_MODE_TOMBSTONE) {
        return true;
    }
    enum txn_mode wanted = request->kind == REQUEST_EXECUTE ? TXN_MODE_EXECUTE : TXN_MODE_STEPS;
    return mode == wanted && digest16_equal(content, &request->content);
}

/* Of one that was adopted without its BEGIN (evidence.c) no more is known than its participants have
 * told: whoever repeats it must not contradict that. */
static bool fits_digest(const struct request *request, uint32_t index,
                        const struct digest16 *digest)
{
    return request->kind == REQUEST_BEGIN ||
           (index <= request->branch_count &&
            digest16_equal(digest, &request->branches[index - 1]->spec.digest));
}

static bool is_same_as_outcome(const struct request *request, const struct view *found)
{
    if (!digest16_is_zero(&found->content)) {
        return same_content(request, found->mode, &found->content);
    }
    bool fits = true;
    for (uint32_t i = 0; i < found->branch_count && fits; i++) {
        fits = fits_digest(request, found->branches[i].index, &found->branches[i].digest);
    }
    return fits;
}

static bool is_same_as_txn(const struct request *request, const struct txn *txn)
{
    if (!digest16_is_zero(&txn->content)) {
        return same_content(request, txn->mode, &txn->content);
    }
    bool fits = true;
    for (uint32_t i = 0; i < txn->branch_count && fits; i++) {
        const struct branch_traits *spec = &txn->branches[i]->spec;
        fits = fits_digest(request, spec->index, &spec->digest);
    }
    return fits;
}

static void try_on_outcome(struct step *step, const struct request *request,
                           const struct view *found)
{
    const struct view_branch *branch = view_find_branch(found, request->branch_index);
    const bool by_steps = found->mode == TXN_MODE_STEPS || digest16_is_zero(&found->content);
    if (branch == NULL || !by_steps) {
        refuse_decided(step, request);
    } else if (!digest16_equal(&branch->digest, &request->branches[0]->spec.digest)) {
        refuse_other_content(step, request);
    } else {
        reply_view(step, request, found);
    }
}

void request_on_outcome(struct step *step, struct event *event, const struct view *found)
{
    struct request *request = &event->u.request;
    switch (request->kind) {
    case REQUEST_EXECUTE:
    case REQUEST_BEGIN:
        if (is_same_as_outcome(request, found)) {
            reply_view(step, request, found);
        } else {
            refuse_other_content(step, request);
        }
        break;
    case REQUEST_TRY:
        try_on_outcome(step, request, found);
        break;
    case REQUEST_CONFIRM:
    case REQUEST_CANCEL:
    case REQUEST_GET:
    case REQUEST_WATCH:
        reply_view(step, request, found);
        break;
    case REQUEST_RESOLVE:
        reply_refused(step, request, TERCET_FAILED_PRECONDITION, "TERCET_ENDED",
                      "transaction \"%s\" has ended; there is nothing to resolve", request->gid);
        break;
    case REQUEST_LIST:
        tercet_unreachable();
    }
    event_destroy(event);
}

/* ---- In memory -------------------------------------------------------------------------------- */

static void add_branch(struct step *step, struct request *request, struct txn *txn)
{
    size_t bytes = txn->payload_bytes + request->branches[0]->payload_size;
    if (bytes > TERCET_PAYLOADS_BYTES_MAX) {
        reply_refused(step, request, TERCET_INVALID_ARGUMENT, "TERCET_LIMIT",
                      "payloads of transaction \"%s\" would be %zu bytes together; the limit is %d",
                      request->gid, bytes, TERCET_PAYLOADS_BYTES_MAX);
        return;
    }
    if (!admit_bytes(step, request) || !admit_branches(step, request)) {
        return;
    }
    take_branches(step, txn, request);
    record(step, RECORD_ADD_BRANCH, txn, txn_branch(txn, request->branch_index));
    progress(step, txn);
    waiter_add(step, txn, request);
}

static void try_on_txn(struct step *step, struct request *request, struct txn *txn)
{
    const struct branch *branch = txn_branch(txn, request->branch_index);
    const bool completes =
        branch != NULL && branch->payload_lost && restored_take_payloads(step, txn, request);
    if (txn->mode == TXN_MODE_EXECUTE && !completes) {
        reply_refused(step, request, TERCET_FAILED_PRECONDITION, "TERCET_NOT_BY_STEPS",
                      "transaction \"%s\" was begun by Execute; it takes no further branches",
                      request->gid);
    } else if (branch != NULL &&
               !digest16_equal(&branch->spec.digest, &request->branches[0]->spec.digest)) {
        refuse_other_content(step, request);
    } else if (branch != NULL) {
        waiter_add(step, txn, request);
    } else if (txn_state_is_decided(txn->state)) {
        refuse_decided(step, request);
    } else {
        add_branch(step, request, txn);
    }
}

static void confirm_on_txn(struct step *step, const struct request *request, struct txn *txn)
{
    const struct branch *first = NULL;
    if (txn->mode == TXN_MODE_EXECUTE && !txn_state_is_decided(txn->state)) {
        reply_refused(step, request, TERCET_FAILED_PRECONDITION, "TERCET_NOT_BY_STEPS",
                      "transaction \"%s\" was begun by Execute; it confirms by itself",
                      request->gid);
        return;
    }
    if (!txn_state_is_decided(txn->state)) {
        if (!txn_all_tried(txn, &first) && first->adopted) {
            reply_refused(step, request, TERCET_UNAVAILABLE, "TERCET_STARTING",
                          "the coordinator was restarted and asks branch %" PRIu32
                          " of transaction \"%s\" again; try again shortly",
                          first->spec.index, request->gid);
            return;
        }
        if (!txn_all_tried(txn, &first)) {
            reply_refused(step, request, TERCET_FAILED_PRECONDITION, "TERCET_NOT_TRIED",
                          "branch %" PRIu32
                          " (%s) of transaction \"%s\" is %s, not tried; wait for "
                          "its Try, or cancel",
                          first->spec.index,
                          step->engine->options.directory->entries[first->spec.participant].name,
                          request->gid, branch_state_name(first->state));
            return;
        }
        decide(step, txn, TXN_OUTCOME_CONFIRMED);
    }
    waiter_add(step, txn, request);
}

static void cancel_on_txn(struct step *step, const struct request *request, struct txn *txn)
{
    if (!txn_state_is_decided(txn->state)) {
        decide_to_cancel(step, txn, TXN_CAUSE_INITIATOR, &request->reason);
    }
    waiter_add(step, txn, request);
}

static void resolve_outcome(struct step *step, const struct request *request, struct txn *txn)
{
    if (restored_settle(step, txn, request)) {
        waiter_add(step, txn, request);
    } else {
        reply_refused(step, request, TERCET_FAILED_PRECONDITION, "TERCET_NOTHING_TO_RESOLVE",
                      "the outcome of transaction \"%s\" is not unknown", request->gid);
    }
}

/* Nobody will end it: it contradicts, refuses what it may not or does not serve it, what it would be
 * asked is lost, or it is not configured any more. */
static bool may_be_settled(const struct step *step, const struct branch *branch)
{
    const struct directory *directory = step->engine->options.directory;
    return branch->attention || branch->payload_lost ||
           strcmp(said_code(branch_trouble(branch)->reason), "TERCET_NOT_SERVED") == 0 ||
           directory_seat_count(&directory->entries[branch->spec.participant]) == 0;
}

static void resolve_on_txn(struct step *step, struct request *request, struct txn *txn)
{
    struct branch *branch = txn_branch(txn, request->branch_index);
    if (request->resolution == RESOLUTION_WAS_CONFIRMED ||
        request->resolution == RESOLUTION_WAS_CANCELLED) {
        resolve_outcome(step, request, txn);
        return;
    }
    if (branch == NULL || !branch_state_is_phase_two(branch->state)) {
        reply_refused(step, request, TERCET_FAILED_PRECONDITION, "TERCET_NOTHING_TO_RESOLVE",
                      "branch %" PRIu32 " of transaction \"%s\" is not waiting for a confirm or "
                      "cancel",
                      request->branch_index, request->gid);
        return;
    }
    if (request->resolution == RESOLUTION_SETTLE && !may_be_settled(step, branch)) {
        reply_refused(step, request, TERCET_FAILED_PRECONDITION, "TERCET_NO_CONFLICT",
                      "branch %" PRIu32 " of transaction \"%s\" is asked until it answers: it "
                      "contradicts nothing, its participant is configured and may serve it",
                      request->branch_index, request->gid);
        return;
    }
    if (request->resolution == RESOLUTION_SETTLE) {
        engine_clear_attention(step->engine, branch);
        branch_set_resolved(branch, request->reason.text);
        engine_move_branch(
            step, branch, branch->state == BRANCH_CONFIRMING ? BRANCH_CONFIRMED : BRANCH_CANCELLED);
        record(step, RECORD_PROGRESS, txn, NULL);
        progress(step, txn);
    } else {
        engine_clear_attention(step->engine, branch);
        branch_set_reason(branch, "TERCET_RESOLVED_ASK_AGAIN", request->reason.text);
        record(step, RECORD_PROGRESS, txn, NULL);
        call_branch(step, branch, 0);
    }
    request->wait = WAIT_MODE_BEGIN;
    waiter_add(step, txn, request);
}

void request_on_txn(struct step *step, struct event *event, struct txn *txn)
{
    struct request *request = &event->u.request;
    if (restored_refuses(step, request, txn)) {
        event_destroy(event);
        return;
    }
    switch (request->kind) {
    case REQUEST_EXECUTE:
    case REQUEST_BEGIN:
        if (txn_misses_payloads(txn) ? restored_take_payloads(step, txn, request)
                                     : is_same_as_txn(request, txn)) {
            waiter_add(step, txn, request);
        } else {
            refuse_other_content(step, request);
        }
        break;
    case REQUEST_TRY:
        try_on_txn(step, request, txn);
        break;
    case REQUEST_CONFIRM:
        confirm_on_txn(step, request, txn);
        break;
    case REQUEST_CANCEL:
        cancel_on_txn(step, request, txn);
        break;
    case REQUEST_GET:
    case REQUEST_WATCH:
        waiter_add(step, txn, request);
        break;
    case REQUEST_RESOLVE:
        resolve_on_txn(step, request, txn);
        break;
    case REQUEST_LIST:
        tercet_unreachable();
    }
    event_destroy(event);
}

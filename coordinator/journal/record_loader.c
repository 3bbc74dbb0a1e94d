/* record_loader.c -- records back to transactions (record.h).
 *
 * The pairs of one transaction stand together and in the order BEGIN, ADD_BRANCH, DECIDE, PROGRESS,
 * so the loader holds one transaction at a time.
 *
 * What comes back
 *   1. Undecided: every branch is WAITING, and its try may have left.  Results of tries are not
 *      recorded before DECIDE; they are asked for again, and the fence answers the same.
 *   2. Decided: every branch as DECIDE says, or PROGRESS where there is one.
 *   3. The deadline is as it was written; the engine turns it into this boot's time.
 *   4. Every pair's hash, so that END can remove it.
 * Whatever does not fit together is DATA_LOSS: never a transaction with less than was written. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "journal/record.h"
#include "journal/record_key.h"
#include "journal/record_message.h"
#include "tercet/v1/record.pb-c.h"

struct record_loader {
    struct directory *directory;
    record_txn_fn txn_fn;
    void *context;
    struct txn *txn; /* the one whose pairs come now, or NULL */
};

/* What a pair's key says, and what is needed to complain about it. */
struct pair {
    struct record_key key;
    struct tercet_bytes value;
    struct digest128 hash;
    struct tercet_error *error;
    char name[64]; /* "BEGIN of transaction 17" */
};

struct record_loader *record_loader_create(struct directory *directory, record_txn_fn txn_fn,
                                           void *context)
{
    struct record_loader *loader = xcalloc(1, sizeof *loader);
    loader->directory = directory;
    loader->txn_fn = txn_fn;
    loader->context = context;
    return loader;
}

void record_loader_destroy(struct record_loader *loader)
{
    if (loader == NULL) {
        return;
    }
    txn_destroy(loader->txn);
    free(loader);
}

void record_loader_finish(struct record_loader *loader)
{
    struct txn *txn = loader->txn;
    loader->txn = NULL;
    if (txn != NULL) {
        txn_check(txn);
        loader->txn_fn(txn, loader->context);
    }
}

static enum tercet_status refuse(const struct pair *pair, const char *why)
{
    return error_set(pair->error, TERCET_DATA_LOSS, "%s makes no sense: %s", pair->name, why);
}

static ProtobufCMessage *unpack(const struct pair *pair,
                                const ProtobufCMessageDescriptor *descriptor)
{
    return record_message_unpack(descriptor, pair->value, pair->name, pair->error);
}

/* ---- BEGIN and ADD_BRANCH -------------------------------------------------------------------- */

static bool branch_fits(const Tercet__V1__Record__BeginBranch *begun, const struct txn *txn)
{
    return begun->index >= 1 && begun->index <= TERCET_BRANCH_COUNT_MAX &&
           txn_branch(txn, begun->index) == NULL &&
           directory_is_name(begun->participant, strlen(begun->participant)) &&
           directory_is_name(begun->action, strlen(begun->action)) &&
           begun->payload.len <= TERCET_PAYLOAD_BYTES_MAX && begun->stage <= TERCET_STAGE_MAX &&
           !(begun->confirm_only && begun->optional) && begun->incarnation > 0 && begun->number > 0;
}

static enum tercet_status add_branch(struct record_loader *loader, const struct pair *pair,
                                     const Tercet__V1__Record__BeginBranch *begun,
                                     struct branch **branch_out)
{
    struct branch_spec spec = {
        .index = begun->index,
        .action = begun->action,
        .payload = tercet_bytes_of(begun->payload.data, begun->payload.len),
        .stage = begun->stage,
        .call_timeout_ms = begun->call_timeout_ms,
        .confirm_only = begun->confirm_only,
        .optional = begun->optional,
    };
    if (!branch_fits(begun, loader->txn) ||
        !record_message_take16(begun->digest, spec.digest.bytes)) {
        return refuse(pair, "a branch is out of range");
    }
    spec.participant = directory_intern(loader->directory, begun->participant);
    struct branch *branch = branch_create(&spec);
    branch->number = (struct branch_number){begun->incarnation, begun->number};
    branch->handed = spec.confirm_only ? 0 : 1U << TERCET_PHASE_TRY;
    branch_move(branch, BRANCH_WAITING, loader->txn->begun_unix_ms);
    txn_add_branch_take(loader->txn, branch);
    *branch_out = branch;
    return TERCET_OK;
}

static bool begin_fits(const Tercet__V1__Record__Begin *begin, const struct pair *pair)
{
    const size_t gid_bytes = strlen(begin->gid);
    return gid_bytes >= 1 && gid_bytes <= TERCET_GID_BYTES_MAX &&
           begin->sequence == pair->key.sequence && begin->sequence > 0 &&
           (begin->mode == TERCET__V1__RECORD__MODE__MODE_EXECUTE ||
            begin->mode == TERCET__V1__RECORD__MODE__MODE_STEPS) &&
           begin->n_branches <= TERCET_BRANCH_COUNT_MAX &&
           strlen(begin->boot_id) < sizeof((struct txn_deadline *)0)->boot_id &&
           strlen(begin->traceparent) < sizeof((struct txn *)0)->traceparent;
}

static enum tercet_status make_txn(struct record_loader *loader, const struct pair *pair,
                                   const Tercet__V1__Record__Begin *begin)
{
    struct digest16 content = {0};
    if (!begin_fits(begin, pair) || !record_message_take16(begin->content, content.bytes)) {
        return refuse(pair, "something in it is out of range");
    }
    struct txn *txn = txn_create(begin->gid);
    loader->txn = txn;
    txn->sequence = begin->sequence;
    txn->mode = (enum txn_mode)begin->mode;
    txn->content = content;
    txn->begun_unix_ms = begin->begun_unix_ms;
    txn->deadline = (struct txn_deadline){.boot_ms = begin->deadline_boot_ms,
                                          .unix_ms = begin->deadline_unix_ms,
                                          .timeout_ms = begin->timeout_ms};
    memcpy(txn->deadline.boot_id, begin->boot_id, strlen(begin->boot_id) + 1);
    memcpy(txn->traceparent, begin->traceparent, strlen(begin->traceparent) + 1);
    txn->record_begin = pair->hash;
    txn_move(txn, TXN_TRYING, (struct clock_now){0});
    for (size_t i = 0; i < begin->n_branches; i++) {
        struct branch *branch = NULL;
        enum tercet_status status = add_branch(loader, pair, begin->branches[i], &branch);
        if (status != TERCET_OK) {
            return status;
        }
    }
    return TERCET_OK;
}

static enum tercet_status on_begin(struct record_loader *loader, const struct pair *pair)
{
    record_loader_finish(loader);
    ProtobufCMessage *message = unpack(pair, &tercet__v1__record__begin__descriptor);
    if (message == NULL) {
        return TERCET_DATA_LOSS;
    }
    enum tercet_status status =
        make_txn(loader, pair, (const Tercet__V1__Record__Begin *)(const void *)message);
    protobuf_c_message_free_unpacked(message, NULL);
    return status;
}

static enum tercet_status on_add_branch(struct record_loader *loader, const struct pair *pair)
{
    ProtobufCMessage *message = unpack(pair, &tercet__v1__record__add_branch__descriptor);
    if (message == NULL) {
        return TERCET_DATA_LOSS;
    }
    const Tercet__V1__Record__AddBranch *add =
        (const Tercet__V1__Record__AddBranch *)(const void *)message;
    enum tercet_status status = TERCET_DATA_LOSS;
    struct branch *branch = NULL;
    if (add->n_branches != 1 || add->branches[0]->index != pair->key.index ||
        loader->txn->mode != TXN_MODE_STEPS || txn_state_is_decided(loader->txn->state)) {
        status = refuse(pair, "no such branch can be added to it");
    } else {
        status = add_branch(loader, pair, add->branches[0], &branch);
    }
    if (status == TERCET_OK) {
        branch->record = pair->hash;
    }
    protobuf_c_message_free_unpacked(message, NULL);
    return status;
}

/* ---- DECIDE and PROGRESS --------------------------------------------------------------------- */

/* May a branch of this transaction be in this state?  (txn.h, branch.h: the same, as aborts.) */
static bool state_fits(const struct txn *txn, const struct branch *branch, enum branch_state state)
{
    const bool cancel_side =
        state == BRANCH_CANCELLING || state == BRANCH_CANCELLED || state == BRANCH_SKIPPED;
    if (branch->spec.confirm_only && state == BRANCH_CANCELLING) {
        return false;
    }
    if (txn_state_outcome(txn->state) == TXN_OUTCOME_CANCELLED) {
        return cancel_side;
    }
    return state == BRANCH_CONFIRMING || state == BRANCH_CONFIRMED ||
           (branch->spec.optional && cancel_side);
}

/* The one place outside branch_move() that sets a state: recovery goes to where the journal says
 * the branch was, not by the way it came. */
static void restore_state(struct branch *branch, enum branch_state state)
{
    branch->state = state;
    branch->asked = branch_state_asks(state);
    if (branch->asked != 0) {
        branch->handed |= 1U << branch->asked;
    }
    if (state == BRANCH_CONFIRMED) {
        branch->handed |= 1U << TERCET_PHASE_CONFIRM;
    }
}

static void set_resolved(struct branch *branch, const char *resolved)
{
    free(branch->resolved);
    branch->resolved = resolved[0] == '\0' ? NULL : xstrdup(resolved);
}

/* While the transaction is undecided its branches stay WAITING: only what is known of them is kept,
 * and that an optional one has refused, because its initiator may have been told so. */
static bool restore_branch(const struct txn *txn, struct branch *branch,
                           const Tercet__V1__Record__BranchNow *now)
{
    if (txn_state_is_decided(txn->state)) {
        const enum branch_state state = (enum branch_state)now->state;
        if (!state_fits(txn, branch, state)) {
            return false;
        }
        restore_state(branch, state);
        branch->attempts = now->attempts;
        branch->asked_since_unix_ms = now->asked_since_unix_ms;
        branch->conflict = now->conflict;
    } else if (branch->spec.optional &&
               now->state == TERCET__V1__BRANCH_STATE__BRANCH_STATE_REFUSED) {
        restore_state(branch, BRANCH_REFUSED);
    }
    branch->answered_tried = now->answered_tried;
    branch_set_reason(branch, now->reason_code, now->reason_text);
    set_resolved(branch, now->resolved);
    return true;
}

/* Decided: all of them.  Undecided: those that were there when it was written; others may have been
 * added since. */
static bool restore_branches(struct txn *txn, Tercet__V1__Record__BranchNow **branches,
                             size_t branch_count)
{
    if (txn_state_is_decided(txn->state) && branch_count != txn->branch_count) {
        return false;
    }
    uint32_t index_before = 0;
    for (size_t i = 0; i < branch_count; i++) {
        struct branch *branch = txn_branch(txn, branches[i]->index);
        if (branch == NULL || branch->spec.index <= index_before ||
            !restore_branch(txn, branch, branches[i])) {
            return false;
        }
        index_before = branch->spec.index;
    }
    return true;
}

static bool restore_results(struct txn *txn, const Tercet__V1__Record__Decide *decide)
{
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        const ProtobufCBinaryData *result = &decide->branches[i]->result;
        if (result->len > TERCET_RESULT_BYTES_MAX) {
            return false;
        }
        branch_set_result(txn->branches[i], tercet_bytes_of(result->data, result->len));
    }
    return true;
}

static enum tercet_status apply_decide(struct txn *txn, const struct pair *pair,
                                       const Tercet__V1__Record__Decide *decide)
{
    const bool confirm = decide->outcome == TERCET__V1__OUTCOME__OUTCOME_CONFIRMED;
    if (!confirm && decide->outcome != TERCET__V1__OUTCOME__OUTCOME_CANCELLED) {
        return refuse(pair, "it decides nothing");
    }
    txn_move(txn, confirm ? TXN_CONFIRMING : TXN_CANCELLING,
             (struct clock_now){.unix_ms = decide->decided_unix_ms});
    txn->cause = (enum txn_cause)decide->cause;
    txn->refused_branch = decide->refused_branch;
    if (decide->reason_code[0] != '\0' || decide->reason_text[0] != '\0') {
        txn_set_reason(txn, decide->reason_code, decide->reason_text);
    }
    txn->record_decide = pair->hash;
    if (!restore_branches(txn, decide->branches, decide->n_branches) ||
        !restore_results(txn, decide)) {
        return refuse(pair, "its branches do not fit");
    }
    return TERCET_OK;
}

static enum tercet_status on_decide(struct record_loader *loader, const struct pair *pair)
{
    ProtobufCMessage *message = unpack(pair, &tercet__v1__record__decide__descriptor);
    if (message == NULL) {
        return TERCET_DATA_LOSS;
    }
    enum tercet_status status =
        apply_decide(loader->txn, pair, (const Tercet__V1__Record__Decide *)(const void *)message);
    protobuf_c_message_free_unpacked(message, NULL);
    return status;
}

static enum tercet_status on_progress(struct record_loader *loader, const struct pair *pair)
{
    ProtobufCMessage *message = unpack(pair, &tercet__v1__record__progress__descriptor);
    if (message == NULL) {
        return TERCET_DATA_LOSS;
    }
    const Tercet__V1__Record__Progress *progress =
        (const Tercet__V1__Record__Progress *)(const void *)message;
    enum tercet_status status = TERCET_OK;
    loader->txn->record_progress = pair->hash;
    if (!restore_branches(loader->txn, progress->branches, progress->n_branches)) {
        status = refuse(pair, "its branches do not fit");
    }
    protobuf_c_message_free_unpacked(message, NULL);
    return status;
}

/* ---- One pair -------------------------------------------------------------------------------- */

static bool name_pair(struct tercet_bytes key, struct pair *pair)
{
    if (!record_key_parse(key, &pair->key)) {
        return false;
    }
    snprintf(pair->name, sizeof pair->name, "%s of transaction %" PRId64,
             record_key_kind_name(pair->key.kind), pair->key.sequence);
    return true;
}

enum tercet_status record_loader_pair(struct record_loader *loader, struct tercet_bytes key,
                                      struct tercet_bytes value, struct digest128 hash,
                                      struct tercet_error *error_out)
{
    struct pair pair = {.value = value, .hash = hash, .error = error_out};
    if (!name_pair(key, &pair)) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "a record's key makes no sense: no tercetd of this version writes it");
    }
    if (pair.key.kind == RECORD_KEY_BEGIN) {
        return on_begin(loader, &pair);
    }
    if (loader->txn == NULL || loader->txn->sequence != pair.key.sequence) {
        return refuse(&pair, "that transaction has no BEGIN");
    }
    switch (pair.key.kind) {
    case RECORD_KEY_ADD_BRANCH:
        return on_add_branch(loader, &pair);
    case RECORD_KEY_DECIDE:
        return on_decide(loader, &pair);
    case RECORD_KEY_PROGRESS:
        return on_progress(loader, &pair);
    case RECORD_KEY_BEGIN:
        break;
    }
    tercet_unreachable();
}

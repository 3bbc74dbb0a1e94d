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
 * Whatever does not fit together is DATA_LOSS: never a transaction with less than was written, nor one
 * that the engine could not have made (record_fits.h, record_census.h). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "journal/record.h"
#include "journal/record_census.h"
#include "journal/record_fits.h"
#include "journal/record_key.h"
#include "journal/record_message.h"
#include "journal/record_participant.h"
#include "tercet/v1/record.pb-c.h"

struct record_loader {
    struct directory *directory;
    record_txn_fn txn_fn;
    record_participant_fn participant_fn; /* or NULL */
    void *context;
    struct record_census *census;
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

struct record_loader *record_loader_create(const struct journal_head *head,
                                           struct directory *directory, record_txn_fn txn_fn,
                                           void *context)
{
    struct record_loader *loader = xcalloc(1, sizeof *loader);
    loader->directory = directory;
    loader->txn_fn = txn_fn;
    loader->context = context;
    loader->census = record_census_create(head->incarnation, head->next_number);
    return loader;
}

void record_loader_tell_participants(struct record_loader *loader,
                                     record_participant_fn participant_fn)
{
    loader->participant_fn = participant_fn;
}

void record_loader_destroy(struct record_loader *loader)
{
    if (loader == NULL) {
        return;
    }
    txn_destroy(loader->txn);
    record_census_destroy(loader->census);
    free(loader);
}

/* The transaction has all its pairs. */
static enum tercet_status hand_on(struct record_loader *loader, struct tercet_error *error_out)
{
    struct txn *txn = loader->txn;
    if (txn == NULL) {
        return TERCET_OK;
    }
    enum tercet_status status = record_census_add(loader->census, txn, error_out);
    if (status == TERCET_OK) {
        txn_check(txn);
        loader->txn = NULL;
        loader->txn_fn(txn, loader->context);
    }
    return status;
}

enum tercet_status record_loader_finish(struct record_loader *loader,
                                        struct tercet_error *error_out)
{
    enum tercet_status status = hand_on(loader, error_out);
    return status == TERCET_OK ? record_census_finish(loader->census, error_out) : status;
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
    if (!record_branch_fits(begun, loader->txn) ||
        !record_message_take16(begun->digest, spec.digest.bytes)) {
        return refuse(pair, "a branch is out of range");
    }
    spec.participant = directory_intern(loader->directory, begun->participant);
    struct branch *branch = branch_create(&spec);
    branch->number = (struct branch_number){begun->incarnation, begun->number};
    branch->payload_lost = begun->payload_lost != 0;
    branch->handed = spec.confirm_only ? 0 : 1U << TERCET_PHASE_TRY;
    branch_move(branch, BRANCH_WAITING);
    txn_add_branch_take(loader->txn, branch);
    *branch_out = branch;
    return TERCET_OK;
}

static enum tercet_status make_txn(struct record_loader *loader, const struct pair *pair,
                                   const Tercet__V1__Record__Begin *begin)
{
    struct digest16 content = {0};
    if (!record_begin_fits(begin, pair->key.sequence) ||
        !record_message_take16(begin->content, content.bytes)) {
        return refuse(pair, "something in it is out of range");
    }
    struct txn *txn = txn_create(begin->gid, begin->boot_id, begin->traceparent);
    loader->txn = txn;
    txn->sequence = begin->sequence;
    txn->mode = (enum txn_mode)begin->mode;
    txn->content = content;
    txn->begun_unix_ms = begin->begun_unix_ms;
    txn->deadline = (struct txn_deadline){.boot_ms = begin->deadline_boot_ms,
                                          .unix_ms = begin->deadline_unix_ms};
    txn->timeout_ms = begin->timeout_ms;
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
    enum tercet_status status = hand_on(loader, pair->error);
    if (status != TERCET_OK) {
        return status;
    }
    ProtobufCMessage *message = unpack(pair, &tercet__v1__record__begin__descriptor);
    if (message == NULL) {
        return TERCET_DATA_LOSS;
    }
    status = make_txn(loader, pair, (const Tercet__V1__Record__Begin *)(const void *)message);
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
        branch_rare_make(branch)->record = pair->hash;
    }
    protobuf_c_message_free_unpacked(message, NULL);
    return status;
}

/* ---- DECIDE and PROGRESS --------------------------------------------------------------------- */

/* The one place outside branch_move() that sets a state: recovery goes to where the journal says
 * the branch was, not by the way it came. */
static void restore_state(struct branch *branch, enum branch_state state)
{
    branch->state = state;
    branch->asked = branch_state_asks(state);
    branch->handed = 0; /* an earlier record may have said more; adopted, it is unknown */
    if (branch->asked != 0) {
        branch->handed = (uint8_t)(1U << branch->asked);
    } else if (state == BRANCH_CONFIRMED) {
        branch->handed = 1U << TERCET_PHASE_CONFIRM;
    }
}

/* While the transaction is undecided its branches stay WAITING: only what is known of them is kept,
 * and that an optional one has refused, because its initiator may have been told so. */
static bool restore_branch(const struct txn *txn, struct branch *branch,
                           const Tercet__V1__Record__BranchNow *now)
{
    if (!record_now_fits(now, txn, branch)) {
        return false;
    }
    if (txn_state_is_decided(txn->state)) {
        restore_state(branch, (enum branch_state)now->state);
        branch->attempts = now->attempts;
    } else if (branch->spec.optional &&
               now->state == TERCET__V1__BRANCH_STATE__BRANCH_STATE_REFUSED) {
        restore_state(branch, BRANCH_REFUSED);
    }
    branch_set_conflict(branch, now->conflict);
    branch->answered_tried = now->answered_tried;
    branch_set_reason(branch, now->reason_code, now->reason_text);
    branch_set_resolved(branch, now->resolved);
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

static void restore_results(struct txn *txn, const Tercet__V1__Record__Decide *decide)
{
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        const ProtobufCBinaryData *result = &decide->branches[i]->result;
        branch_set_result(txn->branches[i], tercet_bytes_of(result->data, result->len));
    }
}

static enum tercet_status apply_decide(struct txn *txn, const struct pair *pair,
                                       const Tercet__V1__Record__Decide *decide)
{
    if (!record_decide_fits(decide, txn) || txn_state_is_decided(txn->state)) {
        return refuse(pair, "it decides nothing that could be decided");
    }
    txn_move(txn,
             decide->outcome == TERCET__V1__OUTCOME__OUTCOME_CONFIRMED ? TXN_CONFIRMING
                                                                       : TXN_CANCELLING,
             (struct clock_now){.unix_ms = decide->decided_unix_ms});
    txn->cause = (enum txn_cause)decide->cause;
    txn->refused_branch = (uint8_t)decide->refused_branch;
    if (decide->reason_code[0] != '\0' || decide->reason_text[0] != '\0') {
        txn_set_reason(txn, decide->reason_code, decide->reason_text);
    }
    txn->record_decide = pair->hash;
    if (!restore_branches(txn, decide->branches, decide->n_branches)) {
        return refuse(pair, "its branches do not fit");
    }
    restore_results(txn, decide);
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
    if (record_participant_is(key)) {
        const struct record_listener listener = {loader->participant_fn, loader->context};
        return record_participant_tell(key, value, hash, &listener, error_out);
    }
    if (!name_pair(key, &pair)) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "a record's key makes no sense: no tercetd of this version writes it");
    }
    if (pair.key.kind != RECORD_KEY_BEGIN &&
        (loader->txn == NULL || loader->txn->sequence != pair.key.sequence)) {
        return refuse(&pair, "that transaction has no BEGIN");
    }
    switch (pair.key.kind) {
    case RECORD_KEY_BEGIN:
        return on_begin(loader, &pair);
    case RECORD_KEY_ADD_BRANCH:
        return on_add_branch(loader, &pair);
    case RECORD_KEY_DECIDE:
        return on_decide(loader, &pair);
    case RECORD_KEY_PROGRESS:
        return on_progress(loader, &pair);
    }
    tercet_unreachable();
}

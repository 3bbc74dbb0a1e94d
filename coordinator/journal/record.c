/* record.c -- transactions to records (record.h).  Reading is in record_read.c and
 * record_loader.c.
 *
 * A record is encoded from the transaction as it stands when the step has returned; so a DECIDE may
 * find its transaction ended already.  That is no harm: END stands in the same batch and removes
 * what DECIDE has put.
 *
 * It is encoded where it will stand in the batch, and not counted first: whoever fills a message
 * says how many bytes it may have at most. */
#include "journal/record.h"

#include <string.h>

#include "base/assert.h"
#include "base/failpoint.h"
#include "journal/record_key.h"
#include "journal/record_message.h"
#include "journal/record_participant.h"
#include "tercet/v1/record.pb-c.h"

static_assert((int)TXN_MODE_TOMBSTONE == (int)TERCET__V1__RECORD__MODE__MODE_TOMBSTONE, "modes");
static_assert((int)TXN_CANCELLED == (int)TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CANCELLED,
              "states");
static_assert((int)TXN_CAUSE_OPERATOR == (int)TERCET__V1__CAUSE__CAUSE_OPERATOR, "causes");
static_assert((int)TXN_OUTCOME_CANCELLED == (int)TERCET__V1__OUTCOME__OUTCOME_CANCELLED,
              "outcomes");
static_assert((int)BRANCH_SKIPPED == (int)TERCET__V1__BRANCH_STATE__BRANCH_STATE_SKIPPED,
              "branch states");

/* Of a message without its texts, payloads and results: tags, sizes of 5 bytes, numbers of 10, digests
 * of 16; and of a branch what stands in front of it. */
enum {
    BEGIN_BYTES_MAX = 160,
    BEGIN_BRANCH_BYTES_MAX = 128,
    DECIDE_BYTES_MAX = 96, /* PROGRESS has less */
    BRANCH_NOW_BYTES_MAX = 112,
    ENDED_BYTES_MAX = 160,
    ENDED_BRANCH_BYTES_MAX = 144
};

struct key {
    uint8_t bytes[RECORD_OUTCOME_KEY_BYTES_MAX]; /* all others are shorter */
    size_t size;
};

static struct key txn_key(const struct txn *txn, enum record_key_kind kind)
{
    struct key key = {.bytes = {'t', '/'}, .size = 11};
    store_be64(key.bytes + 2, (uint64_t)txn->sequence);
    key.bytes[10] = (uint8_t)kind;
    return key;
}

static struct key branch_key(const struct txn *txn, const struct branch *branch)
{
    struct key key = txn_key(txn, RECORD_KEY_ADD_BRANCH);
    key.bytes[key.size] = branch->spec.index;
    key.size++;
    return key;
}

static struct key outcome_key(const struct txn *txn)
{
    struct key key;
    key.size = record_key_outcome(txn->gid, key.bytes);
    return key;
}

static struct tercet_bytes key_bytes(const struct key *key)
{
    return tercet_bytes_of(key->bytes, key->size);
}

static void put(struct journal_batch *batch, struct key key, const ProtobufCMessage *message,
                size_t bytes_max, struct digest128 *hash_io)
{
    const size_t value_bytes_max = RECORD_MESSAGE_HEAD_BYTES + bytes_max;
    uint8_t *value = journal_batch_begin_put(batch, key_bytes(&key), value_bytes_max);
    journal_batch_end_put(batch, record_message_pack_into(message, value), hash_io);
}

static void delete_pair(struct journal_batch *batch, struct key key, struct digest128 *hash_io)
{
    journal_batch_delete(batch, key_bytes(&key), hash_io);
}

/* ---- BEGIN and ADD_BRANCH -------------------------------------------------------------------- */

/* These fill a message, and return how many bytes it has at most. */

static size_t encode_branch(const struct branch *branch, const struct directory *directory,
                            Tercet__V1__Record__BeginBranch *out)
{
    const struct branch_traits *spec = &branch->spec;
    tercet__v1__record__begin_branch__init(out);
    out->index = spec->index;
    out->participant = record_message_text(directory->entries[spec->participant].name);
    out->action = record_message_text(branch->action);
    out->payload = record_message_bytes(branch_payload(branch));
    out->stage = spec->stage;
    out->confirm_only = spec->confirm_only;
    out->optional = spec->optional;
    out->call_timeout_ms = branch_rare(branch)->call_timeout_ms;
    out->digest =
        record_message_bytes(tercet_bytes_of(spec->digest.bytes, sizeof spec->digest.bytes));
    out->incarnation = branch->number.incarnation;
    out->number = branch->number.number;
    out->payload_lost = branch->payload_lost;
    return BEGIN_BRANCH_BYTES_MAX + strlen(out->participant) + strlen(out->action) +
           out->payload.len;
}

static void write_begin(struct txn *txn, const struct directory *directory,
                        struct journal_batch *batch)
{
    Tercet__V1__Record__BeginBranch branches[TERCET_BRANCH_COUNT_MAX];
    Tercet__V1__Record__BeginBranch *pointers[TERCET_BRANCH_COUNT_MAX];
    Tercet__V1__Record__Begin begin;
    size_t bytes_max = BEGIN_BYTES_MAX;
    tercet_assert(txn->mode == TXN_MODE_EXECUTE || txn->mode == TXN_MODE_STEPS);
    tercet__v1__record__begin__init(&begin);
    begin.whole = true;
    begin.gid = record_message_text(txn->gid);
    begin.sequence = txn->sequence;
    begin.mode = txn->mode == TXN_MODE_EXECUTE ? TERCET__V1__RECORD__MODE__MODE_EXECUTE
                                               : TERCET__V1__RECORD__MODE__MODE_STEPS;
    begin.content =
        record_message_bytes(tercet_bytes_of(txn->content.bytes, sizeof txn->content.bytes));
    begin.begun_unix_ms = txn->begun_unix_ms;
    begin.deadline_boot_ms = txn->deadline.boot_ms;
    begin.deadline_unix_ms = txn->deadline.unix_ms;
    begin.timeout_ms = txn->timeout_ms;
    begin.boot_id = record_message_text(txn_boot_id(txn));
    begin.traceparent = record_message_text(txn_traceparent(txn));
    /* Step by step each branch has an ADD_BRANCH of its own, even one that was added in the very step
     * that began the transaction: a record is encoded when its step is over. */
    const uint32_t count = txn->mode == TXN_MODE_STEPS ? 0 : txn->branch_count;
    for (uint32_t i = 0; i < count; i++) {
        bytes_max += encode_branch(txn->branches[i], directory, &branches[i]);
        pointers[i] = &branches[i];
    }
    begin.branches = pointers;
    begin.n_branches = count;
    bytes_max += strlen(begin.gid) + strlen(begin.boot_id) + strlen(begin.traceparent);
    put(batch, txn_key(txn, RECORD_KEY_BEGIN), &begin.base, bytes_max, &txn->record_begin);
}

static void write_add_branch(struct txn *txn, struct branch *branch,
                             const struct directory *directory, struct journal_batch *batch)
{
    Tercet__V1__Record__BeginBranch encoded;
    Tercet__V1__Record__BeginBranch *pointers[] = {&encoded};
    Tercet__V1__Record__AddBranch add;
    tercet_assert(branch->txn == txn);
    tercet__v1__record__add_branch__init(&add);
    add.whole = true;
    const size_t bytes_max = BEGIN_BYTES_MAX + encode_branch(branch, directory, &encoded);
    add.branches = pointers;
    add.n_branches = 1;
    put(batch, branch_key(txn, branch), &add.base, bytes_max, &branch_rare_make(branch)->record);
}

/* ---- DECIDE and PROGRESS --------------------------------------------------------------------- */

struct branches_now {
    Tercet__V1__Record__BranchNow items[TERCET_BRANCH_COUNT_MAX];
    Tercet__V1__Record__BranchNow *pointers[TERCET_BRANCH_COUNT_MAX];
};

static size_t encode_branches_now(const struct txn *txn, bool with_results,
                                  struct branches_now *out)
{
    size_t bytes_max = txn->branch_count * (size_t)BRANCH_NOW_BYTES_MAX;
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        const struct branch *branch = txn->branches[i];
        const struct trouble *trouble = branch_trouble(branch);
        const struct rare *rare = branch_rare(branch);
        Tercet__V1__Record__BranchNow *now = &out->items[i];
        tercet__v1__record__branch_now__init(now);
        now->index = branch->spec.index;
        now->state = (Tercet__V1__BranchState)branch->state;
        if (with_results) {
            now->result = record_message_bytes(rare->result);
        }
        now->attempts = branch->attempts;
        now->asked_since_unix_ms = branch->asked == 0 ? 0 : txn->decided_unix_ms;
        now->answered_tried = branch->answered_tried;
        now->conflict = rare->conflict;
        now->reason_code = record_message_text(said_code(trouble->reason));
        now->reason_text = record_message_text(said_text(trouble->reason));
        if (rare->resolved != NULL) {
            now->resolved = rare->resolved;
        }
        bytes_max += now->result.len + strlen(now->reason_code) + strlen(now->reason_text) +
                     strlen(now->resolved);
        out->pointers[i] = now;
    }
    return bytes_max;
}

static void write_decide(struct txn *txn, struct journal_batch *batch)
{
    struct branches_now branches;
    Tercet__V1__Record__Decide decide;
    tercet_assert(txn_state_is_decided(txn->state));
    tercet__v1__record__decide__init(&decide);
    decide.whole = true;
    decide.outcome = (Tercet__V1__Outcome)txn_state_outcome(txn->state);
    decide.cause = (Tercet__V1__Cause)txn->cause;
    decide.refused_branch = txn->refused_branch;
    decide.reason_code = record_message_text(said_code(txn->reason));
    decide.reason_text = record_message_text(said_text(txn->reason));
    decide.decided_unix_ms = txn->decided_unix_ms;
    const size_t bytes_max = DECIDE_BYTES_MAX + strlen(decide.reason_code) +
                             strlen(decide.reason_text) + encode_branches_now(txn, true, &branches);
    decide.branches = branches.pointers;
    decide.n_branches = txn->branch_count;
    put(batch, txn_key(txn, RECORD_KEY_DECIDE), &decide.base, bytes_max, &txn->record_decide);
    /* What an earlier PROGRESS says was true before the decision; read after it, it would lie. */
    delete_pair(batch, txn_key(txn, RECORD_KEY_PROGRESS), &txn->record_progress);
}

static void write_progress(struct txn *txn, struct journal_batch *batch)
{
    struct branches_now branches;
    Tercet__V1__Record__Progress progress;
    if (txn_state_is_ended(txn->state)) {
        return; /* END says all of it */
    }
    tercet__v1__record__progress__init(&progress);
    progress.whole = true;
    const size_t bytes_max = DECIDE_BYTES_MAX + encode_branches_now(txn, false, &branches);
    progress.branches = branches.pointers;
    progress.n_branches = txn->branch_count;
    put(batch, txn_key(txn, RECORD_KEY_PROGRESS), &progress.base, bytes_max, &txn->record_progress);
}

void record_payload_key(const struct branch *branch, struct buffer *key_out)
{
    const struct key key = branch->txn->mode == TXN_MODE_STEPS
                               ? branch_key(branch->txn, branch)
                               : txn_key(branch->txn, RECORD_KEY_BEGIN);
    buffer_append(key_out, key.bytes, key.size);
}

/* ---- END and TOMBSTONE ----------------------------------------------------------------------- */

static size_t encode_ended_branch(const struct view_branch *view,
                                  Tercet__V1__Record__EndedBranch *out)
{
    tercet_assert(branch_state_is_ended(view->state));
    tercet__v1__record__ended_branch__init(out);
    out->index = view->index;
    out->state = (Tercet__V1__BranchState)view->state;
    out->participant = record_message_text(view->participant);
    out->action = record_message_text(view->action);
    out->stage = view->stage;
    out->confirm_only = view->confirm_only;
    out->optional = view->optional;
    out->digest =
        record_message_bytes(tercet_bytes_of(view->digest.bytes, sizeof view->digest.bytes));
    out->result = record_message_bytes(view->result);
    out->reason_code = record_message_text(view->reason_code);
    out->reason_text = record_message_text(view->reason_text);
    out->attempts = view->attempts;
    out->conflict = view->conflict;
    out->resolved = record_message_text(view->resolved);
    return ENDED_BRANCH_BYTES_MAX + strlen(out->participant) + strlen(out->action) +
           out->result.len + strlen(out->reason_code) + strlen(out->reason_text) +
           strlen(out->resolved);
}

static void put_ended(const struct view *view, struct key key, struct journal_batch *batch)
{
    Tercet__V1__Record__EndedBranch branches[TERCET_BRANCH_COUNT_MAX];
    Tercet__V1__Record__EndedBranch *pointers[TERCET_BRANCH_COUNT_MAX];
    Tercet__V1__Record__Ended ended;
    size_t bytes_max = RECORD_MESSAGE_HEAD_BYTES + ENDED_BYTES_MAX;
    tercet_assert(txn_state_is_ended(view->state) && view->ended_unix_ms != 0);
    tercet__v1__record__ended__init(&ended);
    ended.whole = true;
    ended.ended_unix_ms = view->ended_unix_ms;
    ended.gid = record_message_text(view->gid);
    ended.sequence = view->sequence;
    ended.state = (Tercet__V1__TransactionState)view->state;
    ended.mode = (Tercet__V1__Record__Mode)view->mode;
    ended.cause = (Tercet__V1__Cause)view->cause;
    ended.refused_branch = view->refused_branch;
    ended.reason_code = record_message_text(view->reason_code);
    ended.reason_text = record_message_text(view->reason_text);
    ended.content =
        record_message_bytes(tercet_bytes_of(view->content.bytes, sizeof view->content.bytes));
    ended.begun_unix_ms = view->begun_unix_ms;
    ended.decided_unix_ms = view->decided_unix_ms;
    ended.deadline_unix_ms = view->deadline_unix_ms;
    for (uint32_t i = 0; i < view->branch_count; i++) {
        bytes_max += encode_ended_branch(&view->branches[i], &branches[i]);
        pointers[i] = &branches[i];
    }
    ended.branches = pointers;
    ended.n_branches = view->branch_count;
    bytes_max += strlen(ended.gid) + strlen(ended.reason_code) + strlen(ended.reason_text);
    uint8_t *value = journal_batch_begin_put(batch, key_bytes(&key), bytes_max);
    journal_batch_end_put_for_good(batch, record_message_pack_into(&ended.base, value));
}

static void write_outcome(struct txn *txn, const struct directory *directory,
                          struct journal_batch *batch)
{
    /* Nothing is asked again, so no moment is "next". */
    const struct clock_now now = {.boot_ms = INT64_MAX, .unix_ms = txn->ended_unix_ms};
    struct view *view = view_of_txn(txn, directory, now);
    put_ended(view, outcome_key(txn), batch);
    view_destroy(view);
}

static void write_end(struct txn *txn, const struct directory *directory,
                      struct journal_batch *batch)
{
    write_outcome(txn, directory, batch);
    delete_pair(batch, txn_key(txn, RECORD_KEY_BEGIN), &txn->record_begin);
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        struct branch *branch = txn->branches[i];
        if (!digest128_is_zero(branch_rare(branch)->record)) {
            delete_pair(batch, branch_key(txn, branch), &branch_rare_make(branch)->record);
        }
    }
    delete_pair(batch, txn_key(txn, RECORD_KEY_DECIDE), &txn->record_decide);
    delete_pair(batch, txn_key(txn, RECORD_KEY_PROGRESS), &txn->record_progress);
}

void record_write(const struct effect_record *record, const struct directory *directory,
                  struct journal_batch *batch)
{
    switch (record->kind) {
    case RECORD_BEGIN:
        TERCET_FAILPOINT("record.begin");
        write_begin(record->txn, directory, batch);
        break;
    case RECORD_ADD_BRANCH:
        TERCET_FAILPOINT("record.add_branch");
        write_add_branch(record->txn, record->branch, directory, batch);
        break;
    case RECORD_DECIDE:
        TERCET_FAILPOINT("record.decide");
        write_decide(record->txn, batch);
        break;
    case RECORD_PROGRESS:
        TERCET_FAILPOINT("record.progress");
        write_progress(record->txn, batch);
        break;
    case RECORD_END:
        TERCET_FAILPOINT("record.end");
        write_end(record->txn, directory, batch);
        break;
    case RECORD_TOMBSTONE:
        TERCET_FAILPOINT("record.tombstone");
        write_outcome(record->txn, directory, batch);
        break;
    case RECORD_PARTICIPANT:
        record_participant_write(directory->entries[record->participant].name, record->known,
                                 batch);
        break;
    }
}

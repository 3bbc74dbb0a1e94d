/* judge_txn.c -- see judge_txn.h. */
#include "judge_txn.h"

#include "base/assert.h"
#include "base/bytes.h"

static bool same_reason(const struct said *a, const struct said *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    return strcmp(said_code(a), said_code(b)) == 0 && strcmp(said_text(a), said_text(b)) == 0;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

static void judge_same_spec(const struct branch *a, const struct branch *b)
{
    tercet_assert(a->spec.index == b->spec.index && a->spec.stage == b->spec.stage);
    tercet_assert(a->spec.confirm_only == b->spec.confirm_only &&
                  a->spec.optional == b->spec.optional);
    tercet_assert(memcmp(&a->spec.digest, &b->spec.digest, sizeof a->spec.digest) == 0);
    tercet_assert(strcmp(a->action, b->action) == 0);
    tercet_assert(bytes_equal(branch_payload(a), branch_payload(b)));
    tercet_assert(branch_rare(a)->call_timeout_ms == branch_rare(b)->call_timeout_ms);
}

static void judge_same_branch(const struct branch *a, const struct branch *b)
{
    const struct rare *rare_a = branch_rare(a);
    const struct rare *rare_b = branch_rare(b);
    judge_same_spec(a, b);
    tercet_assert(branch_number_compare(a->number, b->number) == 0);
    tercet_assert(a->state == b->state && a->asked == b->asked && a->handed == b->handed);
    tercet_assert(a->attempts == b->attempts);
    tercet_assert(a->answered_tried == b->answered_tried && rare_a->conflict == rare_b->conflict);
    tercet_assert(bytes_equal(rare_a->result, rare_b->result) &&
                  same_reason(branch_trouble(a)->reason, branch_trouble(b)->reason));
    tercet_assert(same_text(rare_a->resolved, rare_b->resolved));
}

void judge_same_txn(const struct txn *a, const struct directory *a_directory, const struct txn *b,
                    const struct directory *b_directory)
{
    tercet_assert(strcmp(a->gid, b->gid) == 0 && a->sequence == b->sequence);
    tercet_assert(a->state == b->state && a->mode == b->mode && a->cause == b->cause);
    tercet_assert(a->refused_branch == b->refused_branch && same_reason(a->reason, b->reason));
    tercet_assert(memcmp(a->content.bytes, b->content.bytes, sizeof a->content.bytes) == 0);
    tercet_assert(a->deadline.boot_ms == b->deadline.boot_ms &&
                  a->deadline.unix_ms == b->deadline.unix_ms && a->timeout_ms == b->timeout_ms &&
                  strcmp(txn_boot_id(a), txn_boot_id(b)) == 0);
    tercet_assert(strcmp(txn_traceparent(a), txn_traceparent(b)) == 0);
    tercet_assert(a->begun_unix_ms == b->begun_unix_ms && a->decided_unix_ms == b->decided_unix_ms);
    tercet_assert(a->payload_bytes == b->payload_bytes && a->branch_count == b->branch_count);
    for (uint32_t i = 0; i < a->branch_count; i++) {
        judge_same_branch(a->branches[i], b->branches[i]);
        tercet_assert(strcmp(a_directory->entries[a->branches[i]->spec.participant].name,
                             b_directory->entries[b->branches[i]->spec.participant].name) == 0);
    }
}

static void judge_same_view_branch(const struct view_branch *a, const struct view_branch *b)
{
    tercet_assert(a->index == b->index && a->state == b->state && a->stage == b->stage);
    tercet_assert(strcmp(a->participant, b->participant) == 0 && strcmp(a->action, b->action) == 0);
    tercet_assert(a->confirm_only == b->confirm_only && a->optional == b->optional);
    tercet_assert(memcmp(a->digest.bytes, b->digest.bytes, sizeof a->digest.bytes) == 0);
    tercet_assert(bytes_equal(a->result, b->result));
    tercet_assert(strcmp(a->reason_code, b->reason_code) == 0 &&
                  strcmp(a->reason_text, b->reason_text) == 0);
    tercet_assert(a->attempts == b->attempts && a->conflict == b->conflict);
    tercet_assert(strcmp(a->resolved, b->resolved) == 0);
}

void judge_same_view(const struct view *a, const struct view *b)
{
    tercet_assert(strcmp(a->gid, b->gid) == 0 && a->sequence == b->sequence);
    tercet_assert(a->state == b->state && a->mode == b->mode && a->cause == b->cause);
    tercet_assert(a->refused_branch == b->refused_branch);
    tercet_assert(strcmp(a->reason_code, b->reason_code) == 0 &&
                  strcmp(a->reason_text, b->reason_text) == 0);
    tercet_assert(memcmp(a->content.bytes, b->content.bytes, sizeof a->content.bytes) == 0);
    tercet_assert(
        a->begun_unix_ms == b->begun_unix_ms && a->decided_unix_ms == b->decided_unix_ms &&
        a->ended_unix_ms == b->ended_unix_ms && a->deadline_unix_ms == b->deadline_unix_ms);
    tercet_assert(a->branch_count == b->branch_count);
    for (uint32_t i = 0; i < a->branch_count; i++) {
        judge_same_view_branch(&a->branches[i], &b->branches[i]);
    }
}

/* txn.c -- see txn.h. */
#include "engine/txn.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"

static_assert(sizeof(struct txn) <= TXN_BYTES_MAX, "a million transactions have to fit");
static_assert(TERCET_GID_BYTES_MAX + 1 + BOOT_ID_BYTES_MAX + 1 <= UINT8_MAX, "where texts stand");
static_assert(TERCET_PAYLOADS_BYTES_MAX <= UINT32_MAX, "payload_bytes");

struct txn *txn_create(const char *gid, const char *boot_id, const char *traceparent)
{
    const size_t gid_size = strlen(gid) + 1;
    const size_t boot_id_size = strlen(boot_id) + 1;
    const size_t traceparent_size = strlen(traceparent) + 1;
    tercet_assert(gid_size >= 2 && gid_size <= TERCET_GID_BYTES_MAX + 1);
    tercet_assert(boot_id_size <= BOOT_ID_BYTES_MAX + 1 &&
                  traceparent_size <= TRACEPARENT_BYTES_MAX + 1);
    const size_t texts_size = gid_size + boot_id_size + traceparent_size;
    struct txn *txn = xcalloc(1, sizeof *txn + texts_size);
    txn->boot_id_at = (uint8_t)gid_size;
    txn->traceparent_at = (uint8_t)(gid_size + boot_id_size);
    memcpy(txn->gid, gid, gid_size);
    memcpy(txn->gid + txn->boot_id_at, boot_id, boot_id_size);
    memcpy(txn->gid + txn->traceparent_at, traceparent, traceparent_size);
    list_init(&txn->link);
    list_init(&txn->waiters);
    heap_node_init(&txn->timer);
    return txn;
}

void txn_destroy(struct txn *txn)
{
    if (txn == NULL) {
        return;
    }
    tercet_assert(list_is_empty(&txn->waiters));
    tercet_assert(!list_is_linked(&txn->link));
    tercet_assert(!heap_node_is_linked(&txn->timer));
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        struct branch *branch = txn->branches[i];
        branch->txn = NULL;
        branch->asked = 0;
        branch_unref(branch);
    }
    free(txn->branches);
    said_unref(txn->reason);
    free(txn);
}

struct branch *txn_branch(const struct txn *txn, uint32_t index)
{
    if (index >= 1 && index <= txn->branch_count && txn->branches[index - 1]->spec.index == index) {
        return txn->branches[index - 1];
    }
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        if (txn->branches[i]->spec.index == index) {
            return txn->branches[i];
        }
    }
    return NULL;
}

void txn_add_branch_take(struct txn *txn, struct branch *branch)
{
    tercet_assert(branch->txn == NULL && txn_branch(txn, branch->spec.index) == NULL);
    tercet_assert(txn->branch_count < TERCET_BRANCH_COUNT_MAX);
    txn->branches = xrealloc(txn->branches, (txn->branch_count + 1) * sizeof txn->branches[0]);
    uint32_t at = txn->branch_count;
    while (at > 0 && txn->branches[at - 1]->spec.index > branch->spec.index) {
        txn->branches[at] = txn->branches[at - 1];
        at--;
    }
    txn->branches[at] = branch;
    txn->branch_count++;
    txn->payload_bytes += branch->payload_size;
    branch->txn = txn;
}

void txn_move(struct txn *txn, enum txn_state to, struct clock_now now)
{
    tercet_assert(txn_state_may(txn->state, to));
    bool was_decided = txn_state_is_decided(txn->state);
    txn->state = to;
    if (!was_decided && txn_state_is_decided(to)) {
        txn->decided_unix_ms = now.unix_ms;
    }
    if (txn_state_is_ended(to)) {
        txn->ended_unix_ms = now.unix_ms > txn->begun_unix_ms ? now.unix_ms : txn->begun_unix_ms;
    }
}

void txn_set_reason(struct txn *txn, const char *code, const char *text)
{
    said_unref(txn->reason);
    txn->reason = said_create(code, text);
}

static bool is_ready_to_confirm(const struct branch *branch)
{
    return branch->state == BRANCH_TRIED ||
           (branch->state == BRANCH_WAITING && branch->spec.confirm_only) ||
           (branch->state == BRANCH_REFUSED && branch->spec.optional);
}

bool txn_all_tried(const struct txn *txn, const struct branch **first_out)
{
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        if (!is_ready_to_confirm(txn->branches[i])) {
            if (first_out != NULL) {
                *first_out = txn->branches[i];
            }
            return false;
        }
    }
    return true;
}

bool txn_all_ended(const struct txn *txn)
{
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        if (!branch_state_is_ended(txn->branches[i]->state)) {
            return false;
        }
    }
    return true;
}

bool txn_misses_payloads(const struct txn *txn)
{
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        if (txn->branches[i]->payload_lost) {
            return true;
        }
    }
    return false;
}

/* What the states of its branches may be, for each state of the transaction; an optional branch may
 * go its own way in a confirmed one. */
#define ONE(state) (1U << BRANCH_##state)
static const uint32_t allowed_states[TXN_STATE_COUNT] = {
    [TXN_TRYING] = ONE(WAITING) | ONE(TRYING) | ONE(TRIED) | ONE(REFUSED),
    [TXN_CONFIRMING] = ONE(CONFIRMING) | ONE(CONFIRMED),
    [TXN_CONFIRMED] = ONE(CONFIRMED),
    [TXN_CANCELLING] = ONE(CANCELLING) | ONE(CANCELLED) | ONE(SKIPPED),
    [TXN_CANCELLED] = ONE(CANCELLED) | ONE(SKIPPED),
};

static bool is_allowed(const struct txn *txn, const struct branch *branch)
{
    const bool apart =
        branch->spec.optional && txn_state_outcome(txn->state) == TXN_OUTCOME_CONFIRMED;
    const uint32_t allowed =
        allowed_states[txn->state] | (apart ? allowed_states[TXN_CANCELLING] : 0);
    return (allowed & (1U << branch->state)) != 0;
}

void txn_check(const struct txn *txn)
{
    uint32_t index_before = 0;
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        const struct branch *branch = txn->branches[i];
        tercet_assert(branch->txn == txn && branch->spec.index > index_before);
        tercet_assert(is_allowed(txn, branch));
        branch_check(branch);
        index_before = branch->spec.index;
    }
    tercet_assert(txn_state_is_ended(txn->state) ? txn_all_ended(txn) : true);
    tercet_assert(txn_state_is_decided(txn->state) ? !heap_node_is_linked(&txn->timer) : true);
}

/* recovery.c -- from what the journal held to a coordinator at work (engine.h).
 *
 * What is undecided goes on at once, because its deadline runs.  What is decided is parked: its
 * payloads stay on the disk, and each participant's branches are asked for in the order of their
 * numbers, in slices, as its queue has room (engine_resume_more).  So a million open transactions
 * keep neither the first call waiting nor their payloads in memory.
 *
 * Transactions are adopted one by one, before there are peers, because reading them may still add
 * participants to the directory.  What a restored journal must not decide is left alone (restored.h). */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "engine/restored.h"

void engine_adopt_take(struct engine *engine, struct txn *txn)
{
    tercet_assert(engine->peers == NULL && !txn_state_is_ended(txn->state));
    tercet_assert(txn->sequence < engine->next_number);
    table_insert(&engine->by_gid, &txn->by_gid, txn->gid, strlen(txn->gid));
    list_push_back(&engine->open, &txn->link);
    engine->stats.open_transactions++;
    engine->stats.open_payload_bytes += txn->payload_bytes;
    said_share(&txn->reason, &engine->cancelled_for);
    txn->in_doubt = restored_knows_no_branch(engine, txn);
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        struct branch *branch = txn->branches[i];
        tercet_assert(branch->number.number < engine->next_number ||
                      branch->number.incarnation < engine->options.incarnation);
        /* Nobody knows any more what had left before the end of the last life. */
        branch->handed =
            (1U << TERCET_PHASE_TRY) | (1U << TERCET_PHASE_CONFIRM) | (1U << TERCET_PHASE_CANCEL);
        branch->adopted = true;
        branch_share_reason(branch, &engine->said[branch->spec.participant]);
        if (branch_rare(branch)->conflict != 0 && !branch_state_is_ended(branch->state)) {
            engine_raise_attention(engine, branch, branch_rare(branch)->conflict);
            txn->in_doubt = txn->in_doubt || !txn_state_is_decided(txn->state);
        }
        if (txn_state_is_decided(txn->state)) {
            branch->parked = branch->asked != 0;
            engine_drop_payload(engine, branch);
        }
    }
}

void engine_adopt_acquaintance(struct engine *engine, uint32_t participant,
                               const struct acquaintance *known)
{
    tercet_assert(engine->peers == NULL && participant < DIRECTORY_PARTICIPANT_COUNT_MAX);
    tercet_assert(engine->adopted[participant] == NULL);
    engine->adopted[participant] = xmemdup(known, sizeof *known);
}

/* ---- All are adopted --------------------------------------------------------------------------- */

/* The directory is complete once recovery is over: one peer for each entry. */
static void make_peers(struct engine *engine)
{
    engine->peer_count = engine->options.directory->count;
    engine->peers = xcalloc(engine->peer_count + 1, sizeof engine->peers[0]);
    for (uint32_t i = 0; i < engine->peer_count; i++) {
        list_init(&engine->peers[i].open);
        const uint32_t seats = directory_seat_count(&engine->options.directory->entries[i]);
        engine->peers[i].reachable = seats > 0;
        engine->peers[i].before = xcalloc(seats + 1, sizeof engine->peers[i].before[0]);
        if (engine->adopted[i] != NULL) {
            engine->peers[i].known = *engine->adopted[i];
        }
    }
}

static int compare_numbers(const void *left, const void *right)
{
    const struct branch *const *a = left;
    const struct branch *const *b = right;
    return branch_number_compare((*a)->number, (*b)->number);
}

/* Registers all branches in the order of their numbers, which is not that of their transactions:
 * step by step, an older transaction may have younger branches. */
static void register_all(struct engine *engine)
{
    size_t count = 0;
    for (struct list_node *node = engine->open.next; node != &engine->open; node = node->next) {
        count += container_of(node, struct txn, link)->branch_count;
    }
    struct branch **branches = xcalloc(count + 1, sizeof *branches);
    bool sorted = true;
    size_t at = 0;
    for (struct list_node *node = engine->open.next; node != &engine->open; node = node->next) {
        struct txn *txn = container_of(node, struct txn, link);
        for (uint32_t i = 0; i < txn->branch_count; i++) {
            branches[at] = txn->branches[i];
            sorted = sorted && (at == 0 || compare_numbers(&branches[at - 1], &branches[at]) < 0);
            at++;
        }
    }
    if (!sorted) {
        qsort(branches, count, sizeof *branches, compare_numbers);
    }
    for (size_t i = 0; i < count; i++) {
        engine_register_branch(engine, branches[i]);
    }
    free(branches);
}

/* The deadline in the clock of this boot. */
void engine_resume_deadline(struct step *step, struct txn *txn)
{
    const struct engine *engine = step->engine;
    const struct clock_now now = step->now;
    if (strcmp(txn_boot_id(txn), engine->options.boot_id) != 0) {
        int64_t left_ms = txn->deadline.unix_ms - now.unix_ms;
        left_ms = left_ms < 0 ? 0 : left_ms;
        left_ms = left_ms > (int64_t)txn->timeout_ms ? (int64_t)txn->timeout_ms : left_ms;
        txn->deadline.boot_ms = now.boot_ms + left_ms;
    }
    engine_reschedule(step, txn);
}

static void resume(struct step *step, struct txn *txn)
{
    if (txn->in_doubt) {
        return; /* it is not ours to decide */
    }
    if (!txn_state_is_decided(txn->state)) {
        engine_resume_deadline(step, txn);
    }
    txn_check(txn);
    progress(step, txn);
}

void engine_resume(struct engine *engine, struct clock_now now, int64_t durable_lsn,
                   struct effects *effects)
{
    tercet_assert(engine->peers == NULL);
    make_peers(engine);
    register_all(engine);
    engine->durable_lsn = durable_lsn;
    struct step step = {engine, durable_lsn + 1, now, effects};
    restored_begin(&step);
    struct list_node *node = engine->open.next;
    while (node != &engine->open) {
        struct txn *txn = container_of(node, struct txn, link);
        node = node->next;
        resume(&step, txn);
    }
    for (uint32_t i = 0; i < engine->peer_count; i++) {
        hold_resume(&step, i);
    }
    for (uint32_t i = 0; i < engine->peer_count; i++) {
        engine->peers[i].resume_at = engine->peers[i].open.next;
    }
    engine->resuming_count = engine->peer_count;
}

/* ---- What is parked ---------------------------------------------------------------------------- */

bool engine_is_resuming(const struct engine *engine)
{
    return engine->resuming_count > 0;
}

bool engine_has_parked(const struct engine *engine, uint32_t participant)
{
    tercet_assert(participant < engine->peer_count);
    return engine->peers[participant].resume_at != NULL;
}

void engine_resume_more(struct engine *engine, uint32_t participant, uint32_t count, int64_t lsn,
                        struct clock_now now, struct effects *effects)
{
    tercet_assert(participant < engine->peer_count);
    struct peer *peer = &engine->peers[participant];
    struct step step = {engine, lsn, now, effects};
    while (peer->resume_at != NULL && count > 0) {
        struct branch *branch = container_of(peer->resume_at, struct branch, open_link);
        if (peer->resume_at == &peer->open || !branch->adopted) {
            peer->resume_at = NULL; /* what follows has begun in this life */
            engine->resuming_count--;
            return;
        }
        peer->resume_at = peer->resume_at->next;
        if (branch->parked && branch->asked != 0) {
            call_branch(&step, branch, 0);
            count--;
        }
    }
}

/* While others of its transaction are lost, a payload that is not may have to be written once more
 * together with them (restored_take_payloads). */
void engine_drop_payload(struct engine *engine, struct branch *branch)
{
    if (branch_has_payload(branch) && !txn_misses_payloads(branch->txn)) {
        const uint32_t bytes = branch->payload_size;
        branch_drop_payload(branch);
        branch->txn->payload_bytes -= bytes;
        engine->stats.open_payload_bytes -= bytes;
    }
}

void engine_take_payload(struct engine *engine, struct branch *branch, struct tercet_bytes payload)
{
    if (branch->txn == NULL || branch->asked == 0 || branch_has_payload(branch)) {
        free((void *)(uintptr_t)payload.data); /* nobody sends it any more */
        return;
    }
    tercet_assert(payload.size == branch->payload_size);
    branch->payload = (void *)(uintptr_t)payload.data;
    branch->txn->payload_bytes += branch->payload_size;
    engine->stats.open_payload_bytes += payload.size;
}

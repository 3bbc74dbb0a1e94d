/* mark.c -- see mark.h.  Made anew at most once for each participant and durable LSN. */
#include "engine/mark.h"

#include <string.h>

#include "base/assert.h"
#include "engine/restored.h"

/* Decided, and that is on disk: whatever happens, it is never tried again. */
static bool may_be_passed(const struct engine *engine, const struct branch *branch)
{
    const struct txn *txn = branch->txn;
    return txn_state_is_decided(txn->state) && txn->decided_lsn <= engine->durable_lsn;
}

static void make(const struct engine *engine, const struct peer *peer, struct mark *mark)
{
    mark->open_count = 0;
    mark->low = (struct branch_number){engine->options.incarnation, engine->durable_next_number};
    for (const struct list_node *node = peer->open.next; node != &peer->open; node = node->next) {
        const struct branch *branch = container_of(node, struct branch, open_link);
        if (!may_be_passed(engine, branch) || mark->open_count == MARK_OPEN_MAX) {
            /* A branch that is not on disk yet may stand above numbers that a crash would make free
             * again: never pass what the disk has seen given out. */
            if (branch_number_compare(branch->number, mark->low) < 0) {
                mark->low = branch->number;
            }
            return;
        }
        mark->open[mark->open_count] = branch->number;
        mark->open_count++;
    }
}

/* Below one low everything is decided, and what is open there can only end: as many are the same. */
static bool says_the_same(const struct mark *newer, const struct mark *older)
{
    return branch_number_compare(newer->low, older->low) == 0 &&
           newer->open_count == older->open_count;
}

const struct mark *engine_mark(struct engine *engine, uint32_t participant)
{
    tercet_assert(participant < engine->peer_count);
    struct peer *peer = &engine->peers[participant];
    if (restored_is_on(engine)) {
        return &peer->mark; /* none yet: the rows that it would let go are evidence */
    }
    if (!peer->mark_fresh && engine->durable_lsn > 0) {
        struct mark made;
        make(engine, peer, &made);
        /* What was true as of an older LSN is true still, if it says the same: keep its age, so that
         * nobody needs to be told again. */
        if (peer->mark.as_of.number == 0 || !says_the_same(&made, &peer->mark)) {
            tercet_assert(peer->mark.as_of.number == 0 ||
                          branch_number_compare(peer->mark.low, made.low) <= 0);
            made.as_of = (struct branch_number){engine->options.incarnation, engine->durable_lsn};
            peer->mark = made;
        }
        peer->mark_fresh = true;
    }
    return &peer->mark;
}

void mark_touch_all(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->peer_count; i++) {
        engine->peers[i].mark_fresh = false;
    }
}

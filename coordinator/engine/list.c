/* list.c -- a page of open transactions, in the order of their beginnings.
 *
 * It runs on the loop's thread, so it looks at a bounded number of transactions: a page may be short,
 * or empty, although more follow.  Where the newest pages ended is remembered, so that the next need
 * not go through all before it: a million may be open.  Where that is forgotten, or a token comes out
 * of nowhere, the way there is bounded, too, and goes on with the next call of the same token. */
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "engine/engine_internal.h"

enum { LOOKED_AT_MAX = 4096, PASSED_MAX = 4 * LOOKED_AT_MAX };

static bool fits(const struct step *step, const struct request *request, const struct txn *txn)
{
    bool state = request->state_mask == 0 || (request->state_mask & (1U << txn->state)) != 0;
    bool prefix = strncmp(txn->gid, request->gid_prefix, strlen(request->gid_prefix)) == 0;
    if (!state || !prefix || !request->attention_only) {
        return state && prefix;
    }
    char text[TERCET_REASON_TEXT_BYTES_MAX + 1];
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        if (branch_attention(txn->branches[i], step->now.unix_ms, text)) {
            return true;
        }
    }
    return txn->in_doubt;
}

/* The remembered place that is nearest before what is asked for; NULL: there is none. */
static struct txn **find_place(struct engine *engine, int64_t after_sequence)
{
    struct txn **nearest = NULL;
    for (uint32_t i = 0; i < LISTED_COUNT_MAX; i++) {
        struct txn **place = &engine->listed[i];
        if (*place != NULL && (*place)->sequence <= after_sequence &&
            (nearest == NULL || (*place)->sequence > (*nearest)->sequence)) {
            nearest = place;
        }
    }
    return nearest;
}

/* `place` moves on to `last`.  Without one it takes the oldest, unless somebody is there already: so
 * those who only ever ask for the first page take one together. */
static void remember(struct engine *engine, struct txn **place, struct txn *last)
{
    for (uint32_t i = 0; i < LISTED_COUNT_MAX && place == NULL; i++) {
        place = engine->listed[i] == last ? &engine->listed[i] : NULL;
    }
    if (place == NULL) {
        place = &engine->listed[engine->listed_next];
        engine->listed_next = (engine->listed_next + 1) % LISTED_COUNT_MAX;
    }
    *place = last;
}

void request_list_forget(struct engine *engine, const struct txn *txn)
{
    struct list_node *before = txn->link.prev;
    for (uint32_t i = 0; i < LISTED_COUNT_MAX; i++) {
        if (engine->listed[i] == txn) {
            engine->listed[i] =
                before == &engine->open ? NULL : container_of(before, struct txn, link);
        }
    }
}

void request_list(struct step *step, const struct request *request)
{
    struct engine *engine = step->engine;
    tercet_assert(request->page_size > 0);
    struct effect_reply *reply = &effects_add(step->effects, EFFECT_REPLY)->u.reply;
    reply->token = request->token;
    reply->to = REQUEST_LIST;
    reply->last = true;
    reply->list = xcalloc(request->page_size, sizeof reply->list[0]);
    struct txn **place = find_place(engine, request->after_sequence);
    uint32_t passed = 0;
    uint32_t looked_at = 0;
    for (struct list_node *node = place == NULL ? engine->open.next : (*place)->link.next;
         node != &engine->open; node = node->next) {
        const struct txn *txn = container_of(node, struct txn, link);
        const bool before = txn->sequence <= request->after_sequence;
        if (before ? passed == PASSED_MAX
                   : reply->list_count == request->page_size || looked_at == LOOKED_AT_MAX) {
            struct txn *last = container_of(node->prev, struct txn, link);
            remember(engine, place, last);
            reply->list_next_sequence = before ? request->after_sequence : last->sequence;
            break;
        }
        if (before) {
            passed++;
            continue;
        }
        looked_at++;
        if (fits(step, request, txn)) {
            reply->list[reply->list_count] = view_of_txn(txn, engine->options.directory, step->now);
            reply->list_count++;
        }
    }
    engine->stats.looked_at += 1 + passed + looked_at;
}

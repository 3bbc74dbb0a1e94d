/* list.c -- a page of open transactions, in the order of their beginnings.
 *
 * It runs on the loop's thread, so it looks at a bounded number of transactions: a page may be short,
 * or empty, although more follow.  Where the newest page ended is remembered, so that the next need not go
 * through all before it: a million may be open. */
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "engine/engine_internal.h"

enum { LOOKED_AT_MAX = 4096 };

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

/* Everything before it has a sequence up to `after_sequence`. */
static struct list_node *begin_at(const struct engine *engine, int64_t after_sequence)
{
    const struct txn *listed = engine->listed;
    return listed != NULL && listed->sequence <= after_sequence ? listed->link.next
                                                                : engine->open.next;
}

void request_list_forget(struct engine *engine, const struct txn *txn)
{
    if (engine->listed == txn) {
        struct list_node *before = txn->link.prev;
        engine->listed = before == &engine->open ? NULL : container_of(before, struct txn, link);
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
    uint32_t looked_at = 0;
    for (struct list_node *node = begin_at(engine, request->after_sequence); node != &engine->open;
         node = node->next) {
        const struct txn *txn = container_of(node, struct txn, link);
        if (txn->sequence <= request->after_sequence) {
            continue;
        }
        if (reply->list_count == request->page_size || looked_at == LOOKED_AT_MAX) {
            tercet_assert(looked_at > 0);
            engine->listed = container_of(node->prev, struct txn, link);
            reply->list_next_sequence = engine->listed->sequence;
            return;
        }
        looked_at++;
        if (fits(step, request, txn)) {
            reply->list[reply->list_count] = view_of_txn(txn, engine->options.directory, step->now);
            reply->list_count++;
        }
    }
}

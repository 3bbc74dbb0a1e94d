/* list.c -- a page of open transactions, in the order of their beginnings. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/engine_internal.h"

static bool fits(const struct request *request, const struct view *view)
{
    bool state = request->state_mask == 0 || (request->state_mask & (1U << view->state)) != 0;
    bool prefix = strncmp(view->gid, request->gid_prefix, strlen(request->gid_prefix)) == 0;
    bool attention = !request->attention_only || view->attention[0] != '\0';
    return state && prefix && attention;
}

void request_list(struct step *step, const struct request *request)
{
    struct engine *engine = step->engine;
    struct effect_reply *reply = &effects_add(step->effects, EFFECT_REPLY)->u.reply;
    reply->token = request->token;
    reply->to = REQUEST_LIST;
    reply->last = true;
    reply->list = xcalloc(request->page_size + 1U, sizeof reply->list[0]);
    for (struct list_node *node = engine->open.next; node != &engine->open; node = node->next) {
        const struct txn *txn = container_of(node, struct txn, all_link);
        if (txn->sequence <= request->after_sequence) {
            continue;
        }
        if (reply->list_count == request->page_size) {
            reply->list_next_sequence = reply->list[reply->list_count - 1]->sequence;
            return;
        }
        struct view *view = view_of_txn(txn, engine->options.directory, step->now);
        if (fits(request, view)) {
            reply->list[reply->list_count] = view;
            reply->list_count++;
        } else {
            view_destroy(view);
        }
    }
}

/* waiter.c -- who waits for what, and what they are told.
 *
 * A request that cannot be answered yet becomes a waiter of its transaction, bounded in time; every
 * change of the transaction is followed by waiters_notify(). */
#include <stdarg.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "engine/engine_internal.h"

enum { REFUSED_RETRY_AFTER_MS = 1000 };

static struct effect_reply *add_reply(struct step *step, void *token, enum request_kind to)
{
    struct effect_reply *reply = &effects_add(step->effects, EFFECT_REPLY)->u.reply;
    reply->token = token;
    reply->to = to;
    reply->last = true;
    return reply;
}

static enum tercet_verdict verdict_of(enum txn_state txn, const struct view_branch *branch)
{
    const bool forgotten = branch->optional && branch->conflict == CONFLICT_FORGOTTEN;
    return try_verdict(txn, branch->state, branch->confirm_only, forgotten);
}

void reply_view(struct step *step, const struct request *request, const struct view *view)
{
    struct effect_reply *reply = add_reply(step, request->token, request->kind);
    reply->view = view_copy(view, view->branches);
    if (request->kind == REQUEST_TRY) {
        const struct view_branch *branch = view_find_branch(view, request->branch_index);
        tercet_assert(branch != NULL);
        reply->branch_index = request->branch_index;
        reply->verdict = verdict_of(view->state, branch);
    }
}

void reply_refused(struct step *step, const struct request *request, enum tercet_status status,
                   const char *code, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    text_format_list(text, sizeof text, format, arguments);
    va_end(arguments);

    tercet_assert(status != TERCET_OK);
    struct effect_reply *reply = add_reply(step, request->token, request->kind);
    reply->status = status;
    reply->refused = true;
    reply->code = code;
    reply->text = xstrdup(text);
    if (status == TERCET_RESOURCE_EXHAUSTED || status == TERCET_UNAVAILABLE) {
        reply->retry_after_ms = REFUSED_RETRY_AFTER_MS;
    }
    step->engine->stats.refused++;
}

enum tercet_verdict try_verdict(enum txn_state txn, enum branch_state state, bool confirm_only,
                                bool forgotten)
{
    switch (txn_state_outcome(txn)) {
    case TXN_OUTCOME_CANCELLED:
        return TERCET_VERDICT_REFUSED;
    case TXN_OUTCOME_CONFIRMED:
        if (state == BRANCH_CONFIRMING || state == BRANCH_CONFIRMED) {
            return TERCET_VERDICT_DONE;
        }
        return forgotten ? TERCET_VERDICT_UNSPECIFIED : TERCET_VERDICT_REFUSED;
    case TXN_UNDECIDED:
        break;
    }
    if (state == BRANCH_TRIED || (confirm_only && state == BRANCH_WAITING)) {
        return TERCET_VERDICT_DONE;
    }
    return state == BRANCH_REFUSED ? TERCET_VERDICT_REFUSED : TERCET_VERDICT_UNSPECIFIED;
}

/* Has the transaction come to what this call waits for? */
static bool is_reached(const struct txn *txn, enum request_kind kind, enum wait_mode wait,
                       uint32_t branch_index)
{
    if (kind == REQUEST_TRY) {
        const struct branch *branch = txn_branch(txn, branch_index);
        return txn_state_outcome(txn->state) != TXN_UNDECIDED ||
               try_verdict(txn->state, branch->state, branch->spec.confirm_only, false) !=
                   TERCET_VERDICT_UNSPECIFIED;
    }
    if (kind == REQUEST_WATCH) {
        return txn_state_is_ended(txn->state);
    }
    switch (wait) {
    case WAIT_MODE_BEGIN:
        return true;
    case WAIT_MODE_DECISION:
        return txn_state_is_decided(txn->state);
    case WAIT_MODE_END:
        return txn_state_is_ended(txn->state);
    }
    tercet_unreachable();
}

static void tell(struct step *step, const struct txn *txn, void *token, enum request_kind kind,
                 uint32_t branch_index, bool last)
{
    struct effect_reply *reply = add_reply(step, token, kind);
    reply->last = last;
    reply->view = view_of_txn(txn, step->engine->options.directory, step->now);
    if (kind == REQUEST_TRY) {
        reply->branch_index = branch_index;
        reply->verdict = verdict_of(txn->state, view_find_branch(reply->view, branch_index));
    }
}

static void waiter_remove(struct engine *engine, struct waiter *waiter)
{
    list_remove(&waiter->link);
    if (heap_node_is_linked(&waiter->timer)) {
        heap_remove(&engine->waiter_timers, &waiter->timer);
    }
    table_remove(&engine->waiters, &waiter->by_token);
    free(waiter);
}

void waiter_add(struct step *step, struct txn *txn, const struct request *request)
{
    struct engine *engine = step->engine;
    bool reached = is_reached(txn, request->kind, request->wait, request->branch_index);
    bool at_once = request->kind != REQUEST_WATCH && request->wait_ms == 0;
    if (reached || at_once || engine->stopping) {
        tell(step, txn, request->token, request->kind, request->branch_index, true);
        return;
    }
    if (table_count(&engine->waiters) >= engine->options.limits.waiting_calls_max) {
        /* The request may have begun its transaction in this very step, so it is no refusal: the
         * caller is told how things stand and asks again. */
        tell(step, txn, request->token, request->kind, request->branch_index, true);
        return;
    }
    struct waiter *waiter = xcalloc(1, sizeof *waiter);
    waiter->txn = txn;
    waiter->token = request->token;
    waiter->kind = request->kind;
    waiter->wait = request->wait;
    waiter->branch_index = request->branch_index;
    list_push_back(&txn->waiters, &waiter->link);
    heap_node_init(&waiter->timer);
    if (request->kind == REQUEST_WATCH) {
        tell(step, txn, request->token, request->kind, 0, false);
    } else {
        heap_insert(&engine->waiter_timers, &waiter->timer, step->now.boot_ms + request->wait_ms);
    }
    table_insert_u64(&engine->waiters, &waiter->by_token, (uint64_t)(uintptr_t)request->token);
}

void waiters_notify(struct step *step, struct txn *txn)
{
    struct list_node *node = txn->waiters.next;
    while (node != &txn->waiters) {
        struct waiter *waiter = container_of(node, struct waiter, link);
        node = node->next;
        bool reached = is_reached(txn, waiter->kind, waiter->wait, waiter->branch_index);
        if (reached || waiter->kind == REQUEST_WATCH) {
            tell(step, txn, waiter->token, waiter->kind, waiter->branch_index, reached);
        }
        if (reached) {
            waiter_remove(step->engine, waiter);
        }
    }
}

void waiters_tick(struct step *step)
{
    struct engine *engine = step->engine;
    struct heap_node *node = heap_peek(&engine->waiter_timers);
    while (node != NULL && node->key <= step->now.boot_ms) {
        struct waiter *waiter = container_of(node, struct waiter, timer);
        tell(step, waiter->txn, waiter->token, waiter->kind, waiter->branch_index, true);
        waiter_remove(engine, waiter);
        node = heap_peek(&engine->waiter_timers);
    }
}

void waiter_forget(struct step *step, void *token)
{
    struct table_node *node = table_find_u64(&step->engine->waiters, (uint64_t)(uintptr_t)token);
    if (node != NULL) {
        struct waiter *waiter = container_of(node, struct waiter, by_token);
        struct effect_reply *reply = add_reply(step, token, waiter->kind);
        reply->status = TERCET_CALL_CANCELLED;
        reply->code = "TERCET_FORGOTTEN_CALL";
        reply->text = xstrdup("the caller has gone away");
        waiter_remove(step->engine, waiter);
    }
}

void waiters_answer_all(struct step *step)
{
    struct table_node *node = table_first(&step->engine->waiters);
    while (node != NULL) {
        struct waiter *waiter = container_of(node, struct waiter, by_token);
        node = table_next(&step->engine->waiters, node);
        tell(step, waiter->txn, waiter->token, waiter->kind, waiter->branch_index, true);
        waiter_remove(step->engine, waiter);
    }
}

void waiters_destroy_all(struct engine *engine)
{
    struct table_node *node = table_first(&engine->waiters);
    while (node != NULL) {
        struct waiter *waiter = container_of(node, struct waiter, by_token);
        node = table_next(&engine->waiters, node);
        waiter_remove(engine, waiter);
    }
}

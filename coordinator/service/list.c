/* list.c -- see list.h. */
#include "service/list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"
#include "service/call.h"
#include "service/check.h"
#include "service/wire.h"

enum { OPEN_STATES = 1 << TXN_TRYING | 1 << TXN_CONFIRMING | 1 << TXN_CANCELLING };
enum { ENDED_STATES = 1 << TXN_CONFIRMED | 1 << TXN_CANCELLED };

/* ---- The request ------------------------------------------------------------------------------- */

static bool take_states(struct list_page *page, const Tercet__V1__ListRequest *message,
                        struct refusal *refusal)
{
    if (!check_range(refusal, "states", (int64_t)message->n_states, 0, TXN_STATE_COUNT)) {
        return false;
    }
    for (size_t i = 0; i < message->n_states; i++) {
        const int state = (int)message->states[i];
        if (state <= TXN_NONE || state >= TXN_STATE_COUNT) {
            return refusal_set(refusal, TERCET_INVALID_ARGUMENT, "TERCET_MALFORMED", "states",
                               "states[%zu] is %d; a state is %d to %d", i, state, TXN_TRYING,
                               TXN_STATE_COUNT - 1);
        }
        page->state_mask |= 1U << (unsigned)state;
    }
    return true;
}

static bool refuse_token(struct refusal *refusal)
{
    return refusal_set(refusal, TERCET_INVALID_ARGUMENT, "TERCET_MALFORMED", "page_token",
                       "page_token is none of ours; repeat the next_page_token of the last reply, "
                       "or leave it empty to begin anew");
}

/* Digits alone, below 2^63; no leading zero. */
static bool parse_sequence(const char *text, int64_t *sequence_out)
{
    int64_t sequence = 0;
    if (text[0] < '1' || text[0] > '9') {
        return false;
    }
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || sequence > (INT64_MAX - (*at - '0')) / 10) {
            return false;
        }
        sequence = sequence * 10 + (*at - '0');
    }
    *sequence_out = sequence;
    return true;
}

static bool take_token(struct list_page *page, const char *token, struct refusal *refusal)
{
    const size_t size = strlen(token);
    if (!check_bytes(refusal, "page_token", size, 0, LIST_TOKEN_BYTES_MAX)) {
        return false;
    }
    if (token[0] == '\0') {
        return true;
    }
    if (token[0] == 'e') {
        page->in_outcomes = true;
        memcpy(page->cursor, token + 1, size);
        return true; /* the journal judges its cursor */
    }
    return (token[0] == 'o' && parse_sequence(token + 1, &page->after_sequence)) ||
           refuse_token(refusal);
}

static bool take_prefix(struct list_page *page, const char *prefix, struct refusal *refusal)
{
    if (prefix[0] == '\0') {
        return true;
    }
    if (!check_gid(refusal, "gid_prefix", prefix)) {
        return false;
    }
    memcpy(page->gid_prefix, prefix, strlen(prefix) + 1);
    return true;
}

static uint32_t page_size(const Tercet__V1__ListRequest *message)
{
    const uint32_t size = message->page_size == 0 ? LIST_PAGE_SIZE_DEFAULT : message->page_size;
    return message->with_branches && size > LIST_PAGE_SIZE_WITH_BRANCHES
               ? LIST_PAGE_SIZE_WITH_BRANCHES
               : size;
}

struct list_page *list_page_create(const Tercet__V1__ListRequest *message, struct refusal *refusal)
{
    if (!check_range(refusal, "page_size", message->page_size, 0, LIST_PAGE_SIZE_MAX)) {
        return NULL;
    }
    struct list_page *page = xcalloc(1, sizeof *page);
    if (!take_states(page, message, refusal) || !take_prefix(page, message->gid_prefix, refusal) ||
        !take_token(page, message->page_token, refusal)) {
        free(page);
        return NULL;
    }
    page->size = page_size(message);
    page->attention_only = message->attention != 0;
    page->with_branches = message->with_branches != 0;
    page->views = xcalloc(page->size, sizeof(struct view *));
    if (page->state_mask != 0 && (page->state_mask & OPEN_STATES) == 0) {
        page->in_outcomes = true;
    }
    return page;
}

void list_page_destroy(struct list_page *page)
{
    if (page == NULL) {
        return;
    }
    for (uint32_t i = 0; i < page->count; i++) {
        view_destroy(page->views[i]);
    }
    free((void *)page->views);
    free(page);
}

/* ---- Filling the page -------------------------------------------------------------------------- */

/* Nobody has to look after what has ended. */
static bool wants_outcomes(const struct list_page *page)
{
    return !page->attention_only &&
           (page->state_mask == 0 || (page->state_mask & ENDED_STATES) != 0);
}

static bool fits(const struct list_page *page, const struct view *view)
{
    return (page->state_mask == 0 || (page->state_mask & (1U << view->state)) != 0) &&
           strncmp(view->gid, page->gid_prefix, strlen(page->gid_prefix)) == 0;
}

/* Answers with what the page holds, and closes the call. */
static void answer(struct call *call, const char *next_token)
{
    const struct list_page *page = call->page;
    Tercet__V1__ListReply message = TERCET__V1__LIST_REPLY__INIT;
    message.transactions = xcalloc(page->count + 1U, sizeof message.transactions[0]);
    message.n_transactions = page->count;
    for (uint32_t i = 0; i < page->count; i++) {
        message.transactions[i] = wire_transaction(page->views[i], page->with_branches);
    }
    message.next_page_token = (char *)(uintptr_t)next_token;
    rpc_unary_reply(call->caller.unary, &message.base);
    for (uint32_t i = 0; i < page->count; i++) {
        free(message.transactions[i]);
    }
    free((void *)message.transactions);
    call_close(call);
}

static void ask_for_outcomes(struct call *call)
{
    const struct service_options *options = &call->service->options;
    struct list_page *page = call->page;
    page->in_outcomes = true;
    options->list_outcomes(options->context, call, page->cursor, page->size - page->count);
}

static void ask_for_open(struct call *call)
{
    const struct list_page *page = call->page;
    struct event *event = event_create(EVENT_REQUEST);
    struct request *request = &event->u.request;
    request->kind = REQUEST_LIST;
    request->after_sequence = page->after_sequence;
    request->page_size = page->size;
    request->state_mask = page->state_mask;
    request->attention_only = page->attention_only;
    memcpy(request->gid_prefix, page->gid_prefix, sizeof request->gid_prefix);
    call_submit(call, event);
}

void list_start(struct call *call)
{
    if (!call->page->in_outcomes) {
        ask_for_open(call);
    } else if (wants_outcomes(call->page)) {
        ask_for_outcomes(call);
    } else {
        answer(call, "");
    }
}

void list_continue(struct call *call, struct effect_reply *reply)
{
    struct list_page *page = call->page;
    tercet_assert(reply->list_count <= page->size && page->count == 0);
    for (uint32_t i = 0; i < reply->list_count; i++) {
        page->views[i] = reply->list[i];
    }
    page->count = reply->list_count;
    reply->list_count = 0; /* taken */
    char token[32] = "";
    if (reply->list_next_sequence != 0) {
        (void)snprintf(token, sizeof token, "o%" PRId64, reply->list_next_sequence);
        answer(call, token);
    } else if (!wants_outcomes(page)) {
        answer(call, "");
    } else if (page->count == page->size) {
        answer(call, "e");
    } else {
        ask_for_outcomes(call);
    }
}

void list_finish(struct call *call, struct view **views, uint32_t count, const char *next_cursor,
                 enum tercet_status status)
{
    struct list_page *page = call->page;
    tercet_assert(page->in_outcomes && count <= page->size - page->count);
    for (uint32_t i = 0; i < count; i++) {
        if (fits(page, views[i])) {
            page->views[page->count] = views[i];
            page->count++;
        } else {
            view_destroy(views[i]);
        }
    }
    struct refusal refusal;
    if (status != TERCET_OK) {
        if (status == TERCET_INVALID_ARGUMENT) {
            (void)refuse_token(&refusal);
        } else {
            (void)refusal_set(&refusal, status, "TERCET_JOURNAL", "",
                              "the outcomes cannot be listed now");
        }
        call_fail(call, &refusal, true);
        call_close(call);
        return;
    }
    char token[LIST_TOKEN_BYTES_MAX + 1] = "";
    if (next_cursor[0] != '\0') {
        tercet_assert(strlen(next_cursor) < LIST_TOKEN_BYTES_MAX);
        (void)snprintf(token, sizeof token, "e%s", next_cursor);
    }
    answer(call, token);
}

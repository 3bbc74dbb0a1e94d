/* call.c -- see call.h. */
#include "service/call.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "service/batch.h"
#include "service/wire.h"

enum { BUSY_RETRY_AFTER_MS = 1000, FULL_RETRY_AFTER_MS = 100 };

struct call *call_open(struct service *service, enum request_kind kind, struct refusal *refusal)
{
    const uint32_t max = service->options.waiting_calls_max;
    const uint32_t before = atomic_fetch_add(&service->waiting, 1);
    if (before >= max) {
        atomic_fetch_sub(&service->waiting, 1);
        refusal_set(refusal, TERCET_RESOURCE_EXHAUSTED, "TERCET_WAITING_CALLS", "",
                    "%" PRIu32
                    " calls are waiting, which is the limit; nothing was done, try again "
                    "later",
                    max);
        refusal->limit = max;
        refusal->value = (int64_t)before + 1;
        refusal->retry_after_ms = BUSY_RETRY_AFTER_MS;
        return NULL;
    }
    struct call *call = xcalloc(1, sizeof *call);
    TERCET_FAILPOINT("service.opened");
    call->service = service;
    call->kind = kind;
    atomic_init(&call->refs, 1);
    return call;
}

void call_unref(struct call *call)
{
    if (atomic_fetch_sub(&call->refs, 1) == 1) {
        list_page_destroy(call->page);
        free(call);
    }
}

void call_close(struct call *call)
{
    atomic_fetch_sub(&call->service->waiting, 1);
    call_unref(call);
}

void caller_fail(const struct caller *caller, const struct refusal *refusal, bool refused)
{
    struct wire_error error;
    if (caller->answers != NULL) {
        batch_fail(caller->answers, caller->name, refusal, refused);
        return;
    }
    wire_error_init(&error, refusal, refused);
    if (caller->stream != NULL) {
        rpc_stream_finish(caller->stream, refusal->status, refusal->text, &error.detail);
    } else {
        rpc_unary_fail(caller->unary, refusal->status, refusal->text, &error.detail);
    }
    wire_error_deinit(&error);
}

void call_fail(struct call *call, const struct refusal *refusal, bool refused)
{
    caller_fail(&call->caller, refusal, refused);
}

void call_request(struct call *call, struct event *event, struct list_node *requests)
{
    event->u.request.token = call;
    list_push_back(requests, &event->link);
}

static void refuse_full(struct call *call)
{
    struct refusal refusal;
    refusal_set(&refusal, TERCET_RESOURCE_EXHAUSTED, "TERCET_INBOX_FULL", "",
                "more requests have arrived than can be looked at; nothing was done, try again "
                "later");
    refusal.retry_after_ms = FULL_RETRY_AFTER_MS;
    call_fail(call, &refusal, true);
    call_close(call);
}

void call_submit_all(struct service *service, struct list_node *requests)
{
    inbox_push_all(service->options.inbox, requests);
    while (!list_is_empty(requests)) {
        struct event *event = container_of(list_pop_front(requests), struct event, link);
        struct call *call = event->u.request.token;
        event_destroy(event);
        refuse_full(call);
    }
}

void call_submit(struct call *call, struct event *event)
{
    struct list_node requests;
    list_init(&requests);
    call_request(call, event, &requests);
    call_submit_all(call->service, &requests);
}

/* event.c -- see event.h. */
#include "engine/event.h"

#include <stdlib.h>

#include "base/memory.h"

struct event *event_create(enum event_kind kind)
{
    struct event *event = xcalloc(1, sizeof *event);
    event->kind = kind;
    list_init(&event->link);
    return event;
}

static void request_deinit(struct request *request)
{
    for (uint32_t i = 0; i < request->branch_count; i++) {
        branch_unref(request->branches[i]);
    }
    free(request->branches);
}

void event_destroy(struct event *event)
{
    if (event == NULL) {
        return;
    }
    switch (event->kind) {
    case EVENT_REQUEST:
        request_deinit(&event->u.request);
        break;
    case EVENT_FOUND:
        view_destroy(event->u.found.view);
        break;
    case EVENT_ANSWER:
        branch_unref(event->u.answer.branch);
        free((void *)(uintptr_t)event->u.answer.result.data);
        break;
    case EVENT_FETCHED:
        branch_unref(event->u.fetched.branch);
        free((void *)(uintptr_t)event->u.fetched.payload.data);
        break;
    case EVENT_PROBED:
        free(event->u.probed.actions);
        free(event->u.probed.description);
        free(event->u.probed.closed.open);
        break;
    case EVENT_INSPECTED:
        free(event->u.inspected.rows);
        break;
    case EVENT_FORGET:
    case EVENT_PARTICIPANT:
    case EVENT_HORIZON:
    case EVENT_DURABLE:
    case EVENT_STOP:
        break;
    }
    free(event);
}

/* inquiry.c -- requests whose gid is not in memory.
 *
 * Nothing is begun before the journal has been asked whether that gid has an outcome.  While the
 * question is open every request of the gid waits here, in order; so nobody can begin it meanwhile,
 * and a transaction that ends leaves memory only when its outcome can be found by such a look-up.
 * Bounds: those who wait here are at most half of the calls that may wait, so that while outcomes are
 * still counted the others have the other half; their payloads count like those of open transactions.
 *
 * An engine that stops refuses them: the look-up may be answered when nobody can be told any more. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "engine/engine_internal.h"

struct inquiry {
    struct table_node by_gid;
    struct list_node link;
    struct list_node events; /* struct event: requests, in order */
    char gid[TERCET_GID_BYTES_MAX + 1];
};

static struct inquiry *inquiry_find(struct engine *engine, const char *gid)
{
    struct table_node *node = table_find(&engine->inquiries, gid, strlen(gid));
    return node == NULL ? NULL : container_of(node, struct inquiry, by_gid);
}

static void refuse(struct step *step, struct event *event)
{
    reply_refused(step, &event->u.request, TERCET_UNAVAILABLE, "TERCET_STOPPING",
                  "the coordinator stops; nothing was done, try again");
    event_destroy(event);
}

/* If not, the request is answered. */
static bool has_room(struct step *step, const struct request *request)
{
    const uint32_t half = step->engine->options.limits.waiting_calls_max / 2;
    if (step->engine->inquiry_count >= (half > 0 ? half : 1)) {
        reply_refused(step, request, TERCET_RESOURCE_EXHAUSTED, "TERCET_WAITING_CALLS",
                      "calls that wait for a look-up of their gid are at their limit of %" PRIu32
                      "; nothing was done, try again later",
                      half > 0 ? half : 1);
        return false;
    }
    return admit_bytes(step, request);
}

void inquiry_ask(struct step *step, struct event *event)
{
    struct engine *engine = step->engine;
    if (engine->stopping) {
        refuse(step, event);
        return;
    }
    if (!has_room(step, &event->u.request)) {
        event_destroy(event);
        return;
    }
    const char *gid = event->u.request.gid;
    struct inquiry *inquiry = inquiry_find(engine, gid);
    if (inquiry == NULL) {
        inquiry = xcalloc(1, sizeof *inquiry);
        memcpy(inquiry->gid, gid, sizeof inquiry->gid);
        list_init(&inquiry->events);
        list_push_back(&engine->inquiry_list, &inquiry->link);
        table_insert(&engine->inquiries, &inquiry->by_gid, inquiry->gid, strlen(inquiry->gid));
        struct effect *effect = effects_add(step->effects, EFFECT_LOOKUP);
        memcpy(effect->u.lookup.gid, gid, sizeof effect->u.lookup.gid);
    }
    list_push_back(&inquiry->events, &event->link);
    engine->inquiry_count++;
    engine->inquiry_bytes += admit_bytes_of(&event->u.request);
}

static struct event *take_event(struct engine *engine, struct inquiry *inquiry)
{
    struct event *event = container_of(list_pop_front(&inquiry->events), struct event, link);
    engine->inquiry_count--;
    engine->inquiry_bytes -= admit_bytes_of(&event->u.request);
    return event;
}

static void inquiry_remove(struct engine *engine, struct inquiry *inquiry)
{
    tercet_assert(list_is_empty(&inquiry->events));
    table_remove(&engine->inquiries, &inquiry->by_gid);
    list_remove(&inquiry->link);
    free(inquiry);
}

void inquiry_found(struct step *step, struct event *event)
{
    struct engine *engine = step->engine;
    struct inquiry *inquiry = inquiry_find(engine, event->u.found.gid);
    if (inquiry == NULL) {
        tercet_assert(engine->stopping);
        return;
    }
    while (!list_is_empty(&inquiry->events)) {
        struct event *request = take_event(engine, inquiry);
        /* The request before it may have begun the transaction. */
        struct table_node *txn = table_find(&engine->by_gid, inquiry->gid, strlen(inquiry->gid));
        if (txn != NULL) {
            request_on_txn(step, request, container_of(txn, struct txn, by_gid));
        } else if (event->u.found.view != NULL) {
            request_on_outcome(step, request, event->u.found.view);
        } else {
            request_on_nothing(step, request);
        }
    }
    inquiry_remove(engine, inquiry);
}

bool inquiry_forget(struct engine *engine, const void *token)
{
    for (struct list_node *node = engine->inquiry_list.next; node != &engine->inquiry_list;
         node = node->next) {
        struct inquiry *inquiry = container_of(node, struct inquiry, link);
        for (struct list_node *at = inquiry->events.next; at != &inquiry->events; at = at->next) {
            struct request *request = &container_of(at, struct event, link)->u.request;
            if (request->token == token) {
                /* It is still answered, once, as soon as the look-up is back. */
                request->kind = REQUEST_GET;
                request->wait = WAIT_MODE_BEGIN;
                return true;
            }
        }
    }
    return false;
}

void inquiry_refuse_all(struct step *step)
{
    struct engine *engine = step->engine;
    while (!list_is_empty(&engine->inquiry_list)) {
        struct inquiry *inquiry = container_of(engine->inquiry_list.next, struct inquiry, link);
        while (!list_is_empty(&inquiry->events)) {
            refuse(step, take_event(engine, inquiry));
        }
        inquiry_remove(engine, inquiry);
    }
}

void inquiry_destroy_all(struct engine *engine)
{
    while (!list_is_empty(&engine->inquiry_list)) {
        struct inquiry *inquiry = container_of(engine->inquiry_list.next, struct inquiry, link);
        while (!list_is_empty(&inquiry->events)) {
            event_destroy(take_event(engine, inquiry));
        }
        inquiry_remove(engine, inquiry);
    }
}

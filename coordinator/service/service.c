/* service.c -- see service.h.  The table of methods, how a request comes in, how answers go out. */
#include "service/service.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "service/batch.h"
#include "service/call.h"
#include "service/wire.h"

#define PATH "/tercet.v1.Coordinator/"

/* Arrivals that may be under way at once, per completion queue. */
enum { SLOTS_OFTEN = 64, SLOTS_RARELY = 4 };

enum { STOPPING_RETRY_AFTER_MS = 1000 };

static const struct {
    const char *path;
    const ProtobufCMessageDescriptor *request;
    enum request_kind kind;
    read_fn read; /* NULL: LIST */
    bool is_new_work;
    bool often;
} methods[] = {
    {PATH "Execute", &tercet__v1__execute_request__descriptor, REQUEST_EXECUTE, read_execute, true,
     true},
    {PATH "Begin", &tercet__v1__begin_request__descriptor, REQUEST_BEGIN, read_begin, true, true},
    {PATH "Try", &tercet__v1__try_request__descriptor, REQUEST_TRY, read_try, true, true},
    {PATH "Confirm", &tercet__v1__confirm_request__descriptor, REQUEST_CONFIRM, read_confirm, false,
     true},
    {PATH "Cancel", &tercet__v1__cancel_request__descriptor, REQUEST_CANCEL, read_cancel, false,
     true},
    {PATH "Get", &tercet__v1__get_request__descriptor, REQUEST_GET, read_get, false, true},
    {PATH "Watch", &tercet__v1__watch_request__descriptor, REQUEST_WATCH, read_watch, false, false},
    {PATH "List", &tercet__v1__list_request__descriptor, REQUEST_LIST, NULL, false, false},
    {PATH "Resolve", &tercet__v1__resolve_request__descriptor, REQUEST_RESOLVE, read_resolve, false,
     false},
};

static_assert(sizeof methods / sizeof methods[0] + 1 == SERVICE_METHOD_COUNT, "and ExecuteStream");

enum { METHOD_EXECUTE = 0, METHOD_STREAM = SERVICE_METHOD_COUNT - 1 };

static void on_unary(struct rpc_unary *unary, const ProtobufCMessage *message, void *context);
static void on_list(struct rpc_unary *unary, const ProtobufCMessage *message, void *context);
static void on_watch(struct rpc_stream *stream, const ProtobufCMessage *message, void *context);

/* ---- Life -------------------------------------------------------------------------------------- */

static void fill_method(struct service *service, size_t i)
{
    service->methods[i] = (struct method){.service = service,
                                          .kind = methods[i].kind,
                                          .is_new_work = methods[i].is_new_work,
                                          .read = methods[i].read};
    struct rpc_method *rpc = &service->rpc_methods[i];
    *rpc = (struct rpc_method){.path = methods[i].path,
                               .kind = RPC_METHOD_UNARY,
                               .request = methods[i].request,
                               .refuse_unknown = true,
                               .unary = methods[i].read == NULL ? on_list : on_unary,
                               .context = &service->methods[i],
                               .slots = methods[i].often ? SLOTS_OFTEN : SLOTS_RARELY};
    if (methods[i].kind == REQUEST_WATCH) {
        rpc->kind = RPC_METHOD_SERVER_STREAM;
        rpc->unary = NULL;
        rpc->stream = on_watch;
    }
}

struct service *service_create(const struct service_options *options)
{
    struct service *service = xcalloc(1, sizeof *service);
    service->options = *options;
    atomic_init(&service->waiting, 0);
    atomic_init(&service->draining, false);
    atomic_init(&service->streams, 0);
    for (size_t i = 0; i < METHOD_STREAM; i++) {
        fill_method(service, i);
    }
    service->rpc_methods[METHOD_STREAM] =
        (struct rpc_method){.path = PATH "ExecuteStream",
                            .kind = RPC_METHOD_DUPLEX,
                            .request = &tercet__v1__execute_batch__descriptor,
                            .duplex = batch_serve,
                            .context = &service->methods[METHOD_EXECUTE],
                            .slots = SLOTS_RARELY};
    return service;
}

void service_destroy(struct service *service)
{
    free(service);
}

const struct rpc_method *service_methods(struct service *service, size_t *count_out)
{
    *count_out = SERVICE_METHOD_COUNT;
    return service->rpc_methods;
}

void service_drain(struct service *service)
{
    atomic_store(&service->draining, true);
}

uint32_t service_waiting_calls(const struct service *service)
{
    return atomic_load(&service->waiting);
}

/* ---- In ---------------------------------------------------------------------------------------- */

static bool is_stopping(const struct method *method, struct refusal *refusal)
{
    if (!method->is_new_work || !atomic_load(&method->service->draining)) {
        return false;
    }
    refusal_set(refusal, TERCET_UNAVAILABLE, "TERCET_STOPPING", "",
                "the coordinator is stopping and begins nothing new; nothing was done, try again");
    refusal->retry_after_ms = STOPPING_RETRY_AFTER_MS;
    return true;
}

/* The request as an event, or NULL and the refusal. */
static struct event *read_request(const struct method *method, const ProtobufCMessage *message,
                                  uint32_t left_ms, struct refusal *refusal)
{
    if (is_stopping(method, refusal)) {
        return NULL;
    }
    const struct read read = {.directory = method->service->options.directory,
                              .try_timeout_ms = method->service->options.try_timeout_ms,
                              .left_ms = left_ms,
                              .refusal = refusal};
    struct event *event = event_create(EVENT_REQUEST);
    event->u.request.kind = method->kind;
    if (!method->read(&read, message, &event->u.request)) {
        event_destroy(event);
        return NULL;
    }
    return event;
}

/* A call for the request, or NULL: it was refused. */
static struct call *open_call(const struct method *method, const struct caller *caller,
                              const ProtobufCMessage *message, uint32_t left_ms,
                              struct event **event_out)
{
    struct refusal refusal;
    struct event *event = read_request(method, message, left_ms, &refusal);
    if (event == NULL) {
        caller_fail(caller, &refusal, true);
        return NULL;
    }
    struct call *call = call_open(method->service, method->kind, &refusal);
    if (call == NULL) {
        event_destroy(event);
        caller_fail(caller, &refusal, true);
        return NULL;
    }
    TERCET_FAILPOINT("service.admitted");
    call->caller = *caller;
    /* The event has what is needed, counted; and nobody has the call's token yet. */
    if (caller->unary != NULL) {
        rpc_unary_forget_request(caller->unary);
    } else if (caller->stream != NULL) {
        rpc_stream_forget_request(caller->stream);
    }
    *event_out = event;
    return call;
}

void service_take(const struct method *method, const struct caller *caller,
                  const ProtobufCMessage *message, uint32_t left_ms, struct list_node *requests)
{
    struct event *event = NULL;
    TERCET_FAILPOINT("service.received");
    struct call *call = open_call(method, caller, message, left_ms, &event);
    if (call != NULL) {
        call_request(call, event, requests);
    }
}

static void on_unary(struct rpc_unary *unary, const ProtobufCMessage *message, void *context)
{
    const struct method *method = context;
    const struct caller caller = {.unary = unary};
    struct list_node requests;
    list_init(&requests);
    service_take(method, &caller, message, rpc_unary_timeout_ms(unary), &requests);
    call_submit_all(method->service, &requests);
}

static void on_list(struct rpc_unary *unary, const ProtobufCMessage *message, void *context)
{
    const struct method *method = context;
    const struct caller caller = {.unary = unary};
    struct refusal refusal;
    struct list_page *page = list_page_create((const Tercet__V1__ListRequest *)message, &refusal);
    if (page == NULL) {
        caller_fail(&caller, &refusal, true);
        return;
    }
    struct call *call = call_open(method->service, method->kind, &refusal);
    if (call == NULL) {
        list_page_destroy(page);
        caller_fail(&caller, &refusal, true);
        return;
    }
    call->caller = caller;
    call->page = page;
    rpc_unary_forget_request(unary);
    list_start(call);
}

/* The watcher has gone: the engine gives the token back. */
static void on_watch_cancelled(struct rpc_stream *stream, void *context)
{
    (void)stream;
    struct call *call = context;
    struct event *event = event_create(EVENT_FORGET);
    event->u.forget.token = call;
    if (!inbox_push_always(call->service->options.inbox, &event->link)) {
        event_destroy(event); /* the loop has ended */
    }
}

static void on_watch_released(void *context)
{
    call_unref(context);
}

static void on_watch(struct rpc_stream *stream, const ProtobufCMessage *message, void *context)
{
    const struct caller caller = {.stream = stream};
    struct event *event = NULL;
    struct call *call = open_call(context, &caller, message, rpc_stream_timeout_ms(stream), &event);
    if (call == NULL) {
        return;
    }
    atomic_fetch_add(&call->refs, 1); /* the events' */
    const struct rpc_stream_events events = {
        .cancelled = on_watch_cancelled, .released = on_watch_released, .context = call};
    rpc_stream_listen(stream, &events);
    call_submit(call, event);
}

/* ---- Out --------------------------------------------------------------------------------------- */

static void fail(struct call *call, const struct effect_reply *reply)
{
    struct refusal refusal;
    refusal_set(&refusal, reply->status, reply->code == NULL ? "" : reply->code, "", "%s",
                reply->text == NULL ? "" : reply->text);
    refusal.retry_after_ms = reply->retry_after_ms;
    call_fail(call, &refusal, reply->refused);
}

static void reply_to_watch(struct call *call, const struct effect_reply *reply)
{
    Tercet__V1__Transaction *message = wire_transaction(reply->view, true);
    TERCET_FAILPOINT("service.before_watch");
    rpc_stream_send(call->caller.stream, &message->base);
    free(message);
    if (reply->last) {
        rpc_stream_finish(call->caller.stream, TERCET_OK, "", NULL);
    }
}

static void reply_to_try(struct call *call, const struct effect_reply *reply)
{
    Tercet__V1__Reason reason;
    Tercet__V1__TryReply message;
    wire_try_reply(reply, &reason, &message);
    TERCET_FAILPOINT("service.before_try_reply");
    rpc_unary_reply(call->caller.unary, &message.base);
}

static void reply_with_transaction(struct call *call, const struct effect_reply *reply)
{
    Tercet__V1__Transaction *message = wire_transaction(reply->view, true);
    TERCET_FAILPOINT("service.before_reply");
    if (call->caller.answers != NULL) {
        batch_reply(call->caller.answers, call->caller.name, message);
    } else {
        rpc_unary_reply(call->caller.unary, &message->base);
    }
    TERCET_FAILPOINT("service.after_reply");
    free(message);
}

/* Everything that the reply still owns. */
static void release(struct effect_reply *reply)
{
    free(reply->text);
    view_destroy(reply->view);
    for (uint32_t i = 0; i < reply->list_count; i++) {
        view_destroy(reply->list[i]);
    }
    free((void *)reply->list);
    reply->text = NULL;
    reply->view = NULL;
    reply->list = NULL;
    reply->list_count = 0;
}

void service_reply(struct service *service, struct effect_reply *reply)
{
    struct call *call = reply->token;
    tercet_assert(call->service == service);
    tercet_assert(reply->last || call->kind == REQUEST_WATCH);
    /* What the call is, not what the reply says it answers: a watcher that has gone while its gid was
     * looked up is answered like a Get. */
    bool close = reply->last;
    if (call->caller.answers != NULL) {
        batch_hold(service, call->caller.answers);
    }
    if (reply->status != TERCET_OK) {
        tercet_assert(reply->last);
        fail(call, reply);
    } else if (call->kind == REQUEST_WATCH) {
        reply_to_watch(call, reply);
    } else if (call->kind == REQUEST_LIST) {
        list_continue(call, reply);
        close = false; /* it does that itself */
    } else if (call->kind == REQUEST_TRY) {
        reply_to_try(call, reply);
    } else {
        reply_with_transaction(call, reply);
    }
    release(reply);
    if (close) {
        call_close(call);
    }
}

void service_outcomes(struct service *service, void *token, struct view **views, uint32_t count,
                      const char *next_cursor, enum tercet_status status)
{
    struct call *call = token;
    tercet_assert(call->service == service && call->kind == REQUEST_LIST);
    list_finish(call, views, count, next_cursor, status);
}

/* ---- What rpc refuses by itself ---------------------------------------------------------------- */

static const char *code_of(enum rpc_refusal refusal)
{
    switch (refusal) {
    case RPC_REFUSAL_MALFORMED:
        return "TERCET_MALFORMED";
    case RPC_REFUSAL_TOO_LARGE:
        return "TERCET_LIMIT";
    case RPC_REFUSAL_NOT_UNDERSTOOD:
        return "TERCET_NOT_UNDERSTOOD";
    case RPC_REFUSAL_UNIMPLEMENTED:
        return "TERCET_UNIMPLEMENTED";
    case RPC_REFUSAL_STOPPING:
        return "TERCET_STOPPING";
    }
    tercet_unreachable();
}

void service_refused(enum rpc_refusal why, enum tercet_status status, const char *text,
                     struct rpc_trailers *trailers, void *context)
{
    (void)context;
    struct refusal refusal;
    refusal_set(&refusal, status, code_of(why), "", "%s", text);
    refusal.retry_after_ms = why == RPC_REFUSAL_STOPPING ? STOPPING_RETRY_AFTER_MS : 0;
    struct wire_error error;
    wire_error_init(&error, &refusal, true);
    for (size_t i = 0; i < error.detail.trailer_count; i++) {
        rpc_trailers_add(trailers, error.trailers[i].key, error.trailers[i].value);
    }
    wire_error_deinit(&error);
}

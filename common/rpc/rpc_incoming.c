#include "rpc/rpc_incoming.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "rpc/rpc_scan.h"

enum { STATUS_TEXT_BYTES_MAX = 1024, REFUSAL_TEXT_SIZE = 384 };

/* Of a server: what clients may leave unread, with what core takes for a call beside its answer: some 4000
 * calls, as many as may wait at first and be answered at once. */
enum { UNSENT_BYTES_MAX = 64 * 1024 * 1024, UNSENT_CALL_BYTES = 16 * 1024 };

static void requested_run(struct rpc_tag *tag, bool ok);
static void answered_run(struct rpc_tag *tag, bool ok);

void rpc_incoming_post(struct rpc_route *route, const struct rpc_incoming_kind *kind,
                       grpc_completion_queue *queue)
{
    struct rpc_incoming *incoming = kind->create();
    incoming->kind = kind;
    incoming->site = route->site;
    incoming->route = route;
    incoming->queue = queue;
    incoming->requested.run = requested_run;
    grpc_metadata_array_init(&incoming->metadata);
    rpc_site_enter(route->site);
    rpc_tag_hand(&incoming->requested);
    const grpc_call_error error = grpc_server_request_registered_call(
        route->site->core, route->registered, &incoming->call, &incoming->deadline,
        &incoming->metadata, rpc_route_has_request(route) ? &incoming->payload : NULL, queue, queue,
        &incoming->requested);
    tercet_assert(error == GRPC_CALL_OK); /* also while the server stops; then the tag says so */
}

void rpc_incoming_accept(struct rpc_incoming *incoming)
{
    incoming->answered.run = answered_run;
    list_init(&incoming->held);
    list_init(&incoming->unsent);
    incoming->text = grpc_empty_slice();
    atomic_init(&incoming->parties, 1);
    rpc_metadata_ref(&incoming->metadata);
    rpc_trailers_init(&incoming->trailers);
}

/* Scans and decodes; refuses and returns false when that fails. */
static bool decode(struct rpc_incoming *incoming)
{
    const struct rpc_method *const method = &incoming->route->method;
    const char *const name = method->request->name;
    char text[REFUSAL_TEXT_SIZE];
    if (incoming->payload == NULL) {
        (void)snprintf(text, sizeof text, "the call has no message; %.200s is expected", name);
        rpc_incoming_refuse(incoming, RPC_REFUSAL_MALFORMED, TERCET_INVALID_ARGUMENT, text);
        return false;
    }
    struct rpc_body body;
    struct rpc_scan_result scan;
    rpc_body_open(&body, incoming->payload);
    const enum rpc_scan_verdict verdict =
        rpc_scan(method->request, body.bytes, incoming->site->element_count_max, &scan);
    const bool understood = !method->refuse_unknown || !scan.has_unknown;
    if (verdict == RPC_SCAN_FINE && understood) {
        incoming->request = rpc_codec_unpack(method->request, body.bytes, scan.element_count);
    }
    rpc_body_close(&body);
    grpc_byte_buffer_destroy(incoming->payload);
    incoming->payload = NULL;
    if (incoming->request != NULL) {
        return true;
    }

    enum rpc_refusal refusal = RPC_REFUSAL_MALFORMED;
    enum tercet_status status = TERCET_INVALID_ARGUMENT;
    switch (verdict) {
    case RPC_SCAN_TOO_DEEP:
        (void)snprintf(text, sizeof text, "request %.200s is nested more than %d levels deep", name,
                       (int)RPC_SCAN_DEPTH_MAX);
        break;
    case RPC_SCAN_TOO_MANY:
        refusal = RPC_REFUSAL_TOO_LARGE;
        status = TERCET_RESOURCE_EXHAUSTED;
        (void)snprintf(text, sizeof text, "request %.200s has more elements than the limit of %u",
                       name, (unsigned)incoming->site->element_count_max);
        break;
    case RPC_SCAN_NUL:
        (void)snprintf(text, sizeof text, "request %.100s: %s holds a NUL byte; text cannot", name,
                       scan.unknown_path);
        break;
    case RPC_SCAN_FINE:
    case RPC_SCAN_MALFORMED:
        if (verdict == RPC_SCAN_FINE && !understood) {
            refusal = RPC_REFUSAL_NOT_UNDERSTOOD;
            (void)snprintf(text, sizeof text,
                           "request %.200s holds %s, which this version does not know", name,
                           scan.unknown_path);
        } else {
            (void)snprintf(text, sizeof text, "request is not a %.200s", name);
        }
        break;
    }
    rpc_incoming_refuse(incoming, refusal, status, text);
    return false;
}

static void requested_run(struct rpc_tag *tag, bool ok)
{
    struct rpc_incoming *const incoming = container_of(tag, struct rpc_incoming, requested);
    struct rpc_site *const site = incoming->site;
    if (!ok) {
        /* The server stops; there is no call. */
        tercet_assert(incoming->call == NULL);
        grpc_metadata_array_destroy(&incoming->metadata);
        incoming->kind->destroy(incoming);
        rpc_site_leave(site);
        return;
    }
    rpc_incoming_post(incoming->route, incoming->kind, incoming->queue);
    rpc_incoming_accept(incoming);
    if (atomic_load_explicit(&site->draining, memory_order_acquire)) {
        rpc_incoming_refuse(incoming, RPC_REFUSAL_STOPPING, TERCET_UNAVAILABLE, "stopping");
        return;
    }
    if (rpc_route_has_request(incoming->route) && !decode(incoming)) {
        return;
    }
    incoming->peer = grpc_call_get_peer(incoming->call);
    atomic_store(&incoming->parties, 2);
    rpc_site_enter(site); /* the handler may answer and go on running */
    incoming->kind->handle(incoming);
    rpc_site_leave(site);
}

/* The site's mutex is held. */
static void forget_unsent(struct rpc_incoming *incoming)
{
    if (list_is_linked(&incoming->unsent)) {
        list_remove(&incoming->unsent);
        incoming->site->unsent_bytes -= incoming->unsent_bytes;
    }
}

/* Its answer is about to be core's, which keeps it for as long as the client likes.  Who reads takes it
 * within milliseconds; so when there is too much, the oldest are those of clients that do not. */
static void note_unsent(struct rpc_incoming *incoming)
{
    struct rpc_site *const site = incoming->site;
    const size_t bytes = incoming->reply != NULL ? grpc_byte_buffer_length(incoming->reply) : 0;
    incoming->unsent_bytes = UNSENT_CALL_BYTES + bytes;
    pthread_mutex_lock(&site->mutex);
    list_push_back(&site->unsent, &incoming->unsent);
    site->unsent_bytes += incoming->unsent_bytes;
    while (site->unsent_bytes > UNSENT_BYTES_MAX && site->unsent.next != &incoming->unsent) {
        struct rpc_incoming *oldest = container_of(site->unsent.next, struct rpc_incoming, unsent);
        forget_unsent(oldest);
        (void)grpc_call_cancel(oldest->call, NULL); /* its batch ends; it is not released before */
    }
    pthread_mutex_unlock(&site->mutex);
}

grpc_slice rpc_incoming_text(const char *text)
{
    return grpc_slice_from_copied_buffer(text, strnlen(text, STATUS_TEXT_BYTES_MAX));
}

void rpc_incoming_answer(struct rpc_incoming *incoming, grpc_byte_buffer *reply,
                         enum tercet_status status, const char *text)
{
    incoming->reply = reply;
    incoming->text = rpc_incoming_text(text);
    note_unsent(incoming);

    grpc_op ops[4];
    memset(ops, 0, sizeof ops);
    size_t count = 0;
    ops[count++].op = GRPC_OP_SEND_INITIAL_METADATA;
    if (reply != NULL) {
        ops[count].op = GRPC_OP_SEND_MESSAGE;
        ops[count].data.send_message.send_message = reply;
        count++;
    }
    ops[count].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    ops[count].data.send_status_from_server.status = (grpc_status_code)status;
    ops[count].data.send_status_from_server.status_details = &incoming->text;
    ops[count].data.send_status_from_server.trailing_metadata = incoming->trailers.items;
    ops[count].data.send_status_from_server.trailing_metadata_count = incoming->trailers.count;
    count++;
    ops[count].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
    ops[count].data.recv_close_on_server.cancelled = &incoming->cancelled;
    count++;
    rpc_batch_start(incoming->call, ops, count, &incoming->answered);
}

void rpc_incoming_refuse(struct rpc_incoming *incoming, enum rpc_refusal refusal,
                         enum tercet_status status, const char *text)
{
    const struct rpc_site *const site = incoming->site;
    if (site->refused != NULL) {
        site->refused(refusal, status, text, &incoming->trailers, site->refused_context);
    }
    rpc_incoming_answer(incoming, NULL, status, text);
}

static void answered_run(struct rpc_tag *tag, bool ok)
{
    (void)ok; /* a batch with RECV_CLOSE always succeeds, also when nobody listens any more */
    struct rpc_incoming *const incoming = container_of(tag, struct rpc_incoming, answered);
    pthread_mutex_lock(&incoming->site->mutex);
    forget_unsent(incoming);
    pthread_mutex_unlock(&incoming->site->mutex);
    rpc_incoming_release(incoming);
}

void rpc_incoming_release(struct rpc_incoming *incoming)
{
    struct rpc_site *const site = incoming->site;
    grpc_call *const call = incoming->call;
    incoming->site = NULL;
    incoming->route = NULL;
    incoming->call = NULL;
    if (incoming->reply != NULL) {
        grpc_byte_buffer_destroy(incoming->reply);
        incoming->reply = NULL;
    }
    if (incoming->payload != NULL) {
        grpc_byte_buffer_destroy(incoming->payload); /* refused undecoded */
        incoming->payload = NULL;
    }
    grpc_slice_unref(incoming->text);
    rpc_trailers_deinit(&incoming->trailers);
    grpc_call_unref(call);
    rpc_incoming_unref(incoming);
    rpc_site_leave(site);
}

void rpc_incoming_forget_request(struct rpc_incoming *incoming)
{
    rpc_codec_free(incoming->request);
    incoming->request = NULL;
}

void rpc_incoming_unref(struct rpc_incoming *incoming)
{
    if (atomic_fetch_sub_explicit(&incoming->parties, 1, memory_order_acq_rel) > 1) {
        return;
    }
    rpc_codec_free(incoming->request);
    gpr_free(incoming->peer);
    rpc_metadata_unref_destroy(&incoming->metadata);
    incoming->kind->destroy(incoming);
}

/* rpc_unary.c -- see rpc_unary.h.
 *
 * Handler and stopping server may both want to answer; `taken` decides.  Who loses answers nobody:
 * the handler then only lets go of the memory. */
#include "rpc/rpc_unary.h"

#include "base/assert.h"
#include "base/memory.h"
#include "rpc/rpc_unary_core.h"

struct rpc_unary {
    struct rpc_incoming incoming;
    atomic_bool taken; /* somebody answers */
};

static struct rpc_unary *unary_of(struct rpc_incoming *incoming)
{
    return container_of(incoming, struct rpc_unary, incoming);
}

static struct rpc_incoming *unary_create(void)
{
    struct rpc_unary *call = xcalloc(1, sizeof *call);
    return &call->incoming;
}

static void unary_destroy(struct rpc_incoming *incoming)
{
    free(unary_of(incoming));
}

static void unary_handle(struct rpc_incoming *incoming)
{
    struct rpc_unary *const call = unary_of(incoming);
    struct rpc_site *const site = incoming->site;
    if (!rpc_site_hold(site, &site->unary, &incoming->held)) {
        atomic_store(&incoming->parties, 1); /* no handler will have it */
        rpc_incoming_refuse(incoming, RPC_REFUSAL_STOPPING, TERCET_UNAVAILABLE, "stopping");
        return;
    }
    const struct rpc_method *const method = &incoming->route->method;
    method->unary(call, incoming->request, method->context);
}

const struct rpc_incoming_kind rpc_unary_kind = {
    .create = unary_create,
    .handle = unary_handle,
    .destroy = unary_destroy,
};

/* The handler's answer.  Takes `reply`. */
static void settle(struct rpc_unary *call, grpc_byte_buffer *reply, enum tercet_status status,
                   const char *text, const struct rpc_detail *detail)
{
    struct rpc_incoming *const incoming = &call->incoming;
    if (atomic_exchange(&call->taken, true)) {
        if (reply != NULL) {
            grpc_byte_buffer_destroy(reply);
        }
    } else {
        /* Out of the list first: once the batch has started the server may be gone. */
        rpc_site_let_go(incoming->site, &incoming->held);
        rpc_trailers_add_detail(&incoming->trailers, detail);
        rpc_incoming_answer(incoming, reply, status, text);
    }
    rpc_incoming_unref(incoming);
}

void rpc_unary_reply(struct rpc_unary *call, const ProtobufCMessage *reply)
{
    settle(call, rpc_buffer_of_message(reply), TERCET_OK, "", NULL);
}

void rpc_unary_reply_bytes(struct rpc_unary *call, struct tercet_bytes reply)
{
    settle(call, rpc_buffer_of_bytes(reply), TERCET_OK, "", NULL);
}

void rpc_unary_fail(struct rpc_unary *call, enum tercet_status status, const char *text,
                    const struct rpc_detail *detail)
{
    tercet_assert(status != TERCET_OK);
    settle(call, NULL, status, text, detail);
}

void rpc_unary_abandon(struct rpc_incoming *incoming)
{
    struct rpc_unary *const call = unary_of(incoming);
    if (!atomic_exchange(&call->taken, true)) {
        rpc_incoming_answer(incoming, NULL, TERCET_UNAVAILABLE, "stopping");
    }
}

void rpc_unary_forget_request(struct rpc_unary *call)
{
    rpc_incoming_forget_request(&call->incoming);
}

uint32_t rpc_unary_timeout_ms(const struct rpc_unary *call)
{
    return rpc_deadline_left_ms(call->incoming.deadline);
}

const char *rpc_unary_peer(struct rpc_unary *call)
{
    return call->incoming.peer;
}

bool rpc_unary_metadata(const struct rpc_unary *call, const char *key,
                        struct tercet_bytes *value_out)
{
    return rpc_metadata_find(&call->incoming.metadata, key, value_out);
}

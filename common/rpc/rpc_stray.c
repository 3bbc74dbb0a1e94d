#include "rpc/rpc_stray.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"

enum { TEXT_SIZE = 256 };

struct stray {
    struct rpc_incoming incoming;
    grpc_call_details details;
};

static struct stray *stray_of(struct rpc_incoming *incoming)
{
    return container_of(incoming, struct stray, incoming);
}

static void stray_destroy(struct rpc_incoming *incoming)
{
    struct stray *const stray = stray_of(incoming);
    grpc_call_details_destroy(&stray->details);
    free(stray);
}

static const struct rpc_incoming_kind stray_kind = {.destroy = stray_destroy};

static void requested_run(struct rpc_tag *tag, bool ok)
{
    struct rpc_incoming *const incoming = container_of(tag, struct rpc_incoming, requested);
    struct rpc_site *const site = incoming->site;
    if (!ok) {
        grpc_metadata_array_destroy(&incoming->metadata);
        stray_destroy(incoming);
        rpc_site_leave(site);
        return;
    }
    rpc_stray_post(site, incoming->queue);
    rpc_incoming_accept(incoming);
    if (atomic_load_explicit(&site->draining, memory_order_acquire)) {
        rpc_incoming_refuse(incoming, RPC_REFUSAL_STOPPING, TERCET_UNAVAILABLE, "stopping");
        return;
    }
    const struct tercet_bytes method = rpc_slice_bytes(&stray_of(incoming)->details.method);
    char text[TEXT_SIZE];
    (void)snprintf(text, sizeof text, "method %.*s is not implemented",
                   (int)(method.size < TEXT_SIZE / 2 ? method.size : TEXT_SIZE / 2),
                   (const char *)method.data);
    rpc_incoming_refuse(incoming, RPC_REFUSAL_UNIMPLEMENTED, TERCET_UNIMPLEMENTED, text);
}

void rpc_stray_post(struct rpc_site *site, grpc_completion_queue *queue)
{
    struct stray *stray = xcalloc(1, sizeof *stray);
    struct rpc_incoming *const incoming = &stray->incoming;
    incoming->kind = &stray_kind;
    incoming->site = site;
    incoming->queue = queue;
    incoming->requested.run = requested_run;
    grpc_metadata_array_init(&incoming->metadata);
    grpc_call_details_init(&stray->details);
    rpc_site_enter(site);
    rpc_tag_hand(&incoming->requested);
    const grpc_call_error error =
        grpc_server_request_call(site->core, &incoming->call, &stray->details, &incoming->metadata,
                                 queue, queue, &incoming->requested);
    tercet_assert(error == GRPC_CALL_OK);
}

#include "rpc/rpc_outgoing.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "rpc/rpc_runtime_core.h"
#include "rpc/rpc_scan.h"

enum { BROKEN_TEXT_SIZE = 256 };

void rpc_outgoing_init(struct rpc_outgoing *outgoing)
{
    list_init(&outgoing->node);
    tercet_assert(pthread_mutex_init(&outgoing->mutex, NULL) == 0);
    outgoing->details = grpc_empty_slice();
    grpc_metadata_array_init(&outgoing->trailers.array);
    grpc_metadata_array_init(&outgoing->initial);
}

void rpc_outgoing_deinit(struct rpc_outgoing *outgoing)
{
    tercet_assert(outgoing->core == NULL);
    rpc_metadata_unref_destroy(&outgoing->trailers.array);
    (void)pthread_mutex_destroy(&outgoing->mutex);
    free(outgoing->text);
}

void rpc_outgoing_open(struct rpc_outgoing *outgoing, struct rpc_channel *channel, const char *path,
                       uint32_t timeout_ms)
{
    const grpc_slice method = grpc_slice_from_copied_string(path);
    outgoing->channel = channel;
    outgoing->core = grpc_channel_create_call(channel->core, NULL, GRPC_PROPAGATE_DEFAULTS,
                                              rpc_runtime_queue(channel->runtime), method, NULL,
                                              rpc_deadline_of(timeout_ms), NULL);
    grpc_slice_unref(method);
    tercet_assert(outgoing->core != NULL);
    pthread_mutex_lock(&channel->mutex);
    const bool added = rpc_held_add(&channel->calls, &outgoing->node);
    pthread_mutex_unlock(&channel->mutex);
    tercet_assert(added); /* no call is started on a channel that is being closed */
}

void rpc_outgoing_cancel(struct rpc_outgoing *outgoing)
{
    pthread_mutex_lock(&outgoing->mutex);
    if (outgoing->core != NULL) {
        (void)grpc_call_cancel(outgoing->core, NULL);
    }
    pthread_mutex_unlock(&outgoing->mutex);
}

void rpc_outgoing_status_op(struct rpc_outgoing *outgoing, grpc_op *op)
{
    op->op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    op->data.recv_status_on_client.trailing_metadata = &outgoing->trailers.array;
    op->data.recv_status_on_client.status = &outgoing->code;
    op->data.recv_status_on_client.status_details = &outgoing->details;
}

/* Core has no word for "never left this process", so this takes two things together.  The text is the
 * one that core's load balancer gives a call that found no connection and was dropped before it had
 * any; a peer could send the same text, but core names the peer of a call as soon as an answer comes
 * in, and the channel's target until then.  Anything else, other versions' texts included, counts as
 * sent. */
static bool is_surely_unsent(const struct rpc_outgoing *outgoing, enum tercet_status status)
{
    static const char no_connection[] = "failed to connect to all addresses";
    if (status != TERCET_UNAVAILABLE ||
        strncmp(outgoing->text, no_connection, strlen(no_connection)) != 0) {
        return false;
    }
    char *const peer = grpc_call_get_peer(outgoing->core);
    const bool unanswered = strcmp(peer, outgoing->channel->target) == 0;
    gpr_free(peer);
    return unanswered;
}

void rpc_outgoing_result(struct rpc_outgoing *outgoing, struct rpc_result *result_out)
{
    const struct tercet_bytes details = rpc_slice_bytes(&outgoing->details);
    outgoing->text = xmalloc(details.size + 1);
    memcpy(outgoing->text, details.data, details.size);
    outgoing->text[details.size] = '\0';
    grpc_slice_unref(outgoing->details);
    outgoing->details = grpc_empty_slice();
    rpc_metadata_ref(&outgoing->trailers.array);
    grpc_metadata_array_destroy(&outgoing->initial);

    *result_out = (struct rpc_result){
        .status = rpc_status_of(outgoing->code),
        .text = outgoing->text,
        .reply_bytes = tercet_bytes_of("", 0),
        .trailers = &outgoing->trailers,
    };
    result_out->sent_maybe = !is_surely_unsent(outgoing, result_out->status);
}

void rpc_outgoing_result_broken(struct rpc_outgoing *outgoing, struct rpc_result *result,
                                const char *what, const char *name)
{
    free(outgoing->text);
    outgoing->text = xmalloc(BROKEN_TEXT_SIZE);
    (void)snprintf(outgoing->text, BROKEN_TEXT_SIZE, "%s%.200s", what, name);
    result->status = TERCET_INTERNAL;
    result->text = outgoing->text;
    result->sent_maybe = true;
}

void rpc_outgoing_close(struct rpc_outgoing *outgoing)
{
    struct rpc_channel *const channel = outgoing->channel;
    pthread_mutex_lock(&outgoing->mutex);
    grpc_call *const core = outgoing->core;
    outgoing->core = NULL;
    outgoing->channel = NULL;
    pthread_mutex_unlock(&outgoing->mutex);
    grpc_call_unref(core);

    pthread_mutex_lock(&channel->mutex);
    list_remove(&outgoing->node);
    if (rpc_held_is_empty(&channel->calls)) {
        pthread_cond_broadcast(&channel->emptied);
    }
    pthread_mutex_unlock(&channel->mutex);
}

ProtobufCMessage *rpc_outgoing_decode(const ProtobufCMessageDescriptor *descriptor,
                                      struct tercet_bytes bytes)
{
    struct rpc_scan_result scan;
    if (rpc_scan(descriptor, bytes, RPC_REPLY_ELEMENT_COUNT_MAX, &scan) != RPC_SCAN_FINE) {
        return NULL;
    }
    return rpc_codec_unpack(descriptor, bytes, scan.element_count);
}

/* rpc_gather.c -- see rpc_gather.h. */
#include "rpc/rpc_gather.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rpc/rpc_codec.h"
#include "rpc/rpc_duplex_core.h"

void rpc_gather_init(struct rpc_gather *gather)
{
    list_init(&gather->parts);
    gather->count = 0;
    gather->bytes = 0;
}

/* It stands in no list any more. */
static void forget(struct rpc_gather *gather, struct rpc_part *part)
{
    gather->count--;
    gather->bytes -= part->size;
    if (part->handle != NULL) {
        *part->handle = NULL;
    }
    free(part);
}

void rpc_gather_drop(struct rpc_gather *gather, struct rpc_part *part)
{
    list_remove(&part->link);
    forget(gather, part);
}

void rpc_gather_deinit(struct rpc_gather *gather)
{
    while (!list_is_empty(&gather->parts)) {
        forget(gather, container_of(list_pop_front(&gather->parts), struct rpc_part, link));
    }
}

void rpc_gather_add(struct rpc_gather *gather, const ProtobufCMessage *message,
                    struct rpc_part **handle)
{
    const size_t size = rpc_codec_size(message);
    struct rpc_part *part = xmalloc(sizeof *part + size);
    list_init(&part->link);
    part->handle = handle;
    part->size = size;
    rpc_codec_pack_into(message, part->bytes);
    list_push_back(&gather->parts, &part->link);
    gather->count++;
    gather->bytes += size;
    if (handle != NULL) {
        *handle = part;
    }
}

/* What goes into the next message. */
static size_t measure(const struct rpc_gather *gather, size_t count_max, size_t bytes_max,
                      size_t *bytes_out)
{
    size_t count = 0;
    size_t bytes = 0;
    const struct list_node *node = gather->parts.next;
    while (node != &gather->parts && count < count_max && bytes < bytes_max) {
        bytes += container_of(node, struct rpc_part, link)->size;
        count++;
        node = node->next;
    }
    *bytes_out = bytes;
    return count;
}

bool rpc_gather_send(struct rpc_gather *gather, struct rpc_duplex *duplex, struct tercet_bytes head,
                     size_t count_max, size_t bytes_max, size_t *count_out, bool *written_out)
{
    if (!rpc_duplex_may_send(duplex)) {
        return false;
    }
    size_t bytes = 0;
    const size_t count = measure(gather, count_max, bytes_max, &bytes);
    grpc_slice slice = grpc_slice_malloc(head.size + bytes);
    uint8_t *at = GRPC_SLICE_START_PTR(slice);
    if (head.size > 0) {
        memcpy(at, head.data, head.size);
        at += head.size;
    }
    const struct list_node *node = gather->parts.next;
    for (size_t i = 0; i < count; i++, node = node->next) {
        const struct rpc_part *part = container_of(node, struct rpc_part, link);
        memcpy(at, part->bytes, part->size);
        at += part->size;
    }
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    if (!rpc_duplex_send_buffer(duplex, buffer, written_out)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        forget(gather, container_of(list_pop_front(&gather->parts), struct rpc_part, link));
    }
    *count_out = count;
    return true;
}

#include "rpc/rpc_codec.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"

void *rpc_codec_pack(const ProtobufCMessage *message, size_t *size_out)
{
    const size_t size = rpc_codec_size(message);
    void *bytes = xmalloc(size > 0 ? size : 1);
    rpc_codec_pack_into(message, bytes);
    *size_out = size;
    return bytes;
}

size_t rpc_codec_size(const ProtobufCMessage *message)
{
    return protobuf_c_message_get_packed_size(message);
}

void rpc_codec_pack_into(const ProtobufCMessage *message, void *bytes_out)
{
    (void)protobuf_c_message_pack(message, bytes_out);
}

/* protobuf-c asks for zero bytes at times, and takes NULL for an exhausted memory. */
static void *codec_alloc(void *unused, size_t size)
{
    (void)unused;
    return xmalloc(size > 0 ? size : 1);
}

static void codec_free(void *unused, void *memory)
{
    (void)unused;
    free(memory);
}

static ProtobufCAllocator codec_allocator = {.alloc = codec_alloc, .free = codec_free};

ProtobufCMessage *rpc_codec_unpack(const ProtobufCMessageDescriptor *descriptor,
                                   struct tercet_bytes bytes)
{
    tercet_assert(bytes.data != NULL || bytes.size == 0);
    static const uint8_t nothing[1] = {0};
    return protobuf_c_message_unpack(descriptor, &codec_allocator, bytes.size,
                                     bytes.size > 0 ? bytes.data : nothing);
}

void rpc_codec_free(ProtobufCMessage *message)
{
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, &codec_allocator);
    }
}

#include "rpc/rpc_codec.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/memory.h"

void *rpc_codec_pack(const ProtobufCMessage *message, size_t *size_out)
{
    const size_t size = rpc_codec_size(message);
    void *bytes = xmalloc(size > 0 ? size : 1);
    *size_out = rpc_codec_pack_into(message, bytes);
    return bytes;
}

size_t rpc_codec_size(const ProtobufCMessage *message)
{
    return protobuf_c_message_get_packed_size(message);
}

size_t rpc_codec_pack_into(const ProtobufCMessage *message, void *bytes_out)
{
    return protobuf_c_message_pack(message, bytes_out);
}

static ProtobufCMessage *unpack(const ProtobufCMessageDescriptor *descriptor,
                                struct tercet_bytes bytes, ProtobufCAllocator *allocator)
{
    tercet_assert(bytes.data != NULL || bytes.size == 0);
    static const uint8_t nothing[1] = {0};
    return protobuf_c_message_unpack(descriptor, allocator, bytes.size,
                                     bytes.size > 0 ? bytes.data : nothing);
}

/* ---- Whole ------------------------------------------------------------------------------------- */

enum {
    FIRST_BYTES_MAX = 32 * 1024,
    /* More than the bytes of an honest message can ask for, whatever is in it. */
    PER_MESSAGE = 64 * 1024,
    PER_BYTE = 64,
    PER_ELEMENT = 512
};

/* What stands in front of a message, in its own arena.
 *
 * Nothing is given back before all is.  So what protobuf-c merges again and again, a message in a field
 * that stands there a thousand times, would take the square of its bytes: there is a bound. */
struct whole {
    alignas(max_align_t) struct arena arena;
    size_t left; /* of the bound */
};

static void *whole_alloc(void *memory, size_t size)
{
    struct whole *whole = memory;
    const size_t taken = size + alignof(max_align_t); /* at most: it is rounded up */
    if (whole->left < taken) {
        return NULL;
    }
    whole->left -= taken;
    return arena_alloc(&whole->arena, size);
}

static void whole_free(void *memory, void *piece)
{
    (void)memory;
    (void)piece;
}

static void whole_destroy(struct whole *whole)
{
    struct arena arena = whole->arena; /* which holds it */
    arena_deinit(&arena);
}

ProtobufCMessage *rpc_codec_unpack(const ProtobufCMessageDescriptor *descriptor,
                                   struct tercet_bytes bytes, uint64_t element_count)
{
    const size_t guess = bytes.size < FIRST_BYTES_MAX / 2 ? 2 * bytes.size : FIRST_BYTES_MAX;
    const size_t both = sizeof(struct whole) + descriptor->sizeof_message + alignof(max_align_t);
    struct arena arena;
    arena_init(&arena, both + guess);
    struct whole *whole = arena_alloc(&arena, sizeof *whole);
    whole->arena = arena;
    whole->left = PER_MESSAGE + PER_BYTE * bytes.size + PER_ELEMENT * element_count;
    ProtobufCAllocator allocator = {
        .alloc = whole_alloc, .free = whole_free, .allocator_data = whole};
    ProtobufCMessage *message = unpack(descriptor, bytes, &allocator);
    if (message == NULL) {
        whole_destroy(whole);
        return NULL;
    }
    tercet_assert((struct whole *)(void *)message == whole + 1);
    return message;
}

void rpc_codec_free(ProtobufCMessage *message)
{
    if (message != NULL) {
        whole_destroy((struct whole *)(void *)message - 1);
    }
}

/* ---- In pieces --------------------------------------------------------------------------------- */

/* protobuf-c asks for zero bytes at times, and takes NULL for an exhausted memory. */
static void *piece_alloc(void *unused, size_t size)
{
    (void)unused;
    return xmalloc(size > 0 ? size : 1);
}

static void piece_free(void *unused, void *piece)
{
    (void)unused;
    free(piece);
}

static ProtobufCAllocator piece_allocator = {.alloc = piece_alloc, .free = piece_free};

ProtobufCMessage *rpc_codec_unpack_pieces(const ProtobufCMessageDescriptor *descriptor,
                                          struct tercet_bytes bytes)
{
    return unpack(descriptor, bytes, &piece_allocator);
}

void rpc_codec_free_pieces(ProtobufCMessage *message)
{
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, &piece_allocator);
    }
}

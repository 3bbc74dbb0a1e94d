#include "rpc/rpc_codec.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/list.h"
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
    ALIGNMENT = 16,
    BLOCK_SIZE_MIN = 512,
    BLOCK_SIZE_MAX = 32 * 1024,
    /* More than the bytes of an honest message can ask for, whatever is in it. */
    PER_MESSAGE = 64 * 1024,
    PER_BYTE = 64,
    PER_ELEMENT = 512
};

/* The memory of one message: blocks, filled one after the other.  The message begins the first.
 *
 * Nothing is given back before all is.  So what protobuf-c merges again and again, a message in a field
 * that stands there a thousand times, would take the square of its bytes: there is a bound. */
struct block {
    struct block *next; /* filled before this one */
    size_t size;        /* of what follows */
    size_t used;
    _Alignas(ALIGNMENT) uint8_t bytes[];
};

struct whole {
    struct block *newest;
    size_t left; /* of the bound */
};

static struct block *block_create(size_t size)
{
    struct block *block = xmalloc(sizeof *block + size);
    block->next = NULL;
    block->size = size;
    block->used = 0;
    return block;
}

static size_t within_block(size_t size)
{
    return size < BLOCK_SIZE_MIN ? BLOCK_SIZE_MIN : size > BLOCK_SIZE_MAX ? BLOCK_SIZE_MAX : size;
}

static void *whole_alloc(void *memory, size_t size)
{
    struct whole *whole = memory;
    struct block *block = whole->newest;
    const size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (whole->left < rounded) {
        return NULL;
    }
    whole->left -= rounded;
    if (block->size - block->used < rounded) {
        const size_t grown = within_block(2 * block->size);
        block->next = block_create(grown < rounded ? rounded : grown);
        block = block->next;
        whole->newest = block;
    }
    void *piece = block->bytes + block->used;
    block->used += rounded;
    return piece;
}

static void whole_free(void *memory, void *piece)
{
    (void)memory;
    (void)piece;
}

static void free_blocks(struct block *block)
{
    while (block != NULL) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

ProtobufCMessage *rpc_codec_unpack(const ProtobufCMessageDescriptor *descriptor,
                                   struct tercet_bytes bytes, uint64_t element_count)
{
    struct block *first = block_create(within_block(2 * bytes.size));
    struct whole whole = {first, PER_MESSAGE + PER_BYTE * bytes.size + PER_ELEMENT * element_count};
    ProtobufCAllocator allocator = {
        .alloc = whole_alloc, .free = whole_free, .allocator_data = &whole};
    ProtobufCMessage *message = unpack(descriptor, bytes, &allocator);
    if (message == NULL) {
        free_blocks(first);
        return NULL;
    }
    tercet_assert((uint8_t *)message == first->bytes);
    return message;
}

void rpc_codec_free(ProtobufCMessage *message)
{
    if (message != NULL) {
        free_blocks(container_of((uint8_t *)message, struct block, bytes));
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

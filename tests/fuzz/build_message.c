/* build_message.c -- see build_message.h. */
#include "build_message.h"

#include "base/assert.h"

enum { DEPTH_MAX = 4, PLACE_COUNT = 16 };
enum { OP_END = 0, OP_ROOM = 255 };
enum { NUMBER_PLAIN_END = 224, NUMBER_LIMIT_END = 240, LENGTH_PLAIN_END = 240 };
enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static const uint64_t limits[PLACE_COUNT] = {
    256,     257,       1000,      1001,       65536,      600000,     600001,    3600000,
    3600001, INT32_MAX, 1U << 31U, UINT32_MAX, 1ULL << 32, 1ULL << 53, INT64_MAX, UINT64_MAX};

static const size_t lengths[PLACE_COUNT] = {16,  20,  36,  37,  63,   64,   65,    128,
                                            129, 255, 256, 257, 1024, 1025, 65536, 65537};

struct level {
    const ProtobufCMessageDescriptor *descriptor;
    uint32_t number; /* of the field that it is in the level above */
};

/* What the levels hold.  Kept from one message to the next: to grow them anew each time is half of what
 * building costs. */
static struct buffer held[DEPTH_MAX];

uint8_t build_take(struct tercet_bytes *source)
{
    if (source->size == 0) {
        return 0;
    }
    const uint8_t *data = source->data;
    *source = tercet_bytes_of(data + 1, source->size - 1);
    return data[0];
}

static void append_varint(struct buffer *out, uint64_t value)
{
    while (value >= 0x80) {
        buffer_append_u8(out, (uint8_t)(value | 0x80U));
        value >>= 7U;
    }
    buffer_append_u8(out, (uint8_t)value);
}

static void append_tag(struct buffer *out, uint32_t number, uint32_t wire)
{
    append_varint(out, (uint64_t)number << 3U | wire);
}

static uint64_t take_raw(struct tercet_bytes *source, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++) {
        value = value << 8U | build_take(source);
    }
    return value;
}

static uint64_t take_number(struct tercet_bytes *source)
{
    const uint8_t byte = build_take(source);
    if (byte < NUMBER_PLAIN_END) {
        return byte;
    }
    return byte < NUMBER_LIMIT_END ? limits[byte - NUMBER_PLAIN_END] : take_raw(source, 8);
}

/* `room`: what all repeated bytes may still take. */
static void append_text(struct buffer *out, struct tercet_bytes *source, size_t *room)
{
    const uint8_t byte = build_take(source);
    size_t size = byte < source->size ? byte : source->size;
    if (byte < LENGTH_PLAIN_END) {
        append_varint(out, size);
        buffer_append(out, source->data, size);
        *source = tercet_bytes_of((const uint8_t *)source->data + size, source->size - size);
        return;
    }
    size = lengths[byte - LENGTH_PLAIN_END];
    size = size <= *room ? size : 1;
    *room -= *room > 0 ? size : 0;
    append_varint(out, size);
    memset(buffer_extend(out, size), build_take(source), size);
}

static void append_scalar(struct buffer *out, const ProtobufCFieldDescriptor *field,
                          struct tercet_bytes *source, size_t *room)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
        append_tag(out, field->id, WIRE_BYTES);
        append_text(out, source, room);
        return;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        append_tag(out, field->id, WIRE_FIXED64);
        buffer_append_be64(out, take_raw(source, 8));
        return;
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        append_tag(out, field->id, WIRE_FIXED32);
        buffer_append_be32(out, (uint32_t)take_raw(source, 4));
        return;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        append_tag(out, field->id, WIRE_VARINT);
        append_varint(out, take_number(source));
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    }
    tercet_unreachable();
}

/* The innermost message is complete: it goes into the one around it, or is the result. */
static void leave(const struct level *levels, size_t depth, struct buffer *out)
{
    struct buffer *bytes = &held[depth - 1];
    struct buffer *to = depth > 1 ? &held[depth - 2] : out;
    if (depth > 1) {
        append_tag(to, levels[depth - 1].number, WIRE_BYTES);
        append_varint(to, bytes->size);
    }
    buffer_append(to, bytes->data, bytes->size);
    buffer_clear(bytes);
}

void build_message(const ProtobufCMessageDescriptor *descriptor, struct tercet_bytes *source,
                   struct buffer *out)
{
    struct level levels[DEPTH_MAX] = {{.descriptor = descriptor}};
    size_t depth = 1;
    size_t room = BUILD_BYTES_PLAIN;
    bool has_given = false;
    while (depth > 0) {
        const struct level *top = &levels[depth - 1];
        const uint8_t op = build_take(source);
        if (op == OP_ROOM) {
            room += has_given ? 0 : BUILD_BYTES_MAX - BUILD_BYTES_PLAIN;
            has_given = true;
            continue;
        }
        if (op == OP_END || top->descriptor->n_fields == 0) {
            leave(levels, depth, out);
            depth--;
            continue;
        }
        const ProtobufCFieldDescriptor *field =
            &top->descriptor->fields[(op - 1U) % top->descriptor->n_fields];
        if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
            append_scalar(&held[depth - 1], field, source, &room);
        } else if (depth < DEPTH_MAX) {
            levels[depth] = (struct level){.descriptor = field->descriptor, .number = field->id};
            depth++;
        }
    }
}

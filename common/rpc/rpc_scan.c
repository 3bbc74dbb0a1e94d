/* rpc_scan.c -- the walk.
 *
 * Messages lie inside each other as runs of bytes, so one cursor suffices: a frame remembers where
 * its message ends, and is left when the cursor gets there. */
#include "rpc/rpc_scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

enum { VARINT_BYTES_MAX = 10 };

/* How many bytes of a packed field are charged as one field: they grow at most eightfold. */
enum { PACKED_BYTES_PER_FIELD = 8 };

static const uint64_t FIELD_NUMBER_MAX = 0x1fffffff;

struct frame {
    const ProtobufCMessageDescriptor *descriptor;
    const ProtobufCFieldDescriptor *entered_by; /* NULL for the outermost */
    const uint8_t *end;
};

struct scan {
    const uint8_t *cursor;
    struct frame frames[RPC_SCAN_DEPTH_MAX];
    size_t depth;
    uint64_t field_count;
    uint64_t field_count_max;
    uint32_t element_count_max;
    struct rpc_scan_result *result;
};

/* One field as it lies on the wire.  `data` and `size` are the value without its length. */
struct wire_field {
    uint32_t number;
    unsigned wire;
    uint64_t varint;
    const uint8_t *data;
    size_t size;
};

static bool read_long_varint(const uint8_t **cursor, const uint8_t *end, uint64_t *value_out)
{
    uint64_t value = 0;
    const uint8_t *at = *cursor;
    for (unsigned i = 0; i < VARINT_BYTES_MAX && at < end; i++, at++) {
        value |= (uint64_t)(*at & 0x7fU) << (7U * i);
        if ((*at & 0x80U) == 0) {
            *cursor = at + 1;
            *value_out = value;
            return true;
        }
    }
    return false;
}

/* Tags, lengths and small numbers take a single byte. */
static inline bool read_varint(const uint8_t **cursor, const uint8_t *end, uint64_t *value_out)
{
    if (*cursor < end && (**cursor & 0x80U) == 0) {
        *value_out = **cursor;
        (*cursor)++;
        return true;
    }
    return read_long_varint(cursor, end, value_out);
}

static bool read_field(struct scan *scan, const uint8_t *end, struct wire_field *field_out)
{
    struct wire_field field = {0};
    uint64_t tag = 0;
    if (!read_varint(&scan->cursor, end, &tag)) {
        return false;
    }
    if (tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX) {
        return false;
    }
    field.number = (uint32_t)(tag >> 3);
    field.wire = (unsigned)(tag & 7U);

    uint64_t size = 0;
    field.data = scan->cursor;
    if (field.wire == WIRE_VARINT) {
        if (!read_varint(&scan->cursor, end, &field.varint)) {
            return false;
        }
        size = (uint64_t)(scan->cursor - field.data);
    } else if (field.wire == WIRE_BYTES) {
        if (!read_varint(&scan->cursor, end, &size)) {
            return false;
        }
        field.data = scan->cursor;
    } else if (field.wire == WIRE_FIXED64) {
        size = 8;
    } else if (field.wire == WIRE_FIXED32) {
        size = 4;
    } else {
        return false; /* groups, which proto3 has not, and what was never defined */
    }
    if (size > (uint64_t)(end - field.data)) {
        return false;
    }
    field.size = (size_t)size;
    scan->cursor = field.data + field.size;
    *field_out = field;
    return true;
}

/* Appends to the path, which is cut when it gets too long. */
static size_t path_append(char *path, size_t at, const char *separator, const char *text)
{
    const int written = snprintf(path + at, RPC_SCAN_PATH_SIZE - at, "%s%s", separator, text);
    tercet_assert(written >= 0);
    const size_t end = at + (size_t)written;
    return end < RPC_SCAN_PATH_SIZE ? end : RPC_SCAN_PATH_SIZE - 1;
}

/* Keeps where the first unknown thing is: the names down to it and `last`. */
static void note_unknown(struct scan *scan, const char *name, const char *separator,
                         const char *last)
{
    if (scan->result->has_unknown) {
        return;
    }
    scan->result->has_unknown = true;
    char *path = scan->result->unknown_path;
    size_t at = 0;
    for (size_t i = 1; i < scan->depth; i++) {
        at = path_append(path, at, at == 0 ? "" : ".", scan->frames[i].entered_by->name);
    }
    if (name != NULL) {
        at = path_append(path, at, at == 0 ? "" : ".", name);
    }
    (void)path_append(path, at, at == 0 ? "" : separator, last);
}

static void check_enum(struct scan *scan, const ProtobufCFieldDescriptor *descriptor,
                       uint64_t varint)
{
    const int32_t value = (int32_t)(uint32_t)(varint & UINT32_MAX);
    if (protobuf_c_enum_descriptor_get_value(descriptor->descriptor, value) == NULL) {
        char text[16];
        (void)snprintf(text, sizeof text, "%" PRId32, value);
        note_unknown(scan, descriptor->name, "=", text);
    }
}

static bool check_packed_enums(struct scan *scan, const ProtobufCFieldDescriptor *descriptor,
                               const struct wire_field *field)
{
    const uint8_t *at = field->data;
    const uint8_t *const end = field->data + field->size;
    while (at < end) {
        uint64_t varint = 0;
        if (!read_varint(&at, end, &varint)) {
            return false;
        }
        check_enum(scan, descriptor, varint);
    }
    return true;
}

static bool holds_nul(const ProtobufCFieldDescriptor *descriptor, const struct wire_field *field)
{
    return descriptor->type == PROTOBUF_C_TYPE_STRING && field->wire == WIRE_BYTES &&
           field->size > 0 && memchr(field->data, '\0', field->size) != NULL;
}

/* A known field that is not a message. */
static bool scan_scalar(struct scan *scan, const ProtobufCFieldDescriptor *descriptor,
                        const struct wire_field *field)
{
    const bool is_text =
        descriptor->type == PROTOBUF_C_TYPE_STRING || descriptor->type == PROTOBUF_C_TYPE_BYTES;
    if (is_text) {
        if (descriptor->label == PROTOBUF_C_LABEL_REPEATED) {
            scan->result->element_count++;
        }
        return true;
    }
    if (field->wire == WIRE_BYTES) {
        scan->field_count += field->size / PACKED_BYTES_PER_FIELD;
        if (descriptor->type == PROTOBUF_C_TYPE_ENUM) {
            return check_packed_enums(scan, descriptor, field);
        }
    } else if (field->wire == WIRE_VARINT && descriptor->type == PROTOBUF_C_TYPE_ENUM) {
        check_enum(scan, descriptor, field->varint);
    }
    return true;
}

static enum rpc_scan_verdict enter_message(struct scan *scan,
                                           const ProtobufCFieldDescriptor *descriptor,
                                           const struct wire_field *field)
{
    if (field->wire != WIRE_BYTES) {
        return RPC_SCAN_MALFORMED;
    }
    if (scan->depth == RPC_SCAN_DEPTH_MAX) {
        return RPC_SCAN_TOO_DEEP;
    }
    scan->result->element_count++;
    scan->frames[scan->depth++] = (struct frame){
        .descriptor = descriptor->descriptor,
        .entered_by = descriptor,
        .end = field->data + field->size,
    };
    scan->cursor = field->data;
    return RPC_SCAN_FINE;
}

/* NULL: unknown.  Fields are sorted by number, and where no number is left out one stands at its own
 * place; only what does not is searched for. */
static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *descriptor,
                                                  uint32_t number)
{
    if (number <= descriptor->n_fields && descriptor->fields[number - 1].id == number) {
        return &descriptor->fields[number - 1];
    }
    return protobuf_c_message_descriptor_get_field(descriptor, number);
}

static enum rpc_scan_verdict scan_field(struct scan *scan, const struct frame *frame)
{
    struct wire_field field;
    if (!read_field(scan, frame->end, &field)) {
        return RPC_SCAN_MALFORMED;
    }
    scan->field_count++;
    const ProtobufCFieldDescriptor *descriptor = find_field(frame->descriptor, field.number);
    if (descriptor == NULL) {
        char text[16];
        (void)snprintf(text, sizeof text, "%" PRIu32, field.number);
        note_unknown(scan, NULL, ".", text);
        scan->result->element_count++;
        return RPC_SCAN_FINE;
    }
    if (descriptor->type == PROTOBUF_C_TYPE_MESSAGE) {
        return enter_message(scan, descriptor, &field);
    }
    if (holds_nul(descriptor, &field)) {
        scan->result->has_unknown = false; /* this is the one to tell */
        note_unknown(scan, NULL, ".", descriptor->name);
        return RPC_SCAN_NUL;
    }
    return scan_scalar(scan, descriptor, &field) ? RPC_SCAN_FINE : RPC_SCAN_MALFORMED;
}

enum rpc_scan_verdict rpc_scan(const ProtobufCMessageDescriptor *descriptor,
                               struct tercet_bytes bytes, uint32_t element_count_max,
                               struct rpc_scan_result *result_out)
{
    tercet_assert(bytes.data != NULL || bytes.size == 0);
    *result_out = (struct rpc_scan_result){0};
    if (bytes.size == 0) {
        return RPC_SCAN_FINE;
    }
    const uint8_t *const data = bytes.data;
    struct scan scan = {
        .cursor = data,
        .frames[0] = {.descriptor = descriptor, .end = data + bytes.size},
        .depth = 1,
        .field_count_max = (uint64_t)element_count_max * RPC_SCAN_FIELD_FACTOR,
        .element_count_max = element_count_max,
        .result = result_out,
    };
    /* Every turn consumes at least one byte or leaves a frame that one byte had opened. */
    while (scan.depth > 0) {
        const struct frame *frame = &scan.frames[scan.depth - 1];
        if (scan.cursor == frame->end) {
            scan.depth--;
            continue;
        }
        const enum rpc_scan_verdict verdict = scan_field(&scan, frame);
        if (verdict != RPC_SCAN_FINE) {
            return verdict;
        }
        if (result_out->element_count > element_count_max ||
            scan.field_count > scan.field_count_max) {
            return RPC_SCAN_TOO_MANY;
        }
    }
    return RPC_SCAN_FINE;
}

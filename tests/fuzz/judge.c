/* judge.c -- see judge.h. */
#include "judge.h"

#include <stdlib.h>

#include "base/assert.h"
#include "rpc/rpc_codec.h"
#include "rpc/rpc_scan.h"

bool judge_is_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at != '\0') {
        uint32_t point = *at;
        int more = 0;
        if (*at >= 0xf0) {
            more = 3;
            point = *at - 0xf0U;
        } else if (*at >= 0xe0) {
            more = 2;
            point = *at - 0xe0U;
        } else if (*at >= 0xc0) {
            more = 1;
            point = *at - 0xc0U;
        } else if (*at >= 0x80) {
            return false;
        }
        at++;
        for (int i = 0; i < more; i++, at++) {
            if (*at < 0x80 || *at > 0xbf) {
                return false;
            }
            point = point << 6U | (*at - 0x80U);
        }
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
            return false;
        }
    }
    return true;
}

bool judge_is_line(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        const unsigned char c = (unsigned char)*at;
        if (c < 0x20 || c == 0x7f) {
            return false;
        }
    }
    return true;
}

bool judge_is_range(const char *text, size_t min, size_t max, char low, char high)
{
    const size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        if (text[i] < low || text[i] > high) {
            return false;
        }
    }
    return size >= min && size <= max;
}

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

bool judge_is_name(const char *name)
{
    const size_t size = strlen(name);
    return size >= 1 && size <= 64 &&
           strspn(name, UPPER DIGIT "abcdefghijklmnopqrstuvwxyz_.-") == size;
}

bool judge_is_code(const char *code)
{
    const size_t size = strlen(code);
    return size <= 63 && strspn(code, UPPER DIGIT "_") == size;
}

/* The messages that a field of `message` holds. */
static size_t held_by(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                      ProtobufCMessage *const **items_out)
{
    const char *at = (const char *)message;
    const void *place = at + field->offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        *items_out = *(ProtobufCMessage *const *const *)place;
        return *(const size_t *)(const void *)(at + field->quantifier_offset);
    }
    *items_out = place;
    return **items_out == NULL ? 0 : 1;
}

static bool enum_is_unknown(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const char *at = (const char *)message;
    const void *place = at + field->offset;
    const int *values = place;
    size_t count = 1;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        values = *(const int *const *)place;
        count = *(const size_t *)(const void *)(at + field->quantifier_offset);
    }
    for (size_t i = 0; i < count; i++) {
        if (protobuf_c_enum_descriptor_get_value(field->descriptor, values[i]) == NULL) {
            return true;
        }
    }
    return false;
}

bool judge_has_unknown(const ProtobufCMessage *message)
{
    static const ProtobufCMessage *waiting[1 << 18];
    size_t count = 0;
    waiting[count++] = message;
    while (count > 0) {
        const ProtobufCMessage *now = waiting[--count];
        if (now->n_unknown_fields > 0) {
            return true;
        }
        for (unsigned i = 0; i < now->descriptor->n_fields; i++) {
            const ProtobufCFieldDescriptor *field = &now->descriptor->fields[i];
            ProtobufCMessage *const *items = NULL;
            if (field->type == PROTOBUF_C_TYPE_ENUM && enum_is_unknown(now, field)) {
                return true;
            }
            const size_t held =
                field->type == PROTOBUF_C_TYPE_MESSAGE ? held_by(now, field, &items) : 0;
            tercet_assert(count + held <= sizeof waiting / sizeof waiting[0]);
            for (size_t at = 0; at < held; at++) {
                waiting[count++] = items[at];
            }
        }
    }
    return false;
}

void judge_round_trip(const ProtobufCMessage *message)
{
    size_t size = 0;
    size_t size_again = 0;
    void *bytes = rpc_codec_pack(message, &size);
    ProtobufCMessage *again = rpc_codec_unpack(message->descriptor, tercet_bytes_of(bytes, size),
                                               RPC_SCAN_ELEMENT_COUNT_DEFAULT);
    tercet_assert(again != NULL);
    void *bytes_again = rpc_codec_pack(again, &size_again);
    tercet_assert(size == size_again && memcmp(bytes, bytes_again, size) == 0);
    free(bytes_again);
    rpc_codec_free(again);
    free(bytes);
}

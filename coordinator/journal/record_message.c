/* record_message.c -- see record_message.h. */
#include "journal/record_message.h"

#include <string.h>

#include "base/assert.h"
#include "base/error.h"

static const void *field_at(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (const char *)message + field->offset;
}

/* Every message of a value ends with `whole`. */
static bool is_whole(const ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *last =
        &message->descriptor->fields[message->descriptor->n_fields - 1];
    tercet_assert(strcmp(last->name, "whole") == 0 && last->type == PROTOBUF_C_TYPE_BOOL);
    return *(const protobuf_c_boolean *)field_at(message, last) != 0;
}

size_t record_message_pack_into(const ProtobufCMessage *message, uint8_t *value_out)
{
    tercet_assert(is_whole(message));
    value_out[0] = RECORD_FORMAT_VERSION;
    return RECORD_MESSAGE_HEAD_BYTES +
           protobuf_c_message_pack(message, value_out + RECORD_MESSAGE_HEAD_BYTES);
}

void record_message_pack(const ProtobufCMessage *message, struct buffer *value_out)
{
    const size_t size = RECORD_MESSAGE_HEAD_BYTES + protobuf_c_message_get_packed_size(message);
    tercet_assert(record_message_pack_into(message, buffer_extend(value_out, size)) == size);
}

ProtobufCBinaryData record_message_bytes(struct tercet_bytes bytes)
{
    return (ProtobufCBinaryData){.len = bytes.size, .data = (uint8_t *)(uintptr_t)bytes.data};
}

char *record_message_text(const char *text)
{
    return (char *)(uintptr_t)text;
}

bool record_message_take16(ProtobufCBinaryData data, uint8_t to[16])
{
    if (data.len != 16) {
        return false;
    }
    memcpy(to, data.data, 16);
    return true;
}

/* Are all enum values of this one message known?  Our enums are never repeated nor in a oneof. */
static bool enums_are_known(const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_ENUM) {
            continue;
        }
        tercet_assert(field->label == PROTOBUF_C_LABEL_NONE);
        const int value = *(const int *)field_at(message, field);
        if (protobuf_c_enum_descriptor_get_value(field->descriptor, value) == NULL) {
            return false;
        }
    }
    return true;
}

static bool level_is_known(const ProtobufCMessage *message)
{
    return message->n_unknown_fields == 0 && enums_are_known(message);
}

/* Messages nest two deep (record.proto), always by repeated fields. */
static bool all_is_known(const ProtobufCMessage *message)
{
    if (!level_is_known(message)) {
        return false;
    }
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
            continue;
        }
        tercet_assert(field->label == PROTOBUF_C_LABEL_REPEATED);
        const size_t count =
            *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
        ProtobufCMessage *const *items =
            *(ProtobufCMessage *const *const *)field_at(message, field);
        for (size_t at = 0; at < count; at++) {
            if (!level_is_known(items[at])) {
                return false;
            }
        }
    }
    return true;
}

ProtobufCMessage *record_message_unpack(const ProtobufCMessageDescriptor *descriptor,
                                        struct tercet_bytes value, const char *what,
                                        struct tercet_error *error_out)
{
    const uint8_t *data = value.data;
    if (value.size == 0) {
        error_set(error_out, TERCET_DATA_LOSS, "%s is empty", what);
        return NULL;
    }
    if (data[0] != RECORD_FORMAT_VERSION) {
        error_set(error_out, TERCET_DATA_LOSS,
                  "%s has format version %u; this tercetd reads %d: use the version that wrote it, "
                  "or a newer one",
                  what, data[0], RECORD_FORMAT_VERSION);
        return NULL;
    }
    ProtobufCMessage *message =
        protobuf_c_message_unpack(descriptor, NULL, value.size - 1, data + 1);
    if (message == NULL) {
        error_set(error_out, TERCET_DATA_LOSS, "%s makes no sense: it does not parse", what);
        return NULL;
    }
    if (!all_is_known(message)) {
        error_set(error_out, TERCET_DATA_LOSS,
                  "%s has a field or value that this tercetd does not know: use the version that "
                  "wrote it, or a newer one",
                  what);
    } else if (!is_whole(message)) {
        error_set(error_out, TERCET_DATA_LOSS, "%s is cut short", what);
    } else if (protobuf_c_message_get_packed_size(message) != value.size - 1) {
        error_set(error_out, TERCET_DATA_LOSS, "%s makes no sense: nobody writes it so", what);
    } else {
        return message;
    }
    protobuf_c_message_free_unpacked(message, NULL);
    return NULL;
}

/* record_value.c -- see record_value.h. */
#include "record_value.h"

#include "base/assert.h"
#include "build_message.h"
#include "journal/record_message.h"
#include "judge.h"

/* Sets what every value ends with. */
static void make_whole(ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    const ProtobufCFieldDescriptor *last = &descriptor->fields[descriptor->n_fields - 1];
    protobuf_c_boolean *whole = (protobuf_c_boolean *)(void *)((char *)message + last->offset);
    *whole = 1;
}

void record_value_take(struct tercet_bytes *source, const ProtobufCMessageDescriptor *descriptor,
                       bool build, struct buffer *value_out)
{
    if (!build) {
        const size_t said = (size_t)build_take(source) << 8U | build_take(source);
        const size_t size = said < source->size ? said : source->size;
        buffer_append(value_out, source->data, size);
        *source = tercet_bytes_of((const uint8_t *)source->data + size, source->size - size);
        return;
    }
    struct buffer wire = {0};
    build_message(descriptor, source, &wire);
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, NULL, wire.size, wire.data);
    if (message != NULL) {
        make_whole(message);
        record_message_pack(message, value_out);
        protobuf_c_message_free_unpacked(message, NULL);
    }
    buffer_deinit(&wire);
}

void record_value_judge_refusal(enum tercet_status status, const struct tercet_error *error)
{
    if (status != TERCET_OK) {
        tercet_assert(status == TERCET_DATA_LOSS && error->status == status);
        tercet_assert(error->text[0] != '\0' && judge_is_line(error->text));
    }
}

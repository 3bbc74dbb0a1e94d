// widest.h -- a message whose every number takes as many bytes as it ever can.
#ifndef TESTS_SUPPORT_WIDEST_H
#define TESTS_SUPPORT_WIDEST_H

#include <gtest/gtest.h>
#include <protobuf-c/protobuf-c.h>

#include <cstring>

/* Sets all numbers and enums.  Texts, bytes and messages are the caller's: `others` is how many of them
 * it knows of, so one that is added to the message later is not overlooked. */
inline void MakeWidest(ProtobufCMessage *message, unsigned others)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    unsigned seen = 0;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        auto *place = reinterpret_cast<uint8_t *>(message) + field->offset;
        switch (field->type) {
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_ENUM:
            memset(place, 0xff, sizeof(uint32_t));
            break;
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_UINT64:
            memset(place, 0xff, sizeof(uint64_t));
            break;
        default:
            seen++;
        }
    }
    EXPECT_EQ(seen, others) << descriptor->name;
}

#endif

/* record_message.h -- messages of tercet.v1.record to values and back, strictly.
 *
 * A value that this version did not write itself is refused as a whole: another version byte, bytes
 * that do not parse, a field or an enum value without a name here, or anything that would not be
 * written the same again. */
#ifndef COORDINATOR_JOURNAL_RECORD_MESSAGE_H
#define COORDINATOR_JOURNAL_RECORD_MESSAGE_H

#include <protobuf-c/protobuf-c.h>

#include "base/bytes.h"

enum { RECORD_FORMAT_VERSION = 1, RECORD_MESSAGE_HEAD_BYTES = 1 };

/* Appends the version byte and the packed message. */
void record_message_pack(const ProtobufCMessage *message, struct buffer *value_out);

/* The same to where the caller knows that there is room: RECORD_MESSAGE_HEAD_BYTES and the message.
 * Returns how many bytes it took. */
size_t record_message_pack_into(const ProtobufCMessage *message, uint8_t *value_out);

/* The message, to be freed by protobuf_c_message_free_unpacked(message, NULL).  NULL: refused;
 * `what` ("the head", ...) begins the sentence. */
ProtobufCMessage *record_message_unpack(const ProtobufCMessageDescriptor *descriptor,
                                        struct tercet_bytes value, const char *what,
                                        struct tercet_error *error_out);

/* A borrowed view for packing; protobuf-c's struct has no const. */
ProtobufCBinaryData record_message_bytes(struct tercet_bytes bytes);
char *record_message_text(const char *text);

/* Takes exactly 16 bytes; false when they are not 16. */
bool record_message_take16(ProtobufCBinaryData data, uint8_t to[16]);

#endif

/* build_message.h -- arbitrary bytes to the wire form of a message that parses.
 *
 * A mutated protobuf message is nearly always a broken one.  Here the input says which fields are
 * written, in which order and with which values, so that every mutation is another message:
 *
 *     OP VALUE OP VALUE ... 0      OP: 0 ends it, 255 gives room once, else a field by its place
 *     number    1 byte itself; or a limit of the protocol; or 8 bytes follow
 *     text      a length and so many bytes; or a length of the protocol and one byte to repeat
 *     message   its own fields up to the 0
 *
 * Room: repeated bytes are bounded, or a mutator that likes long texts makes every input a megabyte and
 * executes a tenth as many of them. */
#ifndef TESTS_FUZZ_BUILD_MESSAGE_H
#define TESTS_FUZZ_BUILD_MESSAGE_H

#include <protobuf-c/protobuf-c.h>

#include "base/bytes.h"

/* Of one message, beside what the input holds itself: before an OP gives room (the longest text once, and
 * some), and with it. */
enum { BUILD_BYTES_PLAIN = 5 << 14, BUILD_BYTES_MAX = 3 << 19 };

/* Takes the next byte, 0 when there is none. */
uint8_t build_take(struct tercet_bytes *source);

/* Appends the message; takes what it uses from `source`. */
void build_message(const ProtobufCMessageDescriptor *descriptor, struct tercet_bytes *source,
                   struct buffer *out);

#endif

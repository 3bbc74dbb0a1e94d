/* record_value.h -- values of the journal out of arbitrary bytes, and what is said of those that are refused. */
#ifndef TESTS_FUZZ_RECORD_VALUE_H
#define TESTS_FUZZ_RECORD_VALUE_H

#include <protobuf-c/protobuf-c.h>

#include "base/bytes.h"

/* The next value of the input, appended to the empty `value_out`: as it stands there; or built by it and
 * brought into the form in which it is written. */
void record_value_take(struct tercet_bytes *source, const ProtobufCMessageDescriptor *descriptor,
                       bool build, struct buffer *value_out);

/* Aborts unless it is OK, or DATA_LOSS with a sentence in one line. */
void record_value_judge_refusal(enum tercet_status status, const struct tercet_error *error);

#endif

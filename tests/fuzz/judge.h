/* judge.h -- what several fuzz targets hold against the product.  Written anew rather than borrowed
 * from it: a check cannot be its own judge. */
#ifndef TESTS_FUZZ_JUDGE_H
#define TESTS_FUZZ_JUDGE_H

#include <protobuf-c/protobuf-c.h>

#include "tercet/tercet.h"

/* UTF-8 as RFC 3629 has it. */
bool judge_is_utf8(const char *text);

/* No control character in it: one line, whatever shows it. */
bool judge_is_line(const char *text);

/* So many bytes, each of them low to high. */
bool judge_is_range(const char *text, size_t min, size_t max, char low, char high);

/* A participant or an action; a reason's code, which may be "". */
bool judge_is_name(const char *name);
bool judge_is_code(const char *code);

/* Does any message in it hold a field or an enum value without a name here? */
bool judge_has_unknown(const ProtobufCMessage *message);

/* Aborts unless it packs to bytes that are the same message again. */
void judge_round_trip(const ProtobufCMessage *message);

#endif

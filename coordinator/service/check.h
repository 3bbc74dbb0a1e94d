/* check.h -- the limits of single fields.  Each returns false with the refusal filled. */
#ifndef COORDINATOR_SERVICE_CHECK_H
#define COORDINATOR_SERVICE_CHECK_H

#include "service/refusal.h"

bool check_range(struct refusal *refusal, const char *field, int64_t value, int64_t min,
                 int64_t max);
bool check_bytes(struct refusal *refusal, const char *field, size_t value, size_t min, size_t max);

/* 1 to TERCET_GID_BYTES_MAX of 0x21 to 0x7e. */
bool check_gid(struct refusal *refusal, const char *field, const char *gid);

/* A participant or an action. */
bool check_name(struct refusal *refusal, const char *field, const char *name);

/* A reason code; "" is none. */
bool check_code(struct refusal *refusal, const char *field, const char *code);

/* Printable ASCII, space included, of at most bytes_max; may be "". */
bool check_printable(struct refusal *refusal, const char *field, const char *text,
                     size_t bytes_max);

/* UTF-8 as it is defined: no surrogates, nothing longer than needed, nothing above U+10FFFF.  What
 * is not would make every reply unreadable that repeats it. */
bool check_utf8(struct refusal *refusal, const char *field, const char *text);

#endif

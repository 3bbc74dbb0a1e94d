/* refusal.h -- why a request is not carried out, before the engine has seen it.
 *
 * Everything here had no effect and can have none.  Code, field, limit and value are for programs
 * (tercet.v1.ErrorDetail), the text is for people and says the same. */
#ifndef COORDINATOR_SERVICE_REFUSAL_H
#define COORDINATOR_SERVICE_REFUSAL_H

#include "tercet/tercet.h"

enum { REFUSAL_FIELD_SIZE = 64, REFUSAL_TEXT_SIZE = 512 };

struct refusal {
    enum tercet_status status;
    const char *code; /* static */
    char field[REFUSAL_FIELD_SIZE];
    int64_t limit;
    int64_t value;
    uint32_t retry_after_ms;
    char text[REFUSAL_TEXT_SIZE];
};

/* Fills it; always returns false, so that a check can end with it.  `field` may be "". */
bool refusal_set(struct refusal *refusal, enum tercet_status status, const char *code,
                 const char *field, const char *format, ...) TERCET_PRINTF(5, 6);

/* `value` lies outside min..max: INVALID_ARGUMENT, TERCET_LIMIT, with limit and value.  `what`: the
 * unit, such as " bytes"; may be "". */
bool refusal_set_limit(struct refusal *refusal, const char *field, int64_t value, int64_t limit,
                       const char *what);

/* What was refused is a part of something: its name goes before the field, and before the text, which
 * begins with the field. */
bool refusal_within(struct refusal *refusal, const char *format, ...) TERCET_PRINTF(2, 3);

#endif

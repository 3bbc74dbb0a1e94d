/* refusal.c -- see refusal.h. */
#include "service/refusal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

bool refusal_set(struct refusal *refusal, enum tercet_status status, const char *code,
                 const char *field, const char *format, ...)
{
    *refusal = (struct refusal){.status = status, .code = code};
    text_format(refusal->field, sizeof refusal->field, "%s", field);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(refusal->text, sizeof refusal->text, format, arguments);
    va_end(arguments);
    return false;
}

bool refusal_set_limit(struct refusal *refusal, const char *field, int64_t value, int64_t limit,
                       const char *what)
{
    refusal_set(refusal, TERCET_INVALID_ARGUMENT, "TERCET_LIMIT", field,
                "%s is %" PRId64 "%s; the limit is %s %" PRId64, field, value, what,
                value > limit ? "at most" : "at least", limit);
    refusal->limit = limit;
    refusal->value = value;
    return false;
}

bool refusal_within(struct refusal *refusal, const char *format, ...)
{
    const struct refusal inner = *refusal;
    char whole[REFUSAL_FIELD_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(whole, sizeof whole, format, arguments);
    va_end(arguments);
    text_format(refusal->field, sizeof refusal->field, "%s.%s", whole, inner.field);
    text_format(refusal->text, sizeof refusal->text, "%s.%s", whole, inner.text);
    return false;
}

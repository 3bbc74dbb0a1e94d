/* usage.c -- one line for wrong use, see usage.h. */
#include "common/usage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { DECIMAL = 10 };

void usage_wrong(const struct usage *usage, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s: ", usage->program);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "; as in: %s\n", usage->example);
    exit(EXIT_USAGE);
}

void usage_wrong_option(const struct usage *usage, const struct argp_state *state)
{
    const char *argument = state->next > 0 ? state->argv[state->next - 1] : "";

    usage_wrong(usage, "%s is not an option here, or lacks its value (--help tells)", argument);
}

int64_t usage_number(const struct usage *usage, const char *option, const char *text, int64_t min,
                     int64_t max)
{
    char *end = NULL;

    errno = 0;
    intmax_t number = strtoimax(text, &end, DECIMAL);
    if (end == text || *end != '\0' || errno == ERANGE || number < min || number > max) {
        usage_wrong(usage, "%s is \"%s\", must be a whole number from %" PRId64 " to %" PRId64,
                    option, text, min, max);
    }
    return (int64_t)number;
}

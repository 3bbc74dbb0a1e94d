/* usage.h -- how the sample's programs tell that they were called wrongly.
 *
 * One line: what is wrong, and an example that is right.  argp's own way takes three lines and shows
 * no example, so the programs parse with ARGP_NO_ERRS and come here. */
#ifndef SAMPLES_PAYMENT_COMMON_USAGE_H
#define SAMPLES_PAYMENT_COMMON_USAGE_H

#include <argp.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <tercet/tercet.h>

enum {
    EXIT_USAGE = 64 /* sysexits.h: EX_USAGE */
};

/* Who speaks, and what would have been right. */
struct usage {
    const char *program;
    const char *example;
};

/* Says what is wrong, with the example, and ends the process with EXIT_USAGE. */
noreturn void usage_wrong(const struct usage *usage, const char *format, ...) TERCET_PRINTF(2, 3);

/* ARGP_KEY_ERROR: an option that is not known or lacks its value. */
noreturn void usage_wrong_option(const struct usage *usage, const struct argp_state *state);

/* `text` as a whole number from `min` to `max`; anything else is wrong use of `option`. */
int64_t usage_number(const struct usage *usage, const char *option, const char *text, int64_t min,
                     int64_t max);

#endif

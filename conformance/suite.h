/* suite.h -- all checks, one after the other. */
#ifndef CONFORMANCE_SUITE_H
#define CONFORMANCE_SUITE_H

#include "checks.h"

struct outcome {
    const char *group;
    const struct check_kind *kind;
    enum check_result result;
    char came[CHECK_SENTENCE_SIZE];
    int64_t took_ms;
};

struct suite {
    struct outcome outcomes[CHECK_COUNT_MAX];
    size_t count;
    size_t passed;
    size_t failed;
    size_t skipped;
};

/* Told each as it ends; may be NULL. */
typedef void (*suite_ended_fn)(const struct outcome *outcome);

void suite_run(struct suite *suite, struct run *run, suite_ended_fn ended);

/* A name in `only` that is no check's; "" : none.  Without a suite. */
void suite_stranger(const char *only, char name_out[64]);

/* Every check, in order; `look` is told each. */
void suite_list(void (*look)(const char *group, const struct check_kind *kind));

/* "conforms: 40 of 40 checks, stream, marks", or what failed.  One line. */
void suite_summary(const struct suite *suite, const struct run *run, char *text_out, size_t size);

#endif

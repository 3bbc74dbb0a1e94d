/* arguments.h -- the command line of tercet-conformance, checked. */
#ifndef CONFORMANCE_ARGUMENTS_H
#define CONFORMANCE_ARGUMENTS_H

#include "payload.h"

struct arguments {
    const char *address;
    const char *participant;
    const char *action;
    const char *confirm_only; /* an action that is only confirmed; NULL: none */
    const char *balance;      /* a command; NULL: effects are not counted */
    const char *restart;      /* a command; NULL: it is never killed */
    const char *json;         /* a file; NULL: none */
    const char *only;         /* names of checks, with commas; NULL: all */
    struct payload payload;
    struct payload refused_payload;
    struct payload confirm_only_payload;
    uint64_t first; /* what {n} becomes first */
    uint64_t seed;
    bool list; /* the checks, and nothing else */
};

/* Fills in the defaults, then what the words say.  Wrong use ends the process with 64, after a line that
 * says what is wrong.  The words are borrowed. */
void arguments_parse(int count, char **words, struct arguments *arguments_out);
void arguments_deinit(struct arguments *arguments);

#endif

/* conduct.h -- what must hold for every answer of a run, whatever was asked. */
#ifndef CONFORMANCE_CONDUCT_H
#define CONFORMANCE_CONDUCT_H

#include "answer.h"

enum conduct_rule {
    CONDUCT_VERDICT,      /* there is one, and it is one of the four */
    CONDUCT_HOW,          /* a DONE says how it came about */
    CONDUCT_KIND,         /* a CONFLICT says which */
    CONDUCT_SECOND_PHASE, /* a confirm or cancel is not refused */
    CONDUCT_REASON,       /* a refusal has a code, and codes are codes */
    CONDUCT_RESULT,       /* at most 1 KiB */
    CONDUCT_RULE_COUNT
};

struct conduct {
    struct {
        uint64_t held;
        uint64_t broken;
        char first[ANSWER_SENTENCE_SIZE]; /* how it was broken first */
    } rules[CONDUCT_RULE_COUNT];
};

void conduct_note(struct conduct *conduct, enum tercet_phase phase, const struct answer *answer);

#endif

/* ask.h -- unary requests, asked as a coordinator asks: LATER, a lost answer and a broken connection are
 * asked again until there is an answer, or patience ends.  Every answer passes conduct.h. */
#ifndef CONFORMANCE_ASK_H
#define CONFORMANCE_ASK_H

#include "run.h"

struct question {
    const struct branch *branch;
    enum tercet_phase phase;
};

void ask(struct run *run, const struct branch *branch, enum tercet_phase phase,
         struct answer *answer_out);

/* All at the same moment, over all connections; what is to be repeated is then asked in turn. */
void ask_at_once(struct run *run, const struct question *questions, size_t count,
                 struct answer *answers_out);

/* The same, one every millisecond, because something is to happen among them. */
void ask_spread(struct run *run, const struct question *questions, size_t count,
                struct answer *answers_out);

/* This message and nothing else, once. */
void ask_message(struct run *run, enum tercet_phase method,
                 const Tercet__V1__BranchRequest *message, struct answer *answer_out);

#endif

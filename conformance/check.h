/* check.h -- one named check: what it expects, and what came.
 *
 * The body of a check is a straight line of steps.  The first step that fails writes its sentence, and
 * all later ones do nothing, so no body asks whether the step before it was right.  What a failed check
 * leaves reserved is cancelled behind it, so that the next one finds the business as it was. */
#ifndef CONFORMANCE_CHECK_H
#define CONFORMANCE_CHECK_H

#include "ask.h"

enum { CHECK_BRANCH_COUNT_MAX = 160, CHECK_SENTENCE_SIZE = 640 };

enum check_result { CHECK_PASSED, CHECK_FAILED, CHECK_SKIPPED };

struct check;

struct check_kind {
    const char *name;    /* stable; for --only and for programs */
    const char *expects; /* a sentence */
    void (*run)(struct check *check);
};

struct check {
    struct run *run;
    const struct check_kind *kind;
    enum check_result result;
    char came[CHECK_SENTENCE_SIZE];
    uint32_t step;
    int64_t took_ms;
    struct reading before; /* the balance; text "" : none */
    struct branch *branches[CHECK_BRANCH_COUNT_MAX];
    size_t branch_count;
};

void check_run(struct check *check, struct run *run, const struct check_kind *kind);

/* ---- What a body makes.  Lives as long as the check ------------------------------------------- */

struct persona *check_persona(struct check *check);
struct branch *check_branch(struct check *check); /* of the usual persona */
struct branch *check_branch_of(struct check *check, struct persona *persona);
struct branch *check_branch_at(struct check *check, struct persona *persona, int64_t number);
struct branch *check_branch_with(struct check *check, const char *action,
                                 const struct payload *payload);
/* The same branch again, for the check to change. */
struct branch *check_twin(struct check *check, const struct branch *branch);

/* ---- Steps ------------------------------------------------------------------------------------- */

void check_ask(struct check *check, const struct branch *branch, enum tercet_phase phase,
               enum want want);
void check_ask_either(struct check *check, const struct branch *branch, enum tercet_phase phase,
                      enum want want, enum want or_want);
/* The same, and the answer is told; all zero when nothing was asked any more. */
void check_ask_for(struct check *check, const struct branch *branch, enum tercet_phase phase,
                   enum want want, struct answer *answer_out);

/* Something that came in another way.  `what` says what it answers. */
void check_expect(struct check *check, const char *what, enum want want,
                  const struct answer *answer);

void check_same_result(struct check *check, const struct answer *first,
                       const struct answer *answer);

/* The balance is what so many tries, confirms and cancels since the check began have made of it. */
void check_effects(struct check *check, int tries, int confirms, int cancels);

/* As it is now; false: there is no command, or it has failed, or the check has. */
bool check_balance(struct check *check, struct reading *reading_out);

void check_fail(struct check *check, const char *format, ...) TERCET_PRINTF(2, 3);
void check_skip(struct check *check, const char *format, ...) TERCET_PRINTF(2, 3);
/* What came of a check that passes. */
void check_note(struct check *check, const char *format, ...) TERCET_PRINTF(2, 3);

/* Nothing failed so far, and it goes on. */
static inline bool check_is_well(const struct check *check)
{
    return check->result == CHECK_PASSED;
}

#endif

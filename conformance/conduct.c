/* conduct.c -- see conduct.h. */
#include "conduct.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

static void note(struct conduct *conduct, enum conduct_rule rule, bool holds,
                 enum tercet_phase phase, const struct answer *answer)
{
    if (holds) {
        conduct->rules[rule].held++;
        return;
    }
    conduct->rules[rule].broken++;
    if (conduct->rules[rule].broken == 1) {
        char came[ANSWER_SENTENCE_SIZE];
        answer_print(answer, came);
        text_format(conduct->rules[rule].first, sizeof conduct->rules[rule].first, "a %s got %s",
                    tercet_phase_name(phase), came);
    }
}

static bool is_code(const struct answer *answer)
{
    return answer->code_size <= TERCET_REASON_CODE_BYTES_MAX &&
           strspn(answer->code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(answer->code);
}

void conduct_note(struct conduct *conduct, enum tercet_phase phase, const struct answer *answer)
{
    if (answer->status != TERCET_OK) {
        return;
    }
    const bool known =
        answer->verdict >= TERCET_VERDICT_DONE && answer->verdict <= TERCET_VERDICT_CONFLICT;
    const bool refused = answer->verdict == TERCET_VERDICT_REFUSED;
    note(conduct, CONDUCT_VERDICT, known, phase, answer);
    note(conduct, CONDUCT_REASON, is_code(answer) && !(refused && answer->code[0] == '\0'), phase,
         answer);
    note(conduct, CONDUCT_RESULT, answer->result_size <= TERCET_RESULT_BYTES_MAX, phase, answer);
    if (phase != TERCET_PHASE_TRY) {
        note(conduct, CONDUCT_SECOND_PHASE, !refused, phase, answer);
    }
    if (answer->verdict == TERCET_VERDICT_DONE) {
        note(conduct, CONDUCT_HOW, answer->how >= TERCET_HOW_RAN && answer->how <= TERCET_HOW_EMPTY,
             phase, answer);
    }
    if (answer->verdict == TERCET_VERDICT_CONFLICT) {
        note(conduct, CONDUCT_KIND,
             answer->conflict >= TERCET_CONFLICT_OTHER_TRANSACTION &&
                 answer->conflict <= TERCET_CONFLICT_FORGOTTEN,
             phase, answer);
    }
}

/* checks_conduct.c -- what every answer of the run had to be (conduct.h).  Last, because it looks back. */
#include "checks.h"

#include <inttypes.h>

static void look_back(struct check *check, enum conduct_rule rule)
{
    const uint64_t held = check->run->conduct.rules[rule].held;
    const uint64_t broken = check->run->conduct.rules[rule].broken;
    if (broken > 0) {
        check_fail(check, "%" PRIu64 " of %" PRIu64 " answers were not so; first, %s", broken,
                   held + broken, check->run->conduct.rules[rule].first);
    } else if (held == 0) {
        check_skip(check, "no such answer came");
    }
    check_note(check, "%" PRIu64 " answers", held);
}

static void verdict_told(struct check *check)
{
    look_back(check, CONDUCT_VERDICT);
}

static void how_told(struct check *check)
{
    look_back(check, CONDUCT_HOW);
}

static void conflict_told(struct check *check)
{
    look_back(check, CONDUCT_KIND);
}

static void second_phase_not_refused(struct check *check)
{
    look_back(check, CONDUCT_SECOND_PHASE);
}

static void reasons(struct check *check)
{
    look_back(check, CONDUCT_REASON);
}

static void result_size(struct check *check)
{
    look_back(check, CONDUCT_RESULT);
}

static const struct check_kind kinds[] = {
    {"verdict_told", "Every answer has one of the four verdicts.", verdict_told},
    {"how_told", "Every DONE says how: RAN, REPEATED or EMPTY.", how_told},
    {"conflict_told", "Every CONFLICT says which.", conflict_told},
    {"second_phase_not_refused", "No confirm and no cancel is REFUSED.", second_phase_not_refused},
    {"reasons", "Every refusal has a code; codes are at most 63 of A-Z 0-9 _.", reasons},
    {"result_size", "No result is over 1 KiB.", result_size},
};

const struct check_group checks_conduct = {"conduct", kinds, sizeof kinds / sizeof kinds[0]};

/* checks_epoch.c -- only one coordinator speaks for an origin: the one that was started last. */
#include "checks.h"

#include <string.h>

#include "base/error.h"
#include "survey.h"

/* The same origin, another start of it. */
static struct persona *start_of(struct check *check, const struct persona *persona,
                                int64_t incarnation, int64_t epoch)
{
    struct persona *other = check_persona(check);
    const struct persona unchanged = *persona;
    *other = unchanged;
    other->epoch = (struct tercet_epoch){unchanged.epoch.incarnation + incarnation, epoch};
    return other;
}

static struct branch *asked_by(struct check *check, const struct branch *branch,
                               struct persona *persona)
{
    struct branch *twin = check_twin(check, branch);
    twin->persona = persona;
    return twin;
}

/* Describe is optional; who serves it refuses an old epoch there, too. */
static void describe_by_old(struct check *check, const struct persona *persona)
{
    static const char old[] = "TERCET_OLD_EPOCH";
    struct survey survey;
    survey_describe(&survey, check->run->channels[0], persona);
    if (survey.status != TERCET_UNIMPLEMENTED && (survey.status != TERCET_FAILED_PRECONDITION ||
                                                  strncmp(survey.text, old, sizeof old - 1) != 0)) {
        check_fail(check,
                   "Describe by an old epoch: wanted FAILED_PRECONDITION with %s, came %s: %s", old,
                   tercet_status_name(survey.status), survey.text);
    }
    survey_close(&survey);
}

static void old_epoch(struct check *check)
{
    struct persona *now = check_persona(check);
    now->epoch.epoch = 5;
    struct persona *before = start_of(check, now, 0, 4);
    struct persona *other_life = start_of(check, now, -1, 99);
    struct branch *branch = check_branch_of(check, now);
    struct branch *untouched = check_branch_of(check, now);

    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, asked_by(check, untouched, before), TERCET_PHASE_TRY, WANT_OLD_EPOCH);
    check_ask(check, asked_by(check, branch, before), TERCET_PHASE_TRY, WANT_OLD_EPOCH);
    check_ask(check, asked_by(check, branch, before), TERCET_PHASE_CONFIRM, WANT_OLD_EPOCH);
    check_ask(check, asked_by(check, branch, before), TERCET_PHASE_CANCEL, WANT_OLD_EPOCH);
    check_ask(check, asked_by(check, branch, other_life), TERCET_PHASE_CANCEL, WANT_OLD_EPOCH);
    describe_by_old(check, before);
    check_effects(check, 1, 0, 0);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_RAN);
    check_ask(check, untouched, TERCET_PHASE_CANCEL, WANT_EMPTY);
    check_effects(check, 1, 1, 0);
}

static void new_epoch(struct check *check)
{
    struct persona *first = check_persona(check);
    struct persona *second = start_of(check, first, 0, 2);
    struct persona *restored = start_of(check, first, 1, 1);
    const struct branch *branch = check_branch_of(check, first);

    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, asked_by(check, branch, second), TERCET_PHASE_TRY, WANT_REPEATED);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_OLD_EPOCH);
    check_ask(check, asked_by(check, branch, restored), TERCET_PHASE_CONFIRM, WANT_RAN);
    check_ask(check, asked_by(check, branch, second), TERCET_PHASE_CONFIRM, WANT_OLD_EPOCH);
    check_ask(check, asked_by(check, branch, restored), TERCET_PHASE_CONFIRM, WANT_REPEATED);
    check_effects(check, 1, 1, 0);
}

static void epochs_apart(struct check *check)
{
    struct persona *high = check_persona(check);
    struct persona *low = check_persona(check);
    high->epoch.epoch = 9;
    const struct branch *branch = check_branch_of(check, low);

    check_ask(check, check_branch_of(check, high), TERCET_PHASE_CANCEL, WANT_EMPTY);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_RAN);
    check_effects(check, 1, 0, 1);
}

static void described_epoch(struct check *check)
{
    struct persona *before = check_persona(check);
    struct persona *now = start_of(check, before, 0, 2);
    struct branch *branch = check_branch_of(check, before);
    struct survey survey;

    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    survey_describe(&survey, check->run->channels[0], now);
    const enum tercet_status status = survey.status;
    survey_close(&survey);
    if (status == TERCET_OK) {
        check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_OLD_EPOCH);
        check_ask(check, asked_by(check, branch, now), TERCET_PHASE_CANCEL, WANT_RAN);
    } else {
        check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_RAN);
    }
    check_effects(check, 1, 0, 1);
    if (status == TERCET_UNIMPLEMENTED) {
        check_skip(check, "Describe is not served; it is optional");
    } else if (status != TERCET_OK) {
        check_fail(check, "Describe: status %s", tercet_status_name(status));
    }
}

static const struct check_kind kinds[] = {
    {"old_epoch",
     "Who asks with a lower epoch than was seen of its origin gets FAILED_PRECONDITION "
     "TERCET_OLD_EPOCH, in every phase, and changes nothing.",
     old_epoch},
    {"new_epoch",
     "A higher epoch is taken at once, incarnation first; the one before it is then old.",
     new_epoch},
    {"epochs_apart", "The epochs of two origins have nothing to do with each other.", epochs_apart},
    {"described_epoch", "Describe stores a higher epoch before it answers.", described_epoch},
};

const struct check_group checks_epoch = {"epochs", kinds, sizeof kinds / sizeof kinds[0]};

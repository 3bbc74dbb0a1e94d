/* checks_confirm_only.c -- an action that has nothing to reserve and is never tried. */
#include "checks.h"

enum { AT_ONCE = 16 };

/* NULL: none was named. */
static const struct branch *make(struct check *check)
{
    const struct arguments *arguments = check->run->arguments;
    if (arguments->confirm_only == NULL) {
        check_skip(check, "no --confirm-only action was given");
        return NULL;
    }
    return check_branch_with(check, arguments->confirm_only,
                             arguments->confirm_only_payload.given
                                 ? &arguments->confirm_only_payload
                                 : &arguments->payload);
}

/* Its effect so many times, by what the first one did. */
static void expect_times(struct check *check, int times)
{
    struct effects *effects = &check->run->effects;
    struct reading now;
    if (!check_balance(check, &now) || !now.is_number || !check->before.is_number) {
        return;
    }
    const double change = now.number - check->before.number;
    if (!effects->once_learned && times == 1) {
        effects->once_learned = true;
        effects->per_once = change;
    }
    if (effects->once_learned && !balance_equal(change, effects->per_once * times)) {
        check_fail(check,
                   "behind step %u the balance changed by %.15g, and %d times %.15g was expected",
                   (unsigned)check->step, change, times, effects->per_once);
    }
}

static void confirm_only(struct check *check)
{
    const struct branch *branch = make(check);
    if (branch == NULL) {
        return;
    }
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_RAN);
    expect_times(check, 1);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_REPEATED);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_REPEATED);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_CONFIRMED);
    expect_times(check, 1);
}

static void confirm_only_at_once(struct check *check)
{
    struct question questions[AT_ONCE];
    struct answer answers[AT_ONCE];
    const struct branch *branch = make(check);
    int ran = 0;
    if (branch == NULL) {
        return;
    }
    for (int i = 0; i < AT_ONCE; i++) {
        questions[i] = (struct question){branch, TERCET_PHASE_CONFIRM};
    }
    ask_at_once(check->run, questions, AT_ONCE, answers);
    for (int i = 0; i < AT_ONCE; i++) {
        check_expect(check, "CONFIRM, 16 at once", WANT_DONE, &answers[i]);
        ran += answers[i].how == TERCET_HOW_RAN ? 1 : 0;
    }
    if (ran > 1) {
        check_fail(check, "of %d that were asked to confirm at once %d say that they ran",
                   (int)AT_ONCE, ran);
    }
    expect_times(check, 1);
}

static void confirm_only_cancelled(struct check *check)
{
    const struct branch *branch = make(check);
    if (branch == NULL) {
        return;
    }
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_EMPTY);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_CANCELLED);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_EMPTY);
    expect_times(check, 0);
}

static void confirm_only_try(struct check *check)
{
    const struct branch *branch = make(check);
    if (branch == NULL) {
        return;
    }
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_INVALID);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_EMPTY);
    expect_times(check, 0);
}

static const struct check_kind kinds[] = {
    {"confirm_only", "Its confirm runs without a try, and once however often it comes.",
     confirm_only},
    {"confirm_only_at_once", "The same confirm 16 times at once: all DONE, one effect.",
     confirm_only_at_once},
    {"confirm_only_cancelled",
     "Behind a cancel its confirm is CONFLICT CANCELLED and does nothing.", confirm_only_cancelled},
    {"confirm_only_try", "A try of it is status INVALID_ARGUMENT and leaves no row.",
     confirm_only_try},
};

const struct check_group checks_confirm_only = {"confirm-only", kinds,
                                                sizeof kinds / sizeof kinds[0]};

/* checks_plain.c -- one transaction as it should be.  What its phases do to the balance is learned here;
 * all later checks count with that. */
#include "checks.h"

#include <string.h>

/* The balance now, and what changed since `since`. */
static bool learn(struct check *check, const struct reading *since, struct reading *now_out,
                  double *change_out)
{
    struct effects *effects = &check->run->effects;
    if (!check_balance(check, now_out)) {
        return false;
    }
    effects->moved = effects->moved || strcmp(now_out->text, since->text) != 0;
    *change_out = now_out->number - since->number;
    return now_out->is_number && since->is_number;
}

static void try_then_confirm(struct check *check)
{
    struct effects *effects = &check->run->effects;
    const struct branch *branch = check_branch(check);
    struct reading tried = check->before;
    struct reading confirmed;

    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    bool learned = learn(check, &check->before, &tried, &effects->per_try);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_RAN);
    learned = learn(check, &tried, &confirmed, &effects->per_confirm) && learned;
    effects->learned = learned;
    if (learned) {
        check_note(check, "the balance changes by %.15g at a try, by %.15g at its confirm",
                   effects->per_try, effects->per_confirm);
    }
    if (check->run->arguments->balance != NULL && !effects->moved) {
        check_fail(check,
                   "the balance is %s before, between and after: neither a try nor a confirm "
                   "changes what the command prints",
                   check->before.text);
    }
}

static void try_then_cancel(struct check *check)
{
    const struct branch *branch = check_branch(check);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    check_effects(check, 1, 0, 0);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_RAN);
    check_effects(check, 1, 0, 1);
}

static void refused_try(struct check *check)
{
    const struct arguments *arguments = check->run->arguments;
    if (!arguments->refused_payload.given) {
        check_skip(check, "no --refused-payload was given");
        return;
    }
    const struct branch *branch =
        check_branch_with(check, arguments->action, &arguments->refused_payload);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_REFUSED);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_REFUSED);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_NOT_TRIED);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_EMPTY);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_REFUSED);
    check_effects(check, 0, 0, 0);
}

static const struct check_kind kinds[] = {
    {"try_then_confirm", "Try is DONE RAN, its confirm is DONE RAN.", try_then_confirm},
    {"try_then_cancel", "Try is DONE RAN, its cancel is DONE RAN; the balance is as before.",
     try_then_cancel},
    {"refused_try",
     "A try that is refused leaves no row and no effect: its confirm is CONFLICT NOT_TRIED, its "
     "cancel "
     "DONE EMPTY.",
     refused_try},
};

const struct check_group checks_plain = {"plain", kinds, sizeof kinds / sizeof kinds[0]};

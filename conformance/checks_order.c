/* checks_order.c -- requests that come before, behind and beside those that they belong to. */
#include "checks.h"

enum { LATE_TRIES = 3, ROUNDS = 6 };

static void cancel_without_try(struct check *check)
{
    const struct branch *branch = check_branch(check);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_EMPTY);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_EMPTY);
    check_effects(check, 0, 0, 0);
}

static void late_try(struct check *check)
{
    const struct branch *branch = check_branch(check);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_EMPTY);
    for (int i = 0; i < LATE_TRIES; i++) {
        check_ask(check, branch, TERCET_PHASE_TRY, WANT_REFUSED);
    }
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_EMPTY);
    check_effects(check, 0, 0, 0);
}

static void try_after_cancel(struct check *check)
{
    const struct branch *branch = check_branch(check);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_RAN);
    for (int i = 0; i < LATE_TRIES; i++) {
        check_ask(check, branch, TERCET_PHASE_TRY, WANT_REFUSED);
    }
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_REPEATED);
    check_effects(check, 1, 0, 1);
}

static void confirm_without_try(struct check *check)
{
    const struct branch *branch = check_branch(check);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_NOT_TRIED);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_NOT_TRIED);
    check_effects(check, 0, 0, 0);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_RAN);
    check_effects(check, 1, 0, 1);
}

static void cancel_after_confirm(struct check *check)
{
    const struct branch *branch = check_branch(check);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_RAN);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_CONFIRMED);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_CONFIRMED);
    check_effects(check, 1, 1, 0);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_REPEATED);
}

static void confirm_after_cancel(struct check *check)
{
    const struct branch *branch = check_branch(check);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_RAN);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_CANCELLED);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_REPEATED);

    const struct branch *never_tried = check_branch(check);
    check_ask(check, never_tried, TERCET_PHASE_CANCEL, WANT_EMPTY);
    check_ask(check, never_tried, TERCET_PHASE_CONFIRM, WANT_CANCELLED);
    check_ask(check, never_tried, TERCET_PHASE_CANCEL, WANT_EMPTY);
    check_effects(check, 1, 0, 1);
}

/* Two phases of one branch at the same moment; in every other round the second is sent first. */
static void ask_both(struct check *check, const struct branch *branch, int round,
                     const enum tercet_phase phases[2], struct answer answers_out[2])
{
    const int first = round % 2;
    const struct question questions[] = {{branch, phases[first]}, {branch, phases[1 - first]}};
    struct answer answers[2] = {{.status = TERCET_OK}, {.status = TERCET_OK}};
    if (check_is_well(check)) {
        ask_at_once(check->run, questions, 2, answers);
    }
    answers_out[first] = answers[0];
    answers_out[1 - first] = answers[1];
}

static void try_beside_cancel(struct check *check)
{
    static const enum tercet_phase phases[] = {TERCET_PHASE_TRY, TERCET_PHASE_CANCEL};
    int tried = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct answer answers[2];
        const struct branch *branch = check_branch(check);
        ask_both(check, branch, i, phases, answers);
        if (answer_is(&answers[1], WANT_EMPTY)) {
            check_expect(check, "TRY, its cancel found nothing", WANT_REFUSED, &answers[0]);
            check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_EMPTY);
        } else {
            check_expect(check, "CANCEL beside its try", WANT_RAN, &answers[1]);
            /* A first attempt of which nothing is known may have been cancelled before the second. */
            const bool lost = answers[0].unknown_before > 0 && answer_is(&answers[0], WANT_REFUSED);
            check_expect(check, "TRY, which was cancelled", lost ? WANT_REFUSED : WANT_RAN,
                         &answers[0]);
            check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_REPEATED);
            tried++;
        }
        check_ask(check, branch, TERCET_PHASE_TRY, WANT_REFUSED);
    }
    check_effects(check, tried, 0, tried);
    check_note(check, "of %d the try was first %d times, the cancel %d times", (int)ROUNDS, tried,
               ROUNDS - tried);
}

static void confirm_beside_cancel(struct check *check)
{
    static const enum tercet_phase phases[] = {TERCET_PHASE_CONFIRM, TERCET_PHASE_CANCEL};
    int confirmed = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct answer answers[2];
        const struct branch *branch = check_branch(check);
        check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
        ask_both(check, branch, i, phases, answers);
        if (answer_is(&answers[0], WANT_RAN)) {
            check_expect(check, "CANCEL, which came second", WANT_CONFIRMED, &answers[1]);
            confirmed++;
        } else {
            check_expect(check, "CONFIRM, which came second", WANT_CANCELLED, &answers[0]);
            check_expect(check, "CANCEL, which came first", WANT_RAN, &answers[1]);
        }
    }
    check_effects(check, ROUNDS, confirmed, ROUNDS - confirmed);
    check_note(check, "of %d the confirm was first %d times", (int)ROUNDS, confirmed);
}

static const struct check_kind kinds[] = {
    {"cancel_without_try", "A cancel that finds no try is DONE EMPTY, each time, without effect.",
     cancel_without_try},
    {"late_try",
     "A try behind its empty cancel is REFUSED, the second and third time too, and reserves "
     "nothing.",
     late_try},
    {"try_after_cancel", "A try that comes again behind its cancel is REFUSED, every time.",
     try_after_cancel},
    {"confirm_without_try", "A confirm without a try is CONFLICT NOT_TRIED and leaves no row.",
     confirm_without_try},
    {"cancel_after_confirm",
     "A cancel behind a confirm is CONFLICT CONFIRMED and takes nothing back.",
     cancel_after_confirm},
    {"confirm_after_cancel",
     "A confirm behind a cancel is CONFLICT CANCELLED, whether the try was ever there or not.",
     confirm_after_cancel},
    {"try_beside_cancel",
     "A try and its cancel at once end as if one had come first; nothing stays reserved.",
     try_beside_cancel},
    {"confirm_beside_cancel", "Of a confirm and a cancel at once one is DONE, the other CONFLICT.",
     confirm_beside_cancel},
};

const struct check_group checks_order = {"order", kinds, sizeof kinds / sizeof kinds[0]};

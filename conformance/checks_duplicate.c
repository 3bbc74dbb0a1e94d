/* checks_duplicate.c -- the same request many times, in turn and at the same moment. */
#include "checks.h"

#include "base/error.h"

enum { TIMES = 5, AT_ONCE = 16, BRANCHES_AT_ONCE = 12 };

/* ---- In turn ----------------------------------------------------------------------------------- */

static void try_repeated(struct check *check)
{
    const struct branch *branch = check_branch(check);
    struct answer first;
    check_ask_for(check, branch, TERCET_PHASE_TRY, WANT_RAN, &first);
    for (int i = 1; i < TIMES; i++) {
        check_ask(check, branch, TERCET_PHASE_TRY, WANT_REPEATED);
    }
    check_effects(check, 1, 0, 0);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_RAN);
    check_effects(check, 1, 0, 1);
}

static void same_result(struct check *check)
{
    const struct branch *branch = check_branch(check);
    struct answer first;
    struct answer again;
    check_ask_for(check, branch, TERCET_PHASE_TRY, WANT_RAN, &first);
    check_ask_for(check, branch, TERCET_PHASE_TRY, WANT_REPEATED, &again);
    check_same_result(check, &first, &again);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_RAN);
    check_ask_for(check, branch, TERCET_PHASE_TRY, WANT_REPEATED, &again);
    check_same_result(check, &first, &again);
    check_effects(check, 1, 1, 0);
    check_note(check, "%zu bytes, three times", first.result_size);
}

static void confirm_repeated(struct check *check)
{
    const struct branch *branch = check_branch(check);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_RAN);
    for (int i = 1; i < TIMES; i++) {
        check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_REPEATED);
    }
    check_effects(check, 1, 1, 0);
}

static void cancel_repeated(struct check *check)
{
    const struct branch *branch = check_branch(check);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_RAN);
    for (int i = 1; i < TIMES; i++) {
        check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_REPEATED);
    }
    check_effects(check, 1, 0, 1);
}

/* ---- At the same moment ------------------------------------------------------------------------ */

/* All are DONE, one of them ran, and all have one result. */
static void ask_all_at_once(struct check *check, const struct branch *branch,
                            enum tercet_phase phase)
{
    struct question questions[AT_ONCE];
    struct answer answers[AT_ONCE];
    char what[64];
    int ran = 0;
    int unsure = 0; /* what they say of how does not tell who ran */

    if (!check_is_well(check)) {
        return;
    }
    for (int i = 0; i < AT_ONCE; i++) {
        questions[i] = (struct question){.branch = branch, .phase = phase};
    }
    ask_at_once(check->run, questions, AT_ONCE, answers);
    text_format(what, sizeof what, "%s, %d at once", tercet_phase_name(phase), (int)AT_ONCE);
    for (int i = 0; i < AT_ONCE; i++) {
        check_expect(check, what, WANT_DONE, &answers[i]);
        check_same_result(check, &answers[0], &answers[i]);
        ran += answers[i].how == TERCET_HOW_RAN ? 1 : 0;
        unsure += answers[i].how == TERCET_HOW_UNSPECIFIED || answers[i].unknown_before > 0 ? 1 : 0;
    }
    if (ran > 1 || (ran == 0 && unsure == 0)) {
        check_fail(check, "of %d that were asked to %s at once %d say that they ran; it is one",
                   (int)AT_ONCE, tercet_phase_name(phase), ran);
    }
    check_note(check, "%d DONE, %d of them ran", (int)AT_ONCE, ran);
}

static void try_at_once(struct check *check)
{
    const struct branch *branch = check_branch(check);
    ask_all_at_once(check, branch, TERCET_PHASE_TRY);
    check_effects(check, 1, 0, 0);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_RAN);
    check_effects(check, 1, 0, 1);
}

static void confirm_at_once(struct check *check)
{
    const struct branch *branch = check_branch(check);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    ask_all_at_once(check, branch, TERCET_PHASE_CONFIRM);
    check_effects(check, 1, 1, 0);
}

static void cancel_at_once(struct check *check)
{
    const struct branch *branch = check_branch(check);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    ask_all_at_once(check, branch, TERCET_PHASE_CANCEL);
    check_effects(check, 1, 0, 1);
}

static void many_at_once(struct check *check)
{
    struct question questions[BRANCHES_AT_ONCE];
    struct answer answers[BRANCHES_AT_ONCE];
    for (int i = 0; i < BRANCHES_AT_ONCE; i++) {
        questions[i] = (struct question){check_branch(check), TERCET_PHASE_TRY};
    }
    ask_at_once(check->run, questions, BRANCHES_AT_ONCE, answers);
    for (int i = 0; i < BRANCHES_AT_ONCE; i++) {
        check_expect(check, "TRY of one of many", WANT_RAN, &answers[i]);
        questions[i].phase = i % 2 == 0 ? TERCET_PHASE_CANCEL : TERCET_PHASE_CONFIRM;
    }
    check_effects(check, BRANCHES_AT_ONCE, 0, 0);
    if (!check_is_well(check)) {
        return;
    }
    ask_at_once(check->run, questions, BRANCHES_AT_ONCE, answers);
    for (int i = 0; i < BRANCHES_AT_ONCE; i++) {
        check_expect(check, tercet_phase_name(questions[i].phase), WANT_RAN, &answers[i]);
    }
    check_effects(check, BRANCHES_AT_ONCE, BRANCHES_AT_ONCE / 2, BRANCHES_AT_ONCE / 2);
}

static const struct check_kind kinds[] = {
    {"try_repeated", "A try that comes again is DONE REPEATED; its effect happens once.",
     try_repeated},
    {"same_result", "A repeated try is answered with the first one's result, after a confirm too.",
     same_result},
    {"confirm_repeated", "A confirm that comes again is DONE REPEATED; its effect happens once.",
     confirm_repeated},
    {"cancel_repeated", "A cancel that comes again is DONE REPEATED; its effect happens once.",
     cancel_repeated},
    {"try_at_once",
     "The same try 16 times at once on 4 connections: all DONE, one RAN, one effect.", try_at_once},
    {"confirm_at_once", "The same confirm 16 times at once: all DONE, one RAN, one effect.",
     confirm_at_once},
    {"cancel_at_once", "The same cancel 16 times at once: all DONE, one RAN, one effect.",
     cancel_at_once},
    {"many_at_once", "12 branches at once do not disturb each other: each runs, each effect once.",
     many_at_once},
};

const struct check_group checks_duplicate = {"duplicates", kinds, sizeof kinds / sizeof kinds[0]};

/* checks_killed.c -- killed in the middle of requests: row and business change are both there, or neither.
 *
 * Only the participant's owner can kill it, so this is for those who give a command that does it.  What
 * was under way is asked again afterwards, as a coordinator would. */
#include "checks.h"

#include <stdio.h>
#include <sys/wait.h>

enum { BRANCHES = 24, ROUNDS = 2 };

/* The command runs while one request after the other leaves.  How many answers did not come at the first
 * time. */
static int ask_and_kill(struct check *check, const struct question *questions)
{
    struct answer answers[BRANCHES];
    int unknown = 0;
    if (!check_is_well(check)) {
        return 0;
    }
    /* As in balance.c it is spawned, not forked. */
    FILE *command = popen(check->run->arguments->restart, "w"); /* NOLINT(cert-env33-c) */
    if (command == NULL) {
        check_fail(check, "the restart command cannot be run");
        return 0;
    }
    ask_spread(check->run, questions, BRANCHES, answers);
    const int ended = pclose(command);
    if (ended == -1 || !WIFEXITED(ended) || WEXITSTATUS(ended) != 0) {
        check_fail(check, "the restart command failed");
    }
    for (int i = 0; i < BRANCHES; i++) {
        check_expect(check, tercet_phase_name(questions[i].phase), WANT_DONE, &answers[i]);
        unknown += answers[i].unknown_before > 0 ? 1 : 0;
    }
    return unknown;
}

static void killed(struct check *check)
{
    struct question questions[BRANCHES];
    int unknown = 0;
    if (check->run->arguments->restart == NULL) {
        check_skip(check, "no --restart command was given");
        return;
    }
    for (int round = 1; round <= ROUNDS && check_is_well(check); round++) {
        for (int i = 0; i < BRANCHES; i++) {
            questions[i] = (struct question){check_branch(check), TERCET_PHASE_TRY};
        }
        unknown += ask_and_kill(check, questions);
        check_effects(check, round * BRANCHES, (round - 1) * BRANCHES / 2,
                      (round - 1) * BRANCHES / 2);
        for (int i = 0; i < BRANCHES; i++) {
            questions[i].phase = i % 2 == 0 ? TERCET_PHASE_CONFIRM : TERCET_PHASE_CANCEL;
        }
        unknown += ask_and_kill(check, questions);
        check_effects(check, round * BRANCHES, round * BRANCHES / 2, round * BRANCHES / 2);
    }
    check_note(check, "killed %d times among %d requests each, %d lost their answers", 2 * ROUNDS,
               (int)BRANCHES, unknown);
}

static const struct check_kind kinds[] = {
    {"killed",
     "Killed in the middle of requests and asked again it has carried out each exactly once.",
     killed},
};

const struct check_group checks_killed = {"killed", kinds, sizeof kinds / sizeof kinds[0]};

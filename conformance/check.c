/* check.c -- see check.h. */
#include "check.h"

#include <stdarg.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/error.h"

/* ---- Sentences --------------------------------------------------------------------------------- */

void check_fail(struct check *check, const char *format, ...)
{
    va_list arguments;
    if (!check_is_well(check)) {
        return;
    }
    check->result = CHECK_FAILED;
    va_start(arguments, format);
    text_format_list(check->came, sizeof check->came, format, arguments);
    va_end(arguments);
}

void check_skip(struct check *check, const char *format, ...)
{
    va_list arguments;
    if (!check_is_well(check)) {
        return;
    }
    check->result = CHECK_SKIPPED;
    va_start(arguments, format);
    text_format_list(check->came, sizeof check->came, format, arguments);
    va_end(arguments);
}

void check_note(struct check *check, const char *format, ...)
{
    va_list arguments;
    if (!check_is_well(check)) {
        return;
    }
    va_start(arguments, format);
    text_format_list(check->came, sizeof check->came, format, arguments);
    va_end(arguments);
}

/* ---- Branches ---------------------------------------------------------------------------------- */

static struct branch *keep(struct check *check, struct branch branch)
{
    struct branch *kept = arena_alloc(&check->run->arena, sizeof *kept);
    *kept = branch;
    tercet_assert(check->branch_count < CHECK_BRANCH_COUNT_MAX);
    check->branches[check->branch_count++] = kept;
    return kept;
}

struct persona *check_persona(struct check *check)
{
    struct persona *persona = arena_alloc(&check->run->arena, sizeof *persona);
    *persona = run_persona(check->run);
    return persona;
}

struct branch *check_branch(struct check *check)
{
    return check_branch_of(check, &check->run->persona);
}

struct branch *check_branch_of(struct check *check, struct persona *persona)
{
    return keep(check, run_branch(check->run, persona));
}

struct branch *check_branch_at(struct check *check, struct persona *persona, int64_t number)
{
    struct branch *branch = check_branch_of(check, persona);
    branch->number.number = number;
    return branch;
}

struct branch *check_branch_with(struct check *check, const char *action,
                                 const struct payload *payload)
{
    return keep(check, run_branch_with(check->run, &check->run->persona, action, payload));
}

struct branch *check_twin(struct check *check, const struct branch *branch)
{
    return keep(check, *branch);
}

/* ---- Steps ------------------------------------------------------------------------------------- */

static void disappoint(struct check *check, const char *what, const char *wanted,
                       const struct answer *answer)
{
    char came[ANSWER_SENTENCE_SIZE];
    answer_print(answer, came);
    check_fail(check, "step %u, %s: wanted %s, came %s", (unsigned)check->step, what, wanted, came);
}

void check_expect(struct check *check, const char *what, enum want want,
                  const struct answer *answer)
{
    check->step++;
    if (!answer_is(answer, want)) {
        disappoint(check, what, want_name(want), answer);
    }
}

void check_ask_for(struct check *check, const struct branch *branch, enum tercet_phase phase,
                   enum want want, struct answer *answer_out)
{
    *answer_out = (struct answer){.status = TERCET_OK};
    if (check_is_well(check)) {
        ask(check->run, branch, phase, answer_out);
        check_expect(check, tercet_phase_name(phase), want, answer_out);
    }
}

void check_ask(struct check *check, const struct branch *branch, enum tercet_phase phase,
               enum want want)
{
    struct answer answer;
    check_ask_for(check, branch, phase, want, &answer);
}

void check_ask_either(struct check *check, const struct branch *branch, enum tercet_phase phase,
                      enum want want, enum want or_want)
{
    struct answer answer;
    char wanted[ANSWER_SENTENCE_SIZE];
    if (!check_is_well(check)) {
        return;
    }
    check->step++;
    ask(check->run, branch, phase, &answer);
    if (!answer_is(&answer, want) && !answer_is(&answer, or_want)) {
        text_format(wanted, sizeof wanted, "%s or %s", want_name(want), want_name(or_want));
        disappoint(check, tercet_phase_name(phase), wanted, &answer);
    }
}

void check_same_result(struct check *check, const struct answer *first, const struct answer *answer)
{
    if (check_is_well(check) && !answer_same_result(first, answer)) {
        check_fail(
            check,
            "step %u: the result of a repeated try differs from the first: %zu bytes and %zu",
            (unsigned)check->step, first->result_size, answer->result_size);
    }
}

/* ---- The balance ------------------------------------------------------------------------------- */

bool check_balance(struct check *check, struct reading *reading_out)
{
    struct run *run = check->run;
    struct tercet_error error = {.status = TERCET_OK};
    if (run->arguments->balance == NULL || !check_is_well(check)) {
        return false;
    }
    if (run->read_behind == run->request_count && run->reading.text[0] != '\0') {
        *reading_out = run->reading;
        return true;
    }
    if (balance_read(run->arguments->balance, &run->reading, &error) != TERCET_OK) {
        run->reading.text[0] = '\0';
        check_fail(check, "%s", error.text);
        return false;
    }
    run->read_behind = run->request_count;
    *reading_out = run->reading;
    return true;
}

void check_effects(struct check *check, int tries, int confirms, int cancels)
{
    const struct effects *effects = &check->run->effects;
    const bool as_before = tries == cancels && confirms == 0;
    struct reading now;
    if (!check_balance(check, &now)) {
        return;
    }
    if (as_before && strcmp(now.text, check->before.text) != 0 &&
        !(now.is_number && balance_equal(now.number, check->before.number))) {
        check_fail(check, "behind step %u the balance is %s and was %s; it should be as before",
                   (unsigned)check->step, now.text, check->before.text);
    }
    if (as_before || !effects->learned || !now.is_number || !check->before.is_number) {
        return;
    }
    const double change = effects->per_try * (tries - cancels) + effects->per_confirm * confirms;
    if (!balance_equal(now.number, check->before.number + change)) {
        check_fail(check,
                   "behind step %u (%d tries, %d confirms, %d cancels carried out) the balance is "
                   "%s and should be %.15g: an effect happened too often, or not at all",
                   (unsigned)check->step, tries, confirms, cancels, now.text,
                   check->before.number + change);
    }
}

/* ---- A check ----------------------------------------------------------------------------------- */

/* What it may have reserved is released; what that is answered does not matter any more. */
static void clean_up(struct check *check)
{
    for (size_t i = 0; i < check->branch_count; i++) {
        struct request request;
        struct answer ignored;
        request_fill(&request, check->branches[i], TERCET_PHASE_CANCEL);
        ask_message(check->run, TERCET_PHASE_CANCEL, &request.message, &ignored);
    }
}

void check_run(struct check *check, struct run *run, const struct check_kind *kind)
{
    const int64_t begun_us = clock_boot_us();
    *check = (struct check){.run = run, .kind = kind, .result = CHECK_PASSED};
    (void)check_balance(check, &check->before);
    if (check_is_well(check)) {
        kind->run(check);
    }
    if (check->result != CHECK_PASSED) {
        run->gone = !run_is_there(run);
    }
    if (check->result != CHECK_PASSED && !run->gone) {
        clean_up(check);
    }
    if (check->came[0] == '\0') {
        check_note(check, "as expected");
    }
    answer_clean(check->came);
    check->branch_count = 0; /* they go with the arena */
    arena_reset(&run->arena);
    check->took_ms = (clock_boot_us() - begun_us) / 1000;
}

/* checks_mark.c -- marks: how old rows may go, and what must stay.
 *
 * A participant may leave marks alone: its table grows, and it is right in everything.  So what is only
 * right where a mark is stored is skipped when nothing tells that it was, in Describe or in a reply; what
 * must hold anyhow is asked anyhow.  A mark may be applied some time after it came, and its rows may go in
 * slices: what a check waits for is bounded, and what has not gone by then is judged by its row, as the
 * truth table says. */
#include "checks.h"

#include "base/clock.h"
#include "survey.h"

enum {
    STORED_WITHIN_MS = 3000,
    SWEPT_WITHIN_MS = 3000,
    SWEPT_UNTOLD_MS = 300, /* by one that tells of no mark */
    LOOK_EVERY_MS = 10,
    OLDER_PROBES = 12,
    OLD_PROBES = 8,
    OLDER_EVERY_MS = 20,
    LOW = 100,    /* of the marks here */
    ABOVE = 1000, /* numbers of branches that only carry a mark */
    LSN = 10
};

/* ---- A mark on its way ------------------------------------------------------------------------- */

static struct tercet_mark *make_mark(struct check *check, const struct persona *persona,
                                     int64_t lsn, int64_t low)
{
    struct tercet_mark *mark = arena_calloc(&check->run->arena, 1, sizeof *mark);
    mark->as_of_incarnation = persona->epoch.incarnation;
    mark->as_of_lsn = lsn;
    mark->low = (struct tercet_branch_number){persona->epoch.incarnation, low};
    return mark;
}

static void add_open(struct tercet_mark *mark, int64_t number)
{
    mark->open[mark->open_count++] = (struct tercet_branch_number){mark->low.incarnation, number};
}

/* What is told of the persona's mark: by Describe, else by the last reply. */
static struct tercet_branch_number told_age(struct check *check, const struct persona *persona,
                                            const struct answer *answer)
{
    struct survey survey;
    struct tercet_branch_number age = {answer->mark_incarnation, answer->mark_lsn};
    survey_describe(&survey, check->run->channels[0], persona);
    if (survey.describe != NULL && survey.describe->n_stores > 0) {
        age = survey_mark_age(survey.describe);
    }
    survey_close(&survey);
    return age;
}

/* From now on the persona tells the mark with everything.  True: it is told to be stored. */
static bool tell_mark(struct check *check, struct persona *persona, const struct tercet_mark *mark)
{
    const struct tercet_branch_number age = {mark->as_of_incarnation, mark->as_of_lsn};
    const int64_t until_ms = clock_read().boot_ms + STORED_WITHIN_MS;
    struct branch *carrier = check_branch_at(check, persona, ABOVE + mark->as_of_lsn);
    struct answer answer;
    persona->mark = mark;
    check_ask_for(check, carrier, TERCET_PHASE_CANCEL, WANT_EMPTY, &answer);
    while (check_is_well(check) &&
           tercet_branch_number_compare(told_age(check, persona, &answer), age) < 0) {
        if (check->run->marks_absent || clock_read().boot_ms >= until_ms) {
            check->run->marks_absent = true;
            return false;
        }
        run_pause(LOOK_EVERY_MS);
        ask(check->run, carrier, TERCET_PHASE_CANCEL, &answer);
    }
    return check_is_well(check);
}

/* For what is right only then. */
static void tell_mark_or_skip(struct check *check, struct persona *persona,
                              const struct tercet_mark *mark)
{
    if (!tell_mark(check, persona, mark)) {
        check_skip(check, "nothing tells that a mark was stored; marks are optional");
    }
}

/* A row that was confirmed; the mark will let it go. */
static struct branch *closed_row(struct check *check, struct persona *persona, int64_t number)
{
    struct branch *branch = check_branch_at(check, persona, number);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, branch, TERCET_PHASE_CONFIRM, WANT_RAN);
    return branch;
}

/* Until a confirmed row has gone, or the time is over; true: it has. */
static bool wait_swept(struct check *check, const struct branch *closed)
{
    const int64_t until_ms =
        clock_read().boot_ms + (check->run->marks_absent ? SWEPT_UNTOLD_MS : SWEPT_WITHIN_MS);
    struct answer answer = {.status = TERCET_OK};
    while (check_is_well(check) && !check->run->rows_stay) {
        ask(check->run, closed, TERCET_PHASE_CONFIRM, &answer);
        if (answer_is(&answer, WANT_FORGOTTEN)) {
            return true;
        }
        check_expect(check, "CONFIRM of a confirmed row below the mark", WANT_REPEATED, &answer);
        check->run->rows_stay = clock_read().boot_ms >= until_ms;
        run_pause(LOOK_EVERY_MS);
    }
    return false;
}

/* ---- Checks ------------------------------------------------------------------------------------ */

static void mark_told(struct check *check)
{
    struct persona *persona = check_persona(check);
    const struct tercet_mark *mark = make_mark(check, persona, LSN, LOW);
    struct answer answer;
    tell_mark_or_skip(check, persona, mark);
    check_ask_for(check, check_branch_at(check, persona, ABOVE), TERCET_PHASE_CANCEL, WANT_EMPTY,
                  &answer);
    const struct tercet_branch_number told = {answer.mark_incarnation, answer.mark_lsn};
    const struct tercet_branch_number sent = {mark->as_of_incarnation, mark->as_of_lsn};
    if (tercet_branch_number_compare(told, sent) > 0) {
        check_fail(check, "a reply tells a mark that was never sent");
    }
}

static void below_mark(struct check *check)
{
    struct persona *persona = check_persona(check);
    tell_mark_or_skip(check, persona, make_mark(check, persona, LSN, LOW));
    const struct branch *below = check_branch_at(check, persona, LOW - 1);
    check_ask(check, below, TERCET_PHASE_TRY, WANT_REFUSED);
    check_ask(check, below, TERCET_PHASE_TRY, WANT_REFUSED);
    check_ask(check, below, TERCET_PHASE_CONFIRM, WANT_FORGOTTEN);
    check_ask(check, below, TERCET_PHASE_CANCEL, WANT_FORGOTTEN);
    persona->mark = NULL; /* it is stored */
    check_ask(check, below, TERCET_PHASE_CANCEL, WANT_FORGOTTEN);
    check_ask(check, below, TERCET_PHASE_TRY, WANT_REFUSED);
    check_effects(check, 0, 0, 0);

    const struct branch *at = check_branch_at(check, persona, LOW);
    check_ask(check, at, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, at, TERCET_PHASE_CANCEL, WANT_RAN);
    check_effects(check, 1, 0, 1);
}

static void open_list(struct check *check)
{
    struct persona *persona = check_persona(check);
    struct tercet_mark *mark = make_mark(check, persona, LSN, LOW);
    const struct branch *confirmed = closed_row(check, persona, LOW - 60);
    const struct branch *closed = closed_row(check, persona, LOW - 50);
    add_open(mark, LOW - 60);
    add_open(mark, LOW - 40);
    add_open(mark, LOW - 30);
    const bool stored = tell_mark(check, persona, mark);
    const struct branch *tried = check_branch_at(check, persona, LOW - 40);
    const struct branch *cancelled = check_branch_at(check, persona, LOW - 30);
    check_ask(check, tried, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, tried, TERCET_PHASE_CONFIRM, WANT_RAN);
    check_ask(check, cancelled, TERCET_PHASE_CANCEL, WANT_EMPTY);
    check_ask(check, cancelled, TERCET_PHASE_TRY, WANT_REFUSED);
    if (stored) {
        check_ask(check, check_branch_at(check, persona, LOW - 35), TERCET_PHASE_CANCEL,
                  WANT_FORGOTTEN);
    }
    (void)wait_swept(check, closed);
    check_ask(check, confirmed, TERCET_PHASE_CONFIRM, WANT_REPEATED);
    check_ask(check, tried, TERCET_PHASE_CONFIRM, WANT_REPEATED);
    check_effects(check, 3, 3, 0);
}

static void older_mark(struct check *check)
{
    struct persona *persona = check_persona(check);
    struct tercet_mark *lower = make_mark(check, persona, LSN - 5, LOW / 2);
    struct tercet_mark *other_life = make_mark(check, persona, LSN + 5, LOW / 2);
    struct tercet_mark *opening = make_mark(check, persona, LSN - 1, LOW);
    other_life->as_of_incarnation -= 1;
    for (int64_t i = 0; i < OLDER_PROBES; i++) {
        add_open(opening, LOW - OLDER_PROBES + i);
    }
    const struct tercet_mark *const older[] = {lower, other_life, opening};
    const size_t older_count = sizeof older / sizeof older[0];
    tell_mark_or_skip(check, persona, make_mark(check, persona, LSN, LOW));
    for (int64_t i = 0; i < OLDER_PROBES && check_is_well(check); i++) {
        persona->mark = older[(size_t)i % older_count];
        check_ask(check, check_branch_at(check, persona, LOW - OLDER_PROBES + i), TERCET_PHASE_TRY,
                  WANT_REFUSED);
        run_pause(OLDER_EVERY_MS);
    }
    check_effects(check, 0, 0, 0);
}

static void swept_rows(struct check *check)
{
    struct persona *persona = check_persona(check);
    const struct branch *confirmed = closed_row(check, persona, 10);
    const struct branch *cancelled = check_branch_at(check, persona, 11);
    const struct branch *suspended = check_branch_at(check, persona, 12);
    check_ask(check, cancelled, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, cancelled, TERCET_PHASE_CANCEL, WANT_RAN);
    check_ask(check, suspended, TERCET_PHASE_CANCEL, WANT_EMPTY);
    (void)tell_mark(check, persona, make_mark(check, persona, LSN, LOW));
    const bool swept = wait_swept(check, confirmed);

    check_ask_either(check, confirmed, TERCET_PHASE_TRY, WANT_REFUSED, WANT_REPEATED);
    check_ask_either(check, confirmed, TERCET_PHASE_CANCEL, WANT_FORGOTTEN, WANT_CONFIRMED);
    check_ask_either(check, confirmed, TERCET_PHASE_CONFIRM, WANT_FORGOTTEN, WANT_REPEATED);
    check_ask(check, cancelled, TERCET_PHASE_TRY, WANT_REFUSED);
    check_ask_either(check, cancelled, TERCET_PHASE_CANCEL, WANT_FORGOTTEN, WANT_REPEATED);
    check_ask(check, suspended, TERCET_PHASE_TRY, WANT_REFUSED);
    check_ask(check, suspended, TERCET_PHASE_TRY, WANT_REFUSED);
    check_ask_either(check, suspended, TERCET_PHASE_CANCEL, WANT_FORGOTTEN, WANT_EMPTY);
    check_effects(check, 2, 1, 1);
    check_note(check, swept ? "rows below the mark go" : "rows below the mark stay, as they may");
}

static void tried_row_stays(struct check *check)
{
    struct persona *persona = check_persona(check);
    const struct branch *before = closed_row(check, persona, 10);
    const struct branch *tried = check_branch_at(check, persona, 50);
    const struct branch *to_cancel = check_branch_at(check, persona, 51);
    check_ask(check, tried, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, to_cancel, TERCET_PHASE_TRY, WANT_RAN);
    const struct branch *behind = closed_row(check, persona, 90);
    (void)tell_mark(check, persona, make_mark(check, persona, LSN, LOW));
    (void)wait_swept(check, before);
    (void)wait_swept(check, behind);
    check_ask(check, tried, TERCET_PHASE_CONFIRM, WANT_RAN);
    check_ask(check, to_cancel, TERCET_PHASE_CANCEL, WANT_RAN);
    check_effects(check, 4, 3, 1);
}

static void marks_apart(struct check *check)
{
    struct persona *marked = check_persona(check);
    struct persona *other = check_persona(check);
    const struct branch *theirs = closed_row(check, other, 10);
    const struct branch *closed = closed_row(check, marked, 10);
    (void)tell_mark(check, marked, make_mark(check, marked, LSN, LOW));
    (void)wait_swept(check, closed);
    const struct branch *fresh = check_branch_at(check, other, 50);
    check_ask(check, theirs, TERCET_PHASE_CONFIRM, WANT_REPEATED);
    check_ask(check, fresh, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, fresh, TERCET_PHASE_CANCEL, WANT_RAN);
    check_effects(check, 3, 2, 1);
}

/* One that was started earlier wakes up and tells a mark.  It is refused; so is its mark. */
static void mark_of_old_epoch(struct check *check)
{
    struct persona *now = check_persona(check);
    struct persona *before = check_persona(check);
    const struct persona same = *now;
    *before = same;
    now->epoch.epoch = 2;
    before->mark = make_mark(check, before, LSN, LOW);
    const struct branch *confirmed = closed_row(check, now, 10);
    const struct branch *by_old = check_branch_at(check, before, ABOVE);
    for (int64_t i = 0; i < OLD_PROBES && check_is_well(check); i++) {
        check_ask(check, by_old, TERCET_PHASE_CANCEL, WANT_OLD_EPOCH);
        run_pause(OLDER_EVERY_MS);
    }
    const struct branch *below = check_branch_at(check, now, LOW - 1);
    check_ask(check, below, TERCET_PHASE_TRY, WANT_RAN);
    check_ask(check, below, TERCET_PHASE_CANCEL, WANT_RAN);
    check_ask(check, confirmed, TERCET_PHASE_CONFIRM, WANT_REPEATED);
    check_effects(check, 2, 1, 1);
}

static const struct check_kind kinds[] = {
    {"mark_told", "A mark is stored, and Describe or the replies tell its age.", mark_told},
    {"below_mark",
     "Below the mark and without a row a try is REFUSED, confirm and cancel are CONFLICT "
     "FORGOTTEN.",
     below_mark},
    {"open_list", "A number in the mark's open list is served as ever, and its row stays.",
     open_list},
    {"older_mark", "An older mark that comes late is ignored: it opens nothing.", older_mark},
    {"swept_rows", "What a mark lets go is never carried out again.", swept_rows},
    {"tried_row_stays", "A mark lets no TRIED row go: it can still be confirmed or cancelled.",
     tried_row_stays},
    {"mark_of_old_epoch", "A mark that an older epoch tells is refused with it: it closes nothing.",
     mark_of_old_epoch},
    {"marks_apart", "The mark of one origin does not touch the rows of another.", marks_apart},
};

const struct check_group checks_mark = {"marks", kinds, sizeof kinds / sizeof kinds[0]};

/* checks_stream.c -- the same over Work, where that is served. */
#include "checks.h"

#include "stream.h"

enum { BRANCHES = 12, BROKEN_BRANCHES = 8, BROKEN_ROUNDS = 4 };

/* An open stream with room for `calls`; NULL: the check has its answer already. */
static struct stream *open_for(struct check *check, uint32_t calls)
{
    uint32_t window = 0;
    struct answer ended;
    struct stream *stream = stream_open(check->run);
    if (!stream_wait_window(stream, &window, &ended)) {
        char came[ANSWER_SENTENCE_SIZE];
        answer_print(&ended, came);
        if (ended.status == TERCET_UNIMPLEMENTED) {
            check_skip(check, "Work is not served; it is optional");
        } else {
            check_fail(check, "Work: wanted a first message with a window, came %s", came);
        }
    } else if (window < calls) {
        check_skip(check, "the window is %u, and %u requests at a time are needed",
                   (unsigned)window, (unsigned)calls);
    }
    if (!check_is_well(check)) {
        stream_close(stream);
        return NULL;
    }
    return stream;
}

static void close_stream(struct check *check, struct stream *stream)
{
    char complaint[ANSWER_SENTENCE_SIZE];
    stream_complaint(stream, complaint);
    if (complaint[0] != '\0') {
        check_fail(check, "%s", complaint);
    }
    stream_close(stream);
}

static void send_all(struct check *check, struct stream *stream, const struct question *questions,
                     size_t count, int64_t first_call)
{
    if (check_is_well(check) && !stream_send(stream, questions, count, first_call)) {
        check_fail(check, "the stream took no more messages");
    }
}

/* LATER over the stream is asked again as a unary call: both are the same request. */
static void expect_call(struct check *check, struct stream *stream, int64_t call,
                        const struct question *question, enum want want)
{
    struct answer answer;
    if (!check_is_well(check)) {
        return;
    }
    if (stream_wait(stream, call, &answer) && answer_is_to_repeat(&answer)) {
        const uint32_t unknown = answer_is_unknown(&answer) ? 1 : 0;
        ask(check->run, question->branch, question->phase, &answer);
        answer.unknown_before += unknown;
    }
    check_expect(check, tercet_phase_name(question->phase), want, &answer);
}

/* ---- Checks ------------------------------------------------------------------------------------ */

/* Even ones are confirmed, odd ones cancelled, all in one batch, with duplicates behind. */
static void stream_phases(struct check *check)
{
    struct question questions[BRANCHES];
    struct stream *stream = open_for(check, 2 * BRANCHES);
    if (stream == NULL) {
        return;
    }
    for (int i = 0; i < BRANCHES; i++) {
        questions[i] = (struct question){check_branch(check), TERCET_PHASE_TRY};
    }
    send_all(check, stream, questions, BRANCHES, 1);
    for (int i = 0; i < BRANCHES; i++) { /* in another order than they were asked */
        const int at = (i * 5 + 3) % BRANCHES;
        expect_call(check, stream, 1 + at, &questions[at], WANT_RAN);
    }
    check_effects(check, BRANCHES, 0, 0);
    for (int i = 0; i < BRANCHES; i++) {
        questions[i].phase = i % 2 == 0 ? TERCET_PHASE_CONFIRM : TERCET_PHASE_CANCEL;
    }
    send_all(check, stream, questions, BRANCHES, 1 + BRANCHES);
    send_all(check, stream, questions, BRANCHES, 1 + 2 * BRANCHES);
    for (int i = BRANCHES - 1; i >= 0; i--) {
        expect_call(check, stream, 1 + BRANCHES + i, &questions[i], WANT_DONE);
        expect_call(check, stream, 1 + 2 * BRANCHES + i, &questions[i], WANT_DONE);
    }
    check_effects(check, BRANCHES, BRANCHES / 2, BRANCHES / 2);
    close_stream(check, stream);
}

/* What was asked by one way is known by the other. */
static void stream_and_unary(struct check *check)
{
    const struct branch *branch = check_branch(check);
    const struct branch *empty = check_branch(check);
    struct stream *stream = open_for(check, 4);
    if (stream == NULL) {
        return;
    }
    const struct question first[] = {{branch, TERCET_PHASE_TRY}, {empty, TERCET_PHASE_CANCEL}};
    const struct question second[] = {{branch, TERCET_PHASE_CONFIRM}, {empty, TERCET_PHASE_TRY}};
    send_all(check, stream, first, 2, 1);
    expect_call(check, stream, 1, &first[0], WANT_RAN);
    expect_call(check, stream, 2, &first[1], WANT_EMPTY);
    check_ask(check, branch, TERCET_PHASE_TRY, WANT_REPEATED);
    check_ask(check, empty, TERCET_PHASE_TRY, WANT_REFUSED);
    if (check_is_well(check) && !stream_send_context(stream, branch->persona)) {
        check_fail(check, "the stream took no more messages");
    }
    send_all(check, stream, second, 2, 3);
    expect_call(check, stream, 3, &second[0], WANT_RAN);
    expect_call(check, stream, 4, &second[1], WANT_REFUSED);
    check_ask(check, branch, TERCET_PHASE_CANCEL, WANT_CONFIRMED);
    check_effects(check, 1, 1, 0);
    close_stream(check, stream);
}

/* The connection breaks behind the first answer (round 0), or some milliseconds after the batch has left.
 * All is asked again.  How many answers had come. */
static size_t break_one(struct check *check, int round)
{
    struct question questions[BROKEN_BRANCHES];
    struct answer answer;
    struct stream *stream = open_for(check, BROKEN_BRANCHES);
    if (stream == NULL) {
        return 0;
    }
    for (int i = 0; i < BROKEN_BRANCHES; i++) {
        questions[i] = (struct question){check_branch(check), TERCET_PHASE_TRY};
    }
    send_all(check, stream, questions, BROKEN_BRANCHES, 1);
    if (round == 0) {
        (void)stream_wait(stream, 1, &answer);
    } else {
        (void)stream_wait_written(stream);
        run_pause((uint32_t)(round - 1));
    }
    const size_t before = stream_answered(stream);
    close_stream(check, stream);
    for (int i = 0; i < BROKEN_BRANCHES; i++) {
        check_ask_either(check, questions[i].branch, TERCET_PHASE_TRY, WANT_REPEATED, WANT_RAN);
    }
    check_effects(check, (round + 1) * BROKEN_BRANCHES, 0, round * BROKEN_BRANCHES);
    for (int i = 0; i < BROKEN_BRANCHES; i++) {
        check_ask(check, questions[i].branch, TERCET_PHASE_CANCEL, WANT_RAN);
    }
    return before;
}

static void stream_broken(struct check *check)
{
    size_t answered = 0;
    for (int round = 0; round < BROKEN_ROUNDS && check_is_well(check); round++) {
        answered += break_one(check, round);
    }
    check_effects(check, BROKEN_ROUNDS * BROKEN_BRANCHES, 0, BROKEN_ROUNDS * BROKEN_BRANCHES);
    check_note(check, "broken %d times, with %zu of %d answers there; each try is there once",
               (int)BROKEN_ROUNDS, answered, BROKEN_ROUNDS * BROKEN_BRANCHES);
}

static void stream_statuses(struct check *check)
{
    struct persona *now = check_persona(check);
    struct persona *before = check_persona(check);
    const struct persona same = *now;
    *before = same;
    now->epoch.epoch = 2;
    const struct branch *branch = check_branch_of(check, now);
    struct branch *old = check_twin(check, branch);
    old->persona = before;
    struct stream *stream = open_for(check, 5);
    if (stream == NULL) {
        return;
    }
    const struct question tried = {branch, TERCET_PHASE_TRY};
    const struct question cancelled = {branch, TERCET_PHASE_CANCEL};
    const struct question olds[] = {{old, TERCET_PHASE_CONFIRM}, {old, TERCET_PHASE_CANCEL}};
    struct answer answer;
    send_all(check, stream, &tried, 1, 1);
    expect_call(check, stream, 1, &tried, WANT_RAN);
    send_all(check, stream, olds, 2, 2);
    expect_call(check, stream, 2, &olds[0], WANT_OLD_EPOCH);
    expect_call(check, stream, 3, &olds[1], WANT_OLD_EPOCH);
    if (check_is_well(check)) {
        (void)stream_send_unknown_phase(stream, branch, 4);
        (void)stream_wait(stream, 4, &answer);
        check_expect(check, "a phase of a later version", WANT_UNIMPLEMENTED, &answer);
    }
    send_all(check, stream, &cancelled, 1, 5); /* and the stream goes on */
    expect_call(check, stream, 5, &cancelled, WANT_RAN);
    check_effects(check, 1, 0, 1);
    close_stream(check, stream);
}

static void stream_half_closed(struct check *check)
{
    struct question questions[BRANCHES];
    struct answer ended;
    struct stream *stream = open_for(check, BRANCHES);
    if (stream == NULL) {
        return;
    }
    for (int i = 0; i < BRANCHES; i++) {
        questions[i] = (struct question){check_branch(check), TERCET_PHASE_CANCEL};
    }
    send_all(check, stream, questions, BRANCHES, 1);
    stream_half_close(stream);
    if (!stream_wait_end(stream, &ended)) {
        check_fail(check, "the stream was half-closed, and does not end");
    } else if (ended.status != TERCET_OK) {
        check_fail(check, "the stream was half-closed: wanted its end with OK, came %s: %s",
                   tercet_status_name(ended.status), ended.text);
    }
    for (int i = 0; i < BRANCHES; i++) {
        expect_call(check, stream, 1 + i, &questions[i], WANT_EMPTY);
    }
    check_effects(check, 0, 0, 0);
    close_stream(check, stream);
}

static const struct check_kind kinds[] = {
    {"stream_phases",
     "Over Work each request gets one answer by its call, in any order, duplicates too; one effect "
     "each.",
     stream_phases},
    {"stream_and_unary",
     "A unary call and Work see the same rows; a batch without requests disturbs nothing.",
     stream_and_unary},
    {"stream_broken",
     "A connection that breaks in the middle of a batch loses and doubles nothing.", stream_broken},
    {"stream_statuses",
     "An older epoch and an unknown phase are statuses of their requests; the stream goes on.",
     stream_statuses},
    {"stream_half_closed", "A stream that is half-closed answers what it holds and ends with OK.",
     stream_half_closed},
};

const struct check_group checks_stream = {"stream", kinds, sizeof kinds / sizeof kinds[0]};

/* fence_decide.c -- the truth table of fence.h, as data.
 *
 * The table is looked up, not computed: what a reviewer compares with the specification is the array
 * below.  It has one row of cells for each state, and two for "no row": one for a branch that may
 * still begin, one for a branch that the mark has passed. */
#include "tercet/fence.h"

#include <string.h>

enum cell {
    CELL_RUN_TRY,
    CELL_RUN_CONFIRM,
    CELL_RUN_CANCEL,
    CELL_REPEAT_RESULT, /* DONE REPEATED with the row's result */
    CELL_REPEAT,        /* DONE REPEATED */
    CELL_EMPTY_WRITE,   /* write SUSPENDED; DONE EMPTY */
    CELL_EMPTY,         /* it is SUSPENDED; DONE EMPTY */
    CELL_REFUSE_CANCELLED,
    CELL_REFUSE_FORGOTTEN,
    CELL_REFUSE_CONFIRM_ONLY,
    CELL_CONFLICT_OTHER,
    CELL_CONFLICT_NOT_TRIED,
    CELL_CONFLICT_CONFIRMED,
    CELL_CONFLICT_CANCELLED,
    CELL_CONFLICT_FORGOTTEN,
    CELL_COUNT
};

enum { ROW_PAST = 5, ROW_COUNT = 6, PHASE_COUNT = 3 };

/* By [state, or ROW_PAST][phase - 1]: try, confirm, cancel. */
static const enum cell table[ROW_COUNT][PHASE_COUNT] = {
    [TERCET_FENCE_NONE] = {CELL_RUN_TRY, CELL_CONFLICT_NOT_TRIED, CELL_EMPTY_WRITE},
    [TERCET_FENCE_TRIED] = {CELL_REPEAT_RESULT, CELL_RUN_CONFIRM, CELL_RUN_CANCEL},
    [TERCET_FENCE_CONFIRMED] = {CELL_REPEAT_RESULT, CELL_REPEAT, CELL_CONFLICT_CONFIRMED},
    [TERCET_FENCE_CANCELLED] = {CELL_REFUSE_CANCELLED, CELL_CONFLICT_CANCELLED, CELL_REPEAT},
    [TERCET_FENCE_SUSPENDED] = {CELL_REFUSE_CANCELLED, CELL_CONFLICT_CANCELLED, CELL_EMPTY},
    [ROW_PAST] = {CELL_REFUSE_FORGOTTEN, CELL_CONFLICT_FORGOTTEN, CELL_CONFLICT_FORGOTTEN},
};

/* What each cell means, but for `becomes`, which is the row as it was unless it says otherwise. */
struct meaning {
    bool run;
    bool stored_result;
    bool moves; /* to `becomes` */
    enum tercet_fence_state becomes;
    enum tercet_verdict verdict;
    enum tercet_how how;
    enum tercet_conflict conflict;
    const char *code;
    const char *text;
};

static const struct meaning meanings[CELL_COUNT] = {
    [CELL_RUN_TRY] = {.run = true,
                      .moves = true,
                      .becomes = TERCET_FENCE_TRIED,
                      .how = TERCET_HOW_RAN,
                      .code = "",
                      .text = ""},
    [CELL_RUN_CONFIRM] = {.run = true,
                          .moves = true,
                          .becomes = TERCET_FENCE_CONFIRMED,
                          .how = TERCET_HOW_RAN,
                          .code = "",
                          .text = ""},
    [CELL_RUN_CANCEL] = {.run = true,
                         .moves = true,
                         .becomes = TERCET_FENCE_CANCELLED,
                         .how = TERCET_HOW_RAN,
                         .code = "",
                         .text = ""},
    [CELL_REPEAT_RESULT] = {.stored_result = true,
                            .verdict = TERCET_VERDICT_DONE,
                            .how = TERCET_HOW_REPEATED,
                            .code = "",
                            .text = ""},
    [CELL_REPEAT] = {.verdict = TERCET_VERDICT_DONE,
                     .how = TERCET_HOW_REPEATED,
                     .code = "",
                     .text = ""},
    [CELL_EMPTY_WRITE] = {.moves = true,
                          .becomes = TERCET_FENCE_SUSPENDED,
                          .verdict = TERCET_VERDICT_DONE,
                          .how = TERCET_HOW_EMPTY,
                          .code = "",
                          .text = ""},
    [CELL_EMPTY] = {.verdict = TERCET_VERDICT_DONE,
                    .how = TERCET_HOW_EMPTY,
                    .code = "",
                    .text = ""},
    [CELL_REFUSE_CANCELLED] = {.verdict = TERCET_VERDICT_REFUSED,
                               .code = TERCET_CODE_TRY_AFTER_CANCEL,
                               .text = "this branch has been cancelled; nothing can be reserved "
                                       "for it any more"},
    [CELL_REFUSE_FORGOTTEN] = {.verdict = TERCET_VERDICT_REFUSED,
                               .code = TERCET_CODE_FORGOTTEN,
                               .text = "this branch ended before the coordinator's mark; nothing "
                                       "can be reserved for it any more"},
    [CELL_REFUSE_CONFIRM_ONLY] = {.verdict = TERCET_VERDICT_REFUSED,
                                  .code = TERCET_CODE_CONFIRM_ONLY,
                                  .text = "this action is confirm-only and has no try"},
    [CELL_CONFLICT_OTHER] = {.verdict = TERCET_VERDICT_CONFLICT,
                             .conflict = TERCET_CONFLICT_OTHER_TRANSACTION,
                             .code = TERCET_CODE_OTHER_TRANSACTION,
                             .text = "the fence holds this gid and branch for another transaction: "
                                     "origin, number or digest differ"},
    [CELL_CONFLICT_NOT_TRIED] = {.verdict = TERCET_VERDICT_CONFLICT,
                                 .conflict = TERCET_CONFLICT_NOT_TRIED,
                                 .code = TERCET_CODE_CONFIRM_WITHOUT_TRY,
                                 .text = "the fence holds no try of this branch; was the database "
                                         "restored or exchanged?"},
    [CELL_CONFLICT_CONFIRMED] = {.verdict = TERCET_VERDICT_CONFLICT,
                                 .conflict = TERCET_CONFLICT_CONFIRMED,
                                 .code = TERCET_CODE_CANCEL_AFTER_CONFIRM,
                                 .text = "this branch has been confirmed and cannot be cancelled"},
    [CELL_CONFLICT_CANCELLED] = {.verdict = TERCET_VERDICT_CONFLICT,
                                 .conflict = TERCET_CONFLICT_CANCELLED,
                                 .code = TERCET_CODE_CONFIRM_AFTER_CANCEL,
                                 .text = "this branch has been cancelled and cannot be confirmed"},
    [CELL_CONFLICT_FORGOTTEN] = {.verdict = TERCET_VERDICT_CONFLICT,
                                 .conflict = TERCET_CONFLICT_FORGOTTEN,
                                 .code = TERCET_CODE_FORGOTTEN,
                                 .text = "this branch ended before the coordinator's mark and its "
                                         "row is gone"},
};

static bool facts_are_known(const struct tercet_fence_facts *facts)
{
    /* Compared as numbers: a row or a request may hold what no enumerator names. */
    const int row = (int)facts->row;
    const int phase = (int)facts->phase;
    const int mark = (int)facts->mark;
    return row >= TERCET_FENCE_NONE && row <= TERCET_FENCE_SUSPENDED && phase >= TERCET_PHASE_TRY &&
           phase <= TERCET_PHASE_CANCEL && mark >= TERCET_MARK_ABOVE && mark <= TERCET_MARK_BELOW;
}

static enum cell cell_of(const struct tercet_fence_facts *facts)
{
    if (!facts_are_known(facts)) {
        return CELL_CONFLICT_OTHER;
    }
    if (facts->row != TERCET_FENCE_NONE && !facts->same_identity) {
        return CELL_CONFLICT_OTHER;
    }
    if (facts->confirm_only && facts->phase == TERCET_PHASE_TRY) {
        return CELL_REFUSE_CONFIRM_ONLY;
    }
    const bool past = facts->row == TERCET_FENCE_NONE && facts->mark == TERCET_MARK_BELOW;
    const enum cell cell = table[past ? ROW_PAST : (int)facts->row][(int)facts->phase - 1];
    if (cell == CELL_CONFLICT_NOT_TRIED && facts->confirm_only) {
        return CELL_RUN_CONFIRM;
    }
    return cell;
}

struct tercet_fence_decision tercet_fence_decide(const struct tercet_fence_facts *facts)
{
    const struct meaning *meaning = &meanings[cell_of(facts)];
    return (struct tercet_fence_decision){
        .run = meaning->run,
        .verdict = meaning->verdict,
        .how = meaning->how,
        .conflict = meaning->conflict,
        .becomes = meaning->moves ? meaning->becomes : facts->row,
        .stored_result = meaning->stored_result,
        .code = meaning->code,
        .text = meaning->text,
    };
}

enum tercet_fence_state tercet_fence_wanted(enum tercet_phase phase, bool confirm_only)
{
    const struct tercet_fence_facts facts = {
        .row = TERCET_FENCE_NONE,
        .phase = phase,
        .mark = TERCET_MARK_ABOVE,
        .confirm_only = confirm_only,
    };
    return tercet_fence_decide(&facts).becomes;
}

const char *tercet_fence_state_name(enum tercet_fence_state state)
{
    static const char *const names[] = {"NONE", "TRIED", "CONFIRMED", "CANCELLED", "SUSPENDED"};
    const unsigned index = (unsigned)state;
    return index < sizeof names / sizeof names[0] ? names[index] : "?";
}

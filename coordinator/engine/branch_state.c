/* branch_state.c -- the table behind branch_state.h.
 *
 * Who makes each move: registered() NONE→WAITING and stage_start() WAITING→TRYING in progress.c;
 * answer.c TRYING→TRIED, →REFUSED and the moves into CONFIRMED and CANCELLED; decide.c all others. */
#include "engine/branch_state.h"

#include <stddef.h>

#include "base/assert.h"
#include "engine/branch.h"

#define TO(state) (1U << BRANCH_##state)

struct branch_state_row {
    const char *name;
    uint32_t may_become;
    enum tercet_phase asked; /* what dispatch may send while the branch is in this state */
    bool ended;
};

static const struct branch_state_row rows[BRANCH_STATE_COUNT] = {
    /* state               name          may become                                  asked  ended */
    [BRANCH_NONE] = {"NONE", TO(WAITING), 0, false},
    [BRANCH_WAITING] = {"WAITING", TO(TRYING) | TO(CONFIRMING) | TO(CANCELLING) | TO(SKIPPED), 0,
                        false},
    [BRANCH_TRYING] = {"TRYING",
                       TO(TRIED) | TO(REFUSED) | TO(CANCELLING) | TO(CANCELLED) | TO(SKIPPED),
                       TERCET_PHASE_TRY, false},
    [BRANCH_TRIED] = {"TRIED", TO(CONFIRMING) | TO(CANCELLING), 0, false},
    [BRANCH_REFUSED] = {"REFUSED", TO(CANCELLING) | TO(CANCELLED), 0, false},
    [BRANCH_CONFIRMING] = {"CONFIRMING", TO(CONFIRMED), TERCET_PHASE_CONFIRM, false},
    [BRANCH_CONFIRMED] = {"CONFIRMED", 0, 0, true},
    [BRANCH_CANCELLING] = {"CANCELLING", TO(CANCELLED), TERCET_PHASE_CANCEL, false},
    [BRANCH_CANCELLED] = {"CANCELLED", 0, 0, true},
    [BRANCH_SKIPPED] = {"SKIPPED", 0, 0, true},
};
static_assert(BRANCH_STATE_COUNT <= 32, "may_become is 32 bits wide");

static bool in_range(enum branch_state state)
{
    return (unsigned)state < BRANCH_STATE_COUNT;
}

const char *branch_state_name(enum branch_state state)
{
    return in_range(state) ? rows[state].name : "?";
}

bool branch_state_may(enum branch_state from, enum branch_state to)
{
    return in_range(from) && in_range(to) && (rows[from].may_become & (1U << to)) != 0;
}

bool branch_state_is_ended(enum branch_state state)
{
    return in_range(state) && rows[state].ended;
}

bool branch_state_is_phase_two(enum branch_state state)
{
    return state == BRANCH_CONFIRMING || state == BRANCH_CANCELLING;
}

enum tercet_phase branch_state_asks(enum branch_state state)
{
    return in_range(state) ? rows[state].asked : 0;
}

void branch_move(struct branch *branch, enum branch_state to)
{
    tercet_assert(branch_state_may(branch->state, to));
    branch->state = to;
    branch_set_next_attempt(branch, 0);
    if (branch->asked != rows[to].asked) {
        branch->asked = rows[to].asked;
        branch->attempts = 0;
    }
}

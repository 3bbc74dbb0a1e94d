/* txn_state.c -- the table behind txn_state.h.
 *
 * Who makes each move: request.c NONE→TRYING and (a tombstone) NONE→CANCELLED; decide.c all others. */
#include "engine/txn_state.h"

#include <assert.h>
#include <stddef.h>

#define TO(state) (1U << TXN_##state)

struct txn_state_row {
    const char *name;
    uint32_t may_become;
    enum txn_outcome outcome;
    bool ended;
};

static const struct txn_state_row rows[TXN_STATE_COUNT] = {
    /* state             name          may become                     outcome       ended */
    [TXN_NONE] = {"NONE", TO(TRYING) | TO(CANCELLED), TXN_UNDECIDED, false},
    [TXN_TRYING] = {"TRYING", TO(CONFIRMING) | TO(CANCELLING), TXN_UNDECIDED, false},
    [TXN_CONFIRMING] = {"CONFIRMING", TO(CONFIRMED), TXN_OUTCOME_CONFIRMED, false},
    [TXN_CANCELLING] = {"CANCELLING", TO(CANCELLED), TXN_OUTCOME_CANCELLED, false},
    [TXN_CONFIRMED] = {"CONFIRMED", 0, TXN_OUTCOME_CONFIRMED, true},
    [TXN_CANCELLED] = {"CANCELLED", 0, TXN_OUTCOME_CANCELLED, true},
};
static_assert(TXN_STATE_COUNT <= 32, "may_become is 32 bits wide");

static bool in_range(enum txn_state state)
{
    return (unsigned)state < TXN_STATE_COUNT;
}

const char *txn_state_name(enum txn_state state)
{
    return in_range(state) ? rows[state].name : "?";
}

bool txn_state_may(enum txn_state from, enum txn_state to)
{
    return in_range(from) && in_range(to) && (rows[from].may_become & (1U << to)) != 0;
}

bool txn_state_is_decided(enum txn_state state)
{
    return txn_state_outcome(state) != TXN_UNDECIDED;
}

bool txn_state_is_ended(enum txn_state state)
{
    return in_range(state) && rows[state].ended;
}

enum txn_outcome txn_state_outcome(enum txn_state state)
{
    return in_range(state) ? rows[state].outcome : TXN_UNDECIDED;
}

/* branch_state.h -- how far one branch has come.
 *
 *                         ┌───────────────► SKIPPED ◄──────────────┐
 *                         │ cancel                                 │ foreign row
 *      ┌─────────┐ stage  │      ┌────────┐ DONE  ┌───────┐        │
 *  ───►│ WAITING ├────────┼─────►│ TRYING ├──────►│ TRIED ├────┐   │
 *      └────┬────┘        │      └┬──┬──┬─┘       └───┬───┘    │   │
 *           │             │       │  │  └─────────────┼────────┼───┘
 *           │ confirm     │       │  │ REFUSED        │        │ confirm
 *           │ (confirm-   │       │  ▼                │        ▼
 *           │  only)      │       │ REFUSED           │   ┌────────────┐ DONE ┌───────────┐
 *           └─────────────┼───────┼──┬────────────────┼──►│ CONFIRMING ├─────►│ CONFIRMED │
 *                         │       │  │ cancel         │   └────────────┘      └───────────┘
 *                         │       ▼  ▼                ▼
 *                         │    ┌───────────────────────┐ DONE  ┌───────────┐
 *                         │    │      CANCELLING       ├──────►│ CANCELLED │
 *                         │    └───────────────────────┘       └───────────┘
 *                         │                                          ▲
 *                         └── try never handed to a transport ───────┘ (from TRYING)
 *
 * Only branch_move() changes a state. */
#ifndef COORDINATOR_ENGINE_BRANCH_STATE_H
#define COORDINATOR_ENGINE_BRANCH_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "tercet/tercet.h"

/* Numbers as on the wire and in the journal. */
enum branch_state {
    BRANCH_NONE = 0,       /* made, not registered */
    BRANCH_WAITING = 1,    /* its stage has not begun; or confirm-only and not decided */
    BRANCH_TRYING = 2,     /* asked to try */
    BRANCH_TRIED = 3,      /* has reserved */
    BRANCH_REFUSED = 4,    /* said no; a cancel still has to go there */
    BRANCH_CONFIRMING = 5, /* asked to confirm */
    BRANCH_CONFIRMED = 6,
    BRANCH_CANCELLING = 7, /* asked to cancel */
    BRANCH_CANCELLED = 8,
    BRANCH_SKIPPED = 9, /* never asked, or its row belongs to another transaction */
    BRANCH_STATE_COUNT = 10
} TERCET_ONE_BYTE;

struct branch;

const char *branch_state_name(enum branch_state state); /* "?" outside the range */
bool branch_state_may(enum branch_state from, enum branch_state to);
bool branch_state_is_ended(enum branch_state state);     /* CONFIRMED, CANCELLED, SKIPPED */
bool branch_state_is_phase_two(enum branch_state state); /* CONFIRMING, CANCELLING */

/* What dispatch may send while a branch is in this state; 0: nothing. */
enum tercet_phase branch_state_asks(enum branch_state state);

/* The one place that changes a state: asserts that the move is allowed, sets what is asked now, and
 * begins to count attempts anew when the phase changes. */
void branch_move(struct branch *branch, enum branch_state to);

#endif

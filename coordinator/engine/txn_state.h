/* txn_state.h -- how far a transaction has come.
 *
 *                   all tried, and (Execute, or Confirm was asked)
 *            ┌─────────────────────────────► CONFIRMING ── every branch has ended ──► CONFIRMED
 *        TRYING
 *            └─────────────────────────────► CANCELLING ── every branch has ended ──► CANCELLED
 *                   a refusal, the deadline, or Cancel
 *
 * The first arrow is the decision.  It is journalled before anybody is told, and never changes.
 * Guarantees: in TRYING no branch has been asked to confirm or cancel.  In CONFIRMING every branch
 * that is not optional was tried or is confirm-only.  In CONFIRMED and CANCELLED no branch is asked
 * for anything; the transaction stays in memory only until its END is durable.
 *
 * Only txn_move() (txn.h) changes a state. */
#ifndef COORDINATOR_ENGINE_TXN_STATE_H
#define COORDINATOR_ENGINE_TXN_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"

/* Numbers as on the wire and in the journal. */
enum txn_state {
    TXN_NONE = 0, /* made, not begun */
    TXN_TRYING = 1,
    TXN_CONFIRMING = 2,
    TXN_CANCELLING = 3,
    TXN_CONFIRMED = 4,
    TXN_CANCELLED = 5,
    TXN_STATE_COUNT = 6
} TERCET_ONE_BYTE;

/* The decision, as told to initiators.  Numbers as on the wire. */
enum txn_outcome { TXN_UNDECIDED = 0, TXN_OUTCOME_CONFIRMED = 1, TXN_OUTCOME_CANCELLED = 2 };

/* Why it was cancelled.  Numbers as on the wire. */
enum txn_cause {
    TXN_CAUSE_NONE = 0,
    TXN_CAUSE_REFUSED = 1,
    TXN_CAUSE_TIMEOUT = 2,
    TXN_CAUSE_INITIATOR = 3,
    TXN_CAUSE_OPERATOR = 4
} TERCET_ONE_BYTE;

const char *txn_state_name(enum txn_state state); /* "?" outside the range */
bool txn_state_may(enum txn_state from, enum txn_state to);
bool txn_state_is_decided(enum txn_state state); /* anything but NONE and TRYING */
bool txn_state_is_ended(enum txn_state state);   /* CONFIRMED, CANCELLED */
enum txn_outcome txn_state_outcome(enum txn_state state);

#endif

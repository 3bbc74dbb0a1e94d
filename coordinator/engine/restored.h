/* restored.h -- restored mode: a restored journal asks before it acts.
 *
 * A journal that was restored from a backup has forgotten what was decided since, and that may have
 * been told and done.  So the first start of its new life decides nothing, begins nothing and sends
 * nothing but questions: it asks every configured participant by Inspect for the fence rows of this
 * origin's earlier lives, as far as they matter:
 *   - of transactions that are open and undecided in the journal, and
 *   - of those that were begun after the backup, of which the journal knows nothing.
 * When all have answered (or an operator has said, by Resolve, to go on without one) everything is
 * concluded in one step, and so by one record batch: all of it is durable, or it is asked again.
 *
 * What the rows say of a transaction
 *   1. One CONFIRMED: the decision was confirm, and it is taken again.
 *   2. One CANCELLED or SUSPENDED of a branch that is not optional: it was cancel.  Of a branch that the
 *      journal has lost nobody knows whether it was optional; so it counts only where no row is CONFIRMED
 *      and none is gone, and where it was confirmed such a branch had been left out.
 *   3. A branch without a row whose number the participant's mark has passed: it was decided, and its
 *      row is gone.  Without 1 or 2 the outcome is UNKNOWN: nothing is told, decided or driven, with
 *      attention, until an operator's Resolve says what it was.  So is one of which both 1 and 2 are
 *      true, which cannot be without a second accident.
 *      So is one that has no branch in the journal, nor in any row: nobody could tell.
 *   4. Nothing of this: nobody has acted on a decision.  An open transaction goes on; one that the
 *      journal does not know, and that holds a reservation, is cancelled.
 *
 * A branch that the participants' marks had closed has ended, whatever the journal says, and as its
 * transaction was decided.  It is not asked again: the marks of this life list it as open, and an action
 * that only confirms would run a second time.
 *
 * A transaction that the journal does not know is adopted with what the rows tell: its branches, and
 * not their payloads.  A branch that must be confirmed or cancelled needs its payload, which only its
 * initiator has: it waits, with attention, until the initiator repeats Execute or Try with the same
 * content (the digest in the row proves it), or an operator settles it.  Those without a reservation
 * are not adopted: there is nothing to finish.
 *
 * Invariants
 *   1. While it is on, no transaction is in another state than the journal said, no number is given
 *      out, no mark is told (it would let rows go that are evidence).
 *   2. It ends once: every participant's pair then names this incarnation.
 *
 * What it cannot know: a decision of the lost life of which no participant has heard; results of
 * tries; participants that are not configured now, or do not serve Inspect; confirm-only branches of
 * a transaction that is not known, whose confirm never arrived. */
#ifndef COORDINATOR_ENGINE_RESTORED_H
#define COORDINATOR_ENGINE_RESTORED_H

#include "engine/rows.h"

/* At start, before anything is resumed: on, if this life was restored and nobody has been asked. */
void restored_begin(struct step *step);
bool restored_is_on(const struct engine *engine);
void restored_destroy(struct engine *engine);

/* A participant has answered a probe: it can be asked.  Takes the event's `closed`. */
void restored_probed(struct step *step, struct event *event);
void restored_inspected(struct step *step, const struct event *event);

/* Asks again where an answer failed. */
void restored_tick(struct step *step);
int64_t restored_wake_at_boot_ms(const struct engine *engine);

/* An operator goes on without asking this participant.  False: it is not waited for. */
bool restored_skip(struct step *step, uint32_t participant);

/* Answers a request that would begin or decide something that must not be.  `txn` NULL: it is nowhere. */
bool restored_refuses(struct step *step, const struct request *request, const struct txn *txn);

/* Of a transaction that the backup holds without a branch: they were added later, if there were any, and
 * may have ended since and left no row. */
bool restored_knows_no_branch(const struct engine *engine, const struct txn *txn);

/* An operator says what the outcome of a transaction was of which it is unknown.  False: it is not. */
bool restored_settle(struct step *step, struct txn *txn, const struct request *request);

/* Takes payloads that were lost from a repeated request.  False: its content is another. */
bool restored_take_payloads(struct step *step, struct txn *txn, struct request *request);

/* evidence.c: what these rows (sorted by gid, then branch) say, of everything that is open. */
void evidence_apply(struct step *step, struct row_seen *all, size_t count);

#endif

/* branch_step.h -- one branch inside an open local transaction: claim, decide, run, write.
 *
 * The steps, and why in this order:
 *   savepoint            so that this branch can leave no trace
 *   claim                the row first, by insert or lock; only then epoch and mark
 *   epoch                a lower one is refused.  A higher one is stored before anything is done; for
 *                        that the claim is taken back first, so that the epoch lies before the
 *                        savepoint and outlives a handler that refuses
 *   decide               fence_decide.c
 *   handler, check       check tells whether the transaction is still ours, whatever it answered
 *   write or rewind      DONE writes the row; everything else leaves nothing */
#ifndef TERCET_FENCE_BRANCH_STEP_H
#define TERCET_FENCE_BRANCH_STEP_H

#include "fence/group.h"

TERCET_BEGIN_DECLS

/* Carries out one request in group->connection's open transaction.
 * OK: `answer` is filled and becomes true with the commit.
 * FAILED_PRECONDITION: the handler ended the transaction by itself; `answer` says so and stands, but
 * the transaction must be rolled back.
 * Anything else: the store's, as fence.h tells; `answer` is not set. */
TERCET_MUST_CHECK enum tercet_status branch_step(struct group *group,
                                                 const struct group_request *request,
                                                 struct group_answer *answer,
                                                 struct tercet_error *error_out);

/* What the row alone can answer, without handler and without a write; for use after a commit whose
 * outcome is not known.  Else LATER.  Returns as branch_step(). */
TERCET_MUST_CHECK enum tercet_status branch_read_again(struct group *group,
                                                       const struct group_request *request,
                                                       struct group_answer *answer,
                                                       struct tercet_error *error_out);

/* Makes `answer` LATER with code and text, and what the log should hear. */
void branch_answer_later(struct group_answer *answer, const char *code, enum tercet_log_level log,
                         const char *format, ...) TERCET_PRINTF(4, 5);

TERCET_END_DECLS

#endif

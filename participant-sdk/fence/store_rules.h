/* store_rules.h -- what every store does alike, whatever its database: the end of a claim, and whether a
 * mark may be applied.  Here once, so that no two stores come to differ in it. */
#ifndef TERCET_FENCE_STORE_RULES_H
#define TERCET_FENCE_STORE_RULES_H

#include "tercet/fence.h"

TERCET_BEGIN_DECLS

/* Ends a claim whose row is in claim_out->row already.  The open list of `mark` is looked at only when
 * store_rules_needs_open() says so. */
void store_rules_end_claim(struct tercet_epoch epoch, const struct tercet_mark *mark,
                           struct tercet_branch_number number,
                           struct tercet_fence_claim *claim_out);
bool store_rules_needs_open(const struct tercet_mark *mark, struct tercet_branch_number number);

/* A sweep of which nothing is done yet. */
void store_rules_begin_sweep(struct tercet_sweep *sweep);

/* Judges `mark`, of `caller`, by what is stored.  Stale: it is older, and nothing is to be swept.
 * Errors: FAILED_PRECONDITION (the caller's epoch is older). */
TERCET_MUST_CHECK enum tercet_status store_rules_judge_mark(
    struct tercet_epoch stored_epoch, const struct tercet_mark *stored,
    const struct tercet_fence_caller *caller, const struct tercet_mark *mark,
    struct tercet_sweep *sweep, struct tercet_error *error_out);

/* The slice's end, with `last` its last row: where the next one begins. */
void store_rules_end_slice(struct tercet_branch_number last, bool finished,
                           struct tercet_sweep *sweep);

TERCET_END_DECLS

#endif

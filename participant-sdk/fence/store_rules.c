/* store_rules.c -- see store_rules.h. */
#include "fence/store_rules.h"

#include "base/error.h"

bool store_rules_needs_open(const struct tercet_mark *mark, struct tercet_branch_number number)
{
    return mark->as_of_incarnation != 0 && tercet_branch_number_compare(number, mark->low) < 0;
}

void store_rules_end_claim(struct tercet_epoch epoch, const struct tercet_mark *mark,
                           struct tercet_branch_number number, struct tercet_fence_claim *claim_out)
{
    claim_out->epoch = epoch;
    claim_out->mark_incarnation = mark->as_of_incarnation;
    claim_out->mark_lsn = mark->as_of_lsn;
    /* A row that is there says more than a mark. */
    claim_out->mark = claim_out->row.state == TERCET_FENCE_NONE
                          ? tercet_mark_relation_of(mark, number)
                          : TERCET_MARK_ABOVE;
}

void store_rules_begin_sweep(struct tercet_sweep *sweep)
{
    sweep->removed = 0;
    sweep->kept = 0;
    sweep->stale = false;
    sweep->finished = true;
}

enum tercet_status store_rules_judge_mark(struct tercet_epoch stored_epoch,
                                          const struct tercet_mark *stored,
                                          const struct tercet_fence_caller *caller,
                                          const struct tercet_mark *mark,
                                          struct tercet_sweep *sweep,
                                          struct tercet_error *error_out)
{
    if (tercet_epoch_compare(stored_epoch, caller->epoch) > 0) {
        return error_set(error_out, TERCET_FAILED_PRECONDITION,
                         TERCET_CODE_OLD_EPOCH ": a mark of an epoch before the stored one");
    }
    sweep->stale = tercet_mark_compare_age(mark, stored) < 0;
    return TERCET_OK;
}

void store_rules_end_slice(struct tercet_branch_number last, bool finished,
                           struct tercet_sweep *sweep)
{
    sweep->finished = finished;
    if (!finished) {
        sweep->from = last;
        sweep->from.number++;
    }
}

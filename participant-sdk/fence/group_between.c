/* group_between.c -- what a worker does between groups: marks and descriptions; see group.h. */
#include "base/error.h"
#include "fence/group.h"

enum tercet_status group_apply_mark(struct group *group, const struct tercet_fence_caller *caller,
                                    const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                    struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_ABORTED;

    for (unsigned number = 1; number <= GROUP_RUNS_MAX; number++) {
        if (number > 1) {
            group->pause(number, group->context);
        }
        status = group_connect(group, error_out);
        if (status != TERCET_OK) {
            return status;
        }
        status = group->ops->apply_mark(group->connection, caller, mark, sweep, error_out);
        /* A mark may be applied twice, so a lost outcome is not asked after. */
        if (status == TERCET_UNAVAILABLE || status == TERCET_UNKNOWN) {
            group_disconnect(group);
        } else if (status != TERCET_ABORTED) {
            return status;
        }
    }
    return status;
}

static enum tercet_status raise_epoch(struct group *group, const struct tercet_fence_caller *caller,
                                      struct tercet_error *error_out)
{
    const struct tercet_store_ops *ops = group->ops;
    enum tercet_status status = ops->begin(group->connection, error_out);

    if (status == TERCET_OK) {
        status = ops->raise_epoch(group->connection, caller, error_out);
    }
    if (status == TERCET_OK) {
        status = ops->commit(group->connection, error_out);
    }
    if (status != TERCET_OK) {
        ops->rollback(group->connection);
    }
    return status;
}

enum tercet_status group_describe(struct group *group, const struct tercet_fence_caller *caller,
                                  struct tercet_store_description *description_out,
                                  struct tercet_error *error_out)
{
    enum tercet_status status = group_connect(group, error_out);

    if (status == TERCET_OK) {
        status = group->ops->describe(group->connection, caller->participant, caller->origin,
                                      description_out, error_out);
    }
    const int age =
        status == TERCET_OK ? tercet_epoch_compare(description_out->epoch, caller->epoch) : 0;
    if (age > 0) {
        return error_set(error_out, TERCET_FAILED_PRECONDITION,
                         TERCET_CODE_OLD_EPOCH
                         ": a newer start of this coordinator has asked before");
    }
    if (age < 0) {
        status = raise_epoch(group, caller, error_out);
        if (status == TERCET_OK) {
            status = group->ops->describe(group->connection, caller->participant, caller->origin,
                                          description_out, error_out);
        }
    }
    if (status == TERCET_UNAVAILABLE || status == TERCET_UNKNOWN) {
        group_disconnect(group);
    }
    return status;
}

/* group.c -- see group.h; branch_step.h has what happens inside the transaction. */
#include "fence/group.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "fence/branch_step.h"
#include "fence/store.h"

enum entry_state {
    ENTRY_PENDING,   /* no answer yet */
    ENTRY_TENTATIVE, /* answered, if the open transaction commits */
    ENTRY_FINAL,
    ENTRY_DEFERRED
};

struct entry {
    const struct group_request *request;
    struct group_answer *answer;
    enum entry_state state;
};

/* How one local transaction ended. */
enum fate {
    FATE_COMMITTED,
    FATE_FELL,    /* nothing is kept; run its branches again */
    FATE_PUT_OUT, /* nothing is kept, because of one that is answered now; run the others again */
    FATE_UNKNOWN, /* committed or not */
    FATE_FAILED,  /* nothing is kept, and nothing would be gained by trying again now */
};

struct run {
    struct group *group;
    const struct group_request *first; /* never deferred */
    uint64_t handler_us_end;           /* of group->handler_us: above it the group is closed */
    bool contended;                    /* a transaction fell, and not because of one branch */
    struct tercet_error error;         /* why the last transaction did not commit */
};

void group_disconnect(struct group *group)
{
    if (group->connection != NULL) {
        group->ops->disconnect(group->connection);
        group->connection = NULL;
    }
}

/* A coordinator compares databases when it connects to their participant, and so it would not notice one that
 * was exchanged beneath. */
static enum tercet_status check_store(const struct group *group, struct tercet_error *error_out)
{
    uint8_t id[TERCET_STORE_ID_BYTES];

    if (group->store_id == NULL) {
        return TERCET_OK;
    }
    const enum tercet_status status = store_read_id(group->ops, group->connection, id, error_out);
    if (status == TERCET_OK && memcmp(id, group->store_id, sizeof id) != 0) {
        return error_set(
            error_out, TERCET_UNAVAILABLE,
            "%s: it is another database than when the participant was started; if that "
            "is meant, start it again",
            group->ops->name);
    }
    return status;
}

enum tercet_status group_connect(struct group *group, struct tercet_error *error_out)
{
    if (group->connection != NULL) {
        return TERCET_OK;
    }
    enum tercet_status status = group->ops->connect(group->self, &group->connection, error_out);
    if (status != TERCET_OK) {
        group->connection = NULL;
        return status;
    }
    status = check_store(group, error_out);
    if (status != TERCET_OK) {
        group_disconnect(group);
    }
    return status;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    const int order = tercet_fence_key_compare(&left->request->key, &right->request->key);
    if (order != 0) {
        return order;
    }
    /* Of one branch the first to come. */
    return (left->request > right->request) - (left->request < right->request);
}

static bool is_closed(const struct run *run)
{
    return run->group->handler_us >= run->handler_us_end;
}

static void settle(struct entry *entries, size_t count, enum entry_state from, enum entry_state to)
{
    for (size_t i = 0; i < count; i++) {
        if (entries[i].state == from) {
            entries[i].state = to;
        }
    }
}

/* Ends a transaction that cannot commit. */
static enum fate abandon(struct run *run, enum tercet_status status)
{
    run->contended = run->contended || status == TERCET_ABORTED || status == TERCET_UNAVAILABLE;
    if (status == TERCET_UNAVAILABLE) {
        group_disconnect(run->group);
        return FATE_FELL;
    }
    run->group->ops->rollback(run->group->connection);
    return status == TERCET_ABORTED ? FATE_FELL : FATE_FAILED;
}

/* What a branch that failed in an odd way (a broken row, a handler that committed) means to the
 * others of its transaction: it is answered alone, and they are run without it. */
static enum fate abandon_for(struct run *run, struct entry *entry, enum tercet_status status)
{
    const bool odd = status != TERCET_ABORTED && status != TERCET_UNAVAILABLE &&
                     status != TERCET_RESOURCE_EXHAUSTED;
    if (odd) {
        if (status != TERCET_FAILED_PRECONDITION) {
            branch_answer_later(entry->answer, TERCET_CODE_STORE_UNAVAILABLE, TERCET_LOG_ERROR,
                                "%s", run->error.text);
        }
        entry->state = ENTRY_FINAL;
    }
    const enum fate fate = abandon(run, status);
    return odd ? FATE_PUT_OUT : fate;
}

static enum fate commit(struct run *run)
{
    struct group *group = run->group;
    TERCET_FAILPOINT("group.before_commit");
    const enum tercet_status status = group->ops->commit(group->connection, &run->error);
    if (status == TERCET_OK) {
        group->transactions++;
        TERCET_FAILPOINT("group.after_commit");
        if (TERCET_FAILPOINT_FAILS("group.commit_unknown")) {
            group_disconnect(group);
            return FATE_UNKNOWN;
        }
        return FATE_COMMITTED;
    }
    if (status == TERCET_UNKNOWN) {
        group_disconnect(group);
        return FATE_UNKNOWN;
    }
    return abandon(run, status);
}

/* Carries out the pending ones of `entries` in one local transaction. */
static enum fate run_transaction(struct run *run, struct entry *entries, size_t count)
{
    struct group *group = run->group;

    if (group_connect(group, &run->error) != TERCET_OK) {
        return FATE_FAILED;
    }
    TERCET_FAILPOINT("group.before_begin");
    enum tercet_status status = group->ops->begin(group->connection, &run->error);
    if (status != TERCET_OK) {
        return abandon(run, status);
    }
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = &entries[i];
        if (entry->state != ENTRY_PENDING) {
            continue;
        }
        if (is_closed(run) && entry->request != run->first) {
            entry->state = ENTRY_DEFERRED;
            continue;
        }
        status = branch_step(group, entry->request, entry->answer, &run->error);
        if (status != TERCET_OK) {
            return abandon_for(run, entry, status);
        }
        TERCET_FAILPOINT("group.after_step");
        if (TERCET_FAILPOINT_FAILS("group.connection_lost")) {
            return abandon(run, TERCET_UNAVAILABLE);
        }
        entry->state = ENTRY_TENTATIVE;
    }
    return commit(run);
}

static void answer_all_later(struct run *run, struct entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (entries[i].state == ENTRY_PENDING || entries[i].state == ENTRY_TENTATIVE) {
            branch_answer_later(entries[i].answer, TERCET_CODE_STORE_UNAVAILABLE,
                                TERCET_LOG_WARNING, "%s", run->error.text);
            entries[i].state = ENTRY_FINAL;
        }
    }
}

/* Invariant 6.  Reads under locks and ends by rollback: what it answers was committed before. */
static void read_again(struct run *run, struct entry *entries, size_t count)
{
    struct group *group = run->group;

    TERCET_FAILPOINT("group.before_read_again");
    settle(entries, count, ENTRY_TENTATIVE, ENTRY_PENDING);
    enum tercet_status status = group_connect(group, &run->error);
    if (status == TERCET_OK) {
        status = group->ops->begin(group->connection, &run->error);
        for (size_t i = 0; status == TERCET_OK && i < count; i++) {
            if (entries[i].state != ENTRY_PENDING) {
                continue;
            }
            status = branch_read_again(group, entries[i].request, entries[i].answer, &run->error);
            if (status == TERCET_OK) {
                entries[i].state = ENTRY_FINAL;
            }
        }
        (void)abandon(run, status);
    }
    answer_all_later(run, entries, count);
}

/* One branch in a transaction of its own, again and again.  FATE_FAILED: the store is not to be
 * reached, and the others need not try. */
static enum fate run_alone(struct run *run, struct entry *entry)
{
    struct group *group = run->group;
    enum fate fate = FATE_FELL;

    for (unsigned number = 2; number <= GROUP_RUNS_MAX && fate == FATE_FELL; number++) {
        TERCET_FAILPOINT("group.before_retry");
        group->transactions_retried++;
        if (number > 2 || run->contended) {
            group->pause(number, group->context);
        }
        fate = run_transaction(run, entry, 1);
        if (entry->state == ENTRY_FINAL || entry->state == ENTRY_DEFERRED) {
            return FATE_COMMITTED;
        }
        if (fate == FATE_FELL) {
            settle(entry, 1, ENTRY_TENTATIVE, ENTRY_PENDING);
        }
    }
    switch (fate) {
    case FATE_COMMITTED:
        entry->state = ENTRY_FINAL;
        break;
    case FATE_UNKNOWN:
        read_again(run, entry, 1);
        break;
    case FATE_FELL:
    case FATE_FAILED:
        answer_all_later(run, entry, 1);
        break;
    case FATE_PUT_OUT:
        tercet_unreachable(); /* it was the one */
    }
    return fate;
}

static void run_one_at_a_time(struct run *run, struct entry *entries, size_t count)
{
    settle(entries, count, ENTRY_TENTATIVE, ENTRY_PENDING);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].state != ENTRY_PENDING) {
            continue;
        }
        if (is_closed(run) && entries[i].request != run->first) {
            entries[i].state = ENTRY_DEFERRED;
            continue;
        }
        if (run_alone(run, &entries[i]) == FATE_FAILED) {
            break;
        }
    }
    answer_all_later(run, entries, count);
}

/* Together once more, without the one that was put out: nothing stands in their way.  When another is, they
 * are run one at a time, so that many odd ones cost no more than that. */
static enum fate run_others(struct run *run, struct entry *entries, size_t count)
{
    bool any = false;

    settle(entries, count, ENTRY_TENTATIVE, ENTRY_PENDING);
    for (size_t i = 0; i < count; i++) {
        any = any || entries[i].state == ENTRY_PENDING;
    }
    if (!any) {
        return FATE_COMMITTED;
    }
    TERCET_FAILPOINT("group.before_others");
    run->group->transactions_retried++;
    return run_transaction(run, entries, count);
}

/* Sorts by key, and puts off whatever names a branch a second time. */
static void arrange(struct entry *entries, const struct group_request *requests,
                    struct group_answer *answers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct entry){.request = &requests[i], .answer = &answers[i]};
    }
    /* cppcheck-suppress uninitvar ; there is at least one request */
    qsort(entries, count, sizeof *entries, compare_entries);
    for (size_t i = 1; i < count; i++) {
        if (tercet_fence_key_compare(&entries[i - 1].request->key, &entries[i].request->key) == 0) {
            entries[i].state = ENTRY_DEFERRED;
        }
    }
}

void group_run(struct group *group, const struct group_request *requests,
               struct group_answer *answers, size_t count)
{
    tercet_assert(count >= 1 && count <= GROUP_REQUESTS_MAX);
    struct entry entries[GROUP_REQUESTS_MAX];
    struct run run = {
        .group = group,
        .first = requests,
        .handler_us_end = group->handler_us + GROUP_HANDLER_TIME_US,
    };

    arrange(entries, requests, answers, count);
    enum fate fate = run_transaction(&run, entries, count);
    if (fate == FATE_PUT_OUT) {
        fate = run_others(&run, entries, count);
    }
    switch (fate) {
    case FATE_COMMITTED:
        settle(entries, count, ENTRY_TENTATIVE, ENTRY_FINAL);
        break;
    case FATE_UNKNOWN:
        read_again(&run, entries, count);
        break;
    case FATE_FELL:
    case FATE_PUT_OUT:
        run_one_at_a_time(&run, entries, count);
        break;
    case FATE_FAILED:
        answer_all_later(&run, entries, count);
        break;
    }
    for (size_t i = 0; i < count; i++) {
        tercet_assert(entries[i].state == ENTRY_FINAL || entries[i].state == ENTRY_DEFERRED);
        if (entries[i].state == ENTRY_DEFERRED) {
            memset(entries[i].answer, 0, sizeof *entries[i].answer);
            entries[i].answer->deferred = true;
        }
    }
}

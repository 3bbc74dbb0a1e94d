/* group.h -- several branches share one local transaction.
 *
 * A synced commit costs as much for one branch as for a hundred.  So a worker takes what is waiting
 * and carries it out as a group: one transaction, a savepoint for each branch, one commit, and then
 * all answers.  This file is that procedure, over the slots of struct tercet_store_ops; it has no
 * thread, no clock and no queue of its own, so that a test can drive it step by step.
 *
 * Invariants
 *   1. No answer exists before the commit that it depends on is durable, refusals included: what a
 *      handler saw of the branches before it may be rolled back with them.
 *   2. A branch leaves a row and its business change, or neither.
 *   3. Two requests of one branch never share a group; nor does a group go on when its handlers have
 *      taken GROUP_HANDLER_TIME_US together.  What is left over is told as deferred: the caller puts
 *      it into a next group.
 *   4. Branches are taken in the order of their keys.
 *   5. A transaction that fell (ABORTED, connection lost) is run again one branch at a time, each at
 *      most GROUP_RUNS_MAX times, so that one poisonous branch does not take the others with it.  One
 *      that fell because of a single branch (a broken row, a handler that ended it) is run again
 *      without that branch, together, once.
 *   6. After a commit whose outcome is not known, answers come from the rows as they are then.
 *
 * The first request is always answered, so that whoever runs deferred ones again gets on. */
#ifndef TERCET_FENCE_GROUP_H
#define TERCET_FENCE_GROUP_H

#include "tercet/fence.h"

TERCET_BEGIN_DECLS

enum {
    GROUP_REQUESTS_MAX = 1024,
    GROUP_RUNS_MAX = 5,
    GROUP_HANDLER_TIME_US = 20000,
    GROUP_LATER_AFTER_MS_MAX = 60000
};

/* One phase of one branch.  All of it is borrowed, and has been checked for its limits. */
struct group_request {
    struct tercet_fence_key key;
    enum tercet_phase phase;
    const struct tercet_fence_caller *caller; /* may be shared by many */
    struct tercet_branch_number number;
    uint8_t digest[TERCET_DIGEST_BYTES];
    const char *action; /* at most TERCET_NAME_BYTES_MAX */
    bool confirm_only;  /* as the action is registered; its try never comes here */
    void *user;         /* the caller's own; for the handler */
};

/* The answer to one request.  A handler fills result, after_ms, code and text; group_run() the
 * rest. */
struct group_answer {
    bool deferred; /* not looked at; put it into a next group.  The rest is then not set */
    /* OK, or FAILED_PRECONDITION: asked by an old epoch; the text begins with TERCET_OLD_EPOCH. */
    enum tercet_status status;
    enum tercet_verdict verdict;
    enum tercet_how how;
    enum tercet_conflict conflict;
    enum tercet_fence_state found; /* CONFLICT: the row's state, NONE when there was none */
    bool from_fence;               /* no handler was called for this answer */
    uint32_t after_ms;             /* LATER: 0 leaves it to the coordinator */
    /* What the log should hear of it, with code and text; 0: nothing. */
    enum tercet_log_level log;
    int64_t mark_incarnation; /* the stored mark's age; 0: not told */
    int64_t mark_lsn;
    size_t result_bytes; /* DONE to a try.  A handler may set more than fits: then it has failed */
    /* Of each, one zero byte follows, and the rest is not set. */
    char code[TERCET_REASON_CODE_BYTES_MAX + 1];
    char text[TERCET_REASON_TEXT_BYTES_MAX + 1];
    uint8_t result[TERCET_RESULT_BYTES_MAX + 1];
};

/* Calls the handler of one branch.  `tried` is what its try answered (empty in a try; valid until
 * this returns).  Returns the handler's verdict; `answer` comes empty.  Thread: group_run()'s. */
typedef enum tercet_verdict (*group_handler_fn)(const struct group_request *request,
                                                void *connection, struct tercet_bytes tried,
                                                struct group_answer *answer, void *context);

/* One worker's connection, and what the procedure needs of the world. */
struct group {
    const struct tercet_store_ops *ops;
    void *self;              /* of the store */
    const uint8_t *store_id; /* a database with another is not used; NULL: any is */
    void *connection; /* NULL: not connected; group_run() then connects, and replaces a lost one */
    group_handler_fn handler;
    uint64_t (*now_us)(void *context); /* a clock that does not jump */
    /* Waits a random while before run `run` (from 2) of a transaction that fell. */
    void (*pause)(unsigned run, void *context);
    void *context; /* for the three above */

    /* Counts since the struct was zeroed. */
    uint64_t transactions;         /* committed */
    uint64_t transactions_retried; /* rolled back and run again */
    uint64_t handler_runs;
    uint64_t handler_failures;
    uint64_t handler_us; /* spent in handlers */
};

/* Carries out `count` (1 to GROUP_REQUESTS_MAX) requests and writes as many answers, in the same
 * order. */
void group_run(struct group *group, const struct group_request *requests,
               struct group_answer *answers, size_t count);

/* Connects, if not connected.  Errors: those of the store. */
TERCET_MUST_CHECK enum tercet_status group_connect(struct group *group,
                                                   struct tercet_error *error_out);

/* Disconnects, if connected. */
void group_disconnect(struct group *group);

/* Marks applied through this file (re-connecting when need be) follow the same rules as requests: an
 * ABORTED slice is run again, at most GROUP_RUNS_MAX times.
 * Errors: FAILED_PRECONDITION (old epoch), else those of the store. */
TERCET_MUST_CHECK enum tercet_status group_apply_mark(struct group *group,
                                                      const struct tercet_fence_caller *caller,
                                                      const struct tercet_mark *mark,
                                                      struct tercet_sweep *sweep,
                                                      struct tercet_error *error_out);

/* What the store holds of the caller's origin; re-connecting when need be.  A caller with a newer epoch
 * is heard first: nothing that an older one has asked for, branch or mark, changes the store behind
 * what is told here.  Errors: those of the store; FAILED_PRECONDITION, with a text that begins with
 * TERCET_OLD_EPOCH: a newer start of the caller has been heard. */
TERCET_MUST_CHECK enum tercet_status group_describe(
    struct group *group, const struct tercet_fence_caller *caller,
    struct tercet_store_description *description_out, struct tercet_error *error_out);

TERCET_END_DECLS

#endif

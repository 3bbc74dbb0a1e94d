/* inspect.h -- reads all of a journal, and says what is in it and what is wrong with it.
 *
 * More than an open does: every day is counted to its end, and every record and outcome decoded. */
#ifndef COORDINATOR_JOURNAL_TOOLS_INSPECT_H
#define COORDINATOR_JOURNAL_TOOLS_INSPECT_H

#include "journal/open_gids.h"

struct inspection {
    struct journal_head head;
    int64_t open_count;      /* transactions */
    int64_t undecided_count; /* of them */
    int64_t outcome_count;   /* in the live store and in all days; a few may be in both */
    int64_t day_count;
    /* Of all these outcomes.  A backup's days are younger than its live store, so its head may not know. */
    char greatest_ended_gid[TERCET_GID_BYTES_MAX + 1];
    struct open_gids ended; /* open, and an outcome is there as well; gids are owned */
};

void inspection_deinit(struct inspection *inspection);

/* An open transaction: told while it is inspected. */
struct inspected_txn {
    const char *gid;
    bool decided;
    uint32_t branch_count;
    const char *participants; /* "account, order" */
};
typedef void (*inspected_txn_fn)(const struct inspected_txn *txn, void *context);

/* Opens a copy (copy.h) and reads all of it.  `txn_fn` may be NULL.  `journal_out` NULL: closed
 * again; else it stays open for inspection.  OK, or as journal_leveldb_open() says.  Transactions that
 * have ended as well are for the caller: inspection_judge(). */
TERCET_MUST_CHECK enum tercet_status inspect(const char *copy, inspected_txn_fn txn_fn,
                                             void *context, struct inspection *inspection_out,
                                             struct journal **journal_out,
                                             struct tercet_error *error_out);

/* What no coordinator has written: a transaction that is open and has ended, an outcome of a gid that the
 * head takes for unused.  A backup at `directory` may hold either in good order, for its days are younger
 * than its live store; a new life mends both.  OK; DATA_LOSS with a sentence; or what the system says. */
TERCET_MUST_CHECK enum tercet_status inspection_judge(const char *directory,
                                                      const struct inspection *inspection,
                                                      struct tercet_error *error_out);

#endif

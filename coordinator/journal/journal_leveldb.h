/* journal_leveldb.h -- the journal on LevelDB. */
#ifndef COORDINATOR_JOURNAL_JOURNAL_LEVELDB_H
#define COORDINATOR_JOURNAL_JOURNAL_LEVELDB_H

#include "journal/journal.h"

struct journal_leveldb_options {
    const char *directory;
    int64_t outcome_keep_ms;        /* how long outcomes are kept; default 7 days */
    int64_t outcome_keep_bytes_max; /* and at most this much of them; default 20 GiB */
    size_t write_buffer_bytes;      /* default 8 MiB */
    int64_t ballast_bytes;          /* kept for recovery on a full disk; 0: none */
    bool inspect;                   /* checks all, begins no epoch: for the tools, on a copy */
};

/* Makes a new journal in `directory`, which must not exist or be empty: builds aside, syncs, renames
 * into place.  ALREADY_EXISTS; PERMISSION_DENIED (the directory cannot be made), UNAVAILABLE (what belongs
 * in it cannot): both with the system's words. */
TERCET_MUST_CHECK enum tercet_status journal_leveldb_init(const char *directory,
                                                          int64_t now_unix_ms,
                                                          struct tercet_error *error_out);

/* Opens: takes the directory's lock, scans and verifies everything, compares the digest with the
 * head, writes a higher epoch (synced).  NOT_FOUND (no journal there: says to run tercetd init),
 * FAILED_PRECONDITION (open elsewhere; format of a newer version), DATA_LOSS (does not add up: says
 * what), UNAVAILABLE (the system's words). */
TERCET_MUST_CHECK enum tercet_status journal_leveldb_open(
    const struct journal_leveldb_options *options, int64_t now_unix_ms,
    struct journal **journal_out, struct tercet_error *error_out);

/* Counts every day that was not counted yet, to the end. */
TERCET_MUST_CHECK enum tercet_status journal_leveldb_count_days(struct journal *journal,
                                                                struct tercet_error *error_out);

/* Turns a journal that is open for inspection into the next life of itself: higher incarnation and
 * epoch, and a horizon behind this moment, because what it told since is forgotten: a request from
 * before may have been carried out.  `removals` rides with it. */
TERCET_MUST_CHECK enum tercet_status journal_leveldb_new_life(struct journal *journal,
                                                              int64_t now_unix_ms,
                                                              struct journal_batch *removals,
                                                              struct tercet_error *error_out);

/* Begins a backup into `directory`, which must not exist; maintain() goes on with it in slices, and
 * logs its end.  ALREADY_EXISTS, FAILED_PRECONDITION (one is being made), UNAVAILABLE.
 * Thread: the reader's. */
TERCET_MUST_CHECK enum tercet_status journal_leveldb_backup(struct journal *journal,
                                                            const char *directory,
                                                            struct tercet_error *error_out);

#endif

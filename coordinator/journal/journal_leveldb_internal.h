/* journal_leveldb_internal.h -- what the files of journal_leveldb share.  Nobody else includes
 * this.
 *
 *   journal_init.c      makes a new directory
 *   journal_claim.c     takes a directory
 *   journal_open.c      links, opens, verifies; closes
 *   journal_leveldb.c   the seam: load, write, head
 *   journal_outcomes.c  looks outcomes up, lists them
 *   journal_backup.c    copies a running journal, in slices
 *   journal_upkeep.c    moves them into their days, expires days, has days counted */
#ifndef COORDINATOR_JOURNAL_JOURNAL_LEVELDB_INTERNAL_H
#define COORDINATOR_JOURNAL_JOURNAL_LEVELDB_INTERNAL_H

#include <pthread.h>
#include <sys/stat.h>

#include "journal/journal_days.h"
#include "journal/journal_leveldb.h"
#include "journal/journal_store.h"
#include "journal/journal_witness.h"

/* Names in the directory. */
#define NAME_FORMAT   "FORMAT"
#define NAME_LIVE     "live"
#define NAME_OUTCOMES "outcomes"
#define NAME_SAFETY   "safety"
#define NAME_WITNESS  "witness"
#define NAME_MAKING   ".new"
#define NAME_BACKUP   "BACKUP" /* in place of FORMAT: a backup, not to be run */

#define FORMAT_PREFIX "tercet journal "
enum { JOURNAL_FORMAT = 1 };

enum { JOURNAL_EXIT_CODE = 74 };

/* Which file stands behind a path. */
struct identity {
    dev_t device;
    ino_t inode;
};

struct backup;

struct journal_leveldb {
    struct journal base;
    int64_t outcome_keep_ms;
    int64_t outcome_keep_bytes_max;
    size_t write_buffer_bytes;
    int64_t ballast_bytes;
    int64_t newest_end_unix_ms; /* when it was opened */
    bool inspecting;            /* no epoch was begun: nothing may be written */
    char *path;                 /* absolute */
    char *live_path;
    char *lock_path; /* LevelDB's own */
    char *outcomes_path;
    char *safety_path;
    char *witness_path;

    int directory_fd; /* holds the lock */
    struct identity directory;
    struct identity lock;
    struct store *live;
    struct witness *witness;

    /* ---- both threads', under the mutex ---- */
    pthread_mutex_t mutex;
    struct journal_head head;
    struct journal_batch upkeep;    /* operations that ride with the next write */
    int64_t upkeep_horizon_unix_ms; /* its horizon; 0: unchanged */
    uint64_t upkeep_added;          /* times that something was added */
    uint64_t upkeep_written;        /* how many of them are durable */
    uint64_t ended_count;           /* outcomes written since it was opened */

    /* ---- the journal thread's ---- */
    struct journal_batch taken;   /* upkeep that is being written */
    leveldb_writebatch_t *writes; /* kept for its memory */

    /* ---- the reader's ---- */
    struct days days;
    struct buffer pass_key;    /* where the pass over the live store goes on; empty: no pass */
    uint64_t pass_ended_count; /* of `ended_count`, when the newest pass began */
    int64_t next_pass_unix_ms;
    int64_t next_witness_unix_ms;
    int64_t next_expiry_unix_ms;
    struct backup *backup; /* that is being made; NULL: none */
};

static inline struct journal_leveldb *journal_of(struct journal *journal)
{
    return (struct journal_leveldb *)(void *)journal; /* base is its first member */
}

/* One line, and out: nothing in memory may be trusted to match the disk. */
__attribute__((__noreturn__)) void journal_die(const struct journal_leveldb *journal,
                                               const char *event, const struct tercet_error *error);

bool identity_of(const char *path, struct identity *identity_out);

/* journal_leveldb.c: writes and syncs on top of `head_io` (which becomes the new head), with what
 * upkeep has gathered.  Does not return when that fails. */
void journal_write_batch(struct journal_leveldb *journal, const struct journal_batch *batch,
                         int64_t epoch);

extern const struct journal_ops journal_leveldb_ops;

/* journal_claim.c: takes the directory's lock, and reads FORMAT. */
enum tercet_status journal_claim(struct journal_leveldb *journal, const char *directory,
                                 struct tercet_error *error_out);

/* journal_init.c: makes DIRECTORY, which must not exist or be empty; and moves what was built as a
 * whole in DIRECTORY/.new into its place, FORMAT last. */
enum tercet_status journal_place_begin(const char *directory, struct tercet_error *error_out);
enum tercet_status journal_place_finish(const char *directory, struct tercet_error *error_out);

/* journal_backup.c: one slice of the backup that is being made; true: there is one.  And its end
 * before its time. */
bool journal_backup_some(struct journal_leveldb *journal);
void journal_backup_stop(struct journal_leveldb *journal);

/* journal_open.c */
void journal_leveldb_close(struct journal *base);

/* journal_outcomes.c */
enum tercet_status journal_leveldb_find(struct journal *base, const char *gid,
                                        struct buffer *value_out);
enum tercet_status journal_leveldb_peek(struct journal *base, const char *gid,
                                        struct tercet_error *error_out);
enum tercet_status journal_leveldb_list(struct journal *base, const char *cursor,
                                        journal_outcome_fn outcome_fn, void *context);

/* journal_upkeep.c */
bool journal_leveldb_count_some(struct journal *journal);
bool journal_leveldb_maintain(struct journal *journal, int64_t now_unix_ms);

#endif

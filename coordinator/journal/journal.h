/* journal.h -- the durable truth, behind a seam.
 *
 * The loop gathers records into a batch; the journal thread writes one batch at a time and syncs;
 * from then on its LSN is durable.  There is one implementation on LevelDB (journal_leveldb.c); the
 * simulator has one in memory that keeps synced and unsynced apart.
 *
 * The head (LSN, epoch, incarnation, next number, live-set digest and count) is written with every
 * batch.  The live-set digest is the sum modulo 2^128 of a hash of every live pair; a pair's hash is
 * kept by whoever may remove it, so that removing needs no read.
 *
 * A failed write is the end: journal_write() does not return an error, the implementation logs and
 * leaves the process (exit code 74) from the very thread that wrote, before anything else is said.
 *
 * Threads: journal_write() from the journal thread only; look-ups, listing, counting and upkeep from one
 * reader thread at a time, beside the writer; everything else before or after these threads live. */
#ifndef COORDINATOR_JOURNAL_JOURNAL_H
#define COORDINATOR_JOURNAL_JOURNAL_H

#include "base/bytes.h"
#include "base/digest.h"
#include "engine/view.h"

/* What one synced write holds.  Made and filled by the loop, handed to the journal thread, given
 * back with its LSN durable. */
struct journal_batch {
    int64_t lsn;              /* of this batch: one more than the batch before it */
    int64_t next_number;      /* engine_next_number() when it was closed */
    struct buffer operations; /* encoded puts and deletes; see batch.c */
    uint32_t operation_count;
    struct digest128 digest_delta;                     /* added pairs minus removed pairs */
    int64_t live_delta;                                /* added pairs minus removed pairs */
    uint32_t outcome_count;                            /* put */
    char greatest_ended_gid[TERCET_GID_BYTES_MAX + 1]; /* of them; "": there is none */
    size_t put_at;                                     /* where the pair begins that is being put */
    size_t put_bytes_max;                              /* of its value; zero: none is */
};

void journal_batch_init(struct journal_batch *batch);
void journal_batch_deinit(struct journal_batch *batch);
void journal_batch_clear(struct journal_batch *batch); /* keeps its memory */

/* Puts a pair.  `hash_io`: hash of the pair that it replaces (zero: none); becomes the new one's. */
void journal_batch_put(struct journal_batch *batch, struct tercet_bytes key,
                       struct tercet_bytes value, struct digest128 *hash_io);

/* Puts a pair that nobody of the caller's will remove (outcomes: the journal moves them itself, and
 * counts them, and keeps the greatest of their gids). */
void journal_batch_put_for_good(struct journal_batch *batch, struct tercet_bytes key,
                                struct tercet_bytes value);

/* The same of a value that the caller writes where it will stand in the batch.  begin_put() gives room
 * for `value_bytes_max` bytes, at least one, good until end_put() is told how many were written: not
 * more than that (asserted), and before anything else is put or removed (asserted, too). */
uint8_t *journal_batch_begin_put(struct journal_batch *batch, struct tercet_bytes key,
                                 size_t value_bytes_max);
void journal_batch_end_put(struct journal_batch *batch, size_t value_size,
                           struct digest128 *hash_io);
void journal_batch_end_put_for_good(struct journal_batch *batch, size_t value_size);

/* Removes a pair with that hash; does nothing when the hash is zero.  `hash_io` becomes zero. */
void journal_batch_delete(struct journal_batch *batch, struct tercet_bytes key,
                          struct digest128 *hash_io);

/* What a journal is at the moment. */
struct journal_head {
    uint8_t origin[20];  /* 16 bytes id, made at init; then the partition, 32 bits big-endian */
    int64_t incarnation; /* which life */
    int64_t epoch; /* of the coordinator that has it open: one more than at the start before */
    int64_t lsn;   /* newest written */
    int64_t next_number;
    struct digest128 live_digest;
    int64_t live_count;
    int64_t lost_incarnation; /* where the backup ended that this life was restored from; zero: */
    int64_t lost_number;      /* it was not */
    int64_t horizon_unix_ms;  /* all outcomes from this moment on are held */
    /* No outcome's gid, by strcmp(), is or was greater; "": there was no outcome. */
    char greatest_ended_gid[TERCET_GID_BYTES_MAX + 1];
    bool upkeep_waits; /* upkeep has something for the next write(); not stored */
};

/* Told every live pair whose key begins with "p/" or "t/", in the order of keys.  Anything but OK stops. */
typedef enum tercet_status (*journal_pair_fn)(struct tercet_bytes key, struct tercet_bytes value,
                                              struct digest128 hash, void *context);

/* Told outcomes, newest day first; returns false to stop.  `cursor` names the place behind it. */
typedef bool (*journal_outcome_fn)(struct tercet_bytes value, const char *cursor, void *context);

struct journal; /* begins with its ops */

struct journal_ops {
    /* Tells all live pairs of participants and open transactions.  OK, DATA_LOSS, or what the callback returned. */
    enum tercet_status (*load)(struct journal *journal, journal_pair_fn pair_fn, void *context,
                               struct tercet_error *error_out);

    /* Writes and syncs; returns when durable, or not at all. */
    void (*write)(struct journal *journal, const struct journal_batch *batch);

    /* The encoded outcome of `gid`, appended to `value_out`.  OK, NOT_FOUND, or UNAVAILABLE: it was not
     * found, and before that may be told days must be counted (count_some()).  A read error ends the
     * process like a failed write: "not found" would start a payment twice. */
    enum tercet_status (*find_outcome)(struct journal *journal, const char *gid,
                                       struct buffer *value_out);

    /* Is there an outcome of `gid`?  For the start, before anybody is served: days are not counted for
     * it, and what cannot be read is told.  OK, NOT_FOUND, or why it cannot be said. */
    enum tercet_status (*peek_outcome)(struct journal *journal, const char *gid,
                                       struct tercet_error *error_out);

    /* The value of a live pair, appended to `value_out`.  OK, or NOT_FOUND.  A read error ends the
     * process. */
    enum tercet_status (*find_pair)(struct journal *journal, struct tercet_bytes key,
                                    struct buffer *value_out);

    /* Tells outcomes from behind `cursor` ("" : from the newest).  A cursor that is not ours:
     * INVALID_ARGUMENT.  UNAVAILABLE: none was told, days must be counted before. */
    enum tercet_status (*list_outcomes)(struct journal *journal, const char *cursor,
                                        journal_outcome_fn outcome_fn, void *context);

    /* One slice of counting days again, some milliseconds; maintain() does the same when it has nothing
     * else to do.  True: it is not over.  Damage ends the process. */
    bool (*count_some)(struct journal *journal);

    /* One slice of upkeep: moves outcomes of the live store into their day, expires days, counts days
     * again.  True: call again soon.  Removals ride with the next write(), so something must be written after it. */
    bool (*maintain)(struct journal *journal, int64_t now_unix_ms);

    void (*head)(struct journal *journal, struct journal_head *head_out);

    /* When the newest of its outcomes ended, by the clock of then; of those in days their day's beginning.
     * Zero: it has none.  As it was when it was opened. */
    int64_t (*newest_end_unix_ms)(struct journal *journal);

    void (*close)(struct journal *journal); /* NULL is fine */
};

struct journal {
    const struct journal_ops *ops;
};

static inline enum tercet_status journal_load(struct journal *journal, journal_pair_fn pair_fn,
                                              void *context, struct tercet_error *error_out)
{
    return journal->ops->load(journal, pair_fn, context, error_out);
}

static inline void journal_write(struct journal *journal, const struct journal_batch *batch)
{
    journal->ops->write(journal, batch);
}

static inline enum tercet_status journal_find_outcome(struct journal *journal, const char *gid,
                                                      struct buffer *value_out)
{
    return journal->ops->find_outcome(journal, gid, value_out);
}

static inline enum tercet_status journal_peek_outcome(struct journal *journal, const char *gid,
                                                      struct tercet_error *error_out)
{
    return journal->ops->peek_outcome(journal, gid, error_out);
}

static inline enum tercet_status journal_find_pair(struct journal *journal, struct tercet_bytes key,
                                                   struct buffer *value_out)
{
    return journal->ops->find_pair(journal, key, value_out);
}

static inline enum tercet_status journal_list_outcomes(struct journal *journal, const char *cursor,
                                                       journal_outcome_fn outcome_fn, void *context)
{
    return journal->ops->list_outcomes(journal, cursor, outcome_fn, context);
}

static inline bool journal_count_some(struct journal *journal)
{
    return journal->ops->count_some(journal);
}

static inline bool journal_maintain(struct journal *journal, int64_t now_unix_ms)
{
    return journal->ops->maintain(journal, now_unix_ms);
}

static inline void journal_read_head(struct journal *journal, struct journal_head *head_out)
{
    journal->ops->head(journal, head_out);
}

static inline int64_t journal_newest_end_unix_ms(struct journal *journal)
{
    return journal->ops->newest_end_unix_ms(journal);
}

static inline void journal_close(struct journal *journal)
{
    if (journal != NULL) {
        journal->ops->close(journal);
    }
}

#endif

/* reader.h -- the reader thread: looks outcomes up, fetches payloads, lists outcomes, and keeps the
 * journal tidy.
 *
 * Look-ups and payloads come before listing and upkeep; upkeep runs in slices between them.  What upkeep has
 * moved is removed by the journal's next write, so each slice is followed by an EVENT_HORIZON, which
 * makes the loop write. */
#ifndef COORDINATOR_READER_H
#define COORDINATOR_READER_H

#include "base/inbox.h"
#include "journal/journal.h"

struct reader;

/* A page of outcomes; takes the views, not the array.  `status` not OK: no views. */
typedef void (*reader_page_fn)(void *context, void *token, struct view **views, uint32_t count,
                               const char *next_cursor, enum tercet_status status);

struct reader_options {
    struct journal *journal; /* borrowed, as is the next */
    struct inbox *inbox;     /* the loop's */
    reader_page_fn page;     /* the reader's thread calls it */
    void *context;
};

struct reader *reader_start(const struct reader_options *options);

/* Looks for an outcome, after the next reader_flush(); an EVENT_FOUND follows.  The loop's thread. */
void reader_look_up(struct reader *reader, const char *gid);

/* Reads the payload of a branch of an open transaction, after the next reader_flush(); an EVENT_FETCHED
 * follows.  Takes the branch.  The loop's thread. */
void reader_fetch(struct reader *reader, struct branch *branch_take);

/* What a turn has asked for is known: wakes the reader once for all of it.  The loop's thread. */
void reader_flush(struct reader *reader);

/* Lists outcomes behind `cursor` ("": the newest); `page` follows.  Any thread. */
void reader_list(struct reader *reader, void *token, const char *cursor, uint32_t page_size);

/* Begins a backup into that directory, which must not exist.  How it ends is logged. */
void reader_backup(struct reader *reader, const char *directory);

/* Finishes what was asked and ends the thread.  NULL is fine. */
void reader_stop(struct reader *reader);

#endif

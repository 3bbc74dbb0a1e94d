/* writer.h -- the journal thread: writes and syncs one batch at a time.
 *
 * While it syncs, the loop steps on and fills the next batch, so that commits group by themselves.
 * When a batch is durable it says so by an EVENT_DURABLE. */
#ifndef COORDINATOR_WRITER_H
#define COORDINATOR_WRITER_H

#include "base/inbox.h"
#include "journal/journal.h"

struct writer;

/* Starts the thread; both are borrowed. */
struct writer *writer_start(struct journal *journal, struct inbox *inbox);

/* The batch is borrowed until its EVENT_DURABLE; one at a time.  The loop's thread. */
void writer_submit(struct writer *writer, const struct journal_batch *batch);

/* Ends the thread; nothing may be submitted and not durable.  NULL is fine. */
void writer_stop(struct writer *writer);

#endif

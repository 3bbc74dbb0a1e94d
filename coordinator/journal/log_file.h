/* log_file.h -- reads what can be vouched for of a LevelDB's log.
 *
 * LevelDB's own repair reads logs without looking at their checksums, and may so bring back a wrong
 * value as a good one.  This reads a log whose every record is checked (CRC-32C), and leaves out
 * what is not as it was written.  A manifest is a log too: its "batches" are edits.  Format: doc/log_format.md of LevelDB 1.23. */
#ifndef COORDINATOR_JOURNAL_LOG_FILE_H
#define COORDINATOR_JOURNAL_LOG_FILE_H

#include "base/bytes.h"

/* One operation; `value` of a delete is empty. */
typedef void (*log_operation_fn)(bool put, struct tercet_bytes key, struct tercet_bytes value,
                                 void *context);

/* A batch that is whole: its bytes, for log_batch_read(). */
typedef enum tercet_status (*log_batch_fn)(struct tercet_bytes batch, void *context,
                                           struct tercet_error *error_out);

/* Tells all whole batches in their order.  `skipped_bytes_out`: what was left out. */
TERCET_MUST_CHECK enum tercet_status log_file_read(const char *path, log_batch_fn batch_fn,
                                                   void *context, int64_t *skipped_bytes_out,
                                                   struct tercet_error *error_out);

/* The sequence number of its first operation, and how many there are.  False: it is cut short. */
bool log_batch_numbers(struct tercet_bytes batch, uint64_t *first_out, uint32_t *count_out);

/* Tells the operations of a batch.  False: it makes no sense (some may have been told). */
bool log_batch_read(struct tercet_bytes batch, log_operation_fn operation_fn, void *context);

#endif

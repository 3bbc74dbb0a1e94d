/* batch_read.h -- reading back what journal_batch_put() and journal_batch_delete() encoded.
 *
 * For the implementations of the seam.  An operation is KIND(1) KEY_SIZE(4) KEY, and for a put
 * VALUE_SIZE(4) VALUE; numbers are big-endian. */
#ifndef COORDINATOR_JOURNAL_BATCH_READ_H
#define COORDINATOR_JOURNAL_BATCH_READ_H

#include "journal/journal.h"

enum batch_operation_kind { BATCH_PUT = 1, BATCH_DELETE = 2 };

struct batch_operation {
    enum batch_operation_kind kind;
    struct tercet_bytes key;   /* borrowed from the batch */
    struct tercet_bytes value; /* PUT */
};

struct batch_reader {
    const struct journal_batch *batch;
    size_t at;
};

/* False when there is no further operation. */
bool batch_reader_next(struct batch_reader *reader, struct batch_operation *operation_out);

#endif

/* log_sequence.h -- do the logs of a store go forward?
 *
 * Every operation in a LevelDB has a number, and in a log they only rise.  A log in which a stretch
 * stands twice has good checksums all through; LevelDB puts each operation into its memory as it
 * comes, meets a number for the second time and ends the process with an assertion.  So a log is read
 * before LevelDB reads it.  Other damage is left to LevelDB, which refuses it in its own words. */
#ifndef COORDINATOR_JOURNAL_LOG_SEQUENCE_H
#define COORDINATOR_JOURNAL_LOG_SEQUENCE_H

#include "tercet/tercet.h"

/* DATA_LOSS: a log of this store goes back.  UNAVAILABLE: one cannot be read. */
TERCET_MUST_CHECK enum tercet_status log_sequence_check(const char *store_path,
                                                        struct tercet_error *error_out);

#endif

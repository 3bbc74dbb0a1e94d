/* journal_ballast.h -- space that is kept for a recovery on a full disk.
 *
 * To open a LevelDB is to write: its log becomes a table.  On a disk that is full to the last block
 * a coordinator that has stopped for that very reason could not start again.  So a file "ballast",
 * really allocated, stands beside the journal.
 *
 * Released: at an open, before LevelDB writes anything, when less space is free than the logs of the
 * live store take, and 4 MiB.  Put back: at the end of an open, when as much is free besides it.
 * Never while it runs: who stands behind a failed write does not go on. */
#ifndef COORDINATOR_JOURNAL_JOURNAL_BALLAST_H
#define COORDINATOR_JOURNAL_JOURNAL_BALLAST_H

#include <stdint.h>

/* Both log what they do; neither can fail the open. */
void ballast_release(const char *directory, const char *live_path);
void ballast_keep(const char *directory, const char *live_path, int64_t bytes);

#endif

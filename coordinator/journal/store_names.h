/* store_names.h -- makes the name of a store's log durable.
 *
 * LevelDB syncs what it writes into a new log, and the directory never for its sake.  POSIX then
 * allows that the log is gone after a power loss, name and all, with writes that were acknowledged.
 * (ext4, XFS and btrfs make the name durable with the file.)
 *
 * So whoever has written asks here: did the log grow that was the newest when the directory was
 * synced?  Then the write is in it, for the price of a stat.  If not, LevelDB has begun another one,
 * and the directory is synced.  No clock is asked: the times of a directory may be as coarse as
 * seconds. */
#ifndef COORDINATOR_JOURNAL_STORE_NAMES_H
#define COORDINATOR_JOURNAL_STORE_NAMES_H

#include "tercet/tercet.h"

struct store_names {
    char *path;
    char *log_path; /* NULL: none yet */
    int64_t log_bytes;
};

void store_names_init(struct store_names *names, const char *path);
void store_names_deinit(struct store_names *names);

/* After a write: OK when the name of the log that it is in is durable.  DATA_LOSS: there is no log. */
TERCET_MUST_CHECK enum tercet_status store_names_sync(struct store_names *names,
                                                      struct tercet_error *error_out);

#endif

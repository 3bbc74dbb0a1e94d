/* store_names.h -- makes the names of a store's files durable.
 *
 * LevelDB syncs what it writes into a new log, and the directory never for its sake.  POSIX then
 * allows that the log is gone after a power loss, name and all, with writes that were acknowledged.
 * (ext4, XFS and btrfs make the name durable with the file.)
 *
 * So whoever has written asks here: did a name change since the directory was synced?  Its mtime
 * tells, for the price of a stat; a sync follows only when a file was made, renamed or removed.  The
 * system's clock for files goes in ticks of some milliseconds, so a change in the very tick of a sync
 * counts as one after it, and costs a second sync at most. */
#ifndef COORDINATOR_JOURNAL_STORE_NAMES_H
#define COORDINATOR_JOURNAL_STORE_NAMES_H

#include <time.h>

#include "tercet/tercet.h"

struct store_names {
    char *path;
    struct timespec changed; /* the directory's mtime at the last sync */
    struct timespec synced;  /* when that was, by the clock of mtimes */
};

void store_names_init(struct store_names *names, const char *path);
void store_names_deinit(struct store_names *names);

/* OK: every name that there was before the call is durable. */
TERCET_MUST_CHECK enum tercet_status store_names_sync(struct store_names *names,
                                                      struct tercet_error *error_out);

#endif

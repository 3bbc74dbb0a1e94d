/* scratch.h -- a place for a copy that is opened, looked at, and removed.
 *
 * Its name is the journal's with ".scratch" behind it: whoever holds the journal's lock (hold.h) is the
 * only one who may make it, so one that is there was left by a process that died, and goes first.
 * Where nothing may be written beside the journal it is a new directory below $TMPDIR; what a process
 * that died leaves there is for whoever cleans that. */
#ifndef COORDINATOR_JOURNAL_TOOLS_SCRATCH_H
#define COORDINATOR_JOURNAL_TOOLS_SCRATCH_H

#include "tercet/tercet.h"

/* A path for the copy, in which nothing is yet.  The journal's lock is held.  To be given to
 * scratch_remove().  ALREADY_EXISTS: what has the name was not made here, and is left alone. */
TERCET_MUST_CHECK enum tercet_status scratch_make(const char *journal, char **path_out,
                                                  struct tercet_error *error_out);

/* Removes it with all that is in it, and frees the path.  NULL is fine. */
void scratch_remove(char *path);

#endif

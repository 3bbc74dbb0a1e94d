/* store_share.h -- before LevelDB opens a store: ends the sharing of files that it may write over.
 *
 * The files of a store have second names, in safety/ and in copies that the tools make, and with them
 * they share their bytes.  LevelDB never changes a file it knows.  But it gives out file numbers from
 * the one that its manifest says is next, and opens a file of that number with O_TRUNC, whatever was
 * there.  A manifest that was cut, or is another's, says too low a number, and the good table under
 * both names is gone.  So here, whatever has a number that may be given out again and a second name
 * is replaced by a copy of its own.  In a good store these are at most the few tables that a process
 * had begun when it died. */
#ifndef COORDINATOR_JOURNAL_STORE_SHARE_H
#define COORDINATOR_JOURNAL_STORE_SHARE_H

#include "tercet/tercet.h"

TERCET_MUST_CHECK enum tercet_status store_share_end(const char *store_path,
                                                     struct tercet_error *error_out);

/* A table?  Others may share it: once made, it is never changed but by the above. */
bool store_share_may(const char *name);

#endif

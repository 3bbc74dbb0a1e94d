/* hold.h -- keeps everybody else away from a journal while it is copied. */
#ifndef COORDINATOR_JOURNAL_TOOLS_HOLD_H
#define COORDINATOR_JOURNAL_TOOLS_HOLD_H

#include "tercet/tercet.h"

/* Takes the directory's lock, without writing into it.  To be closed with close().  NOT_FOUND,
 * UNAVAILABLE (in use, or the system's words). */
TERCET_MUST_CHECK enum tercet_status hold_journal(const char *directory, int *fd_out,
                                                  struct tercet_error *error_out);

#endif

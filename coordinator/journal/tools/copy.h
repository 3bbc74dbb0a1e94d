/* copy.h -- a second directory with a journal's files, to be opened in place of the first.
 *
 * To open a LevelDB is to write into its directory and to delete there.  So nothing here opens a
 * journal that somebody still wants: it opens a copy.  Tables are large and never change, so they
 * get a second name (a hard link) where that is possible and harmless; everything else is copied. */
#ifndef COORDINATOR_JOURNAL_TOOLS_COPY_H
#define COORDINATOR_JOURNAL_TOOLS_COPY_H

#include "tercet/tercet.h"

enum copy_how {
    COPY_BYTES,       /* nothing is shared with the source */
    COPY_LINKS_IF_CAN /* a scratch: tables share their bytes with the source's */
};

/* Makes `to`, which must not exist, from the journal or backup in `from`: FORMAT, witness, live,
 * outcomes; an empty safety.  What is missing in `from` is missing in `to`.  NOT_FOUND: there is no
 * journal. */
TERCET_MUST_CHECK enum tercet_status copy_journal(const char *from, const char *to,
                                                  enum copy_how how,
                                                  struct tercet_error *error_out);

/* Removes what copy_journal() made, with all that is in it. */
void copy_remove(const char *path);

#endif

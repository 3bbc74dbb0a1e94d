/* salvage.h -- makes a journal that adds up of a copy that does not.
 *
 * Kept is what can be vouched for: records whose checksum (LevelDB's, of each block and log record)
 * is right, that decode to the last field, and that belong to a transaction all of whose records do;
 * and days that count what they say.  The newest known head and witness give origin, epoch and
 * numbers, so that nothing is given out twice. */
#ifndef COORDINATOR_JOURNAL_TOOLS_SALVAGE_H
#define COORDINATOR_JOURNAL_TOOLS_SALVAGE_H

#include <stdio.h>

#include "tercet/tercet.h"

/* Works in the copy; afterwards it opens.  What is not vouched for is written to `to`.  DATA_LOSS:
 * nothing is (neither head nor witness can be read). */
TERCET_MUST_CHECK enum tercet_status salvage(const char *copy, FILE *to,
                                             struct tercet_error *error_out);

#endif

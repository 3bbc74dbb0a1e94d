/* salvage_pairs.h -- which pairs of a damaged journal can be vouched for. */
#ifndef COORDINATOR_JOURNAL_TOOLS_SALVAGE_PAIRS_H
#define COORDINATOR_JOURNAL_TOOLS_SALVAGE_PAIRS_H

#include <stdio.h>

#include "journal/journal.h"
#include "journal/journal_store.h"

/* Puts the good pairs of `from`, and a "d/" pair for each good day of the copy, into `made`.  Sets
 * count and digest of `head`, and raises its next number above all that is found.  What is left out
 * is written to `to`. */
TERCET_MUST_CHECK enum tercet_status salvage_pairs(const char *copy, struct store *from,
                                                   struct store *made, struct journal_head *head,
                                                   FILE *to, struct tercet_error *error_out);

#endif

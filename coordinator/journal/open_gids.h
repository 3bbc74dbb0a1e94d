/* open_gids.h -- no gid is open and ended at once.
 *
 * END writes an outcome in the batch that removes the transaction, and a gid is looked up before it
 * is begun.  So an open gid that has an outcome shows that one of both went wrong, and to go on would
 * end a payment twice.  It is asked at every start, behind the load: a look-up costs microseconds,
 * most of them a bloom filter's, while the days' own count would notice only after ends had been
 * written beside the first outcomes.  Gids are asked in their own order, so that neighbours are in the
 * same table, however many tables there are.
 *
 * Only a backup may hold such a pair in good order: its days are copied after its live store, and what
 * was open in the one may have ended in the other.  A new life takes the outcome (tools/new_life.h). */
#ifndef COORDINATOR_JOURNAL_OPEN_GIDS_H
#define COORDINATOR_JOURNAL_OPEN_GIDS_H

#include "journal/journal.h"

struct open_gid {
    const char *gid; /* borrowed */
    int64_t sequence;
};

struct open_gids {
    struct open_gid *items; /* all zero at first */
    size_t count;
    size_t capacity;
};

void open_gids_deinit(struct open_gids *gids);

/* `gid` must live as long as the list is asked. */
void open_gids_add(struct open_gids *gids, const char *gid, int64_t sequence);

/* Leaves only those in the list that have an outcome as well, by their gids; the others still stand
 * behind them, for whoever has to free them.  OK, or what the journal says. */
TERCET_MUST_CHECK enum tercet_status open_gids_keep_ended(struct open_gids *gids,
                                                          struct journal *journal,
                                                          struct tercet_error *error_out);

/* They have ended.  DATA_LOSS with a sentence; OK: the list is empty. */
TERCET_MUST_CHECK enum tercet_status open_gids_refuse(const struct open_gids *ended,
                                                      struct tercet_error *error_out);

/* Both. */
TERCET_MUST_CHECK enum tercet_status open_gids_refuse_ended(struct open_gids *gids,
                                                            struct journal *journal,
                                                            struct tercet_error *error_out);

#endif

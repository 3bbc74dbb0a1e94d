/* record_fits.h -- could any version have written this?
 *
 * A record that parses may still say what no coordinator ever says: a stage of 4000, an end in the
 * year 300 million, a confirmed branch in a cancelled transaction.  What is asked here is about one
 * record and the transaction that it belongs to; what all transactions must satisfy together is in
 * record_census.h.  Whatever passes both can be adopted by the engine: its assertions are about our
 * bugs, never about what a disk holds. */
#ifndef COORDINATOR_JOURNAL_RECORD_FITS_H
#define COORDINATOR_JOURNAL_RECORD_FITS_H

#include "engine/txn.h"
#include "tercet/v1/record.pb-c.h"

/* An instant, by the wall or since the start of the machine: 1970 to 9999. */
bool record_moment_fits(int64_t ms);

bool record_begin_fits(const Tercet__V1__Record__Begin *begin, int64_t sequence);
bool record_branch_fits(const Tercet__V1__Record__BeginBranch *begun, const struct txn *txn);
bool record_decide_fits(const Tercet__V1__Record__Decide *decide, const struct txn *txn);

/* What is known of this branch now.  `txn` is decided, or is not. */
bool record_now_fits(const Tercet__V1__Record__BranchNow *now, const struct txn *txn,
                     const struct branch *branch);

#endif

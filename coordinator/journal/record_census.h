/* record_census.h -- what all open transactions of a journal must satisfy together.
 *
 * The engine takes for granted what it alone has written: a gid is open once, a branch's number was
 * given once and before the head, and nothing is of a life that is still to come.  Marks are made of
 * these numbers, so one that was given twice would let a participant forget a branch that is open.
 * The digest says that the pairs are those that were written; the census, that they belong together.
 *
 * It lives while a journal is loaded, and is freed before anybody is served. */
#ifndef COORDINATOR_JOURNAL_RECORD_CENSUS_H
#define COORDINATOR_JOURNAL_RECORD_CENSUS_H

#include "engine/txn.h"

struct record_census;

/* Numbers are below `next_number`, and of no later life than `incarnation`. */
struct record_census *record_census_create(int64_t incarnation, int64_t next_number);
void record_census_destroy(struct record_census *census); /* NULL is fine */

/* Counts one transaction.  DATA_LOSS with a sentence: it cannot stand beside those before it. */
TERCET_MUST_CHECK enum tercet_status record_census_add(struct record_census *census,
                                                       const struct txn *txn,
                                                       struct tercet_error *error_out);

/* All were added.  DATA_LOSS: two branches have one number. */
TERCET_MUST_CHECK enum tercet_status record_census_finish(struct record_census *census,
                                                          struct tercet_error *error_out);

#endif

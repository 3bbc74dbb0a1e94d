/* journal_day_verify.h -- counts days again in the background.
 *
 * Opening a day compares two pairs, so that a look-up never waits for more.  That everything in it
 * is readable and adds up is found out here, in slices of a few milliseconds: the days that were
 * not made since the process started, one after the other, newest first.
 *
 * One iterator stands for a day's whole count.  It sees the day as it was when it was made, the pair
 * "m/day" included, so the day may be read and written meanwhile. */
#ifndef COORDINATOR_JOURNAL_JOURNAL_DAY_VERIFY_H
#define COORDINATOR_JOURNAL_JOURNAL_DAY_VERIFY_H

#include "journal/journal_days.h"

/* One slice.  `more_out`: it is not done.  Anything but OK: a day is damaged or cannot be read. */
TERCET_MUST_CHECK enum tercet_status days_verify_some(struct days *days, bool *more_out,
                                                      struct tercet_error *error_out);

/* All are: nothing is left for days_verify_some(). */
bool days_are_counted(const struct days *days);

/* Is this the day that is being counted?  It should stay open. */
bool days_verifies(const struct days *days, const struct day *day);

/* Forgets how far it came with that day, which is about to be closed. */
void days_verify_stop(struct days *days, const struct day *day);

#endif

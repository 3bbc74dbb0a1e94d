/* journal_damage.h -- damage that a running process found, remembered for the next one.
 *
 * A damaged day is found when it is first used or counted, long after the open.  The process ends
 * with 74, and its supervisor starts it again.  So that this is no loop, what was found is written
 * to the file "damaged"; an open that finds the file counts every day before anybody is served, and
 * either refuses or, when a human has put things right, removes the file and goes on. */
#ifndef COORDINATOR_JOURNAL_JOURNAL_DAMAGE_H
#define COORDINATOR_JOURNAL_JOURNAL_DAMAGE_H

#include "tercet/tercet.h"

/* At best: a disk that takes nothing any more is no reason not to end. */
void damage_note(const char *directory, const char *text);

TERCET_MUST_CHECK enum tercet_status damage_is_noted(const char *directory, bool *noted_out,
                                                     struct tercet_error *error_out);

TERCET_MUST_CHECK enum tercet_status damage_forget(const char *directory,
                                                   struct tercet_error *error_out);

#endif

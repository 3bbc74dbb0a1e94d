/* tools.h -- what can be done with a journal that nobody runs on: look at it, and make a new one of
 * it.  None of these ever writes into the directory that it is given.
 *
 *   verify    reads everything, and says what is in it or what is wrong
 *   restore   a backup (or a sound journal) becomes the next life of itself, in a new directory
 *   recover   the same from a damaged one, with what can be vouched for
 *
 * A new life has a higher incarnation, so that participants take its numbers for new ones and refuse
 * the old life; and its horizon is the moment at which it was made: a request from before that
 * nobody remembers may have been carried out, and is refused (TOO_OLD). */
#ifndef COORDINATOR_JOURNAL_TOOLS_TOOLS_H
#define COORDINATOR_JOURNAL_TOOLS_TOOLS_H

#include <stdio.h>

#include "tercet/tercet.h"

#ifdef __cplusplus
extern "C" {
#endif

/* OK: sound; written to `to`.  DATA_LOSS: damaged; the sentence is written to `to` too.  NOT_FOUND,
 * FAILED_PRECONDITION (in use, or of a newer version), UNAVAILABLE. */
TERCET_MUST_CHECK enum tercet_status tools_verify(const char *directory, bool json, FILE *to,
                                                  struct tercet_error *error_out);

/* OK, ALREADY_EXISTS (the new directory is there), PERMISSION_DENIED (the system does not make it), else as
 * above. */
TERCET_MUST_CHECK enum tercet_status tools_restore(const char *from, const char *directory,
                                                   FILE *to, struct tercet_error *error_out);

/* Without `accept_loss` nothing is made: what would be lost is written to `to`, and the result is
 * DATA_LOSS. */
TERCET_MUST_CHECK enum tercet_status tools_recover(const char *from, const char *directory,
                                                   bool accept_loss, FILE *to,
                                                   struct tercet_error *error_out);

#ifdef __cplusplus
}
#endif

#endif

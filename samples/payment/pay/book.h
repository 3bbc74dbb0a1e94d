/* book.h -- the initiator's own note of each payment, written before it is asked for.
 *
 * A payment that is repeated after a crash must say when it was first asked for: the coordinator
 * refuses what is older than its memory of outcomes, instead of running it twice.  That instant is
 * therefore kept here, by payment id, and whoever notes a payment again gets the first one's. */
#ifndef SAMPLES_PAYMENT_PAY_BOOK_H
#define SAMPLES_PAYMENT_PAY_BOOK_H

#include <stdbool.h>
#include <stdint.h>

enum { BOOK_SENTENCE_SIZE = 256 };

/* Notes `payment` if it is new; durable when this returns.  False, with a sentence that says why,
 * when that is not possible. */
bool book_note(const char *path, const char *payment, int64_t *created_at_unix_ms_out,
               char sentence_out[BOOK_SENTENCE_SIZE]);

#endif

/* balance.h -- what the business says that it has, by a command of the participant's owner.
 *
 * A number is counted with: what one try and one confirm change is learned once, and then every check
 * knows what must have changed.  Any other text can only be compared: after a try and its cancel it is
 * as before. */
#ifndef CONFORMANCE_BALANCE_H
#define CONFORMANCE_BALANCE_H

#include "tercet/tercet.h"

enum { BALANCE_TEXT_SIZE = 512 };

struct reading {
    char text[BALANCE_TEXT_SIZE]; /* without the newline */
    bool is_number;
    double number;
};

/* Runs it.  UNAVAILABLE with a sentence when it fails, or prints nothing. */
TERCET_MUST_CHECK enum tercet_status balance_read(const char *command, struct reading *reading_out,
                                                  struct tercet_error *error_out);

/* The same, but for what arithmetic with fractions leaves. */
bool balance_equal(double a, double b);

#endif

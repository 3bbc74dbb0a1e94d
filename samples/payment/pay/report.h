/* report.h -- tells what became of a payment, to people or to programs. */
#ifndef SAMPLES_PAYMENT_PAY_REPORT_H
#define SAMPLES_PAYMENT_PAY_REPORT_H

#include "pay/arguments.h"

/* `pay`'s exit codes beside EXIT_USAGE (common/usage.h). */
enum {
    EXIT_PAID = 0,
    EXIT_NOT_PAID = 1,
    EXIT_NOT_KNOWN = 2,
    EXIT_NOT_STARTED = 69, /* sysexits.h: EX_UNAVAILABLE */
    EXIT_BOOK = 74         /* sysexits.h: EX_IOERR */
};

/* Prints the answer as arguments->json says and returns the exit code that goes with it. */
int report(const struct arguments *arguments, enum tercet_outcome outcome,
           const struct tercet_result *result);

#endif

/* arguments.h -- what the caller of `pay` wants, read from the command line and checked. */
#ifndef SAMPLES_PAYMENT_PAY_ARGUMENTS_H
#define SAMPLES_PAYMENT_PAY_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <tercet/client.h>

enum { PAYMENT_ID_BYTES_MAX = 64, PAYMENT_GID_SIZE = PAYMENT_ID_BYTES_MAX + sizeof "pay-" };

struct arguments {
    int64_t user;
    int64_t order;
    int64_t amount_fen;
    const char *coupon; /* NULL: none */
    char payment[PAYMENT_ID_BYTES_MAX + 1];
    char gid[PAYMENT_GID_SIZE]; /* made of the payment id alone, so that repeats join */
    const char *coordinator;
    const char *book;
    uint32_t timeout_ms; /* undecided after this: cancelled */
    enum tercet_wait wait;
    bool status_only; /* ask what became of it; start nothing */
    bool json;
};

/* Wrong use ends the process with EXIT_USAGE and one line. */
void arguments_read(struct arguments *arguments_out, int argc, char **argv);

#endif

/* payload.h -- bytes that the participant's owner gives on the command line.
 *
 *     text:{"user": 7}   the text itself; the prefix may be left out
 *     file:pay.json      what stands in the file
 *     hex:0a0b           its bytes
 *
 * Wherever {n} stands in them, each transaction has a number of its own there: for an action that is
 * carried out once for each order, seat or voucher. */
#ifndef CONFORMANCE_PAYLOAD_H
#define CONFORMANCE_PAYLOAD_H

#include "base/arena.h"
#include "tercet/tercet.h"

struct payload {
    uint8_t *data; /* owned */
    size_t size;
    bool given;
};

/* INVALID_ARGUMENT with a sentence: no such file, no hexadecimal digits, too long. */
TERCET_MUST_CHECK enum tercet_status payload_read(struct payload *payload_out, const char *word,
                                                  struct tercet_error *error_out);
void payload_deinit(struct payload *payload);

/* With `number` for every {n}; lives as long as the arena. */
struct tercet_bytes payload_for(const struct payload *payload, uint64_t number,
                                struct arena *arena);

#endif

/* seed.h -- puts demo data into a service's database, also while the service runs.
 *
 * Set 0 is what the README's examples use: user 7, order 42, coupon C9.  Set n has the same people
 * and things with 1000 n added to every number, so that a long demo never meets an order twice. */
#ifndef SAMPLES_PAYMENT_COMMON_SEED_H
#define SAMPLES_PAYMENT_COMMON_SEED_H

#include <stdbool.h>
#include <stdint.h>

enum { SEED_SET_MAX = 1000000, SEED_SENTENCE_SIZE = 256 };

struct seed {
    const char *database;
    const char *schema_sql;
    const char *seed_sql; /* ":set" in it is `set` */
    int64_t set;
};

/* All of the set in one local transaction, or nothing and a sentence that says why. */
bool seed_run(const struct seed *seed, char sentence_out[SEED_SENTENCE_SIZE]);

#endif

/* seed.h -- makes a service's tables and puts demo data into them, also while the service runs.
 *
 * Set 0 is what the README's examples use: user 7, order 42, coupon C9.  Set n has the same people
 * and things with 1000 n added to every number, so that a long demo never meets an order twice. */
#ifndef SAMPLES_PAYMENT_COMMON_SEED_H
#define SAMPLES_PAYMENT_COMMON_SEED_H

#include "common/books.h"

enum { SEED_SET_MAX = 1000000 };

struct seed {
    const struct books *books;
    const char *database;
    const char *schema_sql;
    /* ":set" in it is `set`.  When a query in it finds a row, the rest is there already.  NULL: the
     * tables alone. */
    const char *seed_sql;
    int64_t set;
};

/* All of the set in one local transaction, or nothing and a sentence that says why. */
bool seed_run(const struct seed *seed, char error_out[BOOKS_ERROR_SIZE]);

#endif

/* journal_day_open.h -- a day's store: made, or opened; and its count.
 * For journal_days.c and journal_day_verify.c alone. */
#ifndef COORDINATOR_JOURNAL_JOURNAL_DAY_OPEN_H
#define COORDINATOR_JOURNAL_JOURNAL_DAY_OPEN_H

#include "journal/journal_days.h"

#define DAY_TOTALS_KEY "m/day"

struct day_totals {
    int64_t count;
    struct digest128 digest;
};

void day_totals_encode(const struct day_totals *totals, const char *date, const uint8_t origin[20],
                       struct buffer *value_out);

/* DATA_LOSS also when it is of another day or journal. */
TERCET_MUST_CHECK enum tercet_status day_totals_decode(struct tercet_bytes value, const char *date,
                                                       const uint8_t origin[20],
                                                       struct day_totals *totals_out,
                                                       struct tercet_error *error_out);

/* Makes `day->store`, empty and synced. */
TERCET_MUST_CHECK enum tercet_status day_create(struct days *days, struct day *day,
                                                struct tercet_error *error_out);

/* Opens `day->store`, which must have the count that was written, and hold no less than what is told
 * of it.  Until it is verified the links of its files stay in `safety`. */
TERCET_MUST_CHECK enum tercet_status day_open(struct days *days, struct day *day,
                                              struct tercet_error *error_out);

#endif

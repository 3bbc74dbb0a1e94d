/* journal_day_verify.c -- see journal_day_verify.h. */
#include "journal/journal_day_verify.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "journal/journal_day_open.h"
#include "journal/journal_safety.h"
#include "journal/record_key.h"

enum { SLICE_COUNT_MAX = 2048, SLICE_US_MAX = 3000, LOOK_AT_CLOCK_EVERY = 32 };

struct day_verifier {
    struct day *day;
    struct store *store;          /* of that day; open as long as it is counted */
    leveldb_iterator_t *iterator; /* where the count goes on */
    bool told;                    /* "m/day" was read */
    struct day_totals written;    /* as it says */
    struct day_totals counted;
};

struct slice {
    const struct days *days;
    struct day_verifier *verifier;
    int64_t began_us;
    uint32_t seen_count;
};

bool days_verifies(const struct days *days, const struct day *day)
{
    return days->verifier != NULL && days->verifier->day == day;
}

void days_verify_stop(struct days *days, const struct day *day)
{
    if (days_verifies(days, day)) {
        leveldb_iter_destroy(days->verifier->iterator);
        free(days->verifier);
        days->verifier = NULL;
    }
}

/* The newest day that was not counted yet; NULL: none. */
static struct day *next_day(const struct days *days)
{
    for (size_t i = days->count; i > 0; i--) {
        struct day *day = days->items[i - 1];
        if (day->made && !day->verified && !day->dropping) {
            return day;
        }
    }
    return NULL;
}

bool days_are_counted(const struct days *days)
{
    return days->verifier == NULL && next_day(days) == NULL;
}

static enum tercet_status begin(struct days *days, struct day *day, struct tercet_error *error_out)
{
    struct store *store = NULL;
    enum tercet_status status = days_store(days, day, &store, error_out);
    if (status == TERCET_OK) {
        days->verifier = xcalloc(1, sizeof *days->verifier);
        days->verifier->day = day;
        days->verifier->store = store;
        days->verifier->iterator = store_iterator(store);
        leveldb_iter_seek_to_first(days->verifier->iterator);
    }
    return status;
}

/* A scan reads tables whole; a look-up first asks the manifest which table it may be in.  A manifest
 * that is another day's, of tables with the same numbers, counts well and finds nothing. */
static enum tercet_status check_found(const struct day_verifier *verifier, struct tercet_bytes key,
                                      struct tercet_error *error_out)
{
    struct buffer found;
    buffer_init(&found);
    enum tercet_status status = store_get(verifier->store, key, &found, error_out);
    buffer_deinit(&found);
    return status != TERCET_NOT_FOUND
               ? status
               : error_set(
                     error_out, TERCET_DATA_LOSS,
                     "an outcome of %s is there and cannot be found: its manifest is another's",
                     verifier->day->date);
}

static enum tercet_status count_pair(struct tercet_bytes key, struct tercet_bytes value,
                                     void *context, struct tercet_error *error_out)
{
    struct slice *slice = context;
    struct day_verifier *verifier = slice->verifier;
    if (bytes_equal(key, tercet_bytes_of_text(DAY_TOTALS_KEY))) {
        verifier->told = true;
        enum tercet_status status = day_totals_decode(
            value, verifier->day->date, slice->days->origin, &verifier->written, error_out);
        if (status != TERCET_OK) {
            return status;
        }
    } else if (store_key_begins(key, RECORD_OUTCOME_PREFIX)) {
        enum tercet_status status = check_found(verifier, key, error_out);
        if (status != TERCET_OK) {
            return status;
        }
        verifier->counted.count++;
        verifier->counted.digest =
            digest128_add(verifier->counted.digest, digest128_of_pair(key, value));
    }
    slice->seen_count++;
    const bool full =
        slice->seen_count >= SLICE_COUNT_MAX || (slice->seen_count % LOOK_AT_CLOCK_EVERY == 0 &&
                                                 clock_boot_us() - slice->began_us >= SLICE_US_MAX);
    return full ? TERCET_CALL_CANCELLED : TERCET_OK;
}

/* All of it is counted: is it what was written? */
static enum tercet_status compare(const struct day_verifier *verifier,
                                  struct tercet_error *error_out)
{
    const char *date = verifier->day->date;
    if (!verifier->told) {
        return error_set(error_out, TERCET_DATA_LOSS, "outcomes of %s are missing", date);
    }
    if (verifier->counted.count != verifier->written.count ||
        !digest128_equal(verifier->counted.digest, verifier->written.digest)) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "outcomes of %s do not add up: counted %" PRId64 ", written %" PRId64,
                         date, verifier->counted.count, verifier->written.count);
    }
    return TERCET_OK;
}

/* Only now are the links of the day's files from before its open of no more use. */
static enum tercet_status finish(struct days *days, struct tercet_error *error_out)
{
    struct day *day = days->verifier->day;
    enum tercet_status status = compare(days->verifier, error_out);
    days_verify_stop(days, day);
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("days.counted");
        day->verified = true;
        status = safety_done(days->safety_path, day->date, 0, error_out);
    }
    return status;
}

enum tercet_status days_verify_some(struct days *days, bool *more_out,
                                    struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_OK;
    *more_out = true;
    if (days->verifier == NULL) {
        struct day *day = next_day(days);
        if (day == NULL) {
            *more_out = false;
            return TERCET_OK;
        }
        status = begin(days, day, error_out);
    }
    if (status == TERCET_OK) {
        struct slice slice = {
            .days = days, .verifier = days->verifier, .began_us = clock_boot_us()};
        status = store_iterate(days->verifier->iterator, (struct tercet_bytes){0}, count_pair,
                               &slice, error_out);
        if (status == TERCET_CALL_CANCELLED) {
            return TERCET_OK;
        }
    }
    return status == TERCET_OK ? finish(days, error_out) : status;
}

/* journal_outcomes.c -- looks outcomes up and lists them (journal.h).
 *
 * An outcome is in the live store, then in the live store and in its day, then in its day only.  So
 * a look-up asks the live store first and the days after it: whatever the writer removes meanwhile
 * from the one is in the other already.  A listing goes the same way, for the same reason.
 *
 * A cursor is where the last outcome stood: "live/GID" or "YYYY-MM-DD/GID". */
#include <stdlib.h>

#include "base/assert.h"
#include "base/error.h"
#include "journal/journal_day_verify.h"
#include "journal/journal_leveldb_internal.h"
#include "journal/record_key.h"

#define LIVE_PLACE "live"

enum { CURSOR_SIZE = DAY_DATE_SIZE + 1 + TERCET_GID_BYTES_MAX + 1 };

struct outcome_key {
    uint8_t bytes[RECORD_OUTCOME_KEY_BYTES_MAX];
    size_t size;
};

static struct outcome_key key_of(const char *gid)
{
    struct outcome_key key;
    key.size = record_key_outcome(gid, key.bytes);
    return key;
}

/* ---- One ------------------------------------------------------------------------------------- */

static enum tercet_status look_up(struct journal_leveldb *journal, const char *gid,
                                  struct buffer *value_out, struct tercet_error *error_out)
{
    const struct outcome_key key = key_of(gid);
    const struct tercet_bytes bytes = tercet_bytes_of(key.bytes, key.size);
    enum tercet_status status = store_get(journal->live, bytes, value_out, error_out);
    struct days *days = &journal->days;
    for (size_t i = days->count; i > 0 && status == TERCET_NOT_FOUND; i--) {
        status = days_get(days, days->items[i - 1], bytes, value_out, error_out);
    }
    return status;
}

enum tercet_status journal_leveldb_peek(struct journal *base, const char *gid,
                                        struct tercet_error *error_out)
{
    struct buffer ignored;
    buffer_init(&ignored);
    enum tercet_status status = look_up(journal_of(base), gid, &ignored, error_out);
    buffer_deinit(&ignored);
    return status;
}

enum tercet_status journal_leveldb_find(struct journal *base, const char *gid,
                                        struct buffer *value_out)
{
    struct journal_leveldb *journal = journal_of(base);
    struct tercet_error error = {0};
    enum tercet_status status = look_up(journal, gid, value_out, &error);
    if (status != TERCET_OK && status != TERCET_NOT_FOUND) {
        journal_die(journal, "journal.read_failed", &error);
    }
    /* What a day does not hold is known only when it has been counted: a day whose files were exchanged
     * may read well and be another's.  "Not found" would begin a payment a second time. */
    const bool unsure = status == TERCET_NOT_FOUND && !days_are_counted(&journal->days);
    return unsure ? TERCET_UNAVAILABLE : status;
}

/* ---- All ------------------------------------------------------------------------------------- */

struct listing {
    struct journal_leveldb *journal;
    const char *place;          /* LIVE_PLACE or a date */
    struct tercet_bytes behind; /* the key of the cursor; empty: none */
    journal_outcome_fn outcome_fn;
    void *context;
    bool stopped;
};

/* Not moved away from the live store yet: told there, or too young for this listing. */
static bool is_live_too(struct listing *listing, struct tercet_bytes key,
                        struct tercet_error *error_out)
{
    if (strcmp(listing->place, LIVE_PLACE) == 0) {
        return false;
    }
    struct buffer value;
    buffer_init(&value);
    enum tercet_status status = store_get(listing->journal->live, key, &value, error_out);
    buffer_deinit(&value);
    if (status != TERCET_OK && status != TERCET_NOT_FOUND) {
        journal_die(listing->journal, "journal.read_failed", error_out);
    }
    return status == TERCET_OK;
}

static enum tercet_status tell(struct tercet_bytes key, struct tercet_bytes value, void *context,
                               struct tercet_error *error_out)
{
    struct listing *listing = context;
    char cursor[CURSOR_SIZE];
    const size_t place_size = strlen(listing->place);
    const size_t gid_size = key.size - 2;
    if (bytes_equal(key, listing->behind) || is_live_too(listing, key, error_out)) {
        return TERCET_OK;
    }
    tercet_assert(place_size + 1 + gid_size < sizeof cursor);
    memcpy(cursor, listing->place, place_size);
    cursor[place_size] = '/';
    memcpy(cursor + place_size + 1, (const char *)key.data + 2, gid_size);
    cursor[place_size + 1 + gid_size] = '\0';
    if (listing->outcome_fn(value, cursor, listing->context)) {
        return TERCET_OK;
    }
    listing->stopped = true;
    return TERCET_CALL_CANCELLED;
}

static void list_store(struct listing *listing, struct store *store)
{
    struct tercet_error error = {0};
    const struct tercet_bytes prefix = tercet_bytes_of_text(RECORD_OUTCOME_PREFIX);
    const struct tercet_bytes from = listing->behind.size > 0 ? listing->behind : prefix;
    enum tercet_status status = store_scan(store, from, prefix, tell, listing, &error);
    if (status != TERCET_OK && !(status == TERCET_CALL_CANCELLED && listing->stopped)) {
        journal_die(listing->journal, "journal.read_failed", &error);
    }
    listing->behind = (struct tercet_bytes){0};
}

static void list_days(struct listing *listing, const char *newest_date)
{
    struct days *days = &listing->journal->days;
    for (size_t i = days->count; i > 0 && !listing->stopped; i--) {
        struct day *day = days->items[i - 1];
        struct store *store = NULL;
        struct tercet_error error = {0};
        if (newest_date != NULL && strcmp(day->date, newest_date) > 0) {
            continue;
        }
        if (newest_date == NULL || strcmp(day->date, newest_date) != 0) {
            listing->behind = (struct tercet_bytes){0}; /* the cursor's own day is gone */
        }
        listing->place = day->date;
        enum tercet_status status = days_store(days, day, &store, &error);
        if (status == TERCET_OK) {
            list_store(listing, store);
        } else if (status != TERCET_NOT_FOUND) {
            journal_die(listing->journal, "journal.read_failed", &error);
        }
    }
}

/* "PLACE/GID": false when it is not one of ours. */
static bool parse_cursor(const char *cursor, char place_out[DAY_DATE_SIZE],
                         struct outcome_key *key_out)
{
    int64_t start_unix_ms = 0;
    const char *slash = strchr(cursor, '/');
    if (slash == NULL || (size_t)(slash - cursor) >= DAY_DATE_SIZE || slash[1] == '\0' ||
        strlen(slash + 1) > TERCET_GID_BYTES_MAX) {
        return false;
    }
    memcpy(place_out, cursor, (size_t)(slash - cursor));
    place_out[slash - cursor] = '\0';
    for (const char *at = slash + 1; *at != '\0'; at++) {
        if (*at < 0x21 || *at > 0x7e) {
            return false;
        }
    }
    *key_out = key_of(slash + 1);
    return strcmp(place_out, LIVE_PLACE) == 0 || day_parse(place_out, &start_unix_ms);
}

enum tercet_status journal_leveldb_list(struct journal *base, const char *cursor,
                                        journal_outcome_fn outcome_fn, void *context)
{
    struct journal_leveldb *journal = journal_of(base);
    char place[DAY_DATE_SIZE] = LIVE_PLACE;
    struct outcome_key key = {0};
    struct listing listing = {
        .journal = journal, .place = LIVE_PLACE, .outcome_fn = outcome_fn, .context = context};
    if (cursor[0] != '\0' && !parse_cursor(cursor, place, &key)) {
        return TERCET_INVALID_ARGUMENT;
    }
    if (!days_are_counted(&journal->days)) {
        return TERCET_UNAVAILABLE;
    }
    listing.behind = tercet_bytes_of(key.bytes, key.size);
    if (strcmp(place, LIVE_PLACE) == 0) {
        list_store(&listing, journal->live);
        list_days(&listing, NULL);
    } else {
        list_days(&listing, place);
    }
    return TERCET_OK;
}

/* journal_days.c -- see journal_days.h.  Opening one is in journal_day_open.c. */
#include "journal/journal_days.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "journal/journal_day_open.h"
#include "journal/journal_day_verify.h"
#include "journal/journal_files.h"
#include "journal/journal_safety.h"

static const int64_t DAY_MS = 24 * 3600 * 1000LL;
static const int64_t LAST_UNIX_MS = 253402300799999LL; /* the end of the year 9999 */

/* ---- Dates ----------------------------------------------------------------------------------- */

static void date_of(int64_t unix_ms, char date_out[DAY_DATE_SIZE])
{
    int64_t clamped = unix_ms < 0 ? 0 : unix_ms;
    clamped = clamped > LAST_UNIX_MS ? LAST_UNIX_MS : clamped;
    const time_t seconds = (time_t)(clamped / 1000);
    struct tm parts;
    tercet_assert(gmtime_r(&seconds, &parts) != NULL);
    tercet_assert(strftime(date_out, DAY_DATE_SIZE, "%Y-%m-%d", &parts) == DAY_DATE_SIZE - 1);
}

bool day_parse(const char *date, int64_t *start_unix_ms_out)
{
    if (strlen(date) != DAY_DATE_SIZE - 1) {
        return false;
    }
    int parts[3] = {0, 0, 0};
    int part = 0;
    for (int i = 0; i < DAY_DATE_SIZE - 1; i++) {
        if (i == 4 || i == 7) {
            part++;
            if (date[i] != '-') {
                return false;
            }
        } else if (date[i] < '0' || date[i] > '9') {
            return false;
        } else {
            parts[part] = parts[part] * 10 + (date[i] - '0');
        }
    }
    struct tm broken = {.tm_year = parts[0] - 1900, .tm_mon = parts[1] - 1, .tm_mday = parts[2]};
    const int64_t start = (int64_t)timegm(&broken) * 1000;
    char again[DAY_DATE_SIZE];
    date_of(start, again);
    *start_unix_ms_out = start;
    return strcmp(again, date) == 0;
}

/* ---- The list -------------------------------------------------------------------------------- */

/* Today, and one that is being dropped, come on top of those that are kept. */
static size_t open_max_of(int64_t keep_ms)
{
    const int64_t count = keep_ms / DAY_MS + 3;
    if (count < DAYS_OPEN_LEAST) {
        return DAYS_OPEN_LEAST;
    }
    return count > DAYS_OPEN_MOST ? DAYS_OPEN_MOST : (size_t)count;
}

void days_init(struct days *days, const char *outcomes_path, const char *safety_path,
               const uint8_t origin[20], int64_t keep_ms)
{
    *days = (struct days){.outcomes_path = xstrdup(outcomes_path),
                          .safety_path = xstrdup(safety_path),
                          .open_max = open_max_of(keep_ms)};
    memcpy(days->origin, origin, sizeof days->origin);
}

static void close_day(struct days *days, struct day *day)
{
    days_verify_stop(days, day);
    store_close(day->store);
    day->store = NULL;
}

static void destroy_day(struct days *days, struct day *day)
{
    if (day->staged != NULL) {
        leveldb_writebatch_destroy(day->staged);
    }
    close_day(days, day);
    free(day);
}

void days_deinit(struct days *days)
{
    for (size_t i = 0; i < days->count; i++) {
        destroy_day(days, days->items[i]);
    }
    free(days->items);
    free(days->outcomes_path);
    free(days->safety_path);
    *days = (struct days){0};
}

static struct day *find_or_add(struct days *days, const char *date, int64_t start_unix_ms)
{
    size_t at = days->count;
    while (at > 0 && strcmp(days->items[at - 1]->date, date) > 0) {
        at--;
    }
    if (at > 0 && strcmp(days->items[at - 1]->date, date) == 0) {
        return days->items[at - 1];
    }
    struct day *day = xcalloc(1, sizeof *day);
    memcpy(day->date, date, DAY_DATE_SIZE);
    day->end_unix_ms = start_unix_ms + DAY_MS;
    days->items = xrealloc(days->items, (days->count + 1) * sizeof days->items[0]);
    memmove(days->items + at + 1, days->items + at, (days->count - at) * sizeof days->items[0]);
    days->items[at] = day;
    days->count++;
    return day;
}

struct day *days_of_moment(struct days *days, int64_t unix_ms)
{
    char date[DAY_DATE_SIZE];
    int64_t start_unix_ms = 0;
    for (size_t i = days->count; i > 0; i--) {
        struct day *day = days->items[i - 1];
        if (unix_ms >= day->end_unix_ms - DAY_MS && unix_ms < day->end_unix_ms) {
            return day;
        }
    }
    date_of(unix_ms, date);
    tercet_assert(day_parse(date, &start_unix_ms));
    return find_or_add(days, date, start_unix_ms);
}

int64_t days_newest_start_unix_ms(const struct days *days)
{
    tercet_assert(days->count > 0);
    return days->items[days->count - 1]->end_unix_ms - DAY_MS;
}

enum tercet_status days_note_record(struct days *days, struct tercet_bytes key,
                                    struct tercet_bytes value, struct digest128 hash,
                                    struct tercet_error *error_out)
{
    char date[DAY_DATE_SIZE] = "";
    int64_t start_unix_ms = 0;
    struct day_totals totals;
    const size_t prefix_size = strlen(DAY_KEY_PREFIX);
    if (key.size == prefix_size + DAY_DATE_SIZE - 1) {
        memcpy(date, (const char *)key.data + prefix_size, DAY_DATE_SIZE - 1);
        date[DAY_DATE_SIZE - 1] = '\0';
    }
    if (!day_parse(date, &start_unix_ms)) {
        return error_set(error_out, TERCET_DATA_LOSS, "a day's key makes no sense");
    }
    enum tercet_status status = day_totals_decode(value, date, days->origin, &totals, error_out);
    if (status == TERCET_OK) {
        struct day *day = find_or_add(days, date, start_unix_ms);
        day->recorded_count = totals.count;
        day->recorded_digest = totals.digest;
        day->record = hash;
        day->made = true;
    }
    return status;
}

static enum tercet_status check_is_there(const struct days *days, const struct day *day,
                                         struct tercet_error *error_out)
{
    char *path = files_join(days->outcomes_path, day->date);
    bool there = false;
    enum tercet_status status = files_look(path, &there, error_out);
    free(path);
    if (status != TERCET_OK || there) {
        return status;
    }
    return error_set(error_out, TERCET_DATA_LOSS,
                     "outcomes of %s are missing: outcomes/%s is not there", day->date, day->date);
}

static bool is_told_of(const struct days *days, const char *name)
{
    for (size_t i = 0; i < days->count; i++) {
        if (strcmp(days->items[i]->date, name) == 0) {
            return true;
        }
    }
    return false;
}

enum tercet_status days_check(struct days *days, struct tercet_error *error_out)
{
    struct files_names names = {0};
    enum tercet_status status = TERCET_OK;
    for (size_t i = 0; i < days->count && status == TERCET_OK; i++) {
        status = check_is_there(days, days->items[i], error_out);
    }
    if (status == TERCET_OK) {
        status = files_list(days->outcomes_path, &names, error_out);
    }
    for (size_t i = 0; i < names.count && status == TERCET_OK; i++) {
        int64_t start_unix_ms = 0;
        if (day_parse(names.items[i], &start_unix_ms) && !is_told_of(days, names.items[i])) {
            char *path = files_join(days->outcomes_path, names.items[i]);
            TERCET_FAILPOINT("days.before_forget");
            status = safety_done(days->safety_path, names.items[i], 0, error_out);
            if (status == TERCET_OK) {
                status = files_remove_directory(path, error_out);
            }
            free(path);
        }
    }
    files_names_deinit(&names);
    return status;
}

/* ---- Outcomes -------------------------------------------------------------------------------- */

static void close_oldest(struct days *days)
{
    struct day *oldest = NULL;
    size_t open_count = 0;
    for (size_t i = 0; i < days->count; i++) {
        struct day *day = days->items[i];
        if (day->store != NULL) {
            open_count++;
            if (day->staged == NULL && !day->copied && !days_verifies(days, day) &&
                (oldest == NULL || day->used < oldest->used)) {
                oldest = day;
            }
        }
    }
    if (open_count >= days->open_max && oldest != NULL) {
        close_day(days, oldest);
    }
}

enum tercet_status days_store(struct days *days, struct day *day, struct store **store_out,
                              struct tercet_error *error_out)
{
    if (!day->made) {
        return TERCET_NOT_FOUND; /* nothing was ever moved into it */
    }
    if (day->store == NULL) {
        close_oldest(days);
        enum tercet_status status = day_open(days, day, error_out);
        if (status != TERCET_OK) {
            return status;
        }
    }
    days->turn++;
    day->used = days->turn;
    *store_out = day->store;
    return TERCET_OK;
}

enum tercet_status days_get(struct days *days, struct day *day, struct tercet_bytes key,
                            struct buffer *value_out, struct tercet_error *error_out)
{
    struct store *store = NULL;
    enum tercet_status status = days_store(days, day, &store, error_out);
    return status == TERCET_OK ? store_get(store, key, value_out, error_out) : status;
}

enum tercet_status days_stage(struct days *days, struct day *day, struct tercet_bytes key,
                              struct tercet_bytes value, struct tercet_error *error_out)
{
    struct buffer there;
    buffer_init(&there);
    enum tercet_status status = days_get(days, day, key, &there, error_out);
    if (status == TERCET_NOT_FOUND && day->store == NULL) {
        close_oldest(days);
        status = day_create(days, day, error_out);
        status = status == TERCET_OK ? TERCET_NOT_FOUND : status;
    }
    day->touched = true;
    if (status == TERCET_OK && bytes_equal(buffer_bytes(&there), value)) {
        buffer_deinit(&there);
        return TERCET_OK; /* moved before, and the removal was lost */
    }
    if (status == TERCET_OK) {
        day->digest = digest128_subtract(day->digest, digest128_of_pair(key, buffer_bytes(&there)));
        day->count--;
    }
    buffer_deinit(&there);
    if (status != TERCET_OK && status != TERCET_NOT_FOUND) {
        return status;
    }
    if (day->staged == NULL) {
        day->staged = leveldb_writebatch_create();
    }
    store_batch_put(day->staged, key, value);
    day->digest = digest128_add(day->digest, digest128_of_pair(key, value));
    day->count++;
    return TERCET_OK;
}

enum tercet_status days_flush(struct days *days, struct day *day, struct tercet_error *error_out)
{
    if (day->staged == NULL) {
        return TERCET_OK;
    }
    struct buffer value;
    buffer_init(&value);
    const struct day_totals totals = {day->count, day->digest};
    day_totals_encode(&totals, day->date, days->origin, &value);
    store_batch_put(day->staged, tercet_bytes_of_text(DAY_TOTALS_KEY), buffer_bytes(&value));
    buffer_deinit(&value);
    TERCET_FAILPOINT("days.before_write");
    enum tercet_status status = store_write(day->store, day->staged, error_out);
    leveldb_writebatch_destroy(day->staged);
    day->staged = NULL;
    return status;
}

/* ---- The live store's pair ------------------------------------------------------------------- */

static size_t record_key(const struct day *day, char key_out[DAY_DATE_SIZE + 2])
{
    snprintf(key_out, DAY_DATE_SIZE + 2, DAY_KEY_PREFIX "%s", day->date);
    return strlen(key_out);
}

void days_write_record(const struct days *days, struct day *day, struct journal_batch *batch)
{
    char key[DAY_DATE_SIZE + 2];
    const size_t key_size = record_key(day, key);
    struct buffer value;
    buffer_init(&value);
    const struct day_totals totals = {day->count, day->digest};
    day_totals_encode(&totals, day->date, days->origin, &value);
    journal_batch_put(batch, tercet_bytes_of(key, key_size), buffer_bytes(&value), &day->record);
    buffer_deinit(&value);
    day->recorded_count = totals.count;
    day->recorded_digest = totals.digest;
    day->touched = false;
}

void days_delete_record(struct day *day, struct journal_batch *batch)
{
    char key[DAY_DATE_SIZE + 2];
    const size_t key_size = record_key(day, key);
    journal_batch_delete(batch, tercet_bytes_of(key, key_size), &day->record);
}

enum tercet_status days_drop(struct days *days, struct day *day, struct tercet_error *error_out)
{
    size_t at = 0;
    while (days->items[at] != day) {
        at++;
    }
    days->count--;
    memmove(days->items + at, days->items + at + 1, (days->count - at) * sizeof days->items[0]);
    char *path = files_join(days->outcomes_path, day->date);
    enum tercet_status status = safety_done(days->safety_path, day->date, 0, error_out);
    destroy_day(days, day);
    TERCET_FAILPOINT("days.before_remove");
    if (status == TERCET_OK) {
        status = files_remove_directory(path, error_out);
    }
    free(path);
    return status;
}

int64_t days_bytes_of(const struct days *days, const struct day *day)
{
    char *path = files_join(days->outcomes_path, day->date);
    const int64_t bytes = files_bytes_in(path);
    free(path);
    return bytes;
}

/* journal_day_open.c -- see journal_day_open.h. */
#include "journal/journal_day_open.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "journal/journal_files.h"
#include "journal/journal_safety.h"
#include "journal/record_message.h"
#include "tercet/v1/record.pb-c.h"

/* LevelDB maps the tables that it has open, 64 at least, and what a compaction, a count or a look-up has touched counts
 * as ours: so a day takes 64 MiB at the most, however much is in it. */
enum {
    WRITE_BUFFER_BYTES = 4 * 1024 * 1024,
    FILE_BYTES = 1024 * 1024,
    CACHE_BYTES = 2 * 1024 * 1024,
    OPEN_FILE_COUNT_MAX = 74 /* LevelDB raises it to this: 64 tables */
};

/* ---- What a day holds ------------------------------------------------------------------------ */

void day_totals_encode(const struct day_totals *totals, const char *date, const uint8_t origin[20],
                       struct buffer *value_out)
{
    uint8_t digest[16];
    Tercet__V1__Record__Day message;
    tercet__v1__record__day__init(&message);
    message.whole = true;
    message.date = record_message_text(date);
    message.origin = record_message_bytes(tercet_bytes_of(origin, 20));
    message.count = totals->count;
    digest128_store(totals->digest, digest);
    message.digest = record_message_bytes(tercet_bytes_of(digest, sizeof digest));
    record_message_pack(&message.base, value_out);
}

enum tercet_status day_totals_decode(struct tercet_bytes value, const char *date,
                                     const uint8_t origin[20], struct day_totals *totals_out,
                                     struct tercet_error *error_out)
{
    uint8_t digest[16];
    ProtobufCMessage *message = record_message_unpack(&tercet__v1__record__day__descriptor, value,
                                                      "the count of a day", error_out);
    if (message == NULL) {
        return TERCET_DATA_LOSS;
    }
    const Tercet__V1__Record__Day *day = (const Tercet__V1__Record__Day *)(const void *)message;
    enum tercet_status status = TERCET_OK;
    if (day->count < 0 || !record_message_take16(day->digest, digest)) {
        status = error_set(error_out, TERCET_DATA_LOSS, "the count of %s makes no sense", date);
    } else if (strcmp(day->date, date) != 0 || day->origin.len != 20 ||
               memcmp(day->origin.data, origin, 20) != 0) {
        status =
            error_set(error_out, TERCET_DATA_LOSS,
                      "what stands as the outcomes of %s is those of %s, or of another journal",
                      date, day->date);
    } else {
        totals_out->count = day->count;
        totals_out->digest = digest128_load(digest);
    }
    protobuf_c_message_free_unpacked(message, NULL);
    return status;
}

/* ---- Stores ---------------------------------------------------------------------------------- */

static enum tercet_status open_store(const char *path, bool create, struct store **store_out,
                                     struct tercet_error *error_out)
{
    const struct store_options options = {
        .path = path,
        .create = create,
        .write_buffer_bytes = WRITE_BUFFER_BYTES,
        .file_bytes = FILE_BYTES,
        .cache_bytes = CACHE_BYTES,
        .open_file_count_max = OPEN_FILE_COUNT_MAX,
    };
    return store_open(&options, store_out, error_out);
}

enum tercet_status day_create(struct days *days, struct day *day, struct tercet_error *error_out)
{
    char *path = files_join(days->outcomes_path, day->date);
    /* One that was begun before and never told of: what is in it is in the live store. */
    enum tercet_status status = files_remove_directory(path, error_out);
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("days.before_create");
        status = open_store(path, true, &day->store, error_out);
    }
    if (status == TERCET_OK) {
        status = files_sync(path, error_out);
    }
    if (status == TERCET_OK) {
        status = files_sync(days->outcomes_path, error_out);
    }
    free(path);
    TERCET_FAILPOINT("days.created");
    day->made = true;
    day->verified = true;
    day->count = 0;
    day->digest = (struct digest128){0};
    days->turn++;
    day->used = days->turn;
    return status;
}

static enum tercet_status read_totals(struct days *days, struct day *day,
                                      struct day_totals *totals_out, struct tercet_error *error_out)
{
    struct buffer value;
    buffer_init(&value);
    enum tercet_status status =
        store_get(day->store, tercet_bytes_of_text(DAY_TOTALS_KEY), &value, error_out);
    if (status == TERCET_OK) {
        status =
            day_totals_decode(buffer_bytes(&value), day->date, days->origin, totals_out, error_out);
    } else if (status == TERCET_NOT_FOUND) {
        status = error_set(error_out, TERCET_DATA_LOSS, "outcomes of %s are missing", day->date);
    }
    buffer_deinit(&value);
    return status;
}

/* It holds at least what the live store says that it holds. */
static enum tercet_status compare_with_record(const struct day *day,
                                              const struct day_totals *totals,
                                              struct tercet_error *error_out)
{
    if (totals->count < day->recorded_count) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "outcomes of %s are missing: %" PRId64 " of %" PRId64 " are there",
                         day->date, totals->count, day->recorded_count);
    }
    if (totals->count == day->recorded_count &&
        !digest128_equal(totals->digest, day->recorded_digest)) {
        return error_set(error_out, TERCET_DATA_LOSS, "outcomes of %s do not add up", day->date);
    }
    return TERCET_OK;
}

/* Two pairs, not all of them: look-ups wait for this. */
static enum tercet_status compare_totals(struct days *days, struct day *day,
                                         struct tercet_error *error_out)
{
    struct day_totals totals = {0};
    enum tercet_status status = read_totals(days, day, &totals, error_out);
    if (status == TERCET_OK) {
        status = compare_with_record(day, &totals, error_out);
    }
    if (status == TERCET_OK) {
        day->count = totals.count;
        day->digest = totals.digest;
    }
    return status;
}

enum tercet_status day_open(struct days *days, struct day *day, struct tercet_error *error_out)
{
    char *path = files_join(days->outcomes_path, day->date);
    enum tercet_status status = safety_take(days->safety_path, day->date, path, NULL, error_out);
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("days.before_open");
        status = open_store(path, false, &day->store, error_out);
    }
    if (status == TERCET_OK) {
        status = compare_totals(days, day, error_out);
    }
    if (status == TERCET_OK) {
        status = files_sync(path, error_out);
    }
    if (status == TERCET_OK && day->verified) {
        status = safety_done(days->safety_path, day->date, 0, error_out);
    }
    if (status != TERCET_OK) {
        store_close(day->store);
        day->store = NULL;
    }
    free(path);
    return status;
}

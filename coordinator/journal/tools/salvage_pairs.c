/* salvage_pairs.c -- see salvage_pairs.h. */
#include "journal/tools/salvage_pairs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "engine/directory.h"
#include "engine/txn.h"
#include "journal/batch_read.h"
#include "journal/journal_day_verify.h"
#include "journal/journal_files.h"
#include "journal/journal_leveldb_internal.h"
#include "journal/record.h"
#include "journal/record_key.h"
#include "journal/record_participant.h"

struct sifting {
    struct store *from;
    struct store *made;
    struct journal_head *head;
    FILE *to;
    struct journal_batch group; /* pairs of one transaction */
    int64_t sequence;           /* whose; 0: none */
    int64_t kept_txn_count;
    int64_t kept_outcome_count;
};

/* Writes the operations of `batch`, and counts them into the head. */
static enum tercet_status put_all(struct sifting *sifting, const struct journal_batch *batch,
                                  struct tercet_error *error_out)
{
    struct batch_reader reader = {batch, 0};
    struct batch_operation operation;
    leveldb_writebatch_t *writes = leveldb_writebatch_create();
    while (batch_reader_next(&reader, &operation)) {
        if (operation.kind == BATCH_PUT) {
            store_batch_put(writes, operation.key, operation.value);
        }
    }
    sifting->head->live_digest = digest128_add(sifting->head->live_digest, batch->digest_delta);
    sifting->head->live_count += batch->live_delta;
    record_key_raise(sifting->head->greatest_ended_gid, batch->greatest_ended_gid);
    enum tercet_status status = store_write(sifting->made, writes, error_out);
    leveldb_writebatch_destroy(writes);
    return status;
}

/* ---- Transactions ------------------------------------------------------------------------------ */

struct rebuilt {
    struct sifting *sifting;
    bool ended; /* its outcome is there too */
    char gid[TERCET_GID_BYTES_MAX + 1];
    bool made;
};

static void take_txn(struct txn *txn_take, void *context)
{
    struct rebuilt *rebuilt = context;
    struct journal_head *head = rebuilt->sifting->head;
    struct buffer ignored;
    struct tercet_error error;
    uint8_t key[RECORD_OUTCOME_KEY_BYTES_MAX];
    snprintf(rebuilt->gid, sizeof rebuilt->gid, "%s", txn_take->gid);
    const size_t key_size = record_key_outcome(txn_take->gid, key);
    buffer_init(&ignored);
    rebuilt->ended = store_get(rebuilt->sifting->from, tercet_bytes_of(key, key_size), &ignored,
                               &error) == TERCET_OK;
    buffer_deinit(&ignored);
    if (txn_take->sequence >= head->next_number) {
        head->next_number = txn_take->sequence + 1;
    }
    for (uint32_t i = 0; i < txn_take->branch_count; i++) {
        if (txn_take->branches[i]->number.number >= head->next_number) {
            head->next_number = txn_take->branches[i]->number.number + 1;
        }
    }
    rebuilt->made = true;
    txn_destroy(txn_take);
}

/* All pairs of one transaction are gathered: do they make one? */
static enum tercet_status finish_group(struct sifting *sifting, struct tercet_error *error_out)
{
    struct batch_reader reader = {&sifting->group, 0};
    struct batch_operation operation;
    struct directory directory;
    struct tercet_error why = {0};
    struct rebuilt rebuilt = {.sifting = sifting};
    struct journal_head head = *sifting->head;
    enum tercet_status status = TERCET_OK;
    if (sifting->sequence == 0) {
        return TERCET_OK;
    }
    head.next_number = INT64_MAX / 2; /* what is found tells how far it must stand */
    directory_init(&directory);
    struct record_loader *loader = record_loader_create(&head, &directory, take_txn, &rebuilt);
    while (status == TERCET_OK && batch_reader_next(&reader, &operation)) {
        status = record_loader_pair(loader, operation.key, operation.value,
                                    digest128_of_pair(operation.key, operation.value), &why);
    }
    if (status == TERCET_OK) {
        status = record_loader_finish(loader, &why);
    }
    record_loader_destroy(loader);
    directory_deinit(&directory);
    const bool good = status == TERCET_OK && rebuilt.made;
    status = TERCET_OK;
    if (!good) {
        (void)fprintf(sifting->to, "an open transaction, number %" PRId64 ", is left out: %s\n",
                      sifting->sequence, why.text);
    } else if (!rebuilt.ended) {
        status = put_all(sifting, &sifting->group, error_out);
        sifting->kept_txn_count++;
    }
    journal_batch_clear(&sifting->group);
    sifting->sequence = 0;
    return status;
}

static enum tercet_status take_txn_pair(struct sifting *sifting, struct tercet_bytes key,
                                        struct tercet_bytes value, struct tercet_error *error_out)
{
    struct record_key parsed;
    enum tercet_status status = TERCET_OK;
    if (!record_key_parse(key, &parsed)) {
        (void)fputs("a record whose key makes no sense is left out\n", sifting->to);
        return TERCET_OK;
    }
    if (parsed.sequence != sifting->sequence) {
        status = finish_group(sifting, error_out);
        sifting->sequence = parsed.sequence;
    }
    journal_batch_put_for_good(&sifting->group, key, value);
    return status;
}

/* ---- Outcomes ---------------------------------------------------------------------------------- */

static enum tercet_status take_outcome(struct sifting *sifting, struct tercet_bytes key,
                                       struct tercet_bytes value, struct tercet_error *error_out)
{
    struct view *view = NULL;
    const struct tercet_bytes gid = record_key_gid(key);
    if (record_read_outcome_of(gid, value, &view) != TERCET_OK) {
        (void)fprintf(sifting->to, "the outcome of %.*s is left out: it makes no sense\n",
                      (int)(gid.size < TERCET_GID_BYTES_MAX ? gid.size : TERCET_GID_BYTES_MAX),
                      (const char *)gid.data);
        return TERCET_OK;
    }
    view_destroy(view);
    struct journal_batch one;
    journal_batch_init(&one);
    journal_batch_put_for_good(&one, key, value);
    enum tercet_status status = put_all(sifting, &one, error_out);
    journal_batch_deinit(&one);
    sifting->kept_outcome_count++;
    return status;
}

/* One that makes no sense is met anew. */
static enum tercet_status take_participant(struct sifting *sifting, struct tercet_bytes key,
                                           struct tercet_bytes value,
                                           struct tercet_error *error_out)
{
    struct acquaintance known;
    char name[TERCET_NAME_BYTES_MAX + 1];
    struct tercet_error why;
    if (record_participant_read(key, value, name, &known, &why) != TERCET_OK) {
        (void)fprintf(sifting->to, "what was known of a participant is left out: %s\n", why.text);
        return TERCET_OK;
    }
    struct journal_batch one;
    journal_batch_init(&one);
    journal_batch_put_for_good(&one, key, value);
    enum tercet_status status = put_all(sifting, &one, error_out);
    journal_batch_deinit(&one);
    return status;
}

static enum tercet_status take_pair(struct tercet_bytes key, struct tercet_bytes value,
                                    void *context, struct tercet_error *error_out)
{
    if (store_key_begins(key, "t/")) {
        return take_txn_pair(context, key, value, error_out);
    }
    if (record_participant_is(key)) {
        return take_participant(context, key, value, error_out);
    }
    return store_key_begins(key, RECORD_OUTCOME_PREFIX)
               ? take_outcome(context, key, value, error_out)
               : TERCET_OK;
}

/* ---- Days -------------------------------------------------------------------------------------- */

/* Counts one day by itself.  OK: `batch` holds its "d/" pair. */
static enum tercet_status count_day(struct days *days, const char *date,
                                    struct journal_batch *batch, int64_t *count_out,
                                    struct tercet_error *why_out)
{
    int64_t start_unix_ms = 0;
    bool more = true;
    enum tercet_status status = TERCET_OK;
    if (!day_parse(date, &start_unix_ms)) {
        return TERCET_NOT_FOUND;
    }
    struct day *day = days_of_moment(days, start_unix_ms);
    day->made = true;
    while (status == TERCET_OK && more) {
        status = days_verify_some(days, &more, why_out);
    }
    if (status == TERCET_OK) {
        days_write_record(days, day, batch);
        *count_out = day->count;
    }
    return status;
}

static enum tercet_status sift_day(struct sifting *sifting, const char *outcomes,
                                   const char *safety, const char *date,
                                   struct tercet_error *error_out)
{
    struct days days;
    struct journal_batch batch;
    struct tercet_error why = {0};
    int64_t count = 0;
    char *path = files_join(outcomes, date);
    journal_batch_init(&batch);
    days_init(&days, outcomes, safety, sifting->head->origin, 0);
    enum tercet_status status = count_day(&days, date, &batch, &count, &why);
    days_deinit(&days);
    if (status == TERCET_OK) {
        status = put_all(sifting, &batch, error_out);
        sifting->kept_outcome_count += count;
    } else {
        (void)fprintf(sifting->to, "all outcomes of %s are left out: %s\n", date, why.text);
        status = files_remove_directory(path, error_out);
    }
    journal_batch_deinit(&batch);
    free(path);
    return status;
}

struct named {
    struct sifting *sifting;
    const char *outcomes;
};

/* Days that the journal knew of and that are not there at all. */
static enum tercet_status tell_missing_day(struct tercet_bytes key, struct tercet_bytes value,
                                           void *context, struct tercet_error *error_out)
{
    const struct named *named = context;
    char date[DAY_DATE_SIZE] = "";
    (void)value;
    (void)error_out;
    if (key.size == strlen(DAY_KEY_PREFIX) + DAY_DATE_SIZE - 1) {
        memcpy(date, (const char *)key.data + strlen(DAY_KEY_PREFIX), DAY_DATE_SIZE - 1);
        char *path = files_join(named->outcomes, date);
        if (access(path, F_OK) != 0) {
            (void)fprintf(named->sifting->to, "all outcomes of %s are missing\n", date);
        }
        free(path);
    }
    return TERCET_OK;
}

static enum tercet_status sift_days(struct sifting *sifting, const char *copy,
                                    struct tercet_error *error_out)
{
    struct files_names names = {0};
    char *outcomes = files_join(copy, NAME_OUTCOMES);
    char *safety = files_join(copy, NAME_SAFETY);
    struct named named = {sifting, outcomes};
    const struct tercet_bytes prefix = tercet_bytes_of_text(DAY_KEY_PREFIX);
    enum tercet_status status =
        store_scan(sifting->from, prefix, prefix, tell_missing_day, &named, error_out);
    if (status == TERCET_OK) {
        status = files_list(outcomes, &names, error_out);
    }
    for (size_t i = 0; i < names.count && status == TERCET_OK; i++) {
        status = sift_day(sifting, outcomes, safety, names.items[i], error_out);
    }
    files_names_deinit(&names);
    free(outcomes);
    free(safety);
    return status;
}

enum tercet_status salvage_pairs(const char *copy, struct store *from, struct store *made,
                                 struct journal_head *head, FILE *to,
                                 struct tercet_error *error_out)
{
    struct sifting sifting = {.from = from, .made = made, .head = head, .to = to};
    const struct tercet_bytes all = tercet_bytes_of_text("");
    head->live_count = 0;
    head->live_digest = (struct digest128){0};
    journal_batch_init(&sifting.group);
    enum tercet_status status = store_scan(from, all, all, take_pair, &sifting, error_out);
    if (status == TERCET_OK) {
        status = finish_group(&sifting, error_out);
    }
    if (status == TERCET_OK) {
        status = sift_days(&sifting, copy, error_out);
    }
    journal_batch_deinit(&sifting.group);
    if (status == TERCET_OK) {
        (void)fprintf(to, "vouched for: %" PRId64 " open transactions, %" PRId64 " outcomes\n",
                      sifting.kept_txn_count, sifting.kept_outcome_count);
    }
    return status;
}

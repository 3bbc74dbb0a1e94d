/* inspect.c -- see inspect.h. */
#include "journal/tools/inspect.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "engine/directory.h"
#include "engine/txn.h"
#include "journal/journal_files.h"
#include "journal/journal_head.h"
#include "journal/journal_leveldb.h"
#include "journal/journal_leveldb_internal.h"
#include "journal/record.h"
#include "journal/record_key.h"

struct reading {
    struct inspection *inspection;
    struct directory directory;
    struct record_loader *loader;
    inspected_txn_fn txn_fn;
    void *context;
    struct tercet_error *error;
    const char *place; /* "live" or a date */
};

static void tell(const struct reading *reading, const struct txn *txn)
{
    char participants[512] = "";
    size_t size = 0;
    for (uint32_t i = 0; i < txn->branch_count && size < sizeof participants; i++) {
        const struct directory_entry *entry =
            &reading->directory.entries[txn->branches[i]->spec.participant];
        size += (size_t)snprintf(participants + size, sizeof participants - size, "%s%s",
                                 i == 0 ? "" : ", ", entry->name);
    }
    const struct inspected_txn told = {.gid = txn->gid,
                                       .decided = txn_state_is_decided(txn->state),
                                       .branch_count = txn->branch_count,
                                       .participants = participants};
    reading->txn_fn(&told, reading->context);
}

static void take_txn(struct txn *txn_take, void *context)
{
    struct reading *reading = context;
    open_gids_add(&reading->inspection->ended, xstrdup(txn_take->gid), txn_take->sequence);
    reading->inspection->open_count++;
    reading->inspection->undecided_count += txn_state_is_decided(txn_take->state) ? 0 : 1;
    if (reading->txn_fn != NULL) {
        tell(reading, txn_take);
    }
    txn_destroy(txn_take);
}

static enum tercet_status take_pair(struct tercet_bytes key, struct tercet_bytes value,
                                    struct digest128 hash, void *context)
{
    struct reading *reading = context;
    return record_loader_pair(reading->loader, key, value, hash, reading->error);
}

static enum tercet_status take_outcome(struct tercet_bytes key, struct tercet_bytes value,
                                       void *context, struct tercet_error *error_out)
{
    struct reading *reading = context;
    struct view *view = NULL;
    const struct tercet_bytes gid = record_key_gid(key);
    if (record_read_outcome_of(gid, value, &view) != TERCET_OK) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "an outcome in %s makes no sense: that of %.*s", reading->place,
                         (int)(gid.size < TERCET_GID_BYTES_MAX ? gid.size : TERCET_GID_BYTES_MAX),
                         (const char *)gid.data);
    }
    view_destroy(view);
    reading->inspection->outcome_count++;
    record_key_raise_by_key(reading->inspection->greatest_ended_gid, key);
    return TERCET_OK;
}

static enum tercet_status read_outcomes(struct reading *reading, struct journal_leveldb *journal)
{
    const struct tercet_bytes prefix = tercet_bytes_of_text(RECORD_OUTCOME_PREFIX);
    enum tercet_status status =
        store_scan(journal->live, prefix, prefix, take_outcome, reading, reading->error);
    for (size_t i = 0; i < journal->days.count && status == TERCET_OK; i++) {
        struct day *day = journal->days.items[i];
        struct store *store = NULL;
        reading->place = day->date;
        status = days_store(&journal->days, day, &store, reading->error);
        if (status == TERCET_OK) {
            status = store_scan(store, prefix, prefix, take_outcome, reading, reading->error);
        }
        reading->inspection->day_count++;
    }
    return status;
}

static void free_gids(struct open_gids *gids, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        free((void *)(uintptr_t)gids->items[i].gid);
    }
}

void inspection_deinit(struct inspection *inspection)
{
    free_gids(&inspection->ended, 0, inspection->ended.count);
    open_gids_deinit(&inspection->ended);
}

/* Of all that are open, those that have ended as well. */
static enum tercet_status find_ended(struct reading *reading, struct journal *journal)
{
    struct open_gids *gids = &reading->inspection->ended;
    const size_t all = gids->count;
    enum tercet_status status = open_gids_keep_ended(gids, journal, reading->error);
    free_gids(gids, gids->count, all);
    return status;
}

static enum tercet_status read_all(struct reading *reading, struct journal *journal)
{
    enum tercet_status status = journal_leveldb_count_days(journal, reading->error);
    if (status == TERCET_OK) {
        status = journal_load(journal, take_pair, reading, reading->error);
    }
    if (status == TERCET_OK) {
        status = record_loader_finish(reading->loader, reading->error);
    }
    if (status == TERCET_OK) {
        status = find_ended(reading, journal);
    }
    if (status == TERCET_OK) {
        status = read_outcomes(reading, journal_of(journal));
    }
    return status;
}

enum tercet_status inspect(const char *copy, inspected_txn_fn txn_fn, void *context,
                           struct inspection *inspection_out, struct journal **journal_out,
                           struct tercet_error *error_out)
{
    struct journal *journal = NULL;
    const struct journal_leveldb_options options = {.directory = copy, .inspect = true};
    *inspection_out = (struct inspection){0};
    enum tercet_status status =
        journal_leveldb_open(&options, clock_read().unix_ms, &journal, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    struct reading reading = {.inspection = inspection_out,
                              .txn_fn = txn_fn,
                              .context = context,
                              .error = error_out,
                              .place = NAME_LIVE};
    directory_init(&reading.directory);
    journal_read_head(journal, &inspection_out->head);
    reading.loader =
        record_loader_create(&inspection_out->head, &reading.directory, take_txn, &reading);
    status = read_all(&reading, journal);
    record_loader_destroy(reading.loader);
    directory_deinit(&reading.directory);
    if (status == TERCET_OK && journal_out != NULL) {
        *journal_out = journal;
    } else {
        journal_close(journal);
    }
    return status;
}

enum tercet_status inspection_judge(const char *directory, const struct inspection *inspection,
                                    struct tercet_error *error_out)
{
    bool is_backup = false;
    char *path = files_join(directory, NAME_BACKUP);
    enum tercet_status status = files_look(path, &is_backup, error_out);
    free(path);
    if (status == TERCET_OK && !is_backup) {
        status = open_gids_refuse(&inspection->ended, error_out);
    }
    if (status == TERCET_OK && !is_backup) {
        status = journal_head_knows(&inspection->head, inspection->greatest_ended_gid, error_out);
    }
    return status;
}

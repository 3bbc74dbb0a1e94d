/* journal_memory.c -- see journal_memory.h.
 *
 * Synced pairs stand in a table; written batches wait in a list, as copies, until a sync applies
 * them in order.  Outcomes are not moved; whole days of them expire, in two steps as in the real
 * one: first the horizon rises, then they go. */
#include "journal/journal_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"
#include "journal/journal_head.h"
#include "journal/memory_pairs.h"
#include "journal/record.h"
#include "journal/record_key.h"

static const int64_t DAY_MS = 24 * 3600 * 1000LL;

struct written {
    struct list_node link;
    struct journal_batch batch;
    struct journal_head head; /* after it */
};

struct journal_memory {
    struct journal base;
    int64_t outcome_keep_ms;
    struct table pairs;          /* synced */
    struct journal_head head;    /* synced */
    struct list_node unsynced;   /* struct written */
    struct journal_head newest;  /* written */
    struct journal_batch upkeep; /* rides with the next write */
    int64_t upkeep_horizon_unix_ms;
    bool hold;
    uint32_t fail_write; /* counts down; 0: none */
    bool failed;
    struct journal_batch backup; /* makes all pairs that there were */
    struct journal_head backup_head;
};

static struct journal_memory *memory_of(const struct journal *journal)
{
    return (struct journal_memory *)(uintptr_t)(const void *)journal;
}

/* ---- Write, sync, crash ---------------------------------------------------------------------- */

static void append_batch(struct journal_batch *to, const struct journal_batch *from)
{
    buffer_append(&to->operations, from->operations.data, from->operations.size);
    to->operation_count += from->operation_count;
    to->digest_delta = digest128_add(to->digest_delta, from->digest_delta);
    to->live_delta += from->live_delta;
    record_key_raise(to->greatest_ended_gid, from->greatest_ended_gid);
}

void journal_memory_sync(struct journal *journal)
{
    struct journal_memory *memory = memory_of(journal);
    while (!list_is_empty(&memory->unsynced)) {
        struct written *written =
            container_of(list_pop_front(&memory->unsynced), struct written, link);
        pairs_apply(&memory->pairs, &written->batch);
        memory->head = written->head;
        journal_batch_deinit(&written->batch);
        free(written);
    }
}

static void write_batch(struct journal *journal, const struct journal_batch *batch)
{
    struct journal_memory *memory = memory_of(journal);
    tercet_assert(!memory->failed);
    if (memory->fail_write > 0) {
        memory->fail_write--;
        memory->failed = memory->fail_write == 0;
        if (memory->failed) {
            return;
        }
    }
    struct written *written = xcalloc(1, sizeof *written);
    journal_batch_init(&written->batch);
    append_batch(&written->batch, batch);
    append_batch(&written->batch, &memory->upkeep);
    journal_batch_clear(&memory->upkeep);
    written->batch.lsn = batch->lsn;
    written->batch.next_number = batch->next_number;
    journal_head_apply(&memory->newest, &written->batch);
    if (memory->upkeep_horizon_unix_ms > memory->newest.horizon_unix_ms) {
        memory->newest.horizon_unix_ms = memory->upkeep_horizon_unix_ms;
    }
    written->head = memory->newest;
    list_push_back(&memory->unsynced, &written->link);
    if (!memory->hold) {
        journal_memory_sync(journal);
    }
}

static void forget_unsynced(struct journal_memory *memory)
{
    while (!list_is_empty(&memory->unsynced)) {
        struct written *written =
            container_of(list_pop_front(&memory->unsynced), struct written, link);
        journal_batch_deinit(&written->batch);
        free(written);
    }
    journal_batch_clear(&memory->upkeep);
    memory->upkeep_horizon_unix_ms = 0;
}

void journal_memory_crash(struct journal *journal)
{
    struct journal_memory *memory = memory_of(journal);
    forget_unsynced(memory);
    memory->failed = false;
    memory->fail_write = 0;
    memory->head.epoch++;
    memory->head.lsn++; /* the write of the epoch */
    memory->newest = memory->head;
}

void journal_memory_back_up(struct journal *journal)
{
    struct journal_memory *memory = memory_of(journal);
    journal_batch_clear(&memory->backup);
    for (struct table_node *node = table_first(&memory->pairs); node != NULL;
         node = table_next(&memory->pairs, node)) {
        const struct pair *pair = container_of(node, struct pair, node);
        journal_batch_put_for_good(&memory->backup, pair->key, pair->value);
    }
    memory->backup_head = memory->head;
}

void journal_memory_restore(struct journal *journal, int64_t now_unix_ms)
{
    struct journal_memory *memory = memory_of(journal);
    tercet_assert(memory->backup_head.lsn > 0);
    pairs_clear(&memory->pairs);
    pairs_apply(&memory->pairs, &memory->backup);
    memory->head = memory->backup_head;
    journal_head_begin_life(&memory->head, now_unix_ms);
    journal_memory_crash(journal); /* forgets the rest, and writes the epoch */
}

void journal_memory_hold(struct journal *journal, bool hold)
{
    memory_of(journal)->hold = hold;
}

void journal_memory_fail_write(struct journal *journal, uint32_t n)
{
    memory_of(journal)->fail_write = n;
}

bool journal_memory_has_failed(const struct journal *journal)
{
    return memory_of(journal)->failed;
}

void journal_memory_damage(struct journal *journal, size_t n)
{
    size_t count = 0;
    struct pair **pairs = pairs_sorted(&memory_of(journal)->pairs, "", &count);
    tercet_assert(n < count && pairs[n]->value.size > 0);
    uint8_t *last = (uint8_t *)(uintptr_t)pairs[n]->value.data + pairs[n]->value.size - 1;
    *last ^= 1U;
    free(pairs);
}

/* ---- Load ------------------------------------------------------------------------------------ */

static enum tercet_status load_prefix(struct journal_memory *memory, const char *prefix,
                                      journal_pair_fn pair_fn, void *context)
{
    size_t count = 0;
    enum tercet_status status = TERCET_OK;
    struct pair **pairs = pairs_sorted(&memory->pairs, prefix, &count);
    for (size_t i = 0; i < count && status == TERCET_OK; i++) {
        const struct pair *pair = pairs[i];
        status =
            pair_fn(pair->key, pair->value, digest128_of_pair(pair->key, pair->value), context);
    }
    free(pairs);
    return status;
}

static enum tercet_status load(struct journal *journal, journal_pair_fn pair_fn, void *context,
                               struct tercet_error *error_out)
{
    struct journal_memory *memory = memory_of(journal);
    enum tercet_status status =
        pairs_check(&memory->pairs, memory->head.live_count, memory->head.live_digest, error_out);
    if (status == TERCET_OK) {
        status = load_prefix(memory, "p/", pair_fn, context);
    }
    return status == TERCET_OK ? load_prefix(memory, "t/", pair_fn, context) : status;
}

/* ---- Outcomes -------------------------------------------------------------------------------- */

static enum tercet_status find_outcome(struct journal *journal, const char *gid,
                                       struct buffer *value_out)
{
    uint8_t key[RECORD_OUTCOME_KEY_BYTES_MAX];
    const size_t size = record_key_outcome(gid, key);
    const struct pair *pair = pairs_find(&memory_of(journal)->pairs, tercet_bytes_of(key, size));
    if (pair == NULL) {
        return TERCET_NOT_FOUND;
    }
    buffer_append(value_out, pair->value.data, pair->value.size);
    return TERCET_OK;
}

static enum tercet_status peek_outcome(struct journal *journal, const char *gid,
                                       struct tercet_error *error_out)
{
    struct buffer ignored;
    (void)error_out;
    buffer_init(&ignored);
    enum tercet_status status = find_outcome(journal, gid, &ignored);
    buffer_deinit(&ignored);
    return status;
}

static enum tercet_status find_pair(struct journal *journal, struct tercet_bytes key,
                                    struct buffer *value_out)
{
    const struct pair *pair = pairs_find(&memory_of(journal)->pairs, key);
    if (pair == NULL) {
        return TERCET_NOT_FOUND;
    }
    buffer_append(value_out, pair->value.data, pair->value.size);
    return TERCET_OK;
}

static int64_t day_of(const struct pair *pair)
{
    int64_t ended_unix_ms = 0;
    tercet_assert(record_peek_ended(pair->value, &ended_unix_ms));
    return ended_unix_ms / DAY_MS;
}

static int compare_outcomes(const void *left, const void *right)
{
    const struct pair *const *a = left;
    const struct pair *const *b = right;
    const int64_t day_a = day_of(*a);
    const int64_t day_b = day_of(*b);
    if (day_a != day_b) {
        return day_a > day_b ? -1 : 1;
    }
    return bytes_compare((*a)->key, (*b)->key);
}

/* A cursor is DAY/GID. */
static bool parse_cursor(const char *cursor, int64_t *day_out, const char **gid_out)
{
    char *end = NULL;
    if (cursor[0] < '0' || cursor[0] > '9') {
        return false;
    }
    *day_out = strtoll(cursor, &end, 10);
    *gid_out = end + 1;
    return *end == '/' && end[1] != '\0';
}

static bool is_behind(const struct pair *pair, int64_t day, const char *gid)
{
    const struct tercet_bytes own =
        tercet_bytes_of((const char *)pair->key.data + 2, pair->key.size - 2);
    return day_of(pair) < day ||
           (day_of(pair) == day && bytes_compare(own, tercet_bytes_of_text(gid)) > 0);
}

static enum tercet_status list_outcomes(struct journal *journal, const char *cursor,
                                        journal_outcome_fn outcome_fn, void *context)
{
    int64_t day = INT64_MAX;
    const char *gid = "";
    size_t count = 0;
    size_t behind = 0;
    bool go_on = true;
    if (cursor[0] != '\0' && !parse_cursor(cursor, &day, &gid)) {
        return TERCET_INVALID_ARGUMENT;
    }
    struct pair **pairs = pairs_with(&memory_of(journal)->pairs, RECORD_OUTCOME_PREFIX, &count);
    for (size_t i = 0; i < count; i++) {
        if (is_behind(pairs[i], day, gid)) {
            pairs[behind] = pairs[i];
            behind++;
        }
    }
    qsort(pairs, behind, sizeof *pairs, compare_outcomes);
    for (size_t i = 0; i < behind && go_on; i++) {
        char next[TERCET_GID_BYTES_MAX + 32];
        snprintf(next, sizeof next, "%" PRId64 "/%.*s", day_of(pairs[i]),
                 (int)pairs[i]->key.size - 2, (const char *)pairs[i]->key.data + 2);
        go_on = outcome_fn(pairs[i]->value, next, context);
    }
    free(pairs);
    return TERCET_OK;
}

/* Removes what the durable horizon has passed. */
static bool remove_expired(struct journal_memory *memory)
{
    size_t count = 0;
    bool any = false;
    struct pair **pairs = pairs_with(&memory->pairs, RECORD_OUTCOME_PREFIX, &count);
    for (size_t i = 0; i < count; i++) {
        if ((day_of(pairs[i]) + 1) * DAY_MS <= memory->head.horizon_unix_ms) {
            struct digest128 hash = digest128_of_pair(pairs[i]->key, pairs[i]->value);
            journal_batch_delete(&memory->upkeep, pairs[i]->key, &hash);
            any = true;
        }
    }
    free(pairs);
    return any;
}

static bool maintain(struct journal *journal, int64_t now_unix_ms)
{
    struct journal_memory *memory = memory_of(journal);
    if (memory->upkeep.operation_count > 0 || !list_is_empty(&memory->unsynced)) {
        return false; /* a write, and its sync, come first */
    }
    if (remove_expired(memory)) {
        return true;
    }
    size_t count = 0;
    int64_t horizon = memory->head.horizon_unix_ms;
    struct pair **pairs = pairs_with(&memory->pairs, RECORD_OUTCOME_PREFIX, &count);
    for (size_t i = 0; i < count; i++) {
        const int64_t day_end = (day_of(pairs[i]) + 1) * DAY_MS;
        if (day_end <= now_unix_ms - memory->outcome_keep_ms && day_end > horizon) {
            horizon = day_end;
        }
    }
    free(pairs);
    const bool rises =
        horizon > memory->head.horizon_unix_ms && horizon > memory->upkeep_horizon_unix_ms;
    memory->upkeep_horizon_unix_ms = horizon;
    return rises;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void read_head(struct journal *journal, struct journal_head *head_out)
{
    const struct journal_memory *memory = memory_of(journal);
    *head_out = memory->head;
    head_out->upkeep_waits = memory->upkeep.operation_count > 0 ||
                             memory->upkeep_horizon_unix_ms > memory->head.horizon_unix_ms;
}

static int64_t newest_end_unix_ms(struct journal *journal)
{
    int64_t newest_unix_ms = 0;
    size_t count = 0;
    struct pair **pairs = pairs_with(&memory_of(journal)->pairs, RECORD_OUTCOME_PREFIX, &count);
    for (size_t i = 0; i < count; i++) {
        int64_t ended_unix_ms = 0;
        tercet_assert(record_peek_ended(pairs[i]->value, &ended_unix_ms));
        newest_unix_ms = ended_unix_ms > newest_unix_ms ? ended_unix_ms : newest_unix_ms;
    }
    free(pairs);
    return newest_unix_ms;
}

static void close_memory(struct journal *journal)
{
    struct journal_memory *memory = memory_of(journal);
    forget_unsynced(memory);
    pairs_clear(&memory->pairs);
    table_deinit(&memory->pairs);
    journal_batch_deinit(&memory->upkeep);
    journal_batch_deinit(&memory->backup);
    free(memory);
}

static bool count_some(struct journal *journal)
{
    (void)journal; /* it has no days to count */
    return false;
}

static const struct journal_ops memory_ops = {
    .load = load,
    .write = write_batch,
    .find_outcome = find_outcome,
    .peek_outcome = peek_outcome,
    .find_pair = find_pair,
    .list_outcomes = list_outcomes,
    .count_some = count_some,
    .maintain = maintain,
    .head = read_head,
    .newest_end_unix_ms = newest_end_unix_ms,
    .close = close_memory,
};

struct journal *journal_memory_create(int64_t now_unix_ms, int64_t outcome_keep_ms)
{
    struct journal_memory *memory = xcalloc(1, sizeof *memory);
    memory->base.ops = &memory_ops;
    memory->outcome_keep_ms = outcome_keep_ms;
    table_init(&memory->pairs, 0);
    list_init(&memory->unsynced);
    journal_batch_init(&memory->upkeep);
    journal_batch_init(&memory->backup);
    journal_head_make(now_unix_ms, &memory->head);
    memory->head.epoch = 1;
    memory->newest = memory->head;
    return &memory->base;
}

/* journal_upkeep.c -- keeps the live store small (journal.h: maintain).
 *
 * A pass goes over the outcomes of the live store in bounded slices.  They are written to their days
 * and synced; only then is their removal added to `upkeep`, which rides with the journal thread's
 * next write together with the days' new "d/" pairs.  A new pass begins when all removals of the
 * last one are durable, so that nothing is removed twice, and as soon as many outcomes came since:
 * under load LevelDB then finds outcome and removal in its newest tables, and neither is written
 * again.  Few wait for half a minute, so that they share their day's sync.
 *
 * A day expires by age, or, oldest first, when all days together are too big; never the newest, nor one
 * that is not over: behind its end the horizon would be in the future, and everybody would be refused.
 * Its "d/" pair goes and the horizon rises in one write; when that is durable the directory is
 * dropped, and maintain() says true, so that the engine is told of the horizon before anyone can
 * miss an outcome.
 *
 * When there is nothing else to do, days are counted again (journal_day_verify.h). */
#include "base/assert.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "journal/journal_day_verify.h"
#include "journal/journal_leveldb_internal.h"
#include "journal/record.h"
#include "journal/record_key.h"

enum {
    PASS_EVERY_MS = 30 * 1000,
    PASS_EVERY_COUNT = 4 * 1024,
    WITNESS_EVERY_MS = 1000,
    EXPIRY_EVERY_MS = 60 * 1000,
    SLICE_COUNT_MAX = 512,
    SLICE_US_MAX = 5000,
    LOOK_AT_CLOCK_EVERY = 32,
    UPKEEP_COUNT_MAX = 8 * SLICE_COUNT_MAX
};

static void lock_mutex(struct journal_leveldb *journal)
{
    tercet_assert(pthread_mutex_lock(&journal->mutex) == 0);
}

static void unlock_mutex(struct journal_leveldb *journal)
{
    tercet_assert(pthread_mutex_unlock(&journal->mutex) == 0);
}

/* Is it time?  The wall clock may jump either way. */
static bool is_due(int64_t next_unix_ms, int64_t now_unix_ms, int64_t every_ms)
{
    return now_unix_ms >= next_unix_ms || now_unix_ms < next_unix_ms - every_ms;
}

/* Adds operations to what rides with the next write. */
static void add_upkeep(struct journal_leveldb *journal, const struct journal_batch *batch,
                       int64_t horizon_unix_ms)
{
    lock_mutex(journal);
    struct journal_batch *upkeep = &journal->upkeep;
    buffer_append(&upkeep->operations, batch->operations.data, batch->operations.size);
    upkeep->operation_count += batch->operation_count;
    upkeep->digest_delta = digest128_add(upkeep->digest_delta, batch->digest_delta);
    upkeep->live_delta += batch->live_delta;
    if (horizon_unix_ms > journal->upkeep_horizon_unix_ms) {
        journal->upkeep_horizon_unix_ms = horizon_unix_ms;
    }
    journal->upkeep_added++;
    TERCET_FAILPOINT("upkeep.added");
    unlock_mutex(journal);
}

struct upkeep_state {
    uint32_t operation_count; /* waiting for a write */
    bool all_durable;
    uint64_t ended_count;
};

static struct upkeep_state read_state(struct journal_leveldb *journal)
{
    lock_mutex(journal);
    const struct upkeep_state state = {journal->upkeep.operation_count,
                                       journal->upkeep_written == journal->upkeep_added,
                                       journal->ended_count};
    unlock_mutex(journal);
    return state;
}

/* ---- Moving ---------------------------------------------------------------------------------- */

struct slice {
    struct journal_leveldb *journal;
    int64_t began_us;
    uint32_t moved_count;
    uint32_t seen_count;
    struct journal_batch removals;
};

static bool is_full(const struct slice *slice)
{
    return slice->moved_count >= SLICE_COUNT_MAX ||
           (slice->seen_count % LOOK_AT_CLOCK_EVERY == 0 &&
            clock_boot_us() - slice->began_us >= SLICE_US_MAX);
}

/* Stages one outcome of the live store. */
static enum tercet_status move_pair(struct tercet_bytes key, struct tercet_bytes value,
                                    void *context, struct tercet_error *error_out)
{
    struct slice *slice = context;
    struct journal_leveldb *journal = slice->journal;
    int64_t ended_unix_ms = 0;
    if (slice->seen_count > 0 && is_full(slice)) {
        buffer_clear(&journal->pass_key);
        buffer_append(&journal->pass_key, key.data, key.size);
        return TERCET_CALL_CANCELLED;
    }
    slice->seen_count++;
    if (!record_peek_ended(value, &ended_unix_ms)) {
        return error_set(error_out, TERCET_DATA_LOSS, "an outcome makes no sense");
    }
    struct day *day = days_of_moment(&journal->days, ended_unix_ms);
    if (day->dropping) {
        return TERCET_OK; /* the next pass, into a new one */
    }
    enum tercet_status status = days_stage(&journal->days, day, key, value, error_out);
    if (status == TERCET_OK) {
        struct digest128 hash = digest128_of_pair(key, value);
        journal_batch_delete(&slice->removals, key, &hash);
        slice->moved_count++;
    }
    return status;
}

static enum tercet_status flush_days(struct slice *slice, struct tercet_error *error_out)
{
    struct days *days = &slice->journal->days;
    enum tercet_status status = TERCET_OK;
    for (size_t i = 0; i < days->count && status == TERCET_OK; i++) {
        struct day *day = days->items[i];
        if (day->touched) {
            TERCET_FAILPOINT("upkeep.before_copy");
            status = days_flush(days, day, error_out);
            TERCET_FAILPOINT("upkeep.after_copy");
            days_write_record(days, day, &slice->removals);
        }
    }
    return status;
}

/* One slice of a pass; true when the pass is not over. */
static bool move_slice(struct journal_leveldb *journal, bool *moved_out)
{
    struct tercet_error error = {0};
    struct slice slice = {.journal = journal, .began_us = clock_boot_us()};
    journal_batch_init(&slice.removals);
    const struct tercet_bytes prefix = tercet_bytes_of_text(RECORD_OUTCOME_PREFIX);
    enum tercet_status status = store_scan(journal->live, buffer_bytes(&journal->pass_key), prefix,
                                           move_pair, &slice, &error);
    const bool more = status == TERCET_CALL_CANCELLED;
    if (status == TERCET_OK || more) {
        status = flush_days(&slice, &error);
    }
    if (status != TERCET_OK) {
        journal_die(journal, "journal.upkeep_failed", &error);
    }
    if (slice.removals.operation_count > 0) {
        add_upkeep(journal, &slice.removals, 0);
        TERCET_FAILPOINT("upkeep.after_queued");
    }
    *moved_out = slice.moved_count > 0;
    journal_batch_deinit(&slice.removals);
    return more;
}

static bool pass_is_due(const struct journal_leveldb *journal, const struct upkeep_state *state,
                        int64_t now_unix_ms)
{
    return state->all_durable &&
           (state->ended_count - journal->pass_ended_count >= PASS_EVERY_COUNT ||
            is_due(journal->next_pass_unix_ms, now_unix_ms, PASS_EVERY_MS));
}

/* Begins or goes on with a pass.  True: something was moved, or the pass is not over. */
static bool move_some(struct journal_leveldb *journal, const struct upkeep_state *state,
                      int64_t now_unix_ms)
{
    bool moved = false;
    if (journal->pass_key.size == 0) {
        if (!pass_is_due(journal, state, now_unix_ms)) {
            return false;
        }
        journal->pass_ended_count = state->ended_count;
        journal->next_pass_unix_ms = now_unix_ms + PASS_EVERY_MS;
        buffer_append(&journal->pass_key, RECORD_OUTCOME_PREFIX, RECORD_OUTCOME_PREFIX_SIZE);
    }
    const bool more = move_slice(journal, &moved);
    if (!more) {
        buffer_clear(&journal->pass_key);
    }
    return more || moved;
}

/* ---- Expiry ---------------------------------------------------------------------------------- */

/* How many of the oldest days go. */
static size_t count_expired(const struct journal_leveldb *journal, int64_t now_unix_ms)
{
    const struct days *days = &journal->days;
    int64_t bytes = 0;
    size_t first_kept = days->count;
    while (first_kept > 0) {
        const struct day *day = days->items[first_kept - 1];
        const bool newest = first_kept == days->count;
        const bool over = day->end_unix_ms <= now_unix_ms; /* one may be there that is to come */
        bytes += days_bytes_of(days, day);
        const bool too_old = day->end_unix_ms <= now_unix_ms - journal->outcome_keep_ms;
        const bool too_big = bytes > journal->outcome_keep_bytes_max && !newest && over;
        if (too_old || too_big) {
            break;
        }
        first_kept--;
    }
    return first_kept;
}

/* Removes the records of expired days and raises the horizon, in one write to come. */
static bool expire_days(struct journal_leveldb *journal, int64_t now_unix_ms)
{
    struct journal_batch batch;
    int64_t horizon_unix_ms = 0;
    const size_t expired_count = count_expired(journal, now_unix_ms);
    bool any = false;
    journal_batch_init(&batch);
    for (size_t i = 0; i < expired_count; i++) {
        struct day *day = journal->days.items[i];
        if (!day->dropping) {
            days_delete_record(day, &batch);
            day->dropping = true;
            horizon_unix_ms = day->end_unix_ms;
            any = true;
        }
    }
    if (any) {
        add_upkeep(journal, &batch, horizon_unix_ms);
        TERCET_FAILPOINT("upkeep.expired");
    }
    journal_batch_deinit(&batch);
    return any;
}

/* Drops what is expired durably. */
static bool drop_days(struct journal_leveldb *journal)
{
    struct days *days = &journal->days;
    struct tercet_error error = {0};
    bool any = false;
    while (days->count > 0 && days->items[0]->dropping) {
        TERCET_FAILPOINT("upkeep.before_drop");
        if (days_drop(days, days->items[0], &error) != TERCET_OK) {
            journal_die(journal, "journal.upkeep_failed", &error);
        }
        any = true;
    }
    return any;
}

/* ---- Verifying ------------------------------------------------------------------------------- */

bool journal_leveldb_count_some(struct journal *base)
{
    struct journal_leveldb *journal = journal_of(base);
    struct tercet_error error = {0};
    bool more = false;
    if (days_verify_some(&journal->days, &more, &error) != TERCET_OK) {
        journal_die(journal, "journal.read_failed", &error);
    }
    return more;
}

static void sync_witness(struct journal_leveldb *journal, int64_t now_unix_ms)
{
    struct tercet_error error = {0};
    if (!is_due(journal->next_witness_unix_ms, now_unix_ms, WITNESS_EVERY_MS)) {
        return;
    }
    journal->next_witness_unix_ms = now_unix_ms + WITNESS_EVERY_MS;
    if (witness_sync(journal->witness, &error) != TERCET_OK) {
        journal_die(journal, "journal.witness_failed", &error);
    }
}

bool journal_leveldb_maintain(struct journal *base, int64_t now_unix_ms)
{
    struct journal_leveldb *journal = journal_of(base);
    sync_witness(journal, now_unix_ms);
    const struct upkeep_state state = read_state(journal);
    if (state.operation_count > UPKEEP_COUNT_MAX) {
        return false; /* a write comes first */
    }
    if (state.all_durable && journal->backup == NULL && drop_days(journal)) {
        return true;
    }
    if (move_some(journal, &state, now_unix_ms)) {
        return true;
    }
    if (journal->backup == NULL &&
        is_due(journal->next_expiry_unix_ms, now_unix_ms, EXPIRY_EVERY_MS)) {
        journal->next_expiry_unix_ms = now_unix_ms + EXPIRY_EVERY_MS;
        if (expire_days(journal, now_unix_ms)) {
            return true;
        }
    }
    return journal_backup_some(journal) || journal_leveldb_count_some(base);
}

/* journal_leveldb.c -- the seam on LevelDB (journal.h): load, write, head.  How it is opened is in
 * journal_open.c, outcomes are in journal_outcomes.c and journal_upkeep.c.
 *
 * Invariants
 *   1. Every batch is one synced LevelDB write with the head in it; LSNs have no gaps.
 *   2. The witness names a head only after that write; write() returns only after both.
 *   3. Before each write the directory and LevelDB's lock must still be the ones that were taken: a
 *      process whose directory was moved away or unlocked behind its back must not decide anything.
 *   4. Whatever fails in write() ends the process from this very thread.  LevelDB may go on after a
 *      failed append and lose what it acknowledges later, so nothing is ever written behind one. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/logger.h"
#include "journal/batch_read.h"
#include "journal/journal_damage.h"
#include "journal/journal_head.h"
#include "journal/journal_leveldb_internal.h"

void journal_die(const struct journal_leveldb *journal, const char *event,
                 const struct tercet_error *error)
{
    LOGGER(LOGGER_ERROR, event, logger_text("directory", journal->path),
           logger_text("text", error->text));
    if (error->status == TERCET_DATA_LOSS) {
        damage_note(journal->path, error->text);
    }
    _exit(JOURNAL_EXIT_CODE);
}

bool identity_of(const char *path, struct identity *identity_out)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return false;
    }
    *identity_out = (struct identity){info.st_dev, info.st_ino};
    return true;
}

/* ---- Load ------------------------------------------------------------------------------------ */

struct loading {
    journal_pair_fn pair_fn;
    void *context;
};

static enum tercet_status load_pair(struct tercet_bytes key, struct tercet_bytes value,
                                    void *context, struct tercet_error *error_out)
{
    const struct loading *loading = context;
    (void)error_out;
    return loading->pair_fn(key, value, digest128_of_pair(key, value), loading->context);
}

static enum tercet_status load(struct journal *base, journal_pair_fn pair_fn, void *context,
                               struct tercet_error *error_out)
{
    struct loading loading = {pair_fn, context};
    const struct tercet_bytes participants = tercet_bytes_of_text("p/");
    const struct tercet_bytes transactions = tercet_bytes_of_text("t/");
    enum tercet_status status = store_scan(journal_of(base)->live, participants, participants,
                                           load_pair, &loading, error_out);
    if (status == TERCET_OK) {
        status = store_scan(journal_of(base)->live, transactions, transactions, load_pair, &loading,
                            error_out);
    }
    return status;
}

static enum tercet_status find_pair(struct journal *base, struct tercet_bytes key,
                                    struct buffer *value_out)
{
    struct tercet_error error = {0};
    struct journal_leveldb *journal = journal_of(base);
    enum tercet_status status = store_get(journal->live, key, value_out, &error);
    if (status != TERCET_OK && status != TERCET_NOT_FOUND) {
        journal_die(journal, "journal.read_failed", &error);
    }
    return status;
}

/* ---- Write ----------------------------------------------------------------------------------- */

static bool is_same(const char *path, const struct identity *identity)
{
    struct identity now;
    return identity_of(path, &now) && now.device == identity->device &&
           now.inode == identity->inode;
}

static void check_is_ours(const struct journal_leveldb *journal)
{
    struct tercet_error error;
    if (!is_same(journal->path, &journal->directory) ||
        !is_same(journal->lock_path, &journal->lock)) {
        error_set(&error, TERCET_FAILED_PRECONDITION,
                  "the directory or its lock is no longer the one that was opened");
        journal_die(journal, "journal.fenced", &error);
    }
}

static void add_operations(const struct journal_batch *batch, leveldb_writebatch_t *to)
{
    struct batch_reader reader = {batch, 0};
    struct batch_operation operation;
    while (batch_reader_next(&reader, &operation)) {
        if (operation.kind == BATCH_PUT) {
            store_batch_put(to, operation.key, operation.value);
        } else {
            leveldb_writebatch_delete(to, operation.key.data, operation.key.size);
        }
    }
}

static void lock_mutex(struct journal_leveldb *journal)
{
    tercet_assert(pthread_mutex_lock(&journal->mutex) == 0);
}

static void unlock_mutex(struct journal_leveldb *journal)
{
    tercet_assert(pthread_mutex_unlock(&journal->mutex) == 0);
}

/* Takes what upkeep has gathered into `journal->taken`, and applies it to the head to be. */
static uint64_t take_upkeep(struct journal_leveldb *journal, struct journal_head *head)
{
    lock_mutex(journal);
    const struct journal_batch empty = journal->taken;
    journal->taken = journal->upkeep;
    journal->upkeep = empty;
    const uint64_t added = journal->upkeep_added;
    if (journal->upkeep_horizon_unix_ms > head->horizon_unix_ms) {
        head->horizon_unix_ms = journal->upkeep_horizon_unix_ms;
    }
    unlock_mutex(journal);
    head->live_digest = digest128_add(head->live_digest, journal->taken.digest_delta);
    head->live_count += journal->taken.live_delta;
    return added;
}

static void write_synced(struct journal_leveldb *journal, const struct journal_batch *batch,
                         const struct journal_head *head)
{
    struct tercet_error error = {0};
    struct buffer value;
    buffer_init(&value);
    leveldb_writebatch_t *writes = journal->writes;
    leveldb_writebatch_clear(writes);
    add_operations(batch, writes);
    add_operations(&journal->taken, writes);
    journal_head_encode(head, &value);
    store_batch_put(writes, tercet_bytes_of_text(JOURNAL_HEAD_KEY), buffer_bytes(&value));
    TERCET_FAILPOINT("journal.before_write");
    enum tercet_status status = store_write(journal->live, writes, &error);
    if (TERCET_FAILPOINT_FAILS("journal.write")) {
        status = error_set(&error, TERCET_UNAVAILABLE, "failpoint journal.write");
    }
    if (status != TERCET_OK) {
        journal_die(journal, "journal.write_failed", &error);
    }
    TERCET_FAILPOINT("journal.before_witness");
    if (witness_write(journal->witness, head, &error) != TERCET_OK) {
        journal_die(journal, "journal.witness_failed", &error);
    }
    buffer_deinit(&value);
}

void journal_write_batch(struct journal_leveldb *journal, const struct journal_batch *batch,
                         int64_t epoch)
{
    struct journal_head head = journal->head; /* only this thread changes it */
    check_is_ours(journal);
    journal_head_apply(&head, batch);
    head.epoch = epoch;
    const uint64_t added = take_upkeep(journal, &head);
    write_synced(journal, batch, &head);
    journal_batch_clear(&journal->taken);
    TERCET_FAILPOINT("journal.after_witness");
    lock_mutex(journal);
    journal->head = head;
    journal->upkeep_written = added;
    journal->ended_count += batch->outcome_count;
    unlock_mutex(journal);
}

static void write_batch(struct journal *base, const struct journal_batch *batch)
{
    struct journal_leveldb *journal = journal_of(base);
    tercet_assert(!journal->inspecting);
    journal_write_batch(journal, batch, journal->head.epoch);
}

static void read_head(struct journal *base, struct journal_head *head_out)
{
    struct journal_leveldb *journal = journal_of(base);
    lock_mutex(journal);
    *head_out = journal->head;
    head_out->upkeep_waits = journal->upkeep.operation_count > 0 ||
                             journal->upkeep_horizon_unix_ms > journal->head.horizon_unix_ms;
    unlock_mutex(journal);
}

static int64_t newest_end_unix_ms(struct journal *base)
{
    return journal_of(base)->newest_end_unix_ms;
}

const struct journal_ops journal_leveldb_ops = {
    .load = load,
    .write = write_batch,
    .find_outcome = journal_leveldb_find,
    .peek_outcome = journal_leveldb_peek,
    .find_pair = find_pair,
    .list_outcomes = journal_leveldb_list,
    .count_some = journal_leveldb_count_some,
    .maintain = journal_leveldb_maintain,
    .head = read_head,
    .newest_end_unix_ms = newest_end_unix_ms,
    .close = journal_leveldb_close,
};

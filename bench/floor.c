/* floor.c -- see floor.h: the disk, and LevelDB on it. */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <leveldb/c.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "histogram.h"
#include "process.h"

enum {
    APPEND_BYTES = 512,
    /* A transaction's records as the journal of the bench's own has them (docs/journal-format.md): keys,
     * values, and what each branch adds. */
    KEY_BYTES = 11,
    BEGIN_BYTES = 118,
    BEGIN_BRANCH_BYTES = 48, /* beside its payload */
    DECIDE_BYTES = 13,
    DECIDE_BRANCH_BYTES = 15,
    OUTCOME_KEY_BYTES = 34,
    OUTCOME_BYTES = 93,
    OUTCOME_BRANCH_BYTES = 35,
    HEAD_BYTES = 68, /* in every batch */
    GROUP = 256,     /* transactions in one synced batch */
    GROUP_MAX = 4096 /* as many as may begin in one, at a pace */
};

static bool complain(const char *what, const char *why)
{
    (void)fprintf(stderr, "tercet-bench: %s: %s\n", what, why);
    return false;
}

/* ---- Disk -------------------------------------------------------------------------------------- */

static bool append_and_sync(int file)
{
    static const char block[APPEND_BYTES];
    return write(file, block, sizeof block) == (ssize_t)sizeof block && fdatasync(file) == 0;
}

bool floor_measure_disk(const char *directory, uint32_t duration_ms, struct floor_disk *disk_out)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/floor", directory);
    struct histogram *pairs = histogram_create();
    const int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || pairs == NULL) {
        histogram_destroy(pairs);
        return complain(path, strerror(errno));
    }
    const uint64_t begun_us = process_now_us();
    uint64_t now_us = begun_us;
    bool ok = true;
    while (ok && now_us - begun_us < (uint64_t)duration_ms * 1000) {
        const uint64_t before_us = now_us;
        ok = append_and_sync(file);
        ok = append_and_sync(file) && ok;
        now_us = process_now_us();
        histogram_add(pairs, now_us - before_us);
    }
    const int why = errno;
    (void)close(file);
    (void)unlink(path);
    if (ok) {
        disk_out->syncs_per_s =
            2.0 * (double)histogram_count(pairs) * 1e6 / (double)(now_us - begun_us);
        disk_out->pair_us = histogram_percentile(pairs, 500);
    }
    histogram_destroy(pairs);
    return ok || complain(path, strerror(why));
}

const char *floor_file_system(const char *directory)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } known[] = {{0xef53, "ext4"},      {0x58465342, "xfs"},     {0x9123683e, "btrfs"},
                 {0x01021994, "tmpfs"}, {0x794c7630, "overlay"}, {0x2fc12fc1, "zfs"},
                 {0x6969, "nfs"},       {0x01021997, "v9fs"},    {0x65735546, "fuse"}};
    struct statfs told;
    if (statfs(directory, &told) != 0) {
        return "?";
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if ((unsigned long)told.f_type == known[i].magic) {
            return known[i].name;
        }
    }
    return "?";
}

/* ---- LevelDB ----------------------------------------------------------------------------------- */

/* A store of bare LevelDB, and what is written to it. */
struct store {
    leveldb_t *database;
    leveldb_writeoptions_t *synced;
    leveldb_writebatch_t *batch;
    char *bytes; /* of every value, as many as the largest has */
    size_t begin_bytes;
    size_t decide_bytes;
    size_t outcome_bytes;
    char *error; /* LevelDB's; NULL: none */
};

/* As the journal opens its own, but for what makes that one slower: checks, filters. */
static leveldb_t *open_database(const char *directory, const char *name, char **error_out)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    leveldb_options_t *options = leveldb_options_create();
    leveldb_options_set_create_if_missing(options, 1);
    leveldb_options_set_compression(options, leveldb_no_compression);
    leveldb_options_set_write_buffer_size(options, (size_t)8 << 20);
    leveldb_options_set_max_file_size(options, (size_t)1 << 20);
    leveldb_options_set_block_size(options, (size_t)32 << 10);
    leveldb_t *database = leveldb_open(options, path, error_out);
    leveldb_options_destroy(options);
    return database;
}

static bool store_open(struct store *store, const char *directory, const char *name,
                       uint32_t branches, uint32_t payload_bytes)
{
    const size_t count = branches;
    *store =
        (struct store){.synced = leveldb_writeoptions_create(),
                       .batch = leveldb_writebatch_create(),
                       .begin_bytes = BEGIN_BYTES + count * (BEGIN_BRANCH_BYTES + payload_bytes),
                       .decide_bytes = DECIDE_BYTES + count * DECIDE_BRANCH_BYTES,
                       .outcome_bytes = OUTCOME_BYTES + count * OUTCOME_BRANCH_BYTES};
    store->bytes = calloc(1, store->begin_bytes); /* the largest, with any number of branches */
    store->database = open_database(directory, name, &store->error);
    leveldb_writeoptions_set_sync(store->synced, 1);
    return store->bytes != NULL && store->database != NULL;
}

/* All that was put since the last time, durable. */
static bool store_write(struct store *store)
{
    leveldb_writebatch_put(store->batch, "m/head", 6, store->bytes, HEAD_BYTES);
    leveldb_write(store->database, store->synced, store->batch, &store->error);
    leveldb_writebatch_clear(store->batch);
    return store->error == NULL;
}

static bool store_close(struct store *store, bool ok)
{
    if (!ok) {
        (void)complain("bare LevelDB", store->error != NULL ? store->error : "out of memory");
    }
    leveldb_free(store->error);
    if (store->database != NULL) {
        leveldb_close(store->database);
    }
    leveldb_writebatch_destroy(store->batch);
    leveldb_writeoptions_destroy(store->synced);
    free(store->bytes);
    return ok;
}

static void make_key(char key_out[KEY_BYTES + 1], uint64_t number, char kind)
{
    const unsigned long long digits = number & 0xfffffffffULL; /* nine of them */
    (void)snprintf(key_out, KEY_BYTES + 1, "t%09llx%c", digits, kind);
}

static void put_begin(struct store *store, uint64_t number)
{
    char key[KEY_BYTES + 1];
    make_key(key, number, 'b');
    leveldb_writebatch_put(store->batch, key, KEY_BYTES, store->bytes, store->begin_bytes);
}

static void put_decide(struct store *store, uint64_t number)
{
    char key[KEY_BYTES + 1];
    make_key(key, number, 'd');
    leveldb_writebatch_put(store->batch, key, KEY_BYTES, store->bytes, store->decide_bytes);
}

/* Its outcome, and the rest goes. */
static void put_end(struct store *store, uint64_t number)
{
    char outcome[OUTCOME_KEY_BYTES + 1];
    char key[KEY_BYTES + 1];
    (void)snprintf(outcome, sizeof outcome, "o%033llx", (unsigned long long)number);
    leveldb_writebatch_put(store->batch, outcome, OUTCOME_KEY_BYTES, store->bytes,
                           store->outcome_bytes);
    make_key(key, number, 'b');
    leveldb_writebatch_delete(store->batch, key, KEY_BYTES);
    make_key(key, number, 'd');
    leveldb_writebatch_delete(store->batch, key, KEY_BYTES);
}

/* ---- Journal ----------------------------------------------------------------------------------- */

bool floor_measure_journal(const char *directory, uint32_t branches, uint32_t payload_bytes,
                           uint32_t duration_ms, struct floor_journal *journal_out)
{
    struct store store;
    bool ok = store_open(&store, directory, "floor.leveldb", branches, payload_bytes);
    uint64_t count = 0;
    const uint64_t cpu_us = process_cpu_us(getpid());
    const uint64_t begun_us = process_now_us();
    uint64_t now_us = begun_us;
    while (ok && now_us - begun_us < (uint64_t)duration_ms * 1000) {
        for (int i = 0; i < GROUP; i++) {
            put_begin(&store, count);
            put_decide(&store, count);
            put_end(&store, count);
            count++;
        }
        ok = store_write(&store);
        now_us = process_now_us();
    }
    journal_out->transactions_per_s = (double)count * 1e6 / (double)(now_us - begun_us);
    journal_out->cpu_us = (double)(process_cpu_us(getpid()) - cpu_us) / (double)(count + 1);
    return store_close(&store, ok);
}

/* ---- Pace -------------------------------------------------------------------------------------- */

/* Transactions have numbers: those below `decided` are decided, those below `begun` begun. */
struct pace {
    struct store store;
    uint32_t rate;
    uint64_t start_us;
    uint64_t opens_us;
    uint64_t begun, decided, ended;
    uint64_t batches;
    struct histogram *latency_us;
};

static uint64_t due_us(const struct pace *pace, uint64_t number)
{
    return pace->start_us + number * 1000000 / pace->rate;
}

/* One batch with everything that waits: the beginnings of those below `due`, the decisions of those whose
 * beginnings are durable, the ends of those that are decided. */
static bool feed(struct pace *pace, uint64_t due)
{
    const uint64_t begun = pace->begun;
    const uint64_t decided = pace->decided;
    for (uint64_t i = begun; i < due; i++) {
        put_begin(&pace->store, i);
    }
    for (uint64_t i = decided; i < begun; i++) {
        put_decide(&pace->store, i);
    }
    for (uint64_t i = pace->ended; i < decided; i++) {
        put_end(&pace->store, i);
    }
    const bool ok = store_write(&pace->store);
    const uint64_t now_us = process_now_us();
    for (uint64_t i = decided; ok && i < begun; i++) {
        if (due_us(pace, i) >= pace->opens_us) {
            histogram_add(pace->latency_us, now_us - due_us(pace, i));
        }
    }
    pace->begun = due;
    pace->decided = begun;
    pace->ended = decided;
    pace->batches++;
    return ok;
}

/* Ends wait for company; without anything else that is due there is nothing to write. */
static bool feed_all(struct pace *pace, uint64_t all)
{
    bool ok = true;
    while (ok && pace->decided < all) {
        const uint64_t now_us = process_now_us();
        const uint64_t due = (now_us - pace->start_us) * pace->rate / 1000000 + 1;
        const uint64_t most = all - pace->begun < GROUP_MAX ? all : pace->begun + GROUP_MAX;
        if (due > pace->begun || pace->decided < pace->begun) {
            ok = feed(pace, due < most ? due : most);
        } else {
            process_sleep_until(due_us(pace, pace->begun));
        }
    }
    return ok;
}

bool floor_measure_pace(const struct floor_pace_options *options, struct floor_pace *pace_out)
{
    struct pace pace = {.rate = options->rate, .latency_us = histogram_create()};
    const uint64_t all = (uint64_t)options->rate * (options->warmup_s + options->seconds);
    bool ok = store_open(&pace.store, options->directory, "pace.leveldb", options->branches,
                         options->payload_bytes) &&
              pace.latency_us != NULL;
    pace.start_us = process_now_us();
    pace.opens_us = pace.start_us + (uint64_t)options->warmup_s * 1000000;
    ok = ok && feed_all(&pace, all);
    if (ok) {
        *pace_out = (struct floor_pace){.transactions = histogram_count(pace.latency_us),
                                        .p50_us = histogram_percentile(pace.latency_us, 500),
                                        .p99_us = histogram_percentile(pace.latency_us, 990),
                                        .max_us = histogram_max(pace.latency_us),
                                        .batches = (double)pace.batches / (double)all};
    }
    histogram_destroy(pace.latency_us);
    return store_close(&pace.store, ok);
}

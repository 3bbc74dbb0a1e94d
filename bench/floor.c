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
    /* A transaction's records, about as large as the journal's (docs/journal-format.md). */
    KEY_BYTES = 17,
    BRANCH_BYTES = 96, /* beside its payload */
    BEGIN_BYTES = 160,
    DECIDE_BYTES = 64,
    OUTCOME_KEY_BYTES = 40,
    OUTCOME_BYTES = 96,
    GROUP = 256 /* transactions in one synced batch */
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

/* ---- Journal ----------------------------------------------------------------------------------- */

/* One transaction, from its beginning to its outcome, in one batch. */
static void put_transaction(leveldb_writebatch_t *batch, uint64_t number, const char *bytes,
                            size_t begin_bytes)
{
    char begin[KEY_BYTES + 1];
    char decide[KEY_BYTES + 1];
    char outcome[OUTCOME_KEY_BYTES + 1];
    (void)snprintf(begin, sizeof begin, "b%016llx", (unsigned long long)number);
    (void)snprintf(decide, sizeof decide, "d%016llx", (unsigned long long)number);
    (void)snprintf(outcome, sizeof outcome, "o%039llx", (unsigned long long)number);
    leveldb_writebatch_put(batch, begin, KEY_BYTES, bytes, begin_bytes);
    leveldb_writebatch_put(batch, decide, KEY_BYTES, bytes, DECIDE_BYTES);
    leveldb_writebatch_put(batch, outcome, OUTCOME_KEY_BYTES, bytes, OUTCOME_BYTES);
    leveldb_writebatch_delete(batch, begin, KEY_BYTES);
    leveldb_writebatch_delete(batch, decide, KEY_BYTES);
}

static bool write_groups(leveldb_t *database, size_t begin_bytes, uint32_t duration_ms,
                         struct floor_journal *journal_out)
{
    leveldb_writeoptions_t *synced = leveldb_writeoptions_create();
    leveldb_writebatch_t *batch = leveldb_writebatch_create();
    char *bytes = calloc(1, begin_bytes);
    char *error = NULL;
    uint64_t count = 0;

    leveldb_writeoptions_set_sync(synced, 1);
    const uint64_t cpu_us = process_cpu_us(getpid());
    const uint64_t begun_us = process_now_us();
    uint64_t now_us = begun_us;
    while (bytes != NULL && error == NULL && now_us - begun_us < (uint64_t)duration_ms * 1000) {
        leveldb_writebatch_clear(batch);
        for (int i = 0; i < GROUP; i++) {
            put_transaction(batch, count, bytes, begin_bytes);
            count++;
        }
        leveldb_write(database, synced, batch, &error);
        now_us = process_now_us();
    }
    journal_out->transactions_per_s = (double)count * 1e6 / (double)(now_us - begun_us);
    journal_out->cpu_us = (double)(process_cpu_us(getpid()) - cpu_us) / (double)(count + 1);
    const bool ok = (bytes != NULL && error == NULL) ||
                    complain("bare LevelDB", error != NULL ? error : "out of memory");
    leveldb_free(error);
    free(bytes);
    leveldb_writebatch_destroy(batch);
    leveldb_writeoptions_destroy(synced);
    return ok;
}

bool floor_measure_journal(const char *directory, uint32_t branches, uint32_t payload_bytes,
                           uint32_t duration_ms, struct floor_journal *journal_out)
{
    char path[PATH_MAX];
    char *error = NULL;
    (void)snprintf(path, sizeof path, "%s/floor.leveldb", directory);
    leveldb_options_t *options = leveldb_options_create();
    leveldb_options_set_create_if_missing(options, 1);
    leveldb_options_set_write_buffer_size(options, (size_t)8 << 20);
    leveldb_t *database = leveldb_open(options, path, &error);
    bool ok = false;
    if (database == NULL) {
        (void)complain(path, error);
    } else {
        const size_t begin_bytes = BEGIN_BYTES + (size_t)branches * (BRANCH_BYTES + payload_bytes);
        ok = write_groups(database, begin_bytes, duration_ms, journal_out);
        leveldb_close(database);
    }
    leveldb_free(error);
    leveldb_options_destroy(options);
    return ok;
}

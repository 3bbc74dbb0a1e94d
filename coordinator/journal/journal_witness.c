/* journal_witness.c -- see journal_witness.h.
 *
 * A slot, numbers big-endian: "TERCETW1" origin(20) incarnation(8) epoch(8) lsn(8) next_number(8)
 * digest(16) count(8) horizon(8) checksum(16); the rest is zero and not looked at. */
#include "journal/journal_witness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "journal/journal_files.h"

static const char magic[] = "TERCETW1";
enum {
    MAGIC_SIZE = 8,
    BODY_SIZE = MAGIC_SIZE + 20 + 4 * 8 + 16 + 2 * 8,
    FILLED_SIZE = BODY_SIZE + 16
};
static_assert(FILLED_SIZE <= 512, "a slot is within one sector");

struct witness {
    int fd;
    int next_slot;
    atomic_bool dirty;
};

static struct digest128 checksum(const uint8_t *body)
{
    return digest128_of_pair(tercet_bytes_of_text("witness"), tercet_bytes_of(body, BODY_SIZE));
}

static void encode(const struct journal_head *head, uint8_t slot[FILLED_SIZE])
{
    memcpy(slot, magic, MAGIC_SIZE);
    uint8_t *at = slot + MAGIC_SIZE;
    memcpy(at, head->origin, sizeof head->origin);
    at += sizeof head->origin;
    store_be64(at, (uint64_t)head->incarnation);
    store_be64(at + 8, (uint64_t)head->epoch);
    store_be64(at + 16, (uint64_t)head->lsn);
    store_be64(at + 24, (uint64_t)head->next_number);
    digest128_store(head->live_digest, at + 32);
    store_be64(at + 48, (uint64_t)head->live_count);
    store_be64(at + 56, (uint64_t)head->horizon_unix_ms);
    tercet_assert(at + 64 == slot + BODY_SIZE);
    digest128_store(checksum(slot), slot + BODY_SIZE);
}

static bool decode(const uint8_t slot[FILLED_SIZE], struct journal_head *head_out)
{
    if (memcmp(slot, magic, MAGIC_SIZE) != 0 ||
        !digest128_equal(checksum(slot), digest128_load(slot + BODY_SIZE))) {
        return false;
    }
    const uint8_t *at = slot + MAGIC_SIZE;
    memcpy(head_out->origin, at, sizeof head_out->origin);
    at += sizeof head_out->origin;
    head_out->incarnation = (int64_t)load_be64(at);
    head_out->epoch = (int64_t)load_be64(at + 8);
    head_out->lsn = (int64_t)load_be64(at + 16);
    head_out->next_number = (int64_t)load_be64(at + 24);
    head_out->live_digest = digest128_load(at + 32);
    head_out->live_count = (int64_t)load_be64(at + 48);
    head_out->horizon_unix_ms = (int64_t)load_be64(at + 56);
    return true;
}

enum tercet_status witness_create(const char *path, const struct journal_head *head,
                                  struct tercet_error *error_out)
{
    uint8_t *file = xcalloc(1, WITNESS_FILE_SIZE);
    encode(head, file);
    enum tercet_status status =
        files_write_new(path, tercet_bytes_of(file, WITNESS_FILE_SIZE), error_out);
    free(file);
    return status;
}

/* The slot with the newer head; -1: neither can be believed. */
static enum tercet_status newest_slot(int fd, int *slot_out, struct journal_head *head_out,
                                      struct tercet_error *error_out)
{
    int newest = -1;
    for (int slot = 0; slot < 2; slot++) {
        uint8_t data[FILLED_SIZE];
        struct journal_head head = {0};
        const ssize_t got = pread(fd, data, sizeof data, (off_t)slot * WITNESS_SLOT_SIZE);
        if (got < 0) { /* nothing is known of it: the older slot may not stand for both */
            return files_failed(error_out, "read", "its witness");
        }
        if (got == FILLED_SIZE && decode(data, &head) && (newest < 0 || head.lsn > head_out->lsn)) {
            *head_out = head;
            newest = slot;
        }
    }
    *slot_out = newest;
    return TERCET_OK;
}

enum tercet_status witness_open(const char *path, struct witness **witness_out,
                                struct journal_head *head_out, struct tercet_error *error_out)
{
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return error_set(error_out, TERCET_DATA_LOSS, "its witness is missing: %s",
                         strerror(errno));
    }
    if (fd < 0) {
        return files_failed(error_out, "open", "its witness");
    }
    struct journal_head head = {0};
    int slot = -1;
    enum tercet_status status = newest_slot(fd, &slot, &head, error_out);
    if (status == TERCET_OK && slot < 0) {
        status = error_set(error_out, TERCET_DATA_LOSS,
                           "its witness is damaged: neither slot can be believed");
    }
    if (status != TERCET_OK) {
        close(fd);
        return status;
    }
    struct witness *witness = xcalloc(1, sizeof *witness);
    witness->fd = fd;
    witness->next_slot = 1 - slot;
    *witness_out = witness;
    *head_out = head;
    return TERCET_OK;
}

void witness_close(struct witness *witness)
{
    if (witness != NULL) {
        close(witness->fd);
        free(witness);
    }
}

enum tercet_status witness_write(struct witness *witness, const struct journal_head *head,
                                 struct tercet_error *error_out)
{
    uint8_t slot[FILLED_SIZE];
    encode(head, slot);
    if (TERCET_FAILPOINT_FAILS("witness.write")) {
        return error_set(error_out, TERCET_UNAVAILABLE, "failpoint witness.write");
    }
    if (pwrite(witness->fd, slot, sizeof slot, (off_t)witness->next_slot * WITNESS_SLOT_SIZE) !=
        FILLED_SIZE) {
        return files_failed(error_out, "write", "the witness");
    }
    witness->next_slot = 1 - witness->next_slot;
    atomic_store(&witness->dirty, true);
    return TERCET_OK;
}

enum tercet_status witness_sync(struct witness *witness, struct tercet_error *error_out)
{
    TERCET_FAILPOINT("witness.before_sync");
    if (atomic_exchange(&witness->dirty, false) && fdatasync(witness->fd) != 0) {
        return files_failed(error_out, "sync", "the witness");
    }
    return TERCET_OK;
}

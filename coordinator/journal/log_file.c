/* log_file.c -- see log_file.h. */
#include "journal/log_file.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "journal/journal_files.h"

enum {
    BLOCK_BYTES = 32768,
    HEADER_BYTES = 7, /* CRC(4) SIZE(2) TYPE(1), little-endian */
    TYPE_FULL = 1,
    TYPE_FIRST = 2,
    TYPE_MIDDLE = 3,
    TYPE_LAST = 4,
    BATCH_HEADER_BYTES = 12, /* SEQUENCE(8) COUNT(4) */
    TAG_DELETE = 0,
    TAG_PUT = 1
};

static uint32_t load_le32(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}

/* CRC-32C (Castagnoli), a byte at a time: a log may be as large as the write buffer, 8 MiB, and
 * every open reads it. */
static void make_crc_table(uint32_t table_out[256])
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0x82f63b78U & (0U - (crc & 1U)));
        }
        table_out[byte] = crc;
    }
}

static uint32_t crc32c(const uint32_t table[256], const uint8_t *data, size_t size)
{
    uint32_t crc = 0xffffffffU;
    for (size_t i = 0; i < size; i++) {
        crc = (crc >> 8) ^ table[(crc ^ data[i]) & 0xffU];
    }
    return ~crc;
}

/* As LevelDB stores it, so that a CRC of data that holds CRCs is still a good one. */
static uint32_t masked(uint32_t crc)
{
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

struct reading {
    const uint8_t *data;
    size_t size;
    size_t at;
    struct buffer batch; /* whose pieces come now */
    bool within;
    int64_t skipped;
    uint32_t crc_table[256];
};

/* One piece; false: nothing whole is here, and `at` is where to go on. */
static bool next_piece(struct reading *reading, int *type_out, struct tercet_bytes *piece_out)
{
    const size_t block_left = BLOCK_BYTES - reading->at % BLOCK_BYTES;
    const size_t left = reading->size - reading->at;
    if (block_left < HEADER_BYTES || left < HEADER_BYTES) {
        reading->at += block_left < left ? block_left : left; /* a block's trailer */
        return false;
    }
    const uint8_t *header = reading->data + reading->at;
    const size_t size = (size_t)header[4] | (size_t)header[5] << 8;
    const bool fits = HEADER_BYTES + size <= block_left && HEADER_BYTES + size <= left;
    if (!fits || load_le32(header) != masked(crc32c(reading->crc_table, header + 6, 1 + size))) {
        const size_t skip = block_left < left ? block_left : left;
        reading->skipped += (int64_t)skip;
        reading->at += skip; /* its size cannot be believed: on with the next block */
        return false;
    }
    *type_out = header[6];
    *piece_out = tercet_bytes_of(header + HEADER_BYTES, size);
    reading->at += HEADER_BYTES + size;
    return true;
}

/* True: `reading->batch` is whole now. */
static bool add_piece(struct reading *reading, int type, struct tercet_bytes piece)
{
    const bool begins = type == TYPE_FULL || type == TYPE_FIRST;
    const bool ends = type == TYPE_FULL || type == TYPE_LAST;
    if (begins) {
        reading->skipped += (int64_t)reading->batch.size;
        buffer_clear(&reading->batch);
    } else if (!reading->within) {
        reading->skipped += (int64_t)piece.size; /* the end of one whose beginning is gone */
        return false;
    }
    buffer_append(&reading->batch, piece.data, piece.size);
    reading->within = !ends;
    return ends;
}

static enum tercet_status read_batches(struct reading *reading, log_batch_fn batch_fn,
                                       void *context, struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_OK;
    while (reading->at < reading->size && status == TERCET_OK) {
        int type = 0;
        struct tercet_bytes piece = {0};
        const int64_t skipped_before = reading->skipped;
        if (!next_piece(reading, &type, &piece)) {
            if (reading->skipped > skipped_before) {
                reading->within = false; /* what is under way has a hole */
            }
        } else if (add_piece(reading, type, piece)) {
            status = batch_fn(buffer_bytes(&reading->batch), context, error_out);
            buffer_clear(&reading->batch);
        }
    }
    return status;
}

enum tercet_status log_file_read(const char *path, log_batch_fn batch_fn, void *context,
                                 int64_t *skipped_bytes_out, struct tercet_error *error_out)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return files_failed(error_out, "open", path);
    }
    uint8_t *data = xmalloc((size_t)info.st_size + 1);
    struct reading reading = {.data = data};
    enum tercet_status status =
        files_read(path, data, (size_t)info.st_size, &reading.size, error_out);
    buffer_init(&reading.batch);
    make_crc_table(reading.crc_table);
    if (status == TERCET_OK) {
        status = read_batches(&reading, batch_fn, context, error_out);
        *skipped_bytes_out = reading.skipped + (int64_t)reading.batch.size;
    }
    buffer_deinit(&reading.batch);
    free(data);
    return status;
}

/* ---- Batches ----------------------------------------------------------------------------------- */

/* A size (base 128, low groups first) and as many bytes. */
static bool take_slice(struct tercet_bytes *rest, struct tercet_bytes *slice_out)
{
    const uint8_t *data = rest->data;
    size_t size = 0;
    size_t at = 0;
    bool more = true;
    while (more && at < rest->size && at < 5) {
        size |= (size_t)(data[at] & 0x7f) << (7 * at);
        more = (data[at] & 0x80) != 0;
        at++;
    }
    if (more || size > rest->size - at) {
        return false;
    }
    *slice_out = tercet_bytes_of(data + at, size);
    *rest = tercet_bytes_of(data + at + size, rest->size - at - size);
    return true;
}

bool log_batch_numbers(struct tercet_bytes batch, uint64_t *first_out, uint32_t *count_out)
{
    if (batch.size < BATCH_HEADER_BYTES) {
        return false;
    }
    const uint8_t *data = batch.data;
    *first_out = (uint64_t)load_le32(data) | (uint64_t)load_le32(data + 4) << 32;
    *count_out = load_le32(data + 8);
    return true;
}

bool log_batch_read(struct tercet_bytes batch, log_operation_fn operation_fn, void *context)
{
    if (batch.size < BATCH_HEADER_BYTES) {
        return false;
    }
    const uint8_t *data = batch.data;
    uint32_t left = load_le32(data + 8);
    struct tercet_bytes rest =
        tercet_bytes_of(data + BATCH_HEADER_BYTES, batch.size - BATCH_HEADER_BYTES);
    while (rest.size > 0 && left > 0) {
        const uint8_t tag = *(const uint8_t *)rest.data;
        struct tercet_bytes key = {0};
        struct tercet_bytes value = tercet_bytes_of_text("");
        rest = tercet_bytes_of((const uint8_t *)rest.data + 1, rest.size - 1);
        if (tag > TAG_PUT || !take_slice(&rest, &key) ||
            (tag == TAG_PUT && !take_slice(&rest, &value))) {
            return false;
        }
        operation_fn(tag == TAG_PUT, key, value, context);
        left--;
    }
    return rest.size == 0 && left == 0;
}

/* mark.c -- see mark.h and fence.h. */
#include "fence/mark.h"

#include <inttypes.h>

#include "base/error.h"

/* Integers of the protocol stay below this, so that they are exact in JavaScript. */
static const int64_t INTEGER_END = INT64_C(1) << 53;

bool mark_is_open(const struct tercet_mark *mark, struct tercet_branch_number number)
{
    uint32_t low = 0;
    uint32_t high = mark->open_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = tercet_branch_number_compare(mark->open[middle], number);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

enum tercet_mark_relation tercet_mark_relation_of(const struct tercet_mark *mark,
                                                  struct tercet_branch_number number)
{
    if (mark == NULL || mark->as_of_incarnation == 0 ||
        tercet_branch_number_compare(number, mark->low) >= 0) {
        return TERCET_MARK_ABOVE;
    }
    return mark_is_open(mark, number) ? TERCET_MARK_OPEN : TERCET_MARK_BELOW;
}

static enum tercet_status check_positive(const char *field, int64_t value,
                                         struct tercet_error *error_out)
{
    if (value < 1 || value >= INTEGER_END) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "mark.%s: %" PRId64 ", must be 1 to %" PRId64, field, value,
                         INTEGER_END - 1);
    }
    return TERCET_OK;
}

static enum tercet_status check_number(const char *field, struct tercet_branch_number number,
                                       struct tercet_error *error_out)
{
    const enum tercet_status status = check_positive(field, number.incarnation, error_out);
    return status != TERCET_OK ? status : check_positive(field, number.number, error_out);
}

enum tercet_status tercet_mark_check(const struct tercet_mark *mark, struct tercet_error *error_out)
{
    enum tercet_status status =
        check_positive("as_of_incarnation", mark->as_of_incarnation, error_out);
    if (status == TERCET_OK) {
        status = check_positive("as_of_lsn", mark->as_of_lsn, error_out);
    }
    if (status == TERCET_OK) {
        status = check_number("low", mark->low, error_out);
    }
    if (status == TERCET_OK && mark->open_count > TERCET_MARK_OPEN_MAX) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT,
                           "mark.open: %" PRIu32 " numbers, must be 0 to %d", mark->open_count,
                           TERCET_MARK_OPEN_MAX);
    }
    for (uint32_t i = 0; status == TERCET_OK && i < mark->open_count; i++) {
        status = check_number("open", mark->open[i], error_out);
        if (status == TERCET_OK && i > 0 &&
            tercet_branch_number_compare(mark->open[i - 1], mark->open[i]) >= 0) {
            status = error_set(error_out, TERCET_INVALID_ARGUMENT,
                               "mark.open[%" PRIu32 "]: is not above the one before it", i);
        }
    }
    return status;
}

void big_endian_write(uint8_t *bytes_out, int64_t value)
{
    const uint64_t bits = (uint64_t)value;
    for (unsigned i = 0; i < 8; i++) {
        bytes_out[i] = (uint8_t)(bits >> (56 - 8 * i));
    }
}

int64_t big_endian_read(const uint8_t *bytes)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < 8; i++) {
        bits = (bits << 8) | bytes[i];
    }
    return (int64_t)bits;
}

size_t mark_open_encode(const struct tercet_mark *mark, uint8_t *bytes_out)
{
    for (uint32_t i = 0; i < mark->open_count; i++) {
        uint8_t *item = bytes_out + (size_t)i * MARK_OPEN_ITEM_BYTES;
        big_endian_write(item, mark->open[i].incarnation);
        big_endian_write(item + 8, mark->open[i].number);
    }
    return (size_t)mark->open_count * MARK_OPEN_ITEM_BYTES;
}

bool mark_open_decode(struct tercet_bytes bytes, struct tercet_mark *mark_out)
{
    if (bytes.size % MARK_OPEN_ITEM_BYTES != 0 || bytes.size > MARK_OPEN_BYTES_MAX) {
        return false;
    }
    const uint8_t *item = bytes.data;
    const uint32_t count = (uint32_t)(bytes.size / MARK_OPEN_ITEM_BYTES);
    for (uint32_t i = 1; i < count; i++) {
        /* Big-endian and positive: the order of the bytes is the order of the numbers. */
        if (memcmp(item + (size_t)(i - 1) * MARK_OPEN_ITEM_BYTES,
                   item + (size_t)i * MARK_OPEN_ITEM_BYTES, MARK_OPEN_ITEM_BYTES) >= 0) {
            return false;
        }
    }
    for (uint32_t i = 0; i < count; i++, item += MARK_OPEN_ITEM_BYTES) {
        mark_out->open[i].incarnation = big_endian_read(item);
        mark_out->open[i].number = big_endian_read(item + 8);
    }
    mark_out->open_count = count;
    return true;
}

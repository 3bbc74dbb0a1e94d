/* mark_codec.c -- see mark_codec.h. */
#include "fence/mark_codec.h"

#include "base/bytes.h"

void big_endian_write(uint8_t *bytes_out, int64_t value)
{
    store_be64(bytes_out, (uint64_t)value);
}

int64_t big_endian_read(const uint8_t *bytes)
{
    return (int64_t)load_be64(bytes);
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

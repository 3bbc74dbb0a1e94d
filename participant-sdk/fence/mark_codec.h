/* mark_codec.h -- marks as stores keep them.
 *
 * A claim needs a mark's relation to one number, millions of times; the open list is looked at only
 * for a number below `low`.  So stores keep age and `low` where they are cheap to read, and the open
 * list as a run of bytes: 16 for each number, incarnation and number as 64 bits big-endian, rising. */
#ifndef TERCET_FENCE_MARK_CODEC_H
#define TERCET_FENCE_MARK_CODEC_H

#include "tercet/fence.h"

TERCET_BEGIN_DECLS

enum { MARK_OPEN_ITEM_BYTES = 16, MARK_OPEN_BYTES_MAX = 16 * TERCET_MARK_OPEN_MAX };

/* Writes the open list, at most MARK_OPEN_BYTES_MAX; returns how many bytes. */
size_t mark_open_encode(const struct tercet_mark *mark, uint8_t *bytes_out);

/* Reads it into mark_out->open and open_count.  False, and nothing written, when it is not such a
 * list. */
TERCET_MUST_CHECK bool mark_open_decode(struct tercet_bytes bytes, struct tercet_mark *mark_out);

/* 8 bytes big-endian, the order of bytes being the order of (positive) numbers. */
void big_endian_write(uint8_t *bytes_out, int64_t value);
int64_t big_endian_read(const uint8_t *bytes);

TERCET_END_DECLS

#endif

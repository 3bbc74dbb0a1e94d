/* overlay.h -- the writes of one local transaction before they are written, with one savepoint.
 *
 * Where a database has no transactions, this is one: reads look here first, rewind takes back what
 * was put since the savepoint, and commit hands the whole map on as one batch. */
#ifndef TERCET_FENCE_OVERLAY_H
#define TERCET_FENCE_OVERLAY_H

#include "fence/byte_map.h"

TERCET_BEGIN_DECLS

struct overlay_undo;

struct overlay {
    struct byte_map changes;
    struct overlay_undo *undo; /* since the savepoint, oldest first */
    size_t undo_count;
    size_t undo_capacity;
    size_t bytes; /* put since the savepoint: keys and values, whether overwritten or not */
};

/* `value` NULL: the key is removed. */
void overlay_put(struct overlay *overlay, struct tercet_bytes key,
                 const struct tercet_bytes *value);

/* Releases the savepoint before, if there is one, and makes another. */
void overlay_savepoint(struct overlay *overlay);
void overlay_rewind(struct overlay *overlay);

void overlay_clear(struct overlay *overlay);
void overlay_deinit(struct overlay *overlay);

TERCET_END_DECLS

#endif

/* overlay.h -- the writes of one local transaction before they are written, with one savepoint.
 *
 * Where a database has no transactions, this is one: reads look here first, rewind takes back what
 * was put since the savepoint, and commit hands the whole map on as one batch.
 *
 * Whatever was put lives in an arena until the overlay is cleared, also what was put over or taken back:
 * nothing is freed singly. */
#ifndef TERCET_FENCE_OVERLAY_H
#define TERCET_FENCE_OVERLAY_H

#include "base/arena.h"
#include "fence/byte_map.h"

TERCET_BEGIN_DECLS

struct overlay_undo;

struct overlay {
    struct byte_map changes; /* its entries lie in the arena */
    struct arena arena;
    struct overlay_undo *undo; /* since the savepoint, oldest first */
    size_t undo_count;
    size_t undo_capacity;
    size_t bytes; /* put since the savepoint: keys and values, whether overwritten or not */
};

void overlay_init(struct overlay *overlay);

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

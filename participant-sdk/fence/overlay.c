/* overlay.c -- see overlay.h. */
#include "fence/overlay.h"

#include <stdlib.h>

#include "base/memory.h"

enum { ARENA_BYTES = 65536 }; /* of a group of branches that write little of their own */

/* What stood for the key of `put` before it; before NULL: nothing did. */
struct overlay_undo {
    const struct byte_map_entry *put;
    struct byte_map_entry *before;
};

void overlay_init(struct overlay *overlay)
{
    *overlay = (struct overlay){0};
    arena_init(&overlay->arena, ARENA_BYTES);
}

void overlay_put(struct overlay *overlay, struct tercet_bytes key, const struct tercet_bytes *value)
{
    if (overlay->undo_count == overlay->undo_capacity) {
        overlay->undo_capacity = overlay->undo_capacity == 0 ? 16 : overlay->undo_capacity * 2;
        overlay->undo = xrealloc(overlay->undo, overlay->undo_capacity * sizeof *overlay->undo);
    }
    struct overlay_undo *undo = &overlay->undo[overlay->undo_count++];
    void *memory = arena_alloc(&overlay->arena, byte_map_entry_size(key, value));
    struct byte_map_entry *put = byte_map_entry_init(memory, key, value);
    undo->put = put;
    undo->before = byte_map_exchange(&overlay->changes, key, put);
    overlay->bytes += key.size + (value == NULL ? 0 : value->size);
}

void overlay_savepoint(struct overlay *overlay)
{
    overlay->undo_count = 0;
    overlay->bytes = 0;
}

void overlay_rewind(struct overlay *overlay)
{
    while (overlay->undo_count > 0) {
        struct overlay_undo *undo = &overlay->undo[--overlay->undo_count];
        (void)byte_map_exchange(&overlay->changes, byte_map_key(undo->put), undo->before);
    }
    overlay->bytes = 0;
}

void overlay_clear(struct overlay *overlay)
{
    overlay_savepoint(overlay);
    byte_map_forget(&overlay->changes);
    arena_reset(&overlay->arena);
}

void overlay_deinit(struct overlay *overlay)
{
    byte_map_forget(&overlay->changes);
    byte_map_deinit(&overlay->changes);
    arena_deinit(&overlay->arena);
    free(overlay->undo);
    *overlay = (struct overlay){0};
}

/* overlay.c -- see overlay.h. */
#include "fence/overlay.h"

#include <stdlib.h>

#include "base/memory.h"

/* What stood for `key` before one put; before NULL: nothing did. */
struct overlay_undo {
    struct byte_map_entry *key; /* an entry of its own, for the key's bytes */
    struct byte_map_entry *before;
};

void overlay_put(struct overlay *overlay, struct tercet_bytes key, const struct tercet_bytes *value)
{
    if (overlay->undo_count == overlay->undo_capacity) {
        overlay->undo_capacity = overlay->undo_capacity == 0 ? 16 : overlay->undo_capacity * 2;
        overlay->undo = xrealloc(overlay->undo, overlay->undo_capacity * sizeof *overlay->undo);
    }
    struct overlay_undo *undo = &overlay->undo[overlay->undo_count++];
    undo->key = byte_map_entry_create(key, NULL);
    undo->before = byte_map_exchange(&overlay->changes, key, byte_map_entry_create(key, value));
    overlay->bytes += key.size + (value == NULL ? 0 : value->size);
}

void overlay_savepoint(struct overlay *overlay)
{
    for (size_t i = 0; i < overlay->undo_count; i++) {
        free(overlay->undo[i].key);
        free(overlay->undo[i].before);
    }
    overlay->undo_count = 0;
    overlay->bytes = 0;
}

void overlay_rewind(struct overlay *overlay)
{
    while (overlay->undo_count > 0) {
        struct overlay_undo *undo = &overlay->undo[--overlay->undo_count];
        free(byte_map_exchange(&overlay->changes, byte_map_key(undo->key), undo->before));
        free(undo->key);
    }
    overlay->bytes = 0;
}

void overlay_clear(struct overlay *overlay)
{
    overlay_savepoint(overlay);
    byte_map_clear(&overlay->changes);
}

void overlay_deinit(struct overlay *overlay)
{
    overlay_clear(overlay);
    byte_map_deinit(&overlay->changes);
    free(overlay->undo);
    *overlay = (struct overlay){0};
}

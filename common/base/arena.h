/* arena.h -- memory that is freed all at once.
 *
 * For things that are made together and end together, such as the pieces of one
 * batch.  A reset keeps the first block, so that in the steady state nothing is
 * asked of malloc.  Under AddressSanitizer what is not handed out, or no
 * longer, is poisoned: a use after the reset is found.
 *
 * Nothing is freed singly, and what lies in an arena is not destroyed: it may
 * own nothing outside. Thread: one at a time. */
#ifndef COMMON_BASE_ARENA_H
#define COMMON_BASE_ARENA_H

#include <stddef.h>

#include "tercet/tercet.h"

struct arena_block;

struct arena {
    struct arena_block *first;  /* kept over resets */
    struct arena_block *newest; /* the one that is being filled */
};

#ifdef __cplusplus
extern "C" {
#endif

/* `first_bytes`: room in the block that is kept; 0: 4096. */
void arena_init(struct arena *arena, size_t first_bytes);
void arena_deinit(struct arena *arena);

/* Not initialised, aligned for anything, never NULL; valid until the reset. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_calloc(struct arena *arena, size_t count, size_t size); /* zeroed */

/* A copy with a zero byte behind it that is not counted. */
struct tercet_bytes arena_copy(struct arena *arena, struct tercet_bytes bytes);

/* Everything that was handed out is gone. */
void arena_reset(struct arena *arena);

#ifdef __cplusplus
}
#endif

#endif

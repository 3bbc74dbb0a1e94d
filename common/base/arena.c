/* arena.c -- see arena.h. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"

#ifdef TERCET_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

enum { ARENA_FIRST_BYTES = 4096, ARENA_ALIGNMENT = alignof(max_align_t) };

struct arena_block {
    struct arena_block *older;
    size_t capacity;
    size_t used;
    alignas(max_align_t) unsigned char memory[];
};

static struct arena_block *block_create(size_t capacity, struct arena_block *older)
{
    struct arena_block *block = xmalloc(sizeof *block + capacity);
    block->older = older;
    block->capacity = capacity;
    block->used = 0;
    ASAN_POISON_MEMORY_REGION(block->memory, capacity);
    return block;
}

static void block_destroy(struct arena_block *block)
{
    ASAN_UNPOISON_MEMORY_REGION(block->memory, block->capacity);
    free(block);
}

void arena_init(struct arena *arena, size_t first_bytes)
{
    arena->first = block_create(first_bytes == 0 ? ARENA_FIRST_BYTES : first_bytes, NULL);
    arena->newest = arena->first;
}

void arena_deinit(struct arena *arena)
{
    if (arena->first != NULL) {
        arena_reset(arena);
        block_destroy(arena->first);
    }
    *arena = (struct arena){0};
}

void *arena_alloc(struct arena *arena, size_t size)
{
    tercet_assert(size <= SIZE_MAX / 4);
    /* At least a byte, so that no two are the same; rounded up, so that the next
   * one is aligned. */
    const size_t taken =
        (size + (size == 0) + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
    struct arena_block *block = arena->newest;
    if (block->capacity - block->used < taken) {
        /* Doubling keeps the number of blocks small; what is left of the old one is
     * lost. */
        const size_t doubled = 2 * block->capacity;
        block = block_create(doubled < taken ? taken : doubled, block);
        arena->newest = block;
    }
    unsigned char *at = block->memory + block->used;
    block->used += taken;
    ASAN_UNPOISON_MEMORY_REGION(at, size);
    return at;
}

void *arena_calloc(struct arena *arena, size_t count, size_t size)
{
    tercet_assert(size == 0 || count <= SIZE_MAX / 4 / size);
    void *at = arena_alloc(arena, count * size);
    return count * size == 0 ? at : memset(at, 0, count * size);
}

struct tercet_bytes arena_copy(struct arena *arena, struct tercet_bytes bytes)
{
    tercet_assert(bytes.size < SIZE_MAX / 4);
    unsigned char *at = arena_alloc(arena, bytes.size + 1);
    if (bytes.size > 0) {
        memcpy(at, bytes.data, bytes.size);
    }
    at[bytes.size] = 0;
    return tercet_bytes_of(at, bytes.size);
}

void arena_reset(struct arena *arena)
{
    while (arena->newest != arena->first) {
        struct arena_block *block = arena->newest;
        arena->newest = block->older;
        block_destroy(block);
    }
    arena->first->used = 0;
    ASAN_POISON_MEMORY_REGION(arena->first->memory, arena->first->capacity);
}

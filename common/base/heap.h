/* heap.h -- an intrusive binary min-heap of moments.  Equal keys come out in the order in which they
 * went in, so that the same history gives the same order. */
#ifndef COMMON_BASE_HEAP_H
#define COMMON_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t key;
    uint64_t order; /* of insertion */
    size_t at;      /* 1 + index in the heap; 0: in none */
};

struct heap {
    struct heap_node **nodes;
    size_t count;
    size_t capacity;
    uint64_t next_order;
};

#ifdef __cplusplus
extern "C" {
#endif

void heap_init(struct heap *heap);
void heap_deinit(struct heap *heap); /* the nodes are not touched */

static inline void heap_node_init(struct heap_node *node)
{
    *node = (struct heap_node){0, 0, 0};
}

static inline bool heap_node_is_linked(const struct heap_node *node)
{
    return node->at != 0;
}

void heap_insert(struct heap *heap, struct heap_node *node, int64_t key);
void heap_remove(struct heap *heap, struct heap_node *node);
void heap_update(struct heap *heap, struct heap_node *node, int64_t key); /* as remove, insert */

/* The one with the smallest key, or NULL. */
static inline struct heap_node *heap_peek(const struct heap *heap)
{
    return heap->count == 0 ? NULL : heap->nodes[0];
}

static inline size_t heap_count(const struct heap *heap)
{
    return heap->count;
}

#ifdef __cplusplus
}
#endif

#endif

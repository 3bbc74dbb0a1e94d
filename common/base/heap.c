/* heap.c -- see heap.h. */
#include "base/heap.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"

enum { HEAP_FIRST_CAPACITY = 64 };

void heap_init(struct heap *heap)
{
    *heap = (struct heap){0};
}

void heap_deinit(struct heap *heap)
{
    free(heap->nodes);
    heap_init(heap);
}

static bool before(const struct heap_node *a, const struct heap_node *b)
{
    return a->key != b->key ? a->key < b->key : a->order < b->order;
}

static void place(struct heap *heap, size_t index, struct heap_node *node)
{
    heap->nodes[index] = node;
    node->at = index + 1;
}

static void sift_up(struct heap *heap, size_t index)
{
    struct heap_node *node = heap->nodes[index];
    while (index > 0 && before(node, heap->nodes[(index - 1) / 2])) {
        place(heap, index, heap->nodes[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    place(heap, index, node);
}

static void sift_down(struct heap *heap, size_t index)
{
    struct heap_node *node = heap->nodes[index];
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count && before(heap->nodes[child + 1], heap->nodes[child])) {
            child++;
        }
        if (!before(heap->nodes[child], node)) {
            break;
        }
        place(heap, index, heap->nodes[child]);
        index = child;
    }
    place(heap, index, node);
}

void heap_insert(struct heap *heap, struct heap_node *node, int64_t key)
{
    tercet_assert(!heap_node_is_linked(node));
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity == 0 ? HEAP_FIRST_CAPACITY : 2 * heap->capacity;
        heap->nodes = xrealloc(heap->nodes, heap->capacity * sizeof heap->nodes[0]);
    }
    node->key = key;
    node->order = heap->next_order;
    heap->next_order++;
    place(heap, heap->count, node);
    heap->count++;
    sift_up(heap, heap->count - 1);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    tercet_assert(heap_node_is_linked(node) && heap->nodes[node->at - 1] == node);
    const size_t index = node->at - 1;
    heap->count--;
    struct heap_node *last = heap->nodes[heap->count];
    node->at = 0;
    if (last != node) {
        place(heap, index, last);
        sift_up(heap, index);
        sift_down(heap, last->at - 1);
    }
}

void heap_update(struct heap *heap, struct heap_node *node, int64_t key)
{
    heap_remove(heap, node);
    heap_insert(heap, node, key);
}

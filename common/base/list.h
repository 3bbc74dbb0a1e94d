/* list.h -- an intrusive, circular, doubly linked list.
 *
 * A node that stands in no list points at itself, so that it may be removed twice and asked whether
 * it is linked.  A list's head is a node too. */
#ifndef COMMON_BASE_LIST_H
#define COMMON_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"

struct list_node {
    struct list_node *next;
    struct list_node *prev;
};

/* The struct of `type` whose `member` is *pointer. */
#define container_of(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(uintptr_t)(const void *)(pointer)-offsetof(type, member)))

static inline void list_init(struct list_node *node)
{
    node->next = node;
    node->prev = node;
}

static inline bool list_is_linked(const struct list_node *node)
{
    return node->next != node;
}

static inline bool list_is_empty(const struct list_node *list)
{
    return list->next == list;
}

/* Puts `node`, which stands in no list, behind `at`. */
static inline void list_insert_after(struct list_node *at, struct list_node *node)
{
    node->prev = at;
    node->next = at->next;
    at->next->prev = node;
    at->next = node;
}

static inline void list_push_back(struct list_node *list, struct list_node *node)
{
    list_insert_after(list->prev, node);
}

static inline void list_push_front(struct list_node *list, struct list_node *node)
{
    list_insert_after(list, node);
}

static inline void list_remove(struct list_node *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* Takes the first node out; the list must not be empty. */
static inline struct list_node *list_pop_front(struct list_node *list)
{
    struct list_node *node = list->next;
    tercet_assert(node != list);
    list->next = node->next;
    node->next->prev = list;
    list_init(node);
    return node;
}

/* Moves all nodes of `from` behind those of `to`. */
static inline void list_append_all(struct list_node *to, struct list_node *from)
{
    if (!list_is_empty(from)) {
        from->next->prev = to->prev;
        to->prev->next = from->next;
        from->prev->next = to;
        to->prev = from->prev;
        list_init(from);
    }
}

#endif

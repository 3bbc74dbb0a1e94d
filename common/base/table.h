/* table.h -- an intrusive hash table: the nodes, and the keys that they point at, are the caller's.
 *
 * Chained, doubling when it is as full as it is wide.  The seed makes the order of iteration and the
 * cost of hostile keys unpredictable, or, under a test, repeatable. */
#ifndef COMMON_BASE_TABLE_H
#define COMMON_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_node {
    struct table_node *next;
    union {
        const void *key; /* borrowed while the node is in the table */
        uint64_t number; /* the key itself, where key_size is 0 */
    } u;
    uint32_t hash;
    uint32_t key_size;
};

struct table {
    struct table_node **slots;
    size_t slot_count; /* a power of two */
    size_t count;
    uint64_t seed;
};

#ifdef __cplusplus
extern "C" {
#endif

void table_init(struct table *table, uint64_t seed);
void table_deinit(struct table *table); /* the nodes are not touched */

/* The key must not be in the table. */
void table_insert(struct table *table, struct table_node *node, const void *key, size_t key_size);
void table_insert_u64(struct table *table, struct table_node *node, uint64_t key);

struct table_node *table_find(const struct table *table, const void *key, size_t key_size);
struct table_node *table_find_u64(const struct table *table, uint64_t key);

/* The node must be in the table. */
void table_remove(struct table *table, struct table_node *node);

static inline size_t table_count(const struct table *table)
{
    return table->count;
}

/* Iteration, in no order; the table must not change meanwhile, except that the node just told may be
 * removed if the next one was taken before. */
struct table_node *table_first(const struct table *table);
struct table_node *table_next(const struct table *table, const struct table_node *node);

#ifdef __cplusplus
}
#endif

#endif

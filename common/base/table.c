/* table.c -- see table.h. */
#include "base/table.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/assert.h"
#include "base/memory.h"

enum { TABLE_FIRST_SLOTS = 64 };

void table_init(struct table *table, uint64_t seed)
{
    *table = (struct table){.slot_count = TABLE_FIRST_SLOTS, .seed = seed};
    table->slots = xcalloc(TABLE_FIRST_SLOTS, sizeof table->slots[0]);
}

void table_deinit(struct table *table)
{
    free(table->slots);
    *table = (struct table){0};
}

static struct table_node **slot_of(const struct table *table, uint32_t hash)
{
    return &table->slots[hash & (table->slot_count - 1)];
}

static void grow(struct table *table)
{
    struct table old = *table;
    tercet_assert(old.slot_count <= UINT32_MAX / 2); /* a hash has 32 bits */
    table->slot_count = 2 * old.slot_count;
    table->slots = xcalloc(table->slot_count, sizeof table->slots[0]);
    for (size_t i = 0; i < old.slot_count; i++) {
        struct table_node *node = old.slots[i];
        while (node != NULL) {
            struct table_node *next = node->next;
            struct table_node **slot = slot_of(table, node->hash);
            node->next = *slot;
            *slot = node;
            node = next;
        }
    }
    free(old.slots);
}

/* The node's key, wherever it stands. */
static bool has_key(const struct table_node *node, const void *key, size_t key_size)
{
    if (node->key_size == 0) {
        return key_size == sizeof node->u.number && memcmp(&node->u.number, key, key_size) == 0;
    }
    return node->key_size == key_size && memcmp(node->u.key, key, key_size) == 0;
}

static uint32_t hash_of(const struct table *table, const void *key, size_t key_size)
{
    return (uint32_t)XXH3_64bits_withSeed(key, key_size, table->seed);
}

static struct table_node *find(const struct table *table, uint32_t hash, const void *key,
                               size_t key_size)
{
    struct table_node *node = *slot_of(table, hash);
    while (node != NULL && (node->hash != hash || !has_key(node, key, key_size))) {
        node = node->next;
    }
    return node;
}

struct table_node *table_find(const struct table *table, const void *key, size_t key_size)
{
    return find(table, hash_of(table, key, key_size), key, key_size);
}

struct table_node *table_find_u64(const struct table *table, uint64_t key)
{
    return table_find(table, &key, sizeof key);
}

/* The node has its key. */
static void link_node(struct table *table, struct table_node *node, const void *key,
                      size_t key_size)
{
    const uint32_t hash = hash_of(table, key, key_size);
    tercet_assert(find(table, hash, key, key_size) == NULL);
    if (table->count == table->slot_count) {
        grow(table);
    }
    struct table_node **slot = slot_of(table, hash);
    node->hash = hash;
    node->next = *slot;
    *slot = node;
    table->count++;
}

void table_insert(struct table *table, struct table_node *node, const void *key, size_t key_size)
{
    tercet_assert(key_size > 0 && key_size <= UINT32_MAX);
    node->u.key = key;
    node->key_size = (uint32_t)key_size;
    link_node(table, node, key, key_size);
}

void table_insert_u64(struct table *table, struct table_node *node, uint64_t key)
{
    node->u.number = key;
    node->key_size = 0;
    link_node(table, node, &key, sizeof key);
}

void table_remove(struct table *table, struct table_node *node)
{
    struct table_node **at = slot_of(table, node->hash);
    while (*at != NULL && *at != node) {
        at = &(*at)->next;
    }
    tercet_assert(*at == node);
    *at = node->next;
    node->next = NULL;
    table->count--;
}

static struct table_node *first_from(const struct table *table, size_t slot)
{
    for (size_t i = slot; i < table->slot_count; i++) {
        if (table->slots[i] != NULL) {
            return table->slots[i];
        }
    }
    return NULL;
}

struct table_node *table_first(const struct table *table)
{
    return table->count == 0 ? NULL : first_from(table, 0);
}

struct table_node *table_next(const struct table *table, const struct table_node *node)
{
    if (node->next != NULL) {
        return node->next;
    }
    return first_from(table, (node->hash & (table->slot_count - 1)) + 1);
}

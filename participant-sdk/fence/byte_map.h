/* byte_map.h -- an ordered map from bytes to bytes: a sorted array of entries.
 *
 * Small on purpose: it holds the writes of one local transaction, or the whole of a store for tests.
 * Finding takes the logarithm of its size; putting one entry in or out moves the pointers behind it,
 * merging many of them moves all pointers once.
 *
 * Entries are made by byte_map_entry_create() and owned by their map; or they live elsewhere, and the map
 * is emptied by byte_map_forget().  Not both in one map. */
#ifndef TERCET_FENCE_BYTE_MAP_H
#define TERCET_FENCE_BYTE_MAP_H

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

/* A zero byte follows key and value, not counted. */
struct byte_map_entry {
    size_t key_size;
    size_t value_size;
    bool removed; /* says that the key is not there, to whoever reads through a map above another */
    uint8_t bytes[];
};

struct byte_map {
    struct byte_map_entry **entries; /* by key, rising */
    size_t count;
    size_t capacity;
    struct byte_map_entry **spare; /* merging takes turns between two arrays */
    size_t spare_capacity;
};

/* `value` NULL: removed. */
struct byte_map_entry *byte_map_entry_create(struct tercet_bytes key,
                                             const struct tercet_bytes *value);

/* The same in the caller's memory, of as many bytes and aligned for anything. */
size_t byte_map_entry_size(struct tercet_bytes key, const struct tercet_bytes *value);
struct byte_map_entry *byte_map_entry_init(void *memory, struct tercet_bytes key,
                                           const struct tercet_bytes *value);

struct tercet_bytes byte_map_key(const struct byte_map_entry *entry);
struct tercet_bytes byte_map_value(const struct byte_map_entry *entry);

/* As memcmp; a prefix comes first. */
int byte_map_compare(struct tercet_bytes a, struct tercet_bytes b);

/* NULL when there is none. */
const struct byte_map_entry *byte_map_find(const struct byte_map *map, struct tercet_bytes key);

/* Index of the first entry at `key` or above it. */
size_t byte_map_lower_bound(const struct byte_map *map, struct tercet_bytes key);

/* Takes ownership of `entry`, which stands for `key` from now on (NULL: nothing does).  Returns what
 * stood there, now the caller's to free; NULL when there was nothing. */
struct byte_map_entry *byte_map_exchange(struct byte_map *map, struct tercet_bytes key,
                                         struct byte_map_entry *entry);

/* Each of `changes` stands for its key from now on, or nothing does when it is `removed`.  They are
 * copied. */
void byte_map_merge(struct byte_map *map, const struct byte_map *changes);

/* The map is empty, and may be used again; its entries are not touched. */
void byte_map_forget(struct byte_map *map);

/* Frees all entries; the map is then empty and may be used again. */
void byte_map_clear(struct byte_map *map);
void byte_map_deinit(struct byte_map *map);

TERCET_END_DECLS

#endif

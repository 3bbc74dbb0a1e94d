/* byte_map.c -- see byte_map.h. */
#include "fence/byte_map.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"

size_t byte_map_entry_size(struct tercet_bytes key, const struct tercet_bytes *value)
{
    return sizeof(struct byte_map_entry) + key.size + (value == NULL ? 0 : value->size) + 2;
}

struct byte_map_entry *byte_map_entry_init(void *memory, struct tercet_bytes key,
                                           const struct tercet_bytes *value)
{
    struct byte_map_entry *entry = memory;
    const size_t value_size = value == NULL ? 0 : value->size;
    entry->key_size = key.size;
    entry->value_size = value_size;
    entry->removed = value == NULL;
    if (key.size > 0) {
        memcpy(entry->bytes, key.data, key.size);
    }
    entry->bytes[key.size] = 0;
    if (value_size > 0) {
        memcpy(entry->bytes + key.size + 1, value->data, value_size);
    }
    entry->bytes[key.size + 1 + value_size] = 0;
    return entry;
}

struct byte_map_entry *byte_map_entry_create(struct tercet_bytes key,
                                             const struct tercet_bytes *value)
{
    return byte_map_entry_init(xmalloc(byte_map_entry_size(key, value)), key, value);
}

struct tercet_bytes byte_map_key(const struct byte_map_entry *entry)
{
    return tercet_bytes_of(entry->bytes, entry->key_size);
}

struct tercet_bytes byte_map_value(const struct byte_map_entry *entry)
{
    return tercet_bytes_of(entry->bytes + entry->key_size + 1, entry->value_size);
}

int byte_map_compare(struct tercet_bytes a, struct tercet_bytes b)
{
    const size_t common = a.size < b.size ? a.size : b.size;
    const int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order != 0 || a.size == b.size) {
        return order;
    }
    return a.size < b.size ? -1 : 1;
}

/* Index of the first entry in [low, high) at `key` or above it; `high` when all are below. */
static size_t search(const struct byte_map *map, size_t low, size_t high, struct tercet_bytes key)
{
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (byte_map_compare(byte_map_key(map->entries[middle]), key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t byte_map_lower_bound(const struct byte_map *map, struct tercet_bytes key)
{
    return search(map, 0, map->count, key);
}

static bool is_at(const struct byte_map *map, size_t index, struct tercet_bytes key)
{
    return index < map->count && byte_map_compare(byte_map_key(map->entries[index]), key) == 0;
}

const struct byte_map_entry *byte_map_find(const struct byte_map *map, struct tercet_bytes key)
{
    const size_t index = byte_map_lower_bound(map, key);
    return is_at(map, index, key) ? map->entries[index] : NULL;
}

static void insert_at(struct byte_map *map, size_t index, struct byte_map_entry *entry)
{
    if (map->count == map->capacity) {
        map->capacity = map->capacity == 0 ? 16 : map->capacity * 2;
        map->entries = xrealloc(map->entries, map->capacity * sizeof(struct byte_map_entry *));
    }
    memmove(map->entries + index + 1, map->entries + index,
            (map->count - index) * sizeof(struct byte_map_entry *));
    map->entries[index] = entry;
    map->count++;
}

static void remove_at(struct byte_map *map, size_t index)
{
    map->count--;
    memmove(map->entries + index, map->entries + index + 1,
            (map->count - index) * sizeof(struct byte_map_entry *));
}

struct byte_map_entry *byte_map_exchange(struct byte_map *map, struct tercet_bytes key,
                                         struct byte_map_entry *entry)
{
    const size_t index = byte_map_lower_bound(map, key);
    struct byte_map_entry *before = is_at(map, index, key) ? map->entries[index] : NULL;

    tercet_assert(entry == NULL || byte_map_compare(byte_map_key(entry), key) == 0);
    if (before != NULL && entry != NULL) {
        map->entries[index] = entry;
    } else if (before != NULL) {
        remove_at(map, index);
    } else if (entry != NULL) {
        insert_at(map, index, entry);
    }
    return before;
}

/* As byte_map_lower_bound(), of a key that is at `from` or above it, and probably near. */
static size_t search_near(const struct byte_map *map, size_t from, struct tercet_bytes key)
{
    size_t low = from;
    size_t high = from;
    for (size_t step = 1;
         high < map->count && byte_map_compare(byte_map_key(map->entries[high]), key) < 0;
         step *= 2) {
        low = high + 1;
        high += step;
    }
    return search(map, low, high < map->count ? high : map->count, key);
}

/* Those of `source` in [from, end). */
static void append(struct byte_map *map, const struct byte_map *source, size_t from, size_t end)
{
    if (from < end) {
        memcpy(map->entries + map->count, source->entries + from,
               (end - from) * sizeof(struct byte_map_entry *));
        map->count += end - from;
    }
}

/* Room for `capacity` entries in the array that is not in use. */
static void make_spare(struct byte_map *map, size_t capacity)
{
    if (map->spare_capacity < capacity) {
        free(map->spare);
        map->spare_capacity = 2 * capacity;
        map->spare = xmalloc(map->spare_capacity * sizeof(struct byte_map_entry *));
    }
}

/* What stands for a key after `change`, where `before` has stood, or NULL.  A value that is as long as the
 * one before takes its place. */
static struct byte_map_entry *merge_entry(struct byte_map_entry *before,
                                          const struct byte_map_entry *change)
{
    const struct tercet_bytes value = byte_map_value(change);
    if (before != NULL && before->value_size == value.size) {
        return byte_map_entry_init(before, byte_map_key(change), &value);
    }
    free(before);
    return byte_map_entry_create(byte_map_key(change), &value);
}

void byte_map_merge(struct byte_map *map, const struct byte_map *changes)
{
    make_spare(map, map->count + changes->count);
    struct byte_map merged = {.entries = map->spare,
                              .capacity = map->spare_capacity,
                              .spare = map->entries,
                              .spare_capacity = map->capacity};
    size_t from = 0;

    for (size_t i = 0; i < changes->count; i++) {
        const struct byte_map_entry *change = changes->entries[i];
        const struct tercet_bytes key = byte_map_key(change);
        const size_t at = search_near(map, from, key);
        const bool there = is_at(map, at, key);
        struct byte_map_entry *before = there ? map->entries[at] : NULL;
        append(&merged, map, from, at);
        from = there ? at + 1 : at;
        if (change->removed) {
            free(before);
        } else {
            merged.entries[merged.count++] = merge_entry(before, change);
        }
    }
    append(&merged, map, from, map->count);
    *map = merged;
}

void byte_map_forget(struct byte_map *map)
{
    map->count = 0;
}

void byte_map_clear(struct byte_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        free(map->entries[i]);
    }
    byte_map_forget(map);
}

void byte_map_deinit(struct byte_map *map)
{
    byte_map_clear(map);
    free(map->entries);
    free(map->spare);
    *map = (struct byte_map){0};
}

/* directory.c -- a small array, searched by name: a thousand participants at most, and names are
 * looked up once a branch. */
#include "engine/directory.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"

void directory_init(struct directory *directory)
{
    *directory = (struct directory){0};
}

void directory_deinit(struct directory *directory)
{
    for (uint32_t i = 0; i < directory->count; i++) {
        for (uint32_t j = 0; j < directory->entries[i].target_count; j++) {
            free(directory->entries[i].targets[j]);
        }
    }
    free(directory->entries);
    *directory = (struct directory){0};
}

bool directory_is_name(const char *name, size_t name_bytes)
{
    if (name_bytes == 0 || name_bytes > TERCET_NAME_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < name_bytes; i++) {
        char c = name[i];
        bool fits = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '.' || c == '-';
        if (!fits) {
            return false;
        }
    }
    return true;
}

static struct directory_entry *append(struct directory *directory)
{
    directory->entries =
        xrealloc(directory->entries, (directory->count + 1) * sizeof directory->entries[0]);
    struct directory_entry *entry = &directory->entries[directory->count];
    directory->count++;
    *entry = (struct directory_entry){0};
    return entry;
}

enum tercet_status directory_add(struct directory *directory, const struct directory_entry *entry)
{
    size_t name_bytes = strnlen(entry->name, sizeof entry->name);
    if (!directory_is_name(entry->name, name_bytes) ||
        directory_seat_count(entry) > DIRECTORY_SEAT_COUNT_MAX) {
        return TERCET_INVALID_ARGUMENT;
    }
    if (directory_find(directory, entry->name, name_bytes) != UINT32_MAX) {
        return TERCET_ALREADY_EXISTS;
    }
    if (directory->count == DIRECTORY_PARTICIPANT_COUNT_MAX) {
        return TERCET_RESOURCE_EXHAUSTED;
    }
    struct directory_entry *added = append(directory);
    *added = *entry;
    for (uint32_t i = 0; i < entry->target_count; i++) {
        added->targets[i] = xstrdup(entry->targets[i]);
    }
    return TERCET_OK;
}

uint32_t directory_find(const struct directory *directory, const char *name, size_t name_bytes)
{
    for (uint32_t i = 0; i < directory->count; i++) {
        const char *other = directory->entries[i].name;
        if (strlen(other) == name_bytes && memcmp(other, name, name_bytes) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

uint32_t directory_intern(struct directory *directory, const char *name)
{
    size_t name_bytes = strlen(name);
    tercet_assert(directory_is_name(name, name_bytes));
    uint32_t index = directory_find(directory, name, name_bytes);
    if (index == UINT32_MAX) {
        index = directory->count;
        memcpy(append(directory)->name, name, name_bytes + 1);
    }
    return index;
}

uint32_t directory_seat_count(const struct directory_entry *entry)
{
    return entry->target_count * (entry->connections == 0 ? 1 : entry->connections);
}

const char *directory_seat_target(const struct directory_entry *entry, uint32_t seat)
{
    tercet_assert(seat < directory_seat_count(entry));
    return entry->targets[seat % entry->target_count];
}

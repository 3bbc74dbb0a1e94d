/* directory.h -- the participants by name and by number.
 *
 * Everything inside the coordinator speaks of a participant by its index here; only the wire and
 * the journal know names.  Configured participants come first and never change while the process
 * lives.  A journal may name others, removed from the configuration while they had open branches:
 * recovery adds these behind them, not configured, so that nothing is lost (they wait, with
 * attention, until the name is configured again).
 *
 * Thread: filled by one thread before any other starts; only read after that. */
#ifndef COORDINATOR_ENGINE_DIRECTORY_H
#define COORDINATOR_ENGINE_DIRECTORY_H

#include "tercet/tercet.h"

enum { DIRECTORY_PARTICIPANT_COUNT_MAX = 1024 };

struct directory_entry {
    char name[TERCET_NAME_BYTES_MAX + 1];
    char *target;                  /* "host:port" or "unix:/path"; owned; NULL: not configured */
    uint32_t call_timeout_ms;      /* of one call to it, unless the branch says otherwise */
    uint32_t window;               /* calls in flight to it at a time */
    uint32_t open_transaction_max; /* its share: transactions that name it and have not ended */
};

struct directory {
    struct directory_entry *entries;
    uint32_t count;
};

void directory_init(struct directory *directory);
void directory_deinit(struct directory *directory);

/* Adds a participant.  ALREADY_EXISTS (its name is taken), RESOURCE_EXHAUSTED (count_max),
 * INVALID_ARGUMENT (not a name).  `entry->target` is copied. */
TERCET_MUST_CHECK enum tercet_status directory_add(struct directory *directory,
                                                   const struct directory_entry *entry);

/* The index of `name` (not necessarily NUL-terminated), or UINT32_MAX. */
uint32_t directory_find(const struct directory *directory, const char *name, size_t name_bytes);

/* The index of `name`, added as not configured when it is missing.  For recovery. */
uint32_t directory_intern(struct directory *directory, const char *name);

/* 1 to TERCET_NAME_BYTES_MAX of A-Z a-z 0-9 _ . - */
bool directory_is_name(const char *name, size_t name_bytes);

#endif

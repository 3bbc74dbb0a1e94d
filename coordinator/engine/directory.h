/* directory.h -- the participants by name and by number.
 *
 * Everything inside the coordinator speaks of a participant by its index here; only the wire and
 * the journal know names.  Configured participants come first and never change while the process
 * lives.  A journal may name others, removed from the configuration while they had open branches:
 * recovery adds these behind them, not configured, so that nothing is lost (they wait, with
 * attention, until the name is configured again).
 *
 * A participant may have several instances, each at an address of its own, all over the same
 * database; and several connections to each.  A *seat* is one connection to one instance.  Seats are
 * numbered so that neighbours lead to different instances.
 *
 * Thread: filled by one thread before any other starts; only read after that. */
#ifndef COORDINATOR_ENGINE_DIRECTORY_H
#define COORDINATOR_ENGINE_DIRECTORY_H

#include "tercet/tercet.h"

enum {
    DIRECTORY_PARTICIPANT_COUNT_MAX = 1024,
    DIRECTORY_CONNECTION_COUNT_MAX = 8, /* to one instance */
    DIRECTORY_SEAT_COUNT_MAX = 16       /* of one participant */
};

struct directory_entry {
    char name[TERCET_NAME_BYTES_MAX + 1];
    char *targets[DIRECTORY_SEAT_COUNT_MAX]; /* "host:port" or "unix:/path"; owned */
    uint32_t target_count;                   /* instances; 0: not configured */
    uint32_t connections;                    /* to each; 0: one */
    uint32_t call_timeout_ms;      /* of one call to it, unless the branch says otherwise */
    uint32_t window;               /* calls in flight to it at a time */
    uint32_t open_transaction_max; /* its share: branches of it that have not ended */
};

struct directory {
    struct directory_entry *entries;
    uint32_t count;
};

void directory_init(struct directory *directory);
void directory_deinit(struct directory *directory);

/* Adds a participant.  ALREADY_EXISTS (its name is taken), RESOURCE_EXHAUSTED (count_max),
 * INVALID_ARGUMENT (not a name, too many seats).  The targets are copied. */
TERCET_MUST_CHECK enum tercet_status directory_add(struct directory *directory,
                                                   const struct directory_entry *entry);

/* The index of `name` (not necessarily NUL-terminated), or UINT32_MAX. */
uint32_t directory_find(const struct directory *directory, const char *name, size_t name_bytes);

/* The index of `name`, added as not configured when it is missing.  For recovery. */
uint32_t directory_intern(struct directory *directory, const char *name);

/* How many seats it has; 0: it is not configured. */
uint32_t directory_seat_count(const struct directory_entry *entry);

/* Where a seat leads. */
const char *directory_seat_target(const struct directory_entry *entry, uint32_t seat);

/* 1 to TERCET_NAME_BYTES_MAX of A-Z a-z 0-9 _ . - */
bool directory_is_name(const char *name, size_t name_bytes);

#endif

/* pending.h -- effects in the order in which they were made, each behind the records before it.
 *
 * An effect may leave when the write with its LSN is durable (invariant I6: nothing is said that could
 * be forgotten).  The loop's thread. */
#ifndef COORDINATOR_PENDING_H
#define COORDINATOR_PENDING_H

#include "engine/effect.h"

struct pending {
    struct list_node items; /* by LSN */
};

void pending_init(struct pending *pending);

/* Releases what still waits. */
void pending_deinit(struct pending *pending);

/* `lsn` is not below that of the last one.  The effect is the queue's now. */
void pending_add(struct pending *pending, const struct effect *effect, int64_t lsn);

/* The first one, if it waits for nothing any more; the caller's now. */
bool pending_take(struct pending *pending, int64_t durable_lsn, struct effect *effect_out);

bool pending_is_empty(const struct pending *pending);

#endif

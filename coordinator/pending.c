/* pending.c -- see pending.h. */
#include "pending.h"

#include <stdlib.h>

#include "base/memory.h"

struct item {
    struct list_node link;
    int64_t lsn;
    struct effect effect;
};

void pending_init(struct pending *pending)
{
    list_init(&pending->items);
}

void pending_deinit(struct pending *pending)
{
    struct effect effect;
    while (pending_take(pending, INT64_MAX, &effect)) {
        effect_release(&effect);
    }
}

void pending_add(struct pending *pending, const struct effect *effect, int64_t lsn)
{
    struct item *item = xcalloc(1, sizeof *item);
    item->lsn = lsn;
    item->effect = *effect;
    list_push_back(&pending->items, &item->link);
}

bool pending_take(struct pending *pending, int64_t durable_lsn, struct effect *effect_out)
{
    if (list_is_empty(&pending->items)) {
        return false;
    }
    struct item *item = container_of(pending->items.next, struct item, link);
    if (item->lsn > durable_lsn) {
        return false;
    }
    (void)list_pop_front(&pending->items);
    *effect_out = item->effect;
    free(item);
    return true;
}

bool pending_is_empty(const struct pending *pending)
{
    return list_is_empty(&pending->items);
}

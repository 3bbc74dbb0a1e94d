/* slot.c -- see slot.h. */
#include "dispatch/slot.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"
#include "engine/directory.h"

enum { SWEEP_FIRST = 1024 };

static_assert(sizeof(struct slot) <= SLOT_BYTES_MAX, "a million branches may wait");
static_assert(DIRECTORY_SEAT_COUNT_MAX <= UINT8_MAX, "sent_by");

struct slot *slot_create(struct branch *branch)
{
    tercet_assert(branch->slot == NULL);
    struct slot *slot = xcalloc(1, sizeof *slot);
    slot->branch = branch;
    branch->slot = slot;
    list_init(&slot->link);
    heap_node_init(&slot->due);
    return slot;
}

void slot_destroy(struct slot *slot)
{
    tercet_assert(slot->place == SLOT_NOWHERE && slot->in_flight == 0);
    tercet_assert(!heap_node_is_linked(&slot->due));
    list_remove(&slot->link);
    slot->branch->slot = NULL;
    branch_unref(slot->branch);
    free(slot);
}

bool slot_is_wanted(const struct slot *slot)
{
    return slot->branch->txn != NULL && slot->branch->asked == slot->phase;
}

void slot_queue_init(struct slot_queue *queue)
{
    list_init(&queue->slots);
    queue->count = 0;
    queue->sweep_at = SWEEP_FIRST;
}

void slot_queue_push(struct slot_queue *queue, struct slot *slot)
{
    tercet_assert(slot->place == SLOT_NOWHERE);
    slot->place = SLOT_QUEUED;
    list_remove(&slot->link);
    list_push_back(&queue->slots, &slot->link);
    queue->count++;
}

void slot_queue_push_front(struct slot_queue *queue, struct slot *slot)
{
    tercet_assert(slot->place == SLOT_NOWHERE);
    slot->place = SLOT_QUEUED;
    list_remove(&slot->link);
    list_push_front(&queue->slots, &slot->link);
    queue->count++;
}

void slot_queue_remove(struct slot_queue *queue, struct slot *slot)
{
    tercet_assert(slot->place == SLOT_QUEUED && queue->count > 0);
    slot->place = SLOT_NOWHERE;
    list_remove(&slot->link);
    queue->count--;
}

struct slot *slot_queue_first(const struct slot_queue *queue)
{
    return list_is_empty(&queue->slots) ? NULL : container_of(queue->slots.next, struct slot, link);
}

void slot_queue_sweep(struct slot_queue *queue, struct list_node *dropped)
{
    if (queue->count < queue->sweep_at) {
        return;
    }
    struct list_node *node = queue->slots.next;
    while (node != &queue->slots) {
        struct slot *slot = container_of(node, struct slot, link);
        node = node->next;
        if (!slot_is_wanted(slot)) {
            slot_queue_remove(queue, slot);
            list_push_back(dropped, &slot->link);
        }
    }
    queue->sweep_at = queue->count < SWEEP_FIRST / 2 ? SWEEP_FIRST : 2 * queue->count;
}

/* marks.c -- see marks.h. */
#include "src/marks.h"

#include "base/assert.h"

void marks_read(const Tercet__V1__Mark *message, struct tercet_mark *mark_out)
{
    tercet_assert(message->n_open <= TERCET_MARK_OPEN_MAX);
    mark_out->as_of_incarnation = message->as_of_incarnation;
    mark_out->as_of_lsn = message->as_of_lsn;
    mark_out->low.incarnation = message->low->incarnation;
    mark_out->low.number = message->low->number;
    mark_out->open_count = (uint32_t)message->n_open;
    for (size_t i = 0; i < message->n_open; i++) {
        mark_out->open[i].incarnation = message->open[i]->incarnation;
        mark_out->open[i].number = message->open[i]->number;
    }
}

/* The origin's entry, or one for it; NULL: all are in a worker's hands. */
static struct marks_entry *entry_of(struct marks *marks, const uint8_t *origin)
{
    struct marks_entry *oldest = NULL;

    for (size_t i = 0; i < MARKS_ORIGIN_COUNT_MAX; i++) {
        struct marks_entry *entry = &marks->entries[i];
        if (entry->used && memcmp(entry->caller.origin, origin, TERCET_ORIGIN_BYTES) == 0) {
            return entry;
        }
        if (!entry->taken && (oldest == NULL || entry->offered_ms < oldest->offered_ms)) {
            oldest = entry;
        }
    }
    if (oldest != NULL) {
        *oldest = (struct marks_entry){.used = false};
    }
    return oldest;
}

/* Whether the message says more than the entry knows; an older start of its coordinator never
 * does. */
static bool is_newer(const struct marks_entry *entry, const struct tercet_fence_caller *caller,
                     const Tercet__V1__Mark *message)
{
    if (!entry->used) {
        return true;
    }
    const int epochs = tercet_epoch_compare(caller->epoch, entry->caller.epoch);
    if (epochs != 0) {
        return epochs > 0;
    }
    return message->as_of_incarnation != entry->mark.as_of_incarnation
               ? message->as_of_incarnation > entry->mark.as_of_incarnation
               : message->as_of_lsn > entry->mark.as_of_lsn;
}

bool marks_offer(struct marks *marks, const struct tercet_fence_caller *caller,
                 const Tercet__V1__Mark *message, int64_t now_ms)
{
    struct marks_entry *entry = entry_of(marks, caller->origin);

    if (entry == NULL) {
        return false;
    }
    entry->offered_ms = now_ms;
    if (!is_newer(entry, caller, message)) {
        return false;
    }
    entry->used = true;
    entry->caller = *caller;
    marks_read(message, &entry->mark);
    if (entry->due) {
        entry->again = true;
        return false;
    }
    entry->due = true;
    return true;
}

struct marks_entry *marks_take(struct marks *marks, int64_t now_ms, int64_t *next_ms_out)
{
    int64_t next_ms = INT64_MAX;

    for (size_t i = 0; i < MARKS_ORIGIN_COUNT_MAX; i++) {
        struct marks_entry *entry = &marks->entries[i];
        if (!entry->due || entry->taken) {
            continue;
        }
        if (entry->not_before_ms <= now_ms) {
            entry->taken = true;
            return entry;
        }
        if (entry->not_before_ms < next_ms) {
            next_ms = entry->not_before_ms;
        }
    }
    *next_ms_out = next_ms;
    return NULL;
}

void marks_give_back(struct marks_entry *entry, struct tercet_branch_number next, bool finished,
                     int64_t now_ms)
{
    tercet_assert(entry->taken && entry->due);
    entry->taken = false;
    if (!finished) {
        entry->from = next;
        return;
    }
    entry->from = (struct tercet_branch_number){0};
    entry->not_before_ms = now_ms + MARKS_INTERVAL_MS;
    entry->due = entry->again;
    entry->again = false;
}

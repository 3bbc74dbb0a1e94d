/* seat.c -- see seat.h. */
#include "dispatch/seat.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"

void seats_init(struct seats *seats, uint32_t count, uint32_t window_max)
{
    *seats = (struct seats){.items = xcalloc(count + 1, sizeof seats->items[0]), .count = count};
    for (uint32_t i = 0; i < count; i++) {
        breaker_init(&seats->items[i].breaker, window_max);
    }
}

void seats_deinit(struct seats *seats)
{
    free(seats->items);
    *seats = (struct seats){0};
}

struct seat *seats_at(const struct seats *seats, uint32_t index)
{
    tercet_assert(index < seats->count);
    return &seats->items[index];
}

static uint32_t room_of(const struct seat *seat)
{
    return breaker_room(&seat->breaker, seat->in_flight);
}

uint32_t seats_room(const struct seats *seats)
{
    uint32_t room = 0;
    for (uint32_t i = 0; i < seats->count; i++) {
        room += room_of(&seats->items[i]);
    }
    return room;
}

static bool is_better(const struct seat *seat, const struct seat *than)
{
    if (seat->breaker.known != than->breaker.known) {
        return seat->breaker.known;
    }
    return seat->in_flight < than->in_flight;
}

uint32_t seats_take(struct seats *seats)
{
    uint32_t best = seats->count;
    uint32_t index = seats->next;
    for (uint32_t i = 0; i < seats->count; i++) {
        const struct seat *seat = &seats->items[index];
        if (room_of(seat) > 0 && (best == seats->count || is_better(seat, &seats->items[best]))) {
            best = index;
        }
        index = index + 1 == seats->count ? 0 : index + 1;
    }
    tercet_assert(best < seats->count);
    seats->items[best].in_flight++;
    seats->next = best + 1 == seats->count ? 0 : best + 1;
    return best;
}

enum circuit seats_circuit(const struct seats *seats)
{
    enum circuit best = CIRCUIT_OPEN;
    for (uint32_t i = 0; i < seats->count; i++) {
        const enum circuit state = seats->items[i].breaker.state;
        if (best == CIRCUIT_OPEN || state == CIRCUIT_CLOSED) {
            best = state;
        }
    }
    return best;
}

int64_t seats_wake_at_boot_ms(const struct seats *seats)
{
    int64_t first = INT64_MAX;
    for (uint32_t i = 0; i < seats->count; i++) {
        const int64_t wake_at = breaker_wake_at_boot_ms(&seats->items[i].breaker);
        first = wake_at < first ? wake_at : first;
    }
    return first;
}

/* orders.c -- a growing array of orders. */
#include <stdlib.h>

#include "base/memory.h"
#include "dispatch/lane.h"

enum { ORDERS_FIRST_CAPACITY = 64 };

void orders_init(struct orders *orders)
{
    *orders = (struct orders){0};
}

void orders_deinit(struct orders *orders)
{
    for (size_t i = 0; i < orders->count; i++) {
        branch_unref(orders->items[i].branch);
    }
    free(orders->items);
    orders_init(orders);
}

struct order *orders_add(struct orders *orders, enum order_kind kind, uint32_t participant)
{
    if (orders->count == orders->capacity) {
        orders->capacity = orders->capacity == 0 ? ORDERS_FIRST_CAPACITY : 2 * orders->capacity;
        orders->items = xrealloc(orders->items, orders->capacity * sizeof orders->items[0]);
    }
    struct order *order = &orders->items[orders->count];
    orders->count++;
    *order = (struct order){.kind = kind, .participant = participant};
    return order;
}

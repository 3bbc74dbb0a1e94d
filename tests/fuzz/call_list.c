/* call_list.c -- see call_list.h. */
#include "call_list.h"

#include <stdlib.h>

#include "base/assert.h"

void call_list_add(struct call_list *list, int64_t call)
{
    tercet_assert(list->count < CALL_LIST_MAX);
    list->calls[list->count++] = call;
}

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void call_list_judge_within(struct call_list *some, struct call_list *all)
{
    size_t at = 0;
    qsort(some->calls, some->count, sizeof some->calls[0], compare);
    qsort(all->calls, all->count, sizeof all->calls[0], compare);
    for (size_t i = 0; i < some->count; i++) {
        while (at < all->count && all->calls[at] < some->calls[i]) {
            at++;
        }
        tercet_assert(at < all->count && all->calls[at] == some->calls[i]);
        at++;
    }
}

/* call_list.h -- names of calls on a stream, some of them more than once. */
#ifndef TESTS_FUZZ_CALL_LIST_H
#define TESTS_FUZZ_CALL_LIST_H

#include <stddef.h>
#include <stdint.h>

enum { CALL_LIST_MAX = 12288 };

struct call_list {
    int64_t calls[CALL_LIST_MAX];
    size_t count;
};

void call_list_add(struct call_list *list, int64_t call);

/* Aborts unless each of `some` stands in `all` too, at least as often.  Sorts both. */
void call_list_judge_within(struct call_list *some, struct call_list *all);

#endif

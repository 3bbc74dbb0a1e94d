/* memory_pairs.h -- the pairs of a journal in memory.  For journal_memory.c alone. */
#ifndef COORDINATOR_JOURNAL_MEMORY_PAIRS_H
#define COORDINATOR_JOURNAL_MEMORY_PAIRS_H

#include "base/table.h"
#include "journal/batch_read.h"

struct pair {
    struct table_node node;
    struct tercet_bytes key; /* both behind this struct */
    struct tercet_bytes value;
};

struct pair *pairs_find(const struct table *pairs, struct tercet_bytes key); /* or NULL */

/* Does to the pairs what the batch says. */
void pairs_apply(struct table *pairs, const struct journal_batch *batch);

/* All pairs whose key begins with `prefix`; to be freed. */
struct pair **pairs_with(const struct table *pairs, const char *prefix, size_t *count_out);

/* The same, in the order of keys. */
struct pair **pairs_sorted(const struct table *pairs, const char *prefix, size_t *count_out);

/* Are there so many, of this digest?  DATA_LOSS. */
TERCET_MUST_CHECK enum tercet_status pairs_check(const struct table *pairs, int64_t count,
                                                 struct digest128 digest,
                                                 struct tercet_error *error_out);

/* Removes and frees all of them. */
void pairs_clear(struct table *pairs);

#endif

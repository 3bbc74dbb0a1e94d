/* memory_pairs.c -- see memory_pairs.h. */
#include "journal/memory_pairs.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/list.h"
#include "base/memory.h"

struct pair *pairs_find(const struct table *pairs, struct tercet_bytes key)
{
    struct table_node *node = table_find(pairs, key.data, key.size);
    return node == NULL ? NULL : container_of(node, struct pair, node);
}

static void remove_pair(struct table *pairs, struct pair *pair)
{
    table_remove(pairs, &pair->node);
    free(pair);
}

static void put_pair(struct table *pairs, const struct batch_operation *operation)
{
    struct pair *pair = xcalloc(1, sizeof *pair + operation->key.size + operation->value.size + 1);
    char *behind = (char *)(pair + 1);
    memcpy(behind, operation->key.data, operation->key.size);
    pair->key = tercet_bytes_of(behind, operation->key.size);
    behind += operation->key.size;
    if (operation->value.size > 0) {
        memcpy(behind, operation->value.data, operation->value.size);
    }
    pair->value = tercet_bytes_of(behind, operation->value.size);
    table_insert(pairs, &pair->node, pair->key.data, pair->key.size);
}

void pairs_apply(struct table *pairs, const struct journal_batch *batch)
{
    struct batch_reader reader = {batch, 0};
    struct batch_operation operation;
    while (batch_reader_next(&reader, &operation)) {
        struct pair *old = pairs_find(pairs, operation.key);
        if (old != NULL) {
            remove_pair(pairs, old);
        }
        if (operation.kind == BATCH_PUT) {
            put_pair(pairs, &operation);
        }
    }
}

static int compare_pairs(const void *left, const void *right)
{
    const struct pair *const *a = left;
    const struct pair *const *b = right;
    return bytes_compare((*a)->key, (*b)->key);
}

struct pair **pairs_with(const struct table *pairs, const char *prefix, size_t *count_out)
{
    const size_t prefix_size = strlen(prefix);
    struct pair **found = xmalloc((table_count(pairs) + 1) * sizeof(struct pair *));
    size_t count = 0;
    for (struct table_node *node = table_first(pairs); node != NULL;
         node = table_next(pairs, node)) {
        struct pair *pair = container_of(node, struct pair, node);
        if (pair->key.size >= prefix_size && memcmp(pair->key.data, prefix, prefix_size) == 0) {
            found[count] = pair;
            count++;
        }
    }
    *count_out = count;
    return found;
}

struct pair **pairs_sorted(const struct table *pairs, const char *prefix, size_t *count_out)
{
    struct pair **sorted = pairs_with(pairs, prefix, count_out);
    qsort(sorted, *count_out, sizeof *sorted, compare_pairs);
    return sorted;
}

enum tercet_status pairs_check(const struct table *pairs, int64_t count, struct digest128 digest,
                               struct tercet_error *error_out)
{
    struct digest128 found = {0};
    int64_t found_count = 0;
    for (struct table_node *node = table_first(pairs); node != NULL;
         node = table_next(pairs, node)) {
        const struct pair *pair = container_of(node, struct pair, node);
        found = digest128_add(found, digest128_of_pair(pair->key, pair->value));
        found_count++;
    }
    if (found_count != count || !digest128_equal(found, digest)) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "the journal does not add up: %" PRId64 " records are there, its head "
                         "counts %" PRId64 " of that digest",
                         found_count, count);
    }
    return TERCET_OK;
}

void pairs_clear(struct table *pairs)
{
    size_t count = 0;
    struct pair **all = pairs_with(pairs, "", &count);
    for (size_t i = 0; i < count; i++) {
        remove_pair(pairs, all[i]);
    }
    free(all);
}

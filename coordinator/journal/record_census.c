/* record_census.c -- see record_census.h.  Gids in a table, numbers in an array that is sorted at the
 * end: a hundred thousand open transactions are some ten megabytes, for the time of loading. */
#include "journal/record_census.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/table.h"

struct counted_gid {
    struct table_node node;
    char gid[];
};

struct counted_number {
    struct branch_number number;
    int64_t sequence; /* of its transaction, for the sentence */
};

struct record_census {
    int64_t incarnation;
    int64_t next_number;
    struct table gids;
    struct counted_number *numbers;
    size_t count;
    size_t capacity;
};

struct record_census *record_census_create(int64_t incarnation, int64_t next_number)
{
    struct record_census *census = xcalloc(1, sizeof *census);
    uint64_t seed = 0;
    random_entropy(&seed, sizeof seed);
    census->incarnation = incarnation;
    census->next_number = next_number;
    table_init(&census->gids, seed);
    return census;
}

void record_census_destroy(struct record_census *census)
{
    if (census == NULL) {
        return;
    }
    struct table_node *node = table_first(&census->gids);
    while (node != NULL) {
        struct table_node *next = table_next(&census->gids, node);
        table_remove(&census->gids, node);
        free(container_of(node, struct counted_gid, node));
        node = next;
    }
    table_deinit(&census->gids);
    free(census->numbers);
    free(census);
}

static enum tercet_status count_gid(struct record_census *census, const struct txn *txn,
                                    struct tercet_error *error_out)
{
    const size_t size = strlen(txn->gid);
    if (table_find(&census->gids, txn->gid, size) != NULL) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "transaction %" PRId64 " makes no sense: its gid is that of another",
                         txn->sequence);
    }
    struct counted_gid *counted = xcalloc(1, sizeof *counted + size + 1);
    memcpy(counted->gid, txn->gid, size);
    table_insert(&census->gids, &counted->node, counted->gid, size);
    return TERCET_OK;
}

static void count_number(struct record_census *census, struct branch_number number,
                         int64_t sequence)
{
    if (census->count == census->capacity) {
        census->capacity = census->capacity == 0 ? 64 : 2 * census->capacity;
        census->numbers = xrealloc(census->numbers, census->capacity * sizeof census->numbers[0]);
    }
    census->numbers[census->count] = (struct counted_number){number, sequence};
    census->count++;
}

enum tercet_status record_census_add(struct record_census *census, const struct txn *txn,
                                     struct tercet_error *error_out)
{
    if (txn->sequence >= census->next_number) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "transaction %" PRId64 " makes no sense: the head gives out %" PRId64
                         " next",
                         txn->sequence, census->next_number);
    }
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        const struct branch *branch = txn->branches[i];
        const struct branch_number number = branch->number;
        const bool ours = number.incarnation == census->incarnation; /* a lost life had others */
        if (number.number < 1 || (ours && number.number >= census->next_number) ||
            number.incarnation < 1 || number.incarnation > census->incarnation) {
            return error_set(error_out, TERCET_DATA_LOSS,
                             "transaction %" PRId64 " makes no sense: number %" PRId64
                             " of its branch %" PRIu32 " was never given out",
                             txn->sequence, number.number, branch->spec.index);
        }
        count_number(census, number, txn->sequence);
    }
    return count_gid(census, txn, error_out);
}

static int compare(const void *left, const void *right)
{
    const struct counted_number *a = left;
    const struct counted_number *b = right;
    return branch_number_compare(a->number, b->number);
}

enum tercet_status record_census_finish(struct record_census *census,
                                        struct tercet_error *error_out)
{
    if (census->count == 0) {
        return TERCET_OK;
    }
    qsort(census->numbers, census->count, sizeof census->numbers[0], compare);
    for (size_t i = 1; i < census->count; i++) {
        const struct counted_number *a = &census->numbers[i - 1];
        const struct counted_number *b = &census->numbers[i];
        if (branch_number_compare(a->number, b->number) == 0) {
            return error_set(error_out, TERCET_DATA_LOSS,
                             "transactions %" PRId64 " and %" PRId64
                             " make no sense: number %" PRId64 " was given out twice",
                             a->sequence, b->sequence, a->number.number);
        }
    }
    return TERCET_OK;
}

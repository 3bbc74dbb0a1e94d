/* record_census.c -- see record_census.h.
 *
 * A million transactions may be open, so what is kept of each is small: of its gid 16 bytes, a hash
 * that nobody can aim at because its seed is drawn anew; of its numbers one run, because those of one
 * request follow each other.  Runs are sorted at the end where they do not come in order, and then
 * only neighbours can overlap. */
#include "journal/record_census.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

enum { FIRST_SLOTS = 64, FIRST_RUNS = 64 };

struct counted_run {
    struct branch_number first;
    int64_t count;
    int64_t sequence; /* of its transaction, for the sentence */
};

struct record_census {
    int64_t incarnation;
    int64_t next_number;
    uint64_t seed;
    struct digest128 *gids; /* open addressing; zero: free */
    size_t gid_slots;       /* a power of two */
    size_t gid_count;
    struct counted_run *runs;
    size_t count;
    size_t capacity;
    bool sorted;
};

struct record_census *record_census_create(int64_t incarnation, int64_t next_number)
{
    struct record_census *census = xcalloc(1, sizeof *census);
    random_entropy(&census->seed, sizeof census->seed);
    census->incarnation = incarnation;
    census->next_number = next_number;
    census->gid_slots = FIRST_SLOTS;
    census->gids = xcalloc(FIRST_SLOTS, sizeof census->gids[0]);
    census->capacity = FIRST_RUNS;
    census->runs = xcalloc(FIRST_RUNS, sizeof census->runs[0]);
    census->sorted = true;
    return census;
}

void record_census_destroy(struct record_census *census)
{
    if (census != NULL) {
        free(census->gids);
        free(census->runs);
        free(census);
    }
}

/* Where this hash stands, or the free slot where it belongs. */
static struct digest128 *find_slot(struct digest128 *gids, size_t slots, struct digest128 hash)
{
    size_t at = hash.low & (slots - 1);
    while (!digest128_is_zero(gids[at]) && !digest128_equal(gids[at], hash)) {
        at = (at + 1) & (slots - 1);
    }
    return &gids[at];
}

static void grow_gids(struct record_census *census)
{
    const size_t slots = 2 * census->gid_slots;
    struct digest128 *gids = xcalloc(slots, sizeof gids[0]);
    for (size_t i = 0; i < census->gid_slots; i++) {
        if (!digest128_is_zero(census->gids[i])) {
            *find_slot(gids, slots, census->gids[i]) = census->gids[i];
        }
    }
    free(census->gids);
    census->gids = gids;
    census->gid_slots = slots;
}

static enum tercet_status count_gid(struct record_census *census, const struct txn *txn,
                                    struct tercet_error *error_out)
{
    const XXH128_hash_t hash = XXH3_128bits_withSeed(txn->gid, strlen(txn->gid), census->seed);
    const struct digest128 counted = {hash.high64 | 1, hash.low64}; /* never zero */
    struct digest128 *slot = find_slot(census->gids, census->gid_slots, counted);
    if (!digest128_is_zero(*slot)) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "transaction %" PRId64 " makes no sense: its gid is that of another",
                         txn->sequence);
    }
    *slot = counted;
    census->gid_count++;
    if (census->gid_count > census->gid_slots / 4 * 3) {
        grow_gids(census);
    }
    return TERCET_OK;
}

/* Is this the number behind those of the newest run, and of the same transaction? */
static bool lengthens(const struct counted_run *run, struct branch_number number, int64_t sequence)
{
    return run->sequence == sequence && run->first.incarnation == number.incarnation &&
           number.number - run->first.number == run->count;
}

static void count_number(struct record_census *census, struct branch_number number,
                         int64_t sequence)
{
    if (census->count > 0) {
        struct counted_run *last = &census->runs[census->count - 1];
        if (lengthens(last, number, sequence)) {
            last->count++;
            return;
        }
        census->sorted = census->sorted && branch_number_compare(last->first, number) < 0;
    }
    if (census->count == census->capacity) {
        census->capacity *= 2;
        census->runs = xrealloc(census->runs, census->capacity * sizeof census->runs[0]);
    }
    census->runs[census->count] = (struct counted_run){number, 1, sequence};
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
    const struct counted_run *a = left;
    const struct counted_run *b = right;
    return branch_number_compare(a->first, b->first);
}

enum tercet_status record_census_finish(struct record_census *census,
                                        struct tercet_error *error_out)
{
    if (!census->sorted) {
        qsort(census->runs, census->count, sizeof census->runs[0], compare);
    }
    for (size_t i = 1; i < census->count; i++) {
        const struct counted_run *a = &census->runs[i - 1];
        const struct counted_run *b = &census->runs[i];
        if (a->first.incarnation == b->first.incarnation &&
            b->first.number - a->first.number < a->count) {
            return error_set(error_out, TERCET_DATA_LOSS,
                             "transactions %" PRId64 " and %" PRId64
                             " make no sense: number %" PRId64 " was given out twice",
                             a->sequence, b->sequence, b->first.number);
        }
    }
    return TERCET_OK;
}

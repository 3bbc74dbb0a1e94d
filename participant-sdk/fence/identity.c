/* identity.c -- comparing what fence.h compares: numbers, epochs, keys, identities. */
#include "tercet/fence.h"

#include <string.h>

static int compare_pairs(int64_t a_high, int64_t a_low, int64_t b_high, int64_t b_low)
{
    if (a_high != b_high) {
        return a_high < b_high ? -1 : 1;
    }
    if (a_low != b_low) {
        return a_low < b_low ? -1 : 1;
    }
    return 0;
}

int tercet_branch_number_compare(struct tercet_branch_number a, struct tercet_branch_number b)
{
    return compare_pairs(a.incarnation, a.number, b.incarnation, b.number);
}

int tercet_epoch_compare(struct tercet_epoch a, struct tercet_epoch b)
{
    return compare_pairs(a.incarnation, a.epoch, b.incarnation, b.epoch);
}

int tercet_mark_compare_age(const struct tercet_mark *a, const struct tercet_mark *b)
{
    return compare_pairs(a->as_of_incarnation, a->as_of_lsn, b->as_of_incarnation, b->as_of_lsn);
}

int tercet_fence_key_compare(const struct tercet_fence_key *a, const struct tercet_fence_key *b)
{
    const size_t common = a->gid.size < b->gid.size ? a->gid.size : b->gid.size;
    const int order = common == 0 ? 0 : memcmp(a->gid.data, b->gid.data, common);
    if (order != 0) {
        return order;
    }
    if (a->gid.size != b->gid.size) {
        return a->gid.size < b->gid.size ? -1 : 1;
    }
    if (a->branch != b->branch) {
        return a->branch < b->branch ? -1 : 1;
    }
    return 0;
}

bool tercet_fence_identity_equal(const struct tercet_fence_identity *a,
                                 const struct tercet_fence_identity *b)
{
    return memcmp(a->origin, b->origin, sizeof a->origin) == 0 &&
           tercet_branch_number_compare(a->number, b->number) == 0 &&
           memcmp(a->digest, b->digest, sizeof a->digest) == 0;
}

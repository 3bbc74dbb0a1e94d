/* acquaintance.c -- see acquaintance.h. */
#include "engine/acquaintance.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/error.h"

static const struct store_seen *find_store(const struct description *description, const uint8_t *id)
{
    for (uint32_t i = 0; i < description->store_count; i++) {
        if (memcmp(description->stores[i].id, id, STORE_ID_BYTES) == 0) {
            return &description->stores[i];
        }
    }
    return NULL;
}

static enum finding say_exchanged(const struct store_seen *store, struct tercet_error *text_out)
{
    char id[2 * STORE_ID_BYTES + 1];
    hex_encode(store->id, sizeof store->id, id);
    (void)error_set(text_out, TERCET_DATA_LOSS,
                    "its store %s is gone: the participant was rolled back or exchanged", id);
    return FINDING_EXCHANGED;
}

static enum finding say_rolled_back(const struct store_seen *store, const char *what,
                                    struct branch_number had, struct branch_number has,
                                    struct tercet_error *text_out)
{
    char id[2 * STORE_ID_BYTES + 1];
    hex_encode(store->id, sizeof store->id, id);
    (void)error_set(text_out, TERCET_DATA_LOSS,
                    "its store %s had %s %" PRId64 "/%" PRId64 " and now has %" PRId64 "/%" PRId64
                    ": the participant was rolled back or exchanged",
                    id, what, had.incarnation, had.number, has.incarnation, has.number);
    return FINDING_ROLLED_BACK;
}

/* A mark of a later life of the journal was applied since.  It may pass less than the lost life's did,
 * because what that one had decided may be open again: numbers of that life prove nothing any more, and
 * the mark itself proves that the store is the same. */
static bool is_of_an_older_life(struct branch_number number, const struct store_seen *now)
{
    return number.incarnation < now->mark.incarnation;
}

static enum finding find_all(const struct description *told, const struct description *now,
                             struct tercet_error *text_out)
{
    for (uint32_t i = 0; i < told->store_count; i++) {
        const struct store_seen *has = find_store(now, told->stores[i].id);
        if (has == NULL) {
            return say_exchanged(&told->stores[i], text_out);
        }
    }
    return FINDING_SAME;
}

/* Each store with itself; all are there. */
static enum finding compare_stores(const struct description *before, const struct description *now,
                                   struct tercet_error *text_out)
{
    for (uint32_t i = 0; i < before->store_count; i++) {
        const struct store_seen *had = &before->stores[i];
        const struct store_seen *has = find_store(now, had->id);
        tercet_assert(has != NULL);
        if (branch_number_compare(has->mark, had->mark) < 0) {
            return say_rolled_back(has, "the mark", had->mark, has->mark, text_out);
        }
        if (branch_number_compare(has->reach, had->reach) < 0 &&
            !is_of_an_older_life(had->reach, has)) {
            return say_rolled_back(has, "numbers below", had->reach, has->reach, text_out);
        }
    }
    return FINDING_SAME;
}

/* Replies do not say of which store they are: their mark counts where there is one store, their
 * branch must be within the reach of some store. */
static enum finding compare_replies(const struct replied *replied, const struct description *now,
                                    struct tercet_error *text_out)
{
    const struct store_seen *farthest = &now->stores[0];
    for (uint32_t i = 1; i < now->store_count; i++) {
        if (branch_number_compare(now->stores[i].reach, farthest->reach) > 0) {
            farthest = &now->stores[i];
        }
    }
    if (now->store_count == 1 && branch_number_compare(farthest->mark, replied->mark) < 0) {
        return say_rolled_back(farthest, "the mark", replied->mark, farthest->mark, text_out);
    }
    if (replied->branch.number != 0 && !is_of_an_older_life(replied->branch, farthest) &&
        branch_number_compare(farthest->reach, replied->branch) <= 0) {
        return say_rolled_back(farthest, "the number", replied->branch, farthest->reach, text_out);
    }
    return FINDING_SAME;
}

enum finding acquaintance_judge(const struct acquaintance *known, const struct known_before *before,
                                const struct description *description,
                                struct tercet_error *text_out)
{
    if (description->store_count == 0) {
        return FINDING_SAME; /* not told: nothing to compare */
    }
    enum finding finding = find_all(&known->told, description, text_out);
    if (finding == FINDING_SAME) {
        finding = compare_stores(&before->told, description, text_out);
    }
    return finding == FINDING_SAME ? compare_replies(&before->replied, description, text_out)
                                   : finding;
}

/* Another instance may have told it younger, meanwhile. */
static bool is_newer(const struct store_seen *store, const struct store_seen *other)
{
    const int by_mark = branch_number_compare(store->mark, other->mark);
    return by_mark > 0 || (by_mark == 0 && branch_number_compare(store->reach, other->reach) > 0);
}

void acquaintance_note(struct acquaintance *known, const struct description *description)
{
    struct description newest = *description;
    for (uint32_t i = 0; i < newest.store_count; i++) {
        const struct store_seen *had = find_store(&known->told, newest.stores[i].id);
        if (had != NULL && is_newer(had, &newest.stores[i])) {
            newest.stores[i] = *had;
        }
    }
    known->told = newest;
}

struct branch_number acquaintance_passed(const struct description *description)
{
    struct branch_number passed = {0, 0};
    for (uint32_t i = 0; i < description->store_count; i++) {
        if (branch_number_compare(description->stores[i].low, passed) > 0) {
            passed = description->stores[i].low;
        }
    }
    return passed;
}

/* describe.c -- see describe.h. */
#include "participant/describe.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

/* Those with an id, the first sixteen. */
static void read_stores(struct describe_memory *memory, const Tercet__V1__DescribeReply *reply)
{
    *memory = (struct describe_memory){0};
    for (size_t i = 0; i < reply->n_stores; i++) {
        const Tercet__V1__StoreDescription *told = reply->stores[i];
        if (told->store_id.len != DESCRIBE_STORE_ID_BYTES ||
            memory->store_count == DESCRIBE_STORE_COUNT_MAX) {
            continue;
        }
        struct describe_store *store = &memory->stores[memory->store_count];
        memory->store_count++;
        memcpy(store->id, told->store_id.data, sizeof store->id);
        if (told->mark != NULL) {
            store->mark.incarnation = told->mark->as_of_incarnation;
            store->mark.number = told->mark->as_of_lsn;
        }
    }
}

static bool find_higher_epoch(const Tercet__V1__DescribeReply *reply,
                              const struct wire_identity *identity, struct tercet_error *text_out)
{
    for (size_t i = 0; i < reply->n_stores; i++) {
        const Tercet__V1__StoreDescription *told = reply->stores[i];
        if (told->incarnation > identity->incarnation ||
            (told->incarnation == identity->incarnation && told->epoch > identity->epoch)) {
            (void)error_set(text_out, TERCET_FAILED_PRECONDITION,
                            "its store has seen incarnation %" PRId64 " epoch %" PRId64
                            " of this journal; ours are %" PRId64 " and %" PRId64,
                            told->incarnation, told->epoch, identity->incarnation, identity->epoch);
            return true;
        }
    }
    return false;
}

static const struct describe_store *find_store(const struct describe_memory *memory,
                                               const uint8_t *id)
{
    for (uint32_t i = 0; i < memory->store_count; i++) {
        if (memcmp(memory->stores[i].id, id, sizeof memory->stores[i].id) == 0) {
            return &memory->stores[i];
        }
    }
    return NULL;
}

static enum describe_finding say_exchanged(const struct describe_store *store,
                                           struct tercet_error *text_out)
{
    char id[2 * DESCRIBE_STORE_ID_BYTES + 1];
    hex_encode(store->id, sizeof store->id, id);
    (void)error_set(text_out, TERCET_DATA_LOSS,
                    "its store %s is gone: the participant was rolled back or exchanged", id);
    return DESCRIBE_EXCHANGED;
}

static enum describe_finding say_rolled_back(const struct describe_store *store,
                                             struct branch_number had,
                                             struct tercet_error *text_out)
{
    char id[2 * DESCRIBE_STORE_ID_BYTES + 1];
    hex_encode(store->id, sizeof store->id, id);
    (void)error_set(text_out, TERCET_DATA_LOSS,
                    "its store %s had the mark %" PRId64 "/%" PRId64 " and now has %" PRId64
                    "/%" PRId64 ": the participant was rolled back or exchanged",
                    id, had.incarnation, had.number, store->mark.incarnation, store->mark.number);
    return DESCRIBE_ROLLED_BACK;
}

static enum describe_finding compare(const struct describe_memory *before,
                                     const struct describe_memory *now,
                                     struct branch_number acknowledged,
                                     struct tercet_error *text_out)
{
    for (uint32_t i = 0; i < before->store_count; i++) {
        const struct describe_store *had = &before->stores[i];
        const struct describe_store *has = find_store(now, had->id);
        if (has == NULL) {
            return say_exchanged(had, text_out);
        }
        if (branch_number_compare(has->mark, had->mark) < 0) {
            return say_rolled_back(has, had->mark, text_out);
        }
    }
    /* Replies to branches tell a mark too, but not of which store. */
    if (now->store_count == 1 && branch_number_compare(now->stores[0].mark, acknowledged) < 0) {
        return say_rolled_back(&now->stores[0], acknowledged, text_out);
    }
    return DESCRIBE_FINE;
}

enum describe_finding describe_judge(struct describe_memory *memory,
                                     const Tercet__V1__DescribeReply *reply,
                                     const struct wire_identity *identity,
                                     struct branch_number acknowledged,
                                     struct tercet_error *text_out)
{
    if (find_higher_epoch(reply, identity, text_out)) {
        return DESCRIBE_FENCED;
    }
    struct describe_memory now;
    read_stores(&now, reply);
    if (now.store_count == 0) {
        return DESCRIBE_FINE; /* not told: nothing to compare, nothing to forget */
    }
    const enum describe_finding finding = compare(memory, &now, acknowledged, text_out);
    *memory = now;
    return finding;
}

struct branch_number describe_lowest_mark(const struct describe_memory *memory)
{
    struct branch_number lowest = {0, 0};
    for (uint32_t i = 0; i < memory->store_count; i++) {
        if (i == 0 || branch_number_compare(memory->stores[i].mark, lowest) < 0) {
            lowest = memory->stores[i].mark;
        }
    }
    return lowest;
}

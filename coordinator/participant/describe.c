/* describe.c -- see describe.h. */
#include "participant/describe.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static struct branch_number place(int64_t incarnation, int64_t number)
{
    const struct branch_number none = {0, 0};
    const struct branch_number told = {incarnation, number};
    return incarnation > 0 && number > 0 ? told : none;
}

/* Behind its highest row, or its mark's low: rows leave only below that. */
static struct branch_number reach(const Tercet__V1__StoreDescription *told)
{
    struct branch_number low = {0, 0};
    struct branch_number behind = {0, 0};
    if (told->mark != NULL && told->mark->low != NULL) {
        low = place(told->mark->low->incarnation, told->mark->low->number);
    }
    if (told->highest != NULL && told->highest->number < INT64_MAX) {
        behind = place(told->highest->incarnation, told->highest->number + 1);
    }
    return branch_number_compare(low, behind) < 0 ? behind : low;
}

void describe_read(const Tercet__V1__DescribeReply *reply, struct description *description_out)
{
    *description_out = (struct description){0};
    for (size_t i = 0; i < reply->n_stores; i++) {
        const Tercet__V1__StoreDescription *told = reply->stores[i];
        if (told->store_id.len != STORE_ID_BYTES ||
            description_out->store_count == STORE_COUNT_MAX) {
            continue;
        }
        struct store_seen *store = &description_out->stores[description_out->store_count];
        description_out->store_count++;
        memcpy(store->id, told->store_id.data, sizeof store->id);
        store->reach = reach(told);
        if (told->mark != NULL && told->mark->low != NULL) {
            store->low = place(told->mark->low->incarnation, told->mark->low->number);
        }
        if (told->mark != NULL) {
            store->mark = place(told->mark->as_of_incarnation, told->mark->as_of_lsn);
        }
    }
}

/* Of one that has several stores a branch may be in any: it has ended where all of them say so. */
void describe_read_closed(const Tercet__V1__DescribeReply *reply, struct closed_numbers *closed_out)
{
    *closed_out = (struct closed_numbers){0};
    for (size_t i = 0; i < reply->n_stores; i++) {
        const Tercet__V1__Mark *mark = reply->stores[i]->mark;
        if (mark == NULL || mark->low == NULL || mark->n_open > MARK_OPEN_MAX) {
            closed_out->below = (struct branch_number){0};
            return;
        }
        const struct branch_number low = place(mark->low->incarnation, mark->low->number);
        if (i == 0 || branch_number_compare(low, closed_out->below) < 0) {
            closed_out->below = low;
        }
        closed_out->open = xrealloc(closed_out->open, (closed_out->open_count + mark->n_open + 1) *
                                                          sizeof closed_out->open[0]);
        for (size_t j = 0; j < mark->n_open; j++) {
            closed_out->open[closed_out->open_count] =
                place(mark->open[j]->incarnation, mark->open[j]->number);
            closed_out->open_count++;
        }
    }
}

bool describe_is_fencing(const Tercet__V1__DescribeReply *reply,
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

struct branch_number describe_lowest_mark(const struct description *description)
{
    struct branch_number lowest = {0, 0};
    for (uint32_t i = 0; i < description->store_count; i++) {
        if (i == 0 || branch_number_compare(description->stores[i].mark, lowest) < 0) {
            lowest = description->stores[i].mark;
        }
    }
    return lowest;
}

/* As an initiator's must be: it would stand in a transaction, and be told to others. */
static bool is_gid(const char *gid)
{
    const size_t bytes = strlen(gid);
    for (size_t i = 0; i < bytes; i++) {
        if (gid[i] < 0x21 || gid[i] > 0x7e) {
            return false;
        }
    }
    return bytes > 0 && bytes <= TERCET_GID_BYTES_MAX;
}

static bool read_row(const Tercet__V1__FenceRow *told, struct inspected_row *row_out)
{
    const size_t gid_bytes = strlen(told->gid);
    const size_t action_bytes = strlen(told->action);
    const int state = (int)told->state;
    if (!is_gid(told->gid) || !directory_is_name(told->action, action_bytes) || told->branch < 1 ||
        told->branch > TERCET_BRANCH_COUNT_MAX || told->number == NULL ||
        told->digest.len != sizeof row_out->digest.bytes ||
        state < (int)TERCET__V1__FENCE_STATE__FENCE_STATE_TRIED ||
        state > (int)TERCET__V1__FENCE_STATE__FENCE_STATE_SUSPENDED) {
        return false;
    }
    *row_out = (struct inspected_row){.branch = told->branch, .state = (uint32_t)state};
    row_out->number = place(told->number->incarnation, told->number->number);
    memcpy(row_out->gid, told->gid, gid_bytes + 1);
    memcpy(row_out->action, told->action, action_bytes + 1);
    memcpy(row_out->digest.bytes, told->digest.data, sizeof row_out->digest.bytes);
    return row_out->number.number != 0;
}

void describe_read_rows(const Tercet__V1__InspectReply *reply, struct event *event)
{
    if (strlen(reply->next_page_token) > INSPECT_TOKEN_BYTES_MAX) {
        return; /* it cannot be asked for the rest: as if not answered */
    }
    event->u.inspected.answered = true;
    event->u.inspected.rows = xcalloc(reply->n_rows + 1, sizeof event->u.inspected.rows[0]);
    for (size_t i = 0; i < reply->n_rows; i++) {
        if (read_row(reply->rows[i], &event->u.inspected.rows[event->u.inspected.row_count])) {
            event->u.inspected.row_count++;
        }
    }
    memcpy(event->u.inspected.token, reply->next_page_token, strlen(reply->next_page_token) + 1);
}

/* kv_sweep.c -- marks applied, and rows read for operators; the rest of kv_fence.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "fence/kv_fence.h"
#include "fence/mark.h"
#include "fence/place.h"
#include "fence/store_rules.h"

struct places {
    struct place *items;
    size_t count;
    size_t capacity;
    size_t count_max;
    bool broken; /* an entry that is none of ours */
};

static bool collect(struct tercet_bytes bytes, struct tercet_bytes value, void *context)
{
    struct places *places = context;
    struct tercet_fence_key key;

    (void)value;
    if (places->count == places->capacity) {
        places->capacity = places->capacity == 0 ? 8 : places->capacity * 2;
        places->items = xrealloc(places->items, places->capacity * sizeof *places->items);
    }
    struct place *place = &places->items[places->count];
    if (!row_key_number_parse(bytes, &place->number, &key)) {
        places->broken = true;
        return false;
    }
    place->branch = key.branch;
    place->gid_size = key.gid.size;
    memcpy(place->gid, key.gid.data, key.gid.size);
    places->count++;
    return places->count < places->count_max;
}

/* The first `count_max` committed places in [from, end).  items is the caller's to free. */
static enum tercet_status read_places(struct kv_fence *fence, const struct row_key *from,
                                      const struct row_key *end, uint32_t count_max,
                                      struct places *places_out, struct tercet_error *error_out)
{
    tercet_assert(count_max > 0);
    *places_out = (struct places){.count_max = count_max};
    enum tercet_status status = fence->backend->scan(
        fence->self, row_key_bytes(from), row_key_bytes(end), collect, places_out, error_out);
    if (status == TERCET_OK && places_out->broken) {
        status = error_set(error_out, TERCET_DATA_LOSS, "the fence's index cannot be read");
    }
    return status;
}

/* The row that an entry of the index names. */
static enum tercet_status read_named(struct kv_fence *fence, const struct tercet_fence_key *key,
                                     struct tercet_fence_row *row_out,
                                     struct tercet_error *error_out)
{
    const enum tercet_status status = kv_fence_read_row(fence, key, row_out, error_out);
    if (status == TERCET_OK && row_out->state == TERCET_FENCE_NONE) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "the fence's index names %.*s/%" PRIu32 ", which has no row",
                         (int)key->gid.size, (const char *)key->gid.data, key->branch);
    }
    return status;
}

/* ---- Marks ------------------------------------------------------------------------------------ */

/* Deletes one row below the mark, or keeps and tells it. */
static enum tercet_status sweep_row(struct kv_fence *fence, const struct place *place,
                                    struct tercet_sweep *sweep, struct tercet_error *error_out)
{
    const struct tercet_fence_key key = place_key(place);
    struct tercet_fence_row row;
    struct row_key name;

    const enum tercet_status status = read_named(fence, &key, &row, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (row.state == TERCET_FENCE_TRIED) {
        sweep->kept++;
        if (sweep->kept_fn != NULL) {
            (void)sweep->kept_fn(&key, &row, sweep->context);
        }
        return TERCET_OK;
    }
    row_key_row(&name, &key);
    overlay_put(&fence->overlay, row_key_bytes(&name), NULL);
    row_key_number_of(&name, &row, &key);
    overlay_put(&fence->overlay, row_key_bytes(&name), NULL);
    sweep->removed++;
    TERCET_FAILPOINT("kv.before_sweep");
    return TERCET_OK;
}

static enum tercet_status sweep_slice(struct kv_fence *fence,
                                      const struct tercet_fence_caller *caller,
                                      const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                      struct tercet_error *error_out)
{
    struct row_key from;
    struct row_key end;
    struct places places;

    row_key_number(&from, caller->participant, caller->origin, sweep->from);
    row_key_number(&end, caller->participant, caller->origin, mark->low);
    enum tercet_status status =
        read_places(fence, &from, &end, sweep->row_count_max, &places, error_out);
    for (size_t i = 0; status == TERCET_OK && i < places.count; i++) {
        if (!mark_is_open(mark, places.items[i].number)) {
            status = sweep_row(fence, &places.items[i], sweep, error_out);
        }
    }
    if (status == TERCET_OK && places.count > 0) {
        store_rules_end_slice(places.items[places.count - 1].number,
                              places.count < places.count_max, sweep);
    }
    free(places.items);
    return status;
}

enum tercet_status kv_fence_apply_mark(void *connection, const struct tercet_fence_caller *caller,
                                       const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                       struct tercet_error *error_out)
{
    struct kv_fence *fence = connection;
    const struct row_scope *stored = NULL;

    store_rules_begin_sweep(sweep);
    enum tercet_status status = kv_fence_begin(fence, error_out);
    if (status == TERCET_OK) {
        status =
            kv_fence_read_scope(fence, caller->participant, caller->origin, &stored, error_out);
    }
    if (status == TERCET_OK) {
        status =
            store_rules_judge_mark(stored->epoch, &stored->mark, caller, mark, sweep, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    struct row_scope scope = *stored;
    const bool newer = tercet_mark_compare_age(mark, &scope.mark) > 0;
    if (newer) {
        scope.mark = *mark;
    }
    if (newer || tercet_epoch_compare(scope.epoch, caller->epoch) < 0) {
        scope.epoch = caller->epoch;
        kv_fence_write_scope(fence, caller->participant, caller->origin, &scope);
    }
    TERCET_FAILPOINT("kv.mark_stored");
    if (!sweep->stale) {
        status = sweep_slice(fence, caller, mark, sweep, error_out);
    }
    if (status != TERCET_OK) {
        kv_fence_rollback(fence);
        return status;
    }
    return kv_fence_commit(fence, error_out);
}

/* ---- Reading for operators -------------------------------------------------------------------- */

struct census {
    int64_t rows;
    struct tercet_branch_number highest;
    bool broken;
};

static bool count_row(struct tercet_bytes bytes, struct tercet_bytes value, void *context)
{
    struct census *census = context;
    struct tercet_fence_key key;
    (void)value;
    census->broken = !row_key_number_parse(bytes, &census->highest, &key);
    census->rows++;
    return !census->broken;
}

enum tercet_status kv_fence_describe(void *connection, const char *participant,
                                     const uint8_t *origin,
                                     struct tercet_store_description *description_out,
                                     struct tercet_error *error_out)
{
    struct kv_fence *fence = connection;
    const struct tercet_branch_number lowest = {0, 0};
    struct tercet_store_description found = {0};
    struct census census = {0};
    const struct row_scope *scope = NULL;
    struct row_key from;
    struct row_key end;
    bool there = false;

    enum tercet_status status = kv_fence_read_meta(fence, found.store_id, &there, error_out);
    if (status == TERCET_OK) {
        status = kv_fence_read_scope(fence, participant, origin, &scope, error_out);
    }
    if (status == TERCET_OK) {
        row_key_number(&from, participant, origin, lowest);
        row_key_number_end(&end, participant, origin);
        status = fence->backend->scan(fence->self, row_key_bytes(&from), row_key_bytes(&end),
                                      count_row, &census, error_out);
    }
    if (status == TERCET_OK && (census.broken || !there)) {
        status = error_set(error_out, TERCET_DATA_LOSS, "the fence's index cannot be read");
    }
    if (status != TERCET_OK) {
        return status;
    }
    found.epoch = scope->epoch;
    found.mark = scope->mark;
    found.highest = census.highest;
    found.rows = census.rows;
    *description_out = found;
    return TERCET_OK;
}

enum tercet_status kv_fence_find(void *connection, const struct tercet_fence_key *key,
                                 struct tercet_fence_row *row_out, struct tercet_error *error_out)
{
    return kv_fence_read_row(connection, key, row_out, error_out);
}

enum tercet_status kv_fence_list(void *connection, const struct tercet_fence_range *range,
                                 tercet_fence_row_fn row_fn, void *context,
                                 struct tercet_error *error_out)
{
    struct kv_fence *fence = connection;
    struct row_key from;
    struct row_key end;
    struct places places;

    row_key_number(&from, range->participant, range->origin, range->from);
    if (range->below.incarnation == 0) {
        row_key_number_end(&end, range->participant, range->origin);
    } else {
        row_key_number(&end, range->participant, range->origin, range->below);
    }
    enum tercet_status status =
        read_places(fence, &from, &end, range->row_count_max, &places, error_out);
    for (size_t i = 0; status == TERCET_OK && i < places.count; i++) {
        const struct tercet_fence_key key = place_key(&places.items[i]);
        struct tercet_fence_row row;
        status = read_named(fence, &key, &row, error_out);
        if (status == TERCET_OK && !row_fn(&key, &row, context)) {
            break;
        }
    }
    free(places.items);
    return status;
}

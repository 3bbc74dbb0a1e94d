/* dispatch.c -- see dispatch.h.
 *
 * A turn costs only as much as there is to do: a lane is looked at when something has happened to it
 * (it stands in `ready`) or when its moment has come (it stands in `wakes`), however many
 * participants there are. */
#include "dispatch/dispatch.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"
#include "dispatch/lane.h"

enum { PROBE_BASE_MS = 100, PROBE_CAP_MS = 500, UNANSWERED_LIMIT = 8 };

struct dispatch {
    struct dispatch_options options;
    struct lane *lanes; /* by directory index */
    uint32_t lane_count;
    struct list_node ready; /* struct lane: in the order in which something happened to them */
    struct heap wakes;      /* struct lane */
};

struct dispatch *dispatch_create(const struct dispatch_options *options)
{
    struct dispatch *dispatch = xcalloc(1, sizeof *dispatch);
    dispatch->options = *options;
    if (dispatch->options.probe_base_ms == 0) {
        dispatch->options.probe_base_ms = PROBE_BASE_MS;
    }
    if (dispatch->options.probe_cap_ms == 0) {
        dispatch->options.probe_cap_ms = PROBE_CAP_MS;
    }
    if (dispatch->options.unanswered_limit == 0) {
        dispatch->options.unanswered_limit = UNANSWERED_LIMIT;
    }
    list_init(&dispatch->ready);
    heap_init(&dispatch->wakes);
    dispatch->lane_count = options->directory->count;
    dispatch->lanes = xcalloc(dispatch->lane_count, sizeof dispatch->lanes[0]);
    for (uint32_t i = 0; i < dispatch->lane_count; i++) {
        struct lane *lane = &dispatch->lanes[i];
        lane_init(lane, i, &dispatch->options);
        list_push_back(&dispatch->ready, &lane->ready);
    }
    return dispatch;
}

void dispatch_destroy(struct dispatch *dispatch)
{
    if (dispatch == NULL) {
        return;
    }
    for (uint32_t i = 0; i < dispatch->lane_count; i++) {
        lane_deinit(&dispatch->lanes[i]);
    }
    heap_deinit(&dispatch->wakes);
    free(dispatch->lanes);
    free(dispatch);
}

/* The participant's lane, which the next step looks at. */
static struct lane *lane_touch(struct dispatch *dispatch, uint32_t participant)
{
    tercet_assert(participant < dispatch->lane_count);
    struct lane *lane = &dispatch->lanes[participant];
    if (!list_is_linked(&lane->ready)) {
        list_push_back(&dispatch->ready, &lane->ready);
    }
    return lane;
}

static struct breaker_clockwork clockwork_of(struct lane *lane, const struct dispatch *dispatch,
                                             struct clock_now now)
{
    return (struct breaker_clockwork){
        .options = &dispatch->options, .random = &lane->random, .now_boot_ms = now.boot_ms};
}

void dispatch_call(struct dispatch *dispatch, struct branch *branch, enum tercet_phase phase,
                   int64_t not_before_boot_ms, struct clock_now now)
{
    lane_call(lane_touch(dispatch, branch->spec.participant), branch, phase, not_before_boot_ms,
              now.boot_ms);
}

void dispatch_answered(struct dispatch *dispatch, const struct answer *answer, struct clock_now now)
{
    struct lane *lane = lane_touch(dispatch, answer->branch->spec.participant);
    const struct breaker_clockwork clockwork = clockwork_of(lane, dispatch, now);
    lane_answered(lane, answer, &clockwork);
}

void dispatch_fetched(struct dispatch *dispatch, const struct branch *branch)
{
    lane_fetched(lane_touch(dispatch, branch->spec.participant), branch);
}

void dispatch_probed(struct dispatch *dispatch, uint32_t participant, uint32_t seat,
                     enum probe_end end, struct clock_now now)
{
    struct lane *lane = lane_touch(dispatch, participant);
    const struct breaker_clockwork clockwork = clockwork_of(lane, dispatch, now);
    breaker_on_probe(&seats_at(&lane->seats, seat)->breaker, end, &clockwork);
}

void dispatch_hold(struct dispatch *dispatch, uint32_t participant, bool held, struct clock_now now)
{
    struct lane *lane = lane_touch(dispatch, participant);
    const struct breaker_clockwork clockwork = clockwork_of(lane, dispatch, now);
    lane_hold(lane, held, &clockwork);
}

void dispatch_step(struct dispatch *dispatch, struct clock_now now, struct orders *orders)
{
    for (;;) {
        const struct heap_node *node = heap_peek(&dispatch->wakes);
        if (node == NULL || node->key > now.boot_ms) {
            break;
        }
        struct lane *lane = container_of(node, struct lane, wake);
        heap_remove(&dispatch->wakes, &lane->wake);
        (void)lane_touch(dispatch, lane->participant);
    }
    while (!list_is_empty(&dispatch->ready)) {
        struct lane *lane = container_of(list_pop_front(&dispatch->ready), struct lane, ready);
        lane_step(lane, now.boot_ms, orders);
        const int64_t wake_at = lane_wake_at_boot_ms(lane);
        if (heap_node_is_linked(&lane->wake)) {
            heap_remove(&dispatch->wakes, &lane->wake);
        }
        if (wake_at != INT64_MAX) {
            heap_insert(&dispatch->wakes, &lane->wake, wake_at);
        }
    }
}

int64_t dispatch_wake_at_boot_ms(const struct dispatch *dispatch)
{
    if (!list_is_empty(&dispatch->ready)) {
        return 0;
    }
    const struct heap_node *node = heap_peek(&dispatch->wakes);
    return node == NULL ? INT64_MAX : node->key;
}

void dispatch_read_stats(const struct dispatch *dispatch, uint32_t participant,
                         struct dispatch_stats *stats_out)
{
    tercet_assert(participant < dispatch->lane_count);
    const struct lane *lane = &dispatch->lanes[participant];
    *stats_out = (struct dispatch_stats){
        .circuit = seats_circuit(&lane->seats),
        .in_flight = lane->in_flight,
        .seats = lane->seats.count,
        .queued_phase_two = lane->queues[LANE_PHASE_TWO].count,
        .queued_again = lane->queues[LANE_AGAIN].count,
        .queued_tries = lane->queues[LANE_TRIES].count,
        .delayed = heap_count(&lane->delayed),
    };
    for (uint32_t i = 0; i < lane->seats.count; i++) {
        const struct breaker *breaker = &lane->seats.items[i].breaker;
        const bool open = breaker->state == CIRCUIT_OPEN;
        stats_out->window += open ? 0 : breaker->window;
        stats_out->seats_open += open ? 1 : 0;
        stats_out->openings += breaker->openings;
    }
    if (stats_out->window > lane->window) {
        stats_out->window = lane->window;
    }
}

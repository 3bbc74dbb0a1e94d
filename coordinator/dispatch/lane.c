/* lane.c -- see lane.h. */
#include "dispatch/lane.h"

#include "base/assert.h"
#include "dispatch/lane_turn.h"

enum {
    WINDOW_DEFAULT = 256,
    CALL_TIMEOUT_MS_DEFAULT = 5000,
    PROBE_TIMEOUT_MS = 1000, /* the first; then twice as long each time, up to a call's */
    PROBE_DOUBLINGS_MAX = 10,
    AGAIN_ATTEMPTS = 8 /* behind a start nobody knows why it was asked so often */
};

void lane_init(struct lane *lane, uint32_t participant, const struct dispatch_options *options)
{
    const struct directory_entry *entry = &options->directory->entries[participant];
    *lane = (struct lane){
        .participant = participant,
        .configured = directory_seat_count(entry) > 0,
        .call_timeout_ms =
            entry->call_timeout_ms == 0 ? CALL_TIMEOUT_MS_DEFAULT : entry->call_timeout_ms,
        .told_reachable = true,
        .was_try = true,
        .window = entry->window == 0 ? WINDOW_DEFAULT : entry->window,
    };
    seats_init(&lane->seats, directory_seat_count(entry), lane->window);
    random_init(&lane->random, options->seed + participant);
    for (int i = 0; i < LANE_QUEUE_COUNT; i++) {
        slot_queue_init(&lane->queues[i]);
    }
    heap_init(&lane->delayed);
    list_init(&lane->loose);
    list_init(&lane->ready);
    heap_node_init(&lane->wake);
}

/* ---- Waiting ----------------------------------------------------------------------------------- */

static enum lane_queue phase_queue(enum tercet_phase phase)
{
    return phase == TERCET_PHASE_TRY ? LANE_TRIES : LANE_PHASE_TWO;
}

static struct slot_queue *choose_queue(struct lane *lane, struct slot *slot)
{
    const struct branch *branch = slot->branch;
    const bool often = slot->phase != TERCET_PHASE_TRY && branch->attempts >= AGAIN_ATTEMPTS;
    const enum lane_queue queue = branch->silent || often ? LANE_AGAIN : phase_queue(slot->phase);
    slot->queue = (unsigned)queue & 0xfU;
    return &lane->queues[queue];
}

static void release_if_idle(struct slot *slot)
{
    if (slot->place == SLOT_NOWHERE && slot->in_flight == 0) {
        slot_destroy(slot);
    }
}

static void leave_queue(struct lane *lane, struct slot_queue *queue, struct slot *slot)
{
    slot_queue_remove(queue, slot);
    list_push_back(&lane->loose, &slot->link);
}

static void sweep(struct lane *lane, struct slot_queue *queue)
{
    struct list_node dropped;
    list_init(&dropped);
    slot_queue_sweep(queue, &dropped);
    while (!list_is_empty(&dropped)) {
        struct slot *slot = container_of(list_pop_front(&dropped), struct slot, link);
        list_push_back(&lane->loose, &slot->link);
        release_if_idle(slot);
    }
}

/* Takes the slot out of wherever it waits; it stays in flight. */
static void unplace(struct lane *lane, struct slot *slot)
{
    switch (slot->place) {
    case SLOT_QUEUED:
        leave_queue(lane, &lane->queues[slot->queue], slot);
        break;
    case SLOT_DELAYED:
        heap_remove(&lane->delayed, &slot->due);
        break;
    case SLOT_FETCHING:
        lane->fetching--;
        lane->out[slot->queue]--;
        break;
    case SLOT_HELD:
    case SLOT_NOWHERE:
        break;
    }
    slot->place = SLOT_NOWHERE;
}

/* Its time has come: the queue, unless the same is still in flight. */
static void place_now(struct lane *lane, struct slot *slot)
{
    if ((slot->in_flight & (1U << slot->phase)) != 0) {
        slot->place = SLOT_HELD;
    } else {
        slot_queue_push(choose_queue(lane, slot), slot);
    }
}

static void place(struct lane *lane, struct slot *slot, int64_t not_before_boot_ms,
                  int64_t now_boot_ms)
{
    if (not_before_boot_ms > now_boot_ms) {
        slot->place = SLOT_DELAYED;
        heap_insert(&lane->delayed, &slot->due, not_before_boot_ms);
    } else {
        place_now(lane, slot);
    }
}

/* It waits for this phase already: the earlier moment of the two. */
static void hasten(struct lane *lane, struct slot *slot, int64_t not_before_boot_ms,
                   int64_t now_boot_ms)
{
    if (slot->place == SLOT_DELAYED && not_before_boot_ms < slot->due.key) {
        unplace(lane, slot);
        place(lane, slot, not_before_boot_ms, now_boot_ms);
    }
}

void lane_call(struct lane *lane, struct branch *branch, enum tercet_phase phase,
               int64_t not_before_boot_ms, int64_t now_boot_ms)
{
    if (branch->txn == NULL || branch->asked != phase) {
        branch_unref(branch); /* overtaken by a decision, whose own CALL follows */
        return;
    }
    sweep(lane, &lane->queues[phase_queue(phase)]);
    sweep(lane, &lane->queues[LANE_AGAIN]);
    struct slot *slot = branch->slot;
    if (slot == NULL) {
        slot = slot_create(branch);
        list_push_back(&lane->loose, &slot->link);
    } else {
        branch_unref(branch); /* the slot has its own */
    }
    if (slot->place != SLOT_NOWHERE && slot->phase == phase) {
        hasten(lane, slot, not_before_boot_ms, now_boot_ms);
        return;
    }
    unplace(lane, slot);
    slot->phase = phase;
    place(lane, slot, not_before_boot_ms, now_boot_ms);
}

static void forget_all(struct lane *lane, const struct list_node *slots)
{
    while (!list_is_empty(slots)) {
        struct slot *slot = container_of(slots->next, struct slot, link);
        unplace(lane, slot);
        slot->in_flight = 0; /* with the lane all counts end */
        slot_destroy(slot);
    }
}

void lane_deinit(struct lane *lane)
{
    for (int i = 0; i < LANE_QUEUE_COUNT; i++) {
        forget_all(lane, &lane->queues[i].slots);
        tercet_assert(lane->queues[i].count == 0);
    }
    forget_all(lane, &lane->loose);
    tercet_assert(heap_count(&lane->delayed) == 0 && lane->fetching == 0);
    heap_deinit(&lane->delayed);
    seats_deinit(&lane->seats);
}

/* ---- Answers ----------------------------------------------------------------------------------- */

static uint32_t timeout_of(const struct lane *lane, const struct branch *branch)
{
    const uint32_t own_timeout_ms = branch_rare(branch)->call_timeout_ms;
    return own_timeout_ms == 0 ? lane->call_timeout_ms : own_timeout_ms;
}

/* Of a branch that had not answered in time before it is nothing new of its seat that it does not now,
 * unless nobody else was answered there meanwhile, either. */
static bool is_news(const struct lane *lane, const struct seat *seat, const struct branch *branch,
                    bool again, int64_t now_boot_ms)
{
    return !again || now_boot_ms - seat->answered_at_boot_ms >= timeout_of(lane, branch);
}

static void tell_breaker(struct breaker *breaker, enum answer_kind kind, bool news,
                         uint16_t sent_under, const struct breaker_clockwork *clockwork)
{
    switch (kind) {
    case ANSWER_REPLY:
    case ANSWER_NOT_SERVED:
        breaker_on_answer(breaker);
        break;
    case ANSWER_UNREACHABLE:
        breaker_on_unreachable(breaker, sent_under, clockwork);
        break;
    case ANSWER_UNKNOWN:
        if (news) {
            breaker_on_silence(breaker, sent_under, clockwork);
        }
        break;
    case ANSWER_FENCED: /* we are about to stop */
        break;
    }
}

void lane_answered(struct lane *lane, const struct answer *answer,
                   const struct breaker_clockwork *clockwork)
{
    struct slot *slot = answer->branch->slot;
    const uint32_t bit = 1U << answer->phase;
    tercet_assert(slot != NULL && (slot->in_flight & bit) != 0 && lane->in_flight > 0);
    struct seat *seat = seats_at(&lane->seats, slot->sent_by[answer->phase]);
    const bool again = (slot->asked_again & bit) != 0;
    slot->in_flight = slot->in_flight & ~bit & SLOT_PHASES;
    slot->asked_again = slot->asked_again & ~bit & SLOT_PHASES;
    lane->in_flight--;
    lane->out[again ? LANE_AGAIN : phase_queue(answer->phase)]--;
    seat->in_flight--;
    if (answer->kind != ANSWER_UNREACHABLE) {
        slot->branch->silent = answer->kind == ANSWER_UNKNOWN;
    }
    if (answer->kind == ANSWER_REPLY || answer->kind == ANSWER_NOT_SERVED) {
        seat->answered_at_boot_ms = clockwork->now_boot_ms;
    }
    const bool news = is_news(lane, seat, slot->branch, again, clockwork->now_boot_ms);
    if (slot->place == SLOT_HELD && slot->phase == answer->phase) {
        slot->place = SLOT_NOWHERE;
        slot_queue_push(choose_queue(lane, slot), slot);
    }
    tell_breaker(&seat->breaker, answer->kind, news, slot->sent_under[answer->phase], clockwork);
    release_if_idle(slot);
}

void lane_fetched(struct lane *lane, const struct branch *branch)
{
    struct slot *slot = branch->slot;
    if (slot != NULL && slot->place == SLOT_FETCHING) {
        unplace(lane, slot);
        slot_queue_push_front(choose_queue(lane, slot), slot);
    }
}

void lane_hold(struct lane *lane, bool held, const struct breaker_clockwork *clockwork)
{
    for (uint32_t i = 0; lane->held && !held && i < lane->seats.count; i++) {
        struct breaker *breaker = &seats_at(&lane->seats, i)->breaker;
        breaker_on_unreachable(breaker, (uint16_t)breaker->openings, clockwork);
    }
    lane->held = held;
}

/* ---- Sending ----------------------------------------------------------------------------------- */

static void tell_reachability(struct lane *lane, struct orders *orders)
{
    const bool reachable = seats_circuit(&lane->seats) != CIRCUIT_OPEN;
    if (reachable != lane->told_reachable) {
        lane->told_reachable = reachable;
        orders_add(orders, reachable ? ORDER_REACHABLE : ORDER_UNREACHABLE, lane->participant);
    }
}

/* Whoever has many rows to count is slow to describe himself, and lives. */
static uint32_t probe_timeout_ms(const struct lane *lane, const struct breaker *breaker)
{
    const uint32_t probes =
        breaker->probe_step > breaker->again_step ? breaker->probe_step : breaker->again_step;
    const uint32_t doublings = probes > PROBE_DOUBLINGS_MAX ? PROBE_DOUBLINGS_MAX
                               : probes > 0                 ? probes - 1
                                                            : 0;
    const uint32_t timeout_ms = (uint32_t)PROBE_TIMEOUT_MS << doublings;
    return timeout_ms < lane->call_timeout_ms ? timeout_ms : lane->call_timeout_ms;
}

static void probe_when_due(struct lane *lane, int64_t now_boot_ms, struct orders *orders)
{
    for (uint32_t i = 0; i < lane->seats.count; i++) {
        struct breaker *breaker = &seats_at(&lane->seats, i)->breaker;
        if (breaker_take_probe(breaker, now_boot_ms)) {
            struct order *order = orders_add(orders, ORDER_PROBE, lane->participant);
            order->seat = i;
            order->timeout_ms = probe_timeout_ms(lane, breaker);
        }
    }
}

static void queue_what_is_due(struct lane *lane, int64_t now_boot_ms)
{
    for (;;) {
        struct heap_node *node = heap_peek(&lane->delayed);
        if (node == NULL || node->key > now_boot_ms) {
            return;
        }
        struct slot *slot = container_of(node, struct slot, due);
        unplace(lane, slot);
        if (slot_is_wanted(slot)) {
            place_now(lane, slot);
        } else {
            release_if_idle(slot);
        }
    }
}

static void send(struct lane *lane, struct slot *slot, struct orders *orders)
{
    struct branch *branch = slot->branch;
    tercet_assert((slot->in_flight & (1U << slot->phase)) == 0);
    const uint32_t seat = seats_take(&lane->seats);
    slot->in_flight = (slot->in_flight | 1U << slot->phase) & SLOT_PHASES;
    if (slot->queue == LANE_AGAIN) {
        slot->asked_again = (slot->asked_again | 1U << slot->phase) & SLOT_PHASES;
    }
    lane_note_turn(lane, slot->queue);
    slot->sent_by[slot->phase] = (uint8_t)seat;
    slot->sent_under[slot->phase] = (uint16_t)seats_at(&lane->seats, seat)->breaker.openings;
    lane->in_flight++;
    branch_note_handed(branch);

    struct order *order = orders_add(orders, ORDER_SEND, lane->participant);
    order->seat = seat;
    order->branch = branch_ref(branch);
    order->phase = slot->phase;
    order->attempt = branch->attempts;
    order->timeout_ms = timeout_of(lane, branch);
}

static void fetch(struct lane *lane, struct slot *slot, struct orders *orders)
{
    slot->place = SLOT_FETCHING;
    lane->fetching++;
    lane->out[slot->queue]++;
    orders_add(orders, ORDER_FETCH, lane->participant)->branch = branch_ref(slot->branch);
}

static void send_what_is_allowed(struct lane *lane, struct orders *orders)
{
    while (lane_may_send(lane)) {
        struct slot_queue *queue = lane_next_queue(lane);
        if (queue == NULL) {
            return;
        }
        struct slot *slot = slot_queue_first(queue);
        leave_queue(lane, queue, slot);
        if (!slot_is_wanted(slot)) {
            release_if_idle(slot);
        } else if (branch_wants_payload(slot->branch)) {
            fetch(lane, slot, orders);
        } else {
            send(lane, slot, orders);
        }
    }
}

void lane_step(struct lane *lane, int64_t now_boot_ms, struct orders *orders)
{
    if (!lane->configured) {
        return;
    }
    tell_reachability(lane, orders);
    probe_when_due(lane, now_boot_ms, orders);
    queue_what_is_due(lane, now_boot_ms);
    send_what_is_allowed(lane, orders);
}

int64_t lane_wake_at_boot_ms(const struct lane *lane)
{
    if (!lane->configured) {
        return INT64_MAX;
    }
    const int64_t probe_at = seats_wake_at_boot_ms(&lane->seats);
    const struct heap_node *due = heap_peek(&lane->delayed);
    if (!lane_may_send(lane) || due == NULL) {
        return probe_at; /* a probe or an answer makes room */
    }
    return due->key < probe_at ? due->key : probe_at;
}

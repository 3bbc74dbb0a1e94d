/* loop.c -- see loop.h. */
#include "loop.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "journal/record.h"

enum { END_WAIT_MS = 50, BATCH_BYTES_MAX = 1024 * 1024, RESUME_AHEAD = 4096 };

/* An effect that waits for its LSN. */
struct pending {
    struct list_node link;
    int64_t lsn;
    struct effect effect;
};

struct loop {
    struct loop_options options;
    struct journal_batch batches[2];
    struct journal_batch *open;      /* of these two: gathers records; its lsn is the next */
    struct journal_batch *submitted; /* with the journal, or NULL */
    bool urgent;                     /* somebody waits for the open batch */
    int64_t lazy_since_boot_ms;      /* when its first record came that may wait; 0: none */
    struct list_node pending;        /* struct pending, by lsn */
    struct list_node backlog;        /* events that wait until the journal is idle */
    struct effects effects;          /* of the step that runs */
    struct orders orders;
    int64_t resumed_lsn; /* of the last slice of parked branches */
    bool stopping;       /* nothing is sent any more: it is asked again after the next start */
    int64_t durable_lsn;
};

struct loop *loop_create(const struct loop_options *options)
{
    struct loop *loop = xcalloc(1, sizeof *loop);
    loop->options = *options;
    if (loop->options.end_wait_ms == 0) {
        loop->options.end_wait_ms = END_WAIT_MS;
    }
    if (loop->options.resume_ahead == 0) {
        loop->options.resume_ahead = RESUME_AHEAD;
    }
    if (loop->options.batch_bytes_max == 0) {
        loop->options.batch_bytes_max = BATCH_BYTES_MAX;
    }
    journal_batch_init(&loop->batches[0]);
    journal_batch_init(&loop->batches[1]);
    loop->open = &loop->batches[0];
    loop->open->lsn = options->durable_lsn + 1;
    loop->durable_lsn = options->durable_lsn;
    list_init(&loop->pending);
    list_init(&loop->backlog);
    effects_init(&loop->effects);
    orders_init(&loop->orders);
    return loop;
}

void loop_destroy(struct loop *loop)
{
    if (loop == NULL) {
        return;
    }
    while (!list_is_empty(&loop->pending)) {
        struct pending *pending =
            container_of(list_pop_front(&loop->pending), struct pending, link);
        effect_release(&pending->effect);
        free(pending);
    }
    while (!list_is_empty(&loop->backlog)) {
        event_destroy(container_of(list_pop_front(&loop->backlog), struct event, link));
    }
    effects_deinit(&loop->effects);
    orders_deinit(&loop->orders);
    journal_batch_deinit(&loop->batches[0]);
    journal_batch_deinit(&loop->batches[1]);
    free(loop);
}

/* ---- 2. Records into the open batch, everything else waits ------------------------------------- */

static bool may_wait(enum record_kind kind)
{
    return kind == RECORD_END || kind == RECORD_PROGRESS || kind == RECORD_PARTICIPANT;
}

static void write_record(struct loop *loop, const struct effect_record *record,
                         struct clock_now now)
{
    record_write(record, loop->options.directory, loop->open);
    if (!may_wait(record->kind)) {
        loop->urgent = true;
    } else if (loop->lazy_since_boot_ms == 0) {
        loop->lazy_since_boot_ms = now.boot_ms;
    }
}

/* The LSN of the newest record emitted so far. */
static int64_t newest_lsn(const struct loop *loop)
{
    return loop->open->operation_count > 0 ? loop->open->lsn : loop->open->lsn - 1;
}

static void keep_effect(struct loop *loop, struct effect *effect, int64_t lsn)
{
    struct pending *pending = xcalloc(1, sizeof *pending);
    pending->lsn = lsn;
    pending->effect = *effect;
    list_push_back(&loop->pending, &pending->link);
    if (lsn == loop->open->lsn) {
        loop->urgent = true;
    }
}

static void carry_out_hold(struct loop *loop, const struct effect_hold *hold, struct clock_now now)
{
    dispatch_hold(loop->options.dispatch, hold->participant, hold->held, now);
    loop->options.hands.hold(loop->options.hands.context, hold);
}

/* Takes the effects of one step.  Records first: whatever else the step made, wherever it stands,
 * waits for all of them. */
static void take_effects(struct loop *loop, struct clock_now now)
{
    struct effects *effects = &loop->effects;
    for (size_t i = 0; i < effects->count; i++) {
        if (effects->items[i].kind == EFFECT_RECORD) {
            write_record(loop, &effects->items[i].u.record, now);
        }
    }
    const int64_t lsn = newest_lsn(loop);
    TERCET_FAILPOINT("loop.after_records");
    for (size_t i = 0; i < effects->count; i++) {
        struct effect *effect = &effects->items[i];
        switch (effect->kind) {
        case EFFECT_RECORD:
            break;
        case EFFECT_LOOKUP:
            loop->options.hands.look_up(loop->options.hands.context, effect->u.lookup.gid);
            break;
        case EFFECT_INSPECT:
            loop->options.hands.inspect(loop->options.hands.context, &effect->u.inspect);
            break;
        case EFFECT_HOLD:
            if (effect->u.hold.held) {
                carry_out_hold(loop, &effect->u.hold, now);
                effect_release(effect);
            } else {
                keep_effect(loop, effect, lsn);
            }
            break;
        case EFFECT_CALL:
        case EFFECT_REPLY:
            keep_effect(loop, effect, lsn);
            break;
        }
    }
    effects->count = 0;
}

static void step(struct loop *loop, struct event *event, struct clock_now now)
{
    engine_step(loop->options.engine, event, loop->open->lsn, now, &loop->effects);
    take_effects(loop, now);
    TERCET_FAILPOINT("loop.after_step");
}

/* How many parked branches of this participant may be asked for now. */
static uint32_t room_to_resume(const struct loop *loop, uint32_t participant)
{
    const uint32_t ahead = loop->options.resume_ahead;
    struct dispatch_stats stats;
    if (!engine_has_parked(loop->options.engine, participant)) {
        return 0;
    }
    dispatch_read_stats(loop->options.dispatch, participant, &stats);
    return stats.queued_phase_two > ahead / 2 ? 0 : ahead - (uint32_t)stats.queued_phase_two;
}

/* A slice that has not reached the queues yet is waited for, or it would be taken for room. */
static bool may_resume(const struct loop *loop)
{
    if (loop->stopping || loop->resumed_lsn > loop->durable_lsn) {
        return false;
    }
    for (uint32_t i = 0;
         engine_is_resuming(loop->options.engine) && i < loop->options.directory->count; i++) {
        if (room_to_resume(loop, i) > 0) {
            return true;
        }
    }
    return false;
}

/* Of what recovery found, as much as each participant's queue has room for. */
static void resume_more(struct loop *loop, struct clock_now now)
{
    if (!may_resume(loop)) {
        return;
    }
    for (uint32_t i = 0; i < loop->options.directory->count; i++) {
        engine_resume_more(loop->options.engine, i, room_to_resume(loop, i), loop->open->lsn, now,
                           &loop->effects);
    }
    take_effects(loop, now);
    loop->resumed_lsn = newest_lsn(loop);
}

void loop_resume(struct loop *loop, struct clock_now now)
{
    engine_resume(loop->options.engine, now, loop->durable_lsn, &loop->effects);
    TERCET_FAILPOINT("loop.resumed");
    take_effects(loop, now);
    resume_more(loop, now);
}

/* ---- Events ------------------------------------------------------------------------------------ */

static void on_durable(struct loop *loop, struct event *event)
{
    tercet_assert(loop->submitted != NULL && event->u.durable.lsn == loop->submitted->lsn);
    loop->durable_lsn = loop->submitted->lsn;
    engine_durable(loop->options.engine, loop->submitted->lsn, loop->submitted->next_number);
    TERCET_FAILPOINT("loop.after_durable");
    journal_batch_clear(loop->submitted);
    loop->submitted = NULL;
    event_destroy(event);
}

static void on_event(struct loop *loop, struct event *event, struct clock_now now)
{
    const struct loop_hands *hands = &loop->options.hands;
    switch (event->kind) {
    case EVENT_ANSWER:
        if (event->u.answer.kind == ANSWER_FENCED) {
            hands->fenced(hands->context);
            tercet_unreachable();
        }
        TERCET_FAILPOINT("loop.answer");
        dispatch_answered(loop->options.dispatch, &event->u.answer, now);
        step(loop, event, now);
        break;
    case EVENT_PROBED:
        if (event->u.probed.fenced) {
            hands->fenced(hands->context);
            tercet_unreachable();
        }
        dispatch_probed(loop->options.dispatch, event->u.probed.participant,
                        event->u.probed.reachable, now);
        step(loop, event, now);
        break;
    case EVENT_HORIZON:
        loop->urgent =
            true; /* what upkeep has moved is removed by the next write, even an empty one */
        step(loop, event, now);
        break;
    case EVENT_FETCHED:
        dispatch_fetched(loop->options.dispatch, event->u.fetched.branch);
        step(loop, event, now);
        break;
    case EVENT_REQUEST:
    case EVENT_FORGET:
    case EVENT_FOUND:
    case EVENT_PARTICIPANT:
    case EVENT_INSPECTED:
        step(loop, event, now);
        break;
    case EVENT_STOP:
        loop->stopping = true;
        TERCET_FAILPOINT("loop.stop");
        step(loop, event, now);
        break;
    case EVENT_DURABLE:
        tercet_unreachable();
    }
}

/* What is durable is noted first; the rest queues behind what was left over. */
static void sort_events(struct loop *loop, struct list_node *events)
{
    while (!list_is_empty(events)) {
        struct event *event = container_of(list_pop_front(events), struct event, link);
        if (event->kind == EVENT_DURABLE) {
            on_durable(loop, event);
        } else {
            list_push_back(&loop->backlog, &event->link);
        }
    }
}

static bool batch_is_full(const struct loop *loop)
{
    return loop->submitted != NULL && loop->open->operations.size >= loop->options.batch_bytes_max;
}

/* ---- 3. Hand the batch to the journal ---------------------------------------------------------- */

static bool batch_is_due(const struct loop *loop, struct clock_now now)
{
    bool waited = loop->lazy_since_boot_ms != 0 &&
                  now.boot_ms >= loop->lazy_since_boot_ms + loop->options.end_wait_ms;
    return loop->submitted == NULL && (loop->urgent || waited);
}

static void submit_when_due(struct loop *loop, struct clock_now now)
{
    if (!batch_is_due(loop, now)) {
        return;
    }
    struct journal_batch *batch = loop->open;
    batch->next_number = engine_next_number(loop->options.engine);
    loop->submitted = batch;
    loop->open = batch == &loop->batches[0] ? &loop->batches[1] : &loop->batches[0];
    tercet_assert(loop->open->operation_count == 0);
    loop->open->lsn = batch->lsn + 1;
    loop->urgent = false;
    loop->lazy_since_boot_ms = 0;
    TERCET_FAILPOINT("loop.before_submit");
    loop->options.hands.submit(loop->options.hands.context, batch);
    TERCET_FAILPOINT("loop.after_submit");
}

/* ---- 4. and 5. Carry out ----------------------------------------------------------------------- */

static void release_effects(struct loop *loop, struct clock_now now)
{
    const struct loop_hands *hands = &loop->options.hands;
    while (!list_is_empty(&loop->pending)) {
        struct pending *pending = container_of(loop->pending.next, struct pending, link);
        if (pending->lsn > loop->durable_lsn) {
            break;
        }
        (void)list_pop_front(&loop->pending);
        struct effect *effect = &pending->effect;
        if (effect->kind == EFFECT_CALL) {
            TERCET_FAILPOINT("loop.before_call");
            dispatch_call(loop->options.dispatch, effect->u.call.branch, effect->u.call.phase,
                          effect->u.call.not_before_boot_ms, now);
            effect->u.call.branch = NULL;
        } else if (effect->kind == EFFECT_HOLD) {
            carry_out_hold(loop, &effect->u.hold, now);
        } else {
            TERCET_FAILPOINT("loop.before_reply");
            tercet_assert(effect->kind == EFFECT_REPLY);
            hands->reply(hands->context, &effect->u.reply);
            TERCET_FAILPOINT("loop.after_reply");
        }
        effect_release(effect);
        free(pending);
    }
}

static void tell_reachability(struct loop *loop, const struct order *order, struct clock_now now)
{
    struct event *event = event_create(EVENT_PARTICIPANT);
    event->u.participant.index = order->participant;
    event->u.participant.reachable = order->kind == ORDER_REACHABLE;
    step(loop, event, now);
}

static void carry_out_orders(struct loop *loop, struct clock_now now)
{
    const struct loop_hands *hands = &loop->options.hands;
    dispatch_step(loop->options.dispatch, now, &loop->orders);
    for (size_t i = 0; i < loop->orders.count; i++) {
        struct order *order = &loop->orders.items[i];
        switch (order->kind) {
        case ORDER_FETCH:
            hands->fetch(hands->context, order->branch);
            order->branch = NULL;
            break;
        case ORDER_PROBE:
            engine_probe_leaves(loop->options.engine, order->participant);
            hands->carry_out(hands->context, order,
                             engine_mark(loop->options.engine, order->participant));
            break;
        case ORDER_SEND:
            TERCET_FAILPOINT("loop.before_order");
            hands->carry_out(hands->context, order,
                             engine_mark(loop->options.engine, order->participant));
            order->branch = NULL;
            break;
        case ORDER_REACHABLE:
        case ORDER_UNREACHABLE:
            tell_reachability(loop, order, now);
            break;
        }
    }
    loop->orders.count = 0;
}

/* ---- The turn ---------------------------------------------------------------------------------- */

void loop_turn(struct loop *loop, struct list_node *events, struct clock_now now)
{
    sort_events(loop, events);
    while (!list_is_empty(&loop->backlog) && !batch_is_full(loop)) {
        on_event(loop, container_of(list_pop_front(&loop->backlog), struct event, link), now);
    }
    engine_tick(loop->options.engine, loop->open->lsn, now, &loop->effects);
    take_effects(loop, now);
    resume_more(loop, now);
    submit_when_due(loop, now);
    release_effects(loop, now);
    if (!loop->stopping) {
        carry_out_orders(loop, now);
    }
}

int64_t loop_wake_at_boot_ms(const struct loop *loop, struct clock_now now)
{
    if (loop->submitted == NULL && (loop->urgent || !list_is_empty(&loop->backlog))) {
        return now.boot_ms;
    }
    if (may_resume(loop)) {
        return now.boot_ms;
    }
    int64_t wake_at = engine_wake_at_boot_ms(loop->options.engine);
    int64_t dispatch_at =
        loop->stopping ? INT64_MAX : dispatch_wake_at_boot_ms(loop->options.dispatch);
    wake_at = dispatch_at < wake_at ? dispatch_at : wake_at;
    if (loop->submitted == NULL && loop->lazy_since_boot_ms != 0) {
        int64_t end_at = loop->lazy_since_boot_ms + loop->options.end_wait_ms;
        wake_at = end_at < wake_at ? end_at : wake_at;
    }
    return wake_at;
}

bool loop_is_writing(const struct loop *loop)
{
    return loop->submitted != NULL;
}

bool loop_is_quiet(const struct loop *loop)
{
    struct engine_stats stats;
    engine_read_stats(loop->options.engine, &stats);
    return stats.looking_up == 0 && loop->submitted == NULL && loop->open->operation_count == 0 &&
           !loop->urgent && list_is_empty(&loop->pending) && list_is_empty(&loop->backlog);
}

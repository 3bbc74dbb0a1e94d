/* loop.c -- see loop.h. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "journal/record.h"
#include "loop_internal.h"

enum { END_WAIT_MS = 50, BATCH_BYTES_MAX = 1024 * 1024, RESUME_AHEAD = 4096 };

struct loop *loop_create(const struct loop_options *options)
{
    struct loop *loop = xcalloc(1, sizeof *loop);
    loop->options = *options;
    loop->options.end_wait_ms = options->end_wait_ms != 0 ? options->end_wait_ms : END_WAIT_MS;
    loop->resume =
        (struct resume){.engine = options->engine,
                        .dispatch = options->dispatch,
                        .directory = options->directory,
                        .ahead = options->resume_ahead != 0 ? options->resume_ahead : RESUME_AHEAD};
    loop->options.batch_bytes_max =
        options->batch_bytes_max != 0 ? options->batch_bytes_max : BATCH_BYTES_MAX;
    journal_batch_init(&loop->batches[0]);
    journal_batch_init(&loop->batches[1]);
    loop->open = &loop->batches[0];
    loop->open->lsn = options->durable_lsn + 1;
    loop->durable_lsn = options->durable_lsn;
    pending_init(&loop->pending);
    list_init(&loop->backlog);
    list_init(&loop->pages);
    effects_init(&loop->effects);
    orders_init(&loop->orders);
    return loop;
}

void loop_destroy(struct loop *loop)
{
    if (loop == NULL) {
        return;
    }
    pending_deinit(&loop->pending);
    list_append_all(&loop->backlog, &loop->pages);
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
    pending_add(&loop->pending, effect, lsn);
    if (lsn == loop->open->lsn) {
        loop->urgent = true;
    }
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
                loop_carry_out_hold(loop, &effect->u.hold, now);
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

void loop_step(struct loop *loop, struct event *event, struct clock_now now)
{
    engine_step(loop->options.engine, event, loop->open->lsn, now, &loop->effects);
    take_effects(loop, now);
    TERCET_FAILPOINT("loop.after_step");
}

static bool may_resume(const struct loop *loop)
{
    return !loop->stopping && resume_is_due(&loop->resume, loop->durable_lsn);
}

static void resume_more(struct loop *loop, struct clock_now now)
{
    if (may_resume(loop)) {
        resume_step(&loop->resume, loop->open->lsn, now, &loop->effects);
        take_effects(loop, now);
        loop->resume.last_lsn = newest_lsn(loop);
    }
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

/* A participant has seen a later coordinator on this journal: this one ends here. */
static void end_fenced(const struct loop_hands *hands)
{
    hands->fenced(hands->context);
    tercet_unreachable();
}

static enum probe_end probe_end_of(const struct event *event)
{
    if (!event->u.probed.reachable) {
        return PROBE_UNANSWERED;
    }
    if (event->u.probed.description != NULL) {
        return PROBE_DESCRIBED;
    }
    return event->u.probed.not_served ? PROBE_NOT_SERVED : PROBE_ALIVE;
}

static void on_event(struct loop *loop, struct event *event, struct clock_now now)
{
    switch (event->kind) {
    case EVENT_ANSWER:
        if (event->u.answer.kind == ANSWER_FENCED) {
            end_fenced(&loop->options.hands);
        }
        TERCET_FAILPOINT("loop.answer");
        dispatch_answered(loop->options.dispatch, &event->u.answer, now);
        loop_step(loop, event, now);
        break;
    case EVENT_PROBED:
        if (event->u.probed.fenced) {
            end_fenced(&loop->options.hands);
        }
        dispatch_probed(loop->options.dispatch, event->u.probed.participant, event->u.probed.seat,
                        probe_end_of(event), now);
        loop_step(loop, event, now);
        break;
    case EVENT_HORIZON:
        /* What upkeep has moved is removed by the next write, even an empty one. */
        loop->urgent = true;
        loop_step(loop, event, now);
        break;
    case EVENT_FETCHED:
        dispatch_fetched(loop->options.dispatch, event->u.fetched.branch);
        loop_step(loop, event, now);
        break;
    case EVENT_REQUEST:
    case EVENT_FORGET:
    case EVENT_FOUND:
    case EVENT_PARTICIPANT:
    case EVENT_INSPECTED:
        loop_step(loop, event, now);
        break;
    case EVENT_STOP:
        loop->stopping = true;
        TERCET_FAILPOINT("loop.stop");
        loop_step(loop, event, now);
        break;
    case EVENT_DURABLE:
        tercet_unreachable();
    }
}

static bool is_page(const struct event *event)
{
    return event->kind == EVENT_REQUEST && event->u.request.kind == REQUEST_LIST;
}

/* What is durable is noted first; the rest queues behind what was left over. */
static void sort_events(struct loop *loop, struct list_node *events)
{
    while (!list_is_empty(events)) {
        struct event *event = container_of(list_pop_front(events), struct event, link);
        if (event->kind == EVENT_DURABLE) {
            on_durable(loop, event);
        } else {
            list_push_back(is_page(event) ? &loop->pages : &loop->backlog, &event->link);
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

static uint64_t looked_at(const struct loop *loop)
{
    struct engine_stats stats;
    engine_read_stats(loop->options.engine, &stats);
    return stats.looked_at;
}

/* Pages of List, until these have looked at as many transactions as one may. */
static void make_pages(struct loop *loop, struct clock_now now)
{
    enum { LOOKED_AT_MAX = 4096 };
    const uint64_t begun_at = looked_at(loop);
    while (!list_is_empty(&loop->pages) && looked_at(loop) - begun_at < LOOKED_AT_MAX) {
        on_event(loop, container_of(list_pop_front(&loop->pages), struct event, link), now);
    }
}

/* ---- The turn ---------------------------------------------------------------------------------- */

void loop_turn(struct loop *loop, struct list_node *events, struct clock_now now)
{
    sort_events(loop, events);
    while (!list_is_empty(&loop->backlog) && !batch_is_full(loop)) {
        on_event(loop, container_of(list_pop_front(&loop->backlog), struct event, link), now);
    }
    make_pages(loop, now);
    if (!batch_is_full(loop)) {
        engine_tick(loop->options.engine, loop->open->lsn, now, &loop->effects);
        take_effects(loop, now);
    }
    resume_more(loop, now);
    submit_when_due(loop, now);
    loop_carry_out(loop, now);
}

int64_t loop_wake_at_boot_ms(const struct loop *loop, struct clock_now now)
{
    const bool has_work = loop->urgent || !list_is_empty(&loop->backlog);
    if ((loop->submitted == NULL && has_work) || may_resume(loop) || !list_is_empty(&loop->pages)) {
        return now.boot_ms;
    }
    int64_t wake_at = batch_is_full(loop) ? INT64_MAX /* the journal wakes it */
                                          : engine_wake_at_boot_ms(loop->options.engine);
    if (!loop->stopping) {
        int64_t dispatch_at = dispatch_wake_at_boot_ms(loop->options.dispatch);
        wake_at = dispatch_at < wake_at ? dispatch_at : wake_at;
    }
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
           !loop->urgent && pending_is_empty(&loop->pending) && list_is_empty(&loop->backlog) &&
           list_is_empty(&loop->pages);
}

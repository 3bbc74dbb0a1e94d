/* engine.c -- the life of the engine: made, stepped, told what is durable.
 *
 * The switch over events is here and only here; what each means is in request.c, answer.c and
 * decide.c (a map is in engine_internal.h). */
#include "engine/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "engine/restored.h"

static const int64_t DAY_MS = 24 * 3600 * 1000LL;

struct engine *engine_create(const struct engine_options *options)
{
    tercet_assert(options->incarnation > 0 && options->next_number > 0);
    struct engine *engine = xcalloc(1, sizeof *engine);
    engine->options = *options;
    engine->next_number = options->next_number;
    engine->durable_next_number = options->next_number;
    engine->horizon_unix_ms = options->horizon_unix_ms;
    /* By its initiator's clock it may have ended a day later than it did (admit.c). */
    engine->newest_end_unix_ms = options->newest_end_unix_ms - DAY_MS;
    if (options->greatest_ended_gid != NULL) {
        engine_note_ended(engine, options->greatest_ended_gid);
    }
    random_init(&engine->random, options->seed);
    table_init(&engine->by_gid, options->seed);
    table_init(&engine->inquiries, options->seed);
    table_init(&engine->waiters, options->seed);
    heap_init(&engine->timers);
    heap_init(&engine->waiter_timers);
    list_init(&engine->open);
    list_init(&engine->ended);
    list_init(&engine->inquiry_list);
    return engine;
}

void engine_note_ended(struct engine *engine, const char *gid)
{
    if (strcmp(gid, engine->greatest_ended_gid) > 0) {
        tercet_assert(strlen(gid) < sizeof engine->greatest_ended_gid);
        memcpy(engine->greatest_ended_gid, gid, strlen(gid) + 1);
    }
}

/* An outcome is forgotten with the day of its end, and the horizon rises to the end of that day: so it must
 * not be given to a day that is over, by a clock that is behind.  Requests that were made since would be
 * taken for new ones as soon as the clock is right. */
void engine_end_txn(struct step *step, struct txn *txn, enum txn_state to)
{
    struct engine *engine = step->engine;
    struct clock_now when = step->now;
    if (when.unix_ms < engine->newest_end_unix_ms) {
        when.unix_ms = engine->newest_end_unix_ms;
    }
    if (when.unix_ms < engine->horizon_unix_ms) {
        when.unix_ms = engine->horizon_unix_ms;
    }
    engine->newest_end_unix_ms = when.unix_ms;
    txn_move(txn, to, when);
}

static void unregister_branch(struct engine *engine, struct branch *branch)
{
    if (engine->peers != NULL) {
        struct peer *peer = &engine->peers[branch->spec.participant];
        if (peer->resume_at == &branch->open_link) {
            peer->resume_at = branch->open_link.next;
        }
    }
    list_remove(&branch->open_link);
}

void engine_destroy_txn(struct engine *engine, struct txn *txn)
{
    table_remove(&engine->by_gid, &txn->by_gid);
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        unregister_branch(engine, txn->branches[i]);
    }
    if (heap_node_is_linked(&txn->timer)) {
        heap_remove(&engine->timers, &txn->timer);
    }
    txn_destroy(txn);
}

void engine_destroy(struct engine *engine)
{
    if (engine == NULL) {
        return;
    }
    restored_destroy(engine);
    inquiry_destroy_all(engine);
    waiters_destroy_all(engine);
    while (!list_is_empty(&engine->open)) {
        engine_destroy_txn(engine, container_of(list_pop_front(&engine->open), struct txn, link));
    }
    while (!list_is_empty(&engine->ended)) {
        engine_destroy_txn(engine, container_of(list_pop_front(&engine->ended), struct txn, link));
    }
    table_deinit(&engine->by_gid);
    table_deinit(&engine->inquiries);
    table_deinit(&engine->waiters);
    heap_deinit(&engine->timers);
    heap_deinit(&engine->waiter_timers);
    for (uint32_t i = 0; i < engine->peer_count; i++) {
        free(engine->peers[i].actions);
        free(engine->peers[i].before);
    }
    free(engine->peers);
    said_unref(engine->cancelled_for);
    for (uint32_t i = 0; i < DIRECTORY_PARTICIPANT_COUNT_MAX; i++) {
        free(engine->adopted[i]);
        said_unref(engine->said[i]);
    }
    free(engine);
}

struct branch_number engine_take_number(struct engine *engine)
{
    return (struct branch_number){engine->options.incarnation, engine->next_number++};
}

/* The participant's branches are in the order of their numbers.  A new one has the highest; one that
 * recovery finds has its place among the others. */
void engine_register_branch(struct engine *engine, struct branch *branch)
{
    struct peer *peer = &engine->peers[branch->spec.participant];
    peer->open_count += branch_state_is_ended(branch->state) ? 0 : 1;
    struct list_node *before = peer->open.prev;
    while (before != &peer->open) {
        const int order = branch_number_compare(
            container_of(before, struct branch, open_link)->number, branch->number);
        tercet_assert(order != 0);
        if (order < 0) {
            break;
        }
        before = before->prev;
    }
    list_push_back(before->next, &branch->open_link);
}

void engine_move_branch(struct step *step, struct branch *branch, enum branch_state to)
{
    branch_move(branch, to);
    if (branch_state_is_ended(to)) {
        struct peer *peer = &step->engine->peers[branch->spec.participant];
        tercet_assert(peer->open_count > 0);
        peer->open_count--;
        step->engine->stats.attention -= branch->attention ? 1 : 0;
        branch->attention = false;
    }
}

void engine_raise_attention(struct engine *engine, struct branch *branch, uint32_t conflict)
{
    engine->stats.attention += branch->attention ? 0 : 1;
    branch->attention = true;
    branch_set_conflict(branch, conflict);
}

void engine_clear_attention(struct engine *engine, struct branch *branch)
{
    engine->stats.attention -= branch->attention ? 1 : 0;
    branch->attention = false;
    branch_set_conflict(branch, 0);
}

void engine_reschedule(struct step *step, struct txn *txn)
{
    heap_insert(&step->engine->timers, &txn->timer, txn->deadline.boot_ms);
}

/* ---- Steps ------------------------------------------------------------------------------------ */

static void on_request(struct step *step, struct event *event)
{
    struct request *request = &event->u.request;
    if (request->kind == REQUEST_LIST) {
        request_list(step, request);
        event_destroy(event);
        return;
    }
    if (request->kind == REQUEST_RESOLVE && request->gid[0] == '\0') {
        hold_resolve(step, request);
        event_destroy(event);
        return;
    }
    struct table_node *node = table_find(&step->engine->by_gid, request->gid, strlen(request->gid));
    if (node != NULL) {
        request_on_txn(step, event, container_of(node, struct txn, by_gid));
    } else if (strcmp(request->gid, step->engine->greatest_ended_gid) > 0) {
        request_on_nothing(step, event); /* no outcome lies so far behind */
    } else {
        inquiry_ask(step, event);
    }
}

static void on_probed(struct step *step, struct event *event)
{
    const uint32_t participant = event->u.probed.participant;
    tercet_assert(participant < step->engine->peer_count);
    if (event->u.probed.actions != NULL) {
        engine_learn_actions(step->engine, participant, event->u.probed.actions,
                             event->u.probed.action_count);
        event->u.probed.actions = NULL;
    }
    if (event->u.probed.description != NULL) {
        hold_described(step, participant, event->u.probed.seat, event->u.probed.description);
    }
    restored_probed(step, event);
}

void engine_step(struct engine *engine, struct event *event, int64_t lsn, struct clock_now now,
                 struct effects *effects)
{
    tercet_assert(lsn > engine->durable_lsn);
    struct step step = {engine, lsn, now, effects};
    switch (event->kind) {
    case EVENT_REQUEST:
        on_request(&step, event);
        return;
    case EVENT_FORGET:
        if (!inquiry_forget(engine, event->u.forget.token)) {
            waiter_forget(&step, event->u.forget.token);
        }
        break;
    case EVENT_FOUND:
        inquiry_found(&step, event);
        break;
    case EVENT_ANSWER:
        answer_apply(&step, &event->u.answer);
        break;
    case EVENT_PARTICIPANT:
        tercet_assert(event->u.participant.index < engine->peer_count);
        engine->peers[event->u.participant.index].reachable = event->u.participant.reachable;
        break;
    case EVENT_HORIZON:
        engine->horizon_unix_ms = event->u.horizon.unix_ms;
        break;
    case EVENT_PROBED:
        on_probed(&step, event);
        break;
    case EVENT_INSPECTED:
        restored_inspected(&step, event);
        break;
    case EVENT_STOP:
        engine->stopping = true;
        waiters_answer_all(&step);
        inquiry_refuse_all(&step);
        break;
    case EVENT_FETCHED:
        engine_take_payload(engine, event->u.fetched.branch, event->u.fetched.payload);
        event->u.fetched.payload = (struct tercet_bytes){0};
        break;
    case EVENT_DURABLE:
        tercet_unreachable();
    }
    event_destroy(event);
}

static void on_deadline(struct step *step, struct txn *txn)
{
    const struct branch *first = NULL;
    struct reason reason;
    char text[TERCET_REASON_TEXT_BYTES_MAX + 1];
    if (txn_all_tried(txn, &first)) {
        text_format(text, sizeof text, "its initiator did not decide within %" PRIu32 " ms",
                    txn->timeout_ms);
    } else {
        text_format(text, sizeof text,
                    "branch %" PRIu32 " (%s) was not tried within %" PRIu32 " ms",
                    first->spec.index,
                    step->engine->options.directory->entries[first->spec.participant].name,
                    txn->timeout_ms);
    }
    reason_set(&reason, "TERCET_TIMEOUT", text);
    decide_to_cancel(step, txn, TXN_CAUSE_TIMEOUT, &reason);
}

void engine_tick(struct engine *engine, int64_t lsn, struct clock_now now, struct effects *effects)
{
    enum { DEADLINES_AT_ONCE = 256 }; /* behind a start all may be over */
    struct step step = {engine, lsn, now, effects};
    struct heap_node *node = heap_peek(&engine->timers);
    for (int i = 0; i < DEADLINES_AT_ONCE && node != NULL && node->key <= now.boot_ms; i++) {
        on_deadline(&step, container_of(node, struct txn, timer));
        node = heap_peek(&engine->timers);
    }
    waiters_tick(&step);
    restored_tick(&step);
}

int64_t engine_wake_at_boot_ms(const struct engine *engine)
{
    const struct heap_node *deadline = heap_peek(&engine->timers);
    const struct heap_node *wait = heap_peek(&engine->waiter_timers);
    int64_t first = deadline == NULL ? INT64_MAX : deadline->key;
    first = wait != NULL && wait->key < first ? wait->key : first;
    const int64_t again = restored_wake_at_boot_ms(engine);
    return again < first ? again : first;
}

void engine_durable(struct engine *engine, int64_t lsn, int64_t next_number)
{
    tercet_assert(lsn > engine->durable_lsn && next_number >= engine->durable_next_number);
    engine->durable_lsn = lsn;
    engine->durable_next_number = next_number;
    while (!list_is_empty(&engine->ended)) {
        struct txn *txn = container_of(engine->ended.next, struct txn, link);
        if (txn->ended_lsn > lsn) {
            break;
        }
        list_remove(&txn->link);
        engine_destroy_txn(engine, txn);
    }
    mark_touch_all(engine);
}

void engine_learn_actions(struct engine *engine, uint32_t participant,
                          struct action_kind *actions_take, uint32_t count)
{
    tercet_assert(participant < engine->peer_count);
    struct peer *peer = &engine->peers[participant];
    free(peer->actions);
    peer->actions = actions_take;
    peer->action_count = count;
}

void engine_probe_leaves(struct engine *engine, uint32_t participant, uint32_t seat)
{
    tercet_assert(participant < engine->peer_count);
    hold_probe_leaves(engine, participant, seat);
}

bool engine_is_held(const struct engine *engine, uint32_t participant)
{
    tercet_assert(participant < engine->peer_count);
    return hold_is_on(&engine->peers[participant]);
}

bool engine_is_in_restored_mode(const struct engine *engine)
{
    return restored_is_on(engine);
}

int64_t engine_next_number(const struct engine *engine)
{
    return engine->next_number;
}

const struct txn *engine_find(const struct engine *engine, const char *gid)
{
    struct table_node *node = table_find(&engine->by_gid, gid, strlen(gid));
    return node == NULL ? NULL : container_of(node, struct txn, by_gid);
}

void engine_read_stats(const struct engine *engine, struct engine_stats *stats_out)
{
    *stats_out = engine->stats;
    stats_out->waiting_calls = table_count(&engine->waiters);
    stats_out->looking_up = table_count(&engine->inquiries);
}

uint32_t engine_open_branches_of(const struct engine *engine, uint32_t participant)
{
    tercet_assert(participant < engine->peer_count);
    return engine->peers[participant].open_count;
}

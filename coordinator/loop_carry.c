/* loop_carry.c -- the end of a turn: effects whose LSN is durable, and what dispatch sends. */
#include "base/assert.h"
#include "base/failpoint.h"
#include "loop_internal.h"

void loop_carry_out_hold(struct loop *loop, const struct effect_hold *hold, struct clock_now now)
{
    dispatch_hold(loop->options.dispatch, hold->participant, hold->held, now);
    loop->options.hands.hold(loop->options.hands.context, hold);
}

static void release_effect(struct loop *loop, struct effect *effect, struct clock_now now)
{
    const struct loop_hands *hands = &loop->options.hands;
    if (effect->kind == EFFECT_CALL) {
        TERCET_FAILPOINT("loop.before_call");
        dispatch_call(loop->options.dispatch, effect->u.call.branch, effect->u.call.phase,
                      effect->u.call.not_before_boot_ms, now);
        effect->u.call.branch = NULL;
    } else if (effect->kind == EFFECT_HOLD) {
        /* A release, and it may have been held again before that became durable. */
        if (!engine_is_held(loop->options.engine, effect->u.hold.participant)) {
            loop_carry_out_hold(loop, &effect->u.hold, now);
        }
    } else {
        TERCET_FAILPOINT("loop.before_reply");
        tercet_assert(effect->kind == EFFECT_REPLY);
        hands->reply(hands->context, &effect->u.reply);
        TERCET_FAILPOINT("loop.after_reply");
    }
    effect_release(effect);
}

static void release_effects(struct loop *loop, struct clock_now now)
{
    struct effect effect;
    while (pending_take(&loop->pending, loop->durable_lsn, &effect)) {
        release_effect(loop, &effect, now);
    }
}

static void tell_reachability(struct loop *loop, const struct order *order, struct clock_now now)
{
    struct event *event = event_create(EVENT_PARTICIPANT);
    event->u.participant.index = order->participant;
    event->u.participant.reachable = order->kind == ORDER_REACHABLE;
    loop_step(loop, event, now);
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
            engine_probe_leaves(loop->options.engine, order->participant, order->seat);
            hands->carry_out(hands->context, order,
                             engine_mark(loop->options.engine, order->participant), now);
            break;
        case ORDER_SEND:
            TERCET_FAILPOINT("loop.before_order");
            hands->carry_out(hands->context, order,
                             engine_mark(loop->options.engine, order->participant), now);
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

void loop_carry_out(struct loop *loop, struct clock_now now)
{
    release_effects(loop, now);
    if (!loop->stopping) {
        carry_out_orders(loop, now);
    }
}

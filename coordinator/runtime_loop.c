/* runtime_loop.c -- the loop's thread, and its hands in this world: writer, reader, service, edge. */
#include <unistd.h>

#include "base/logger.h"
#include "runtime_internal.h"

/* ---- The loop's hands -------------------------------------------------------------------------- */

static void hand_submit(void *context, const struct journal_batch *batch)
{
    struct runtime *runtime = context;
    writer_submit(runtime->writer, batch);
}

static void hand_look_up(void *context, const char *gid)
{
    struct runtime *runtime = context;
    reader_look_up(runtime->reader, gid);
}

static void hand_fetch(void *context, struct branch *branch_take)
{
    struct runtime *runtime = context;
    reader_fetch(runtime->reader, branch_take);
}

static void hand_reply(void *context, struct effect_reply *reply)
{
    struct runtime *runtime = context;
    service_reply(runtime->service, reply);
}

static void hand_carry_out(void *context, struct order *order, const struct mark *mark,
                           struct clock_now now)
{
    struct runtime *runtime = context;
    edge_carry_out(runtime->edge, order, mark, now.boot_ms);
}

static void hand_inspect(void *context, const struct effect_inspect *inspect)
{
    struct runtime *runtime = context;
    edge_inspect(runtime->edge, inspect);
}

static void hand_hold(void *context, const struct effect_hold *hold)
{
    const struct runtime *runtime = context;
    const char *name = runtime->directory.entries[hold->participant].name;
    if (hold->held) {
        edge_hold(runtime->edge, hold->participant);
        LOGGER(LOGGER_ERROR, "participant.held", logger_text("participant", name),
               logger_text("text", hold->text),
               logger_text("advice", "nothing is sent to it until it is released; see "
                                     "docs/operations.md, a participant that was restored"));
    } else {
        LOGGER(LOGGER_WARNING, "participant.released", logger_text("participant", name),
               logger_text("reason", hold->text));
    }
}

static void hand_fenced(void *context)
{
    (void)context;
    LOGGER(LOGGER_ERROR, "coordinator.fenced",
           logger_text("text", "a participant has seen a higher epoch of this journal: another "
                               "coordinator runs on it, or on a copy"),
           logger_text("advice", "stop the other one; a copy must be restored, not started"));
    _exit(RUNTIME_EXIT_FENCED);
}

/* ---- The loop's thread ------------------------------------------------------------------------- */

static bool is_idle(const struct runtime *runtime)
{
    struct engine_stats stats;
    engine_read_stats(runtime->engine, &stats);
    uint64_t in_flight = 0;
    for (uint32_t i = 0; i < runtime->directory.count; i++) {
        struct dispatch_stats participant;
        dispatch_read_stats(runtime->dispatch, i, &participant);
        in_flight += participant.in_flight;
    }
    return stats.waiting_calls == 0 && in_flight == 0 && loop_is_quiet(runtime->loop);
}

/* How long the loop may sleep: also when it leaves and a look-up is not answered. */
static int64_t wait_ms_until(int64_t wake_at, int64_t leave_at_ms, int64_t now_boot_ms)
{
    if (leave_at_ms > now_boot_ms && leave_at_ms < wake_at) {
        wake_at = leave_at_ms;
    }
    if (wake_at == INT64_MAX) {
        return -1;
    }
    return wake_at <= now_boot_ms ? 0 : wake_at - now_boot_ms;
}

void *runtime_loop_run(void *context)
{
    enum { LAST_WRITES_MS = 2000 };
    struct runtime *runtime = context;
    int64_t leave_at_ms = 0;
    int64_t edge_wake_at = INT64_MAX;
    struct list_node events;
    list_init(&events);
    reader_flush(runtime->reader); /* what was asked for when the journal was loaded */
    atomic_store(&runtime->idle, is_idle(runtime)); /* without participants no turn may ever come */
    for (;;) {
        const struct clock_now before = clock_read();
        const int64_t loop_wake_at = loop_wake_at_boot_ms(runtime->loop, before);
        const int64_t wake_at = loop_wake_at < edge_wake_at ? loop_wake_at : edge_wake_at;
        inbox_take_all(&runtime->inbox, wait_ms_until(wake_at, leave_at_ms, before.boot_ms),
                       &events);
        const struct clock_now now = clock_read();
        loop_turn(runtime->loop, &events, now);
        service_flush(runtime->service);
        reader_flush(runtime->reader);
        edge_wake_at = edge_tick(runtime->edge, now.boot_ms);
        /* At every turn: once the loop sleeps, nothing would wake it to look. */
        atomic_store(&runtime->idle, is_idle(runtime));
        if (!atomic_load(&runtime->stopping)) {
            continue;
        }
        /* Nobody is told any more; what is not durable by then was told to nobody. */
        const int64_t now_ms = clock_boot_ms();
        leave_at_ms = leave_at_ms == 0 ? now_ms + LAST_WRITES_MS : leave_at_ms;
        if (loop_is_quiet(runtime->loop) ||
            (now_ms >= leave_at_ms && !loop_is_writing(runtime->loop))) {
            return NULL;
        }
    }
}

struct loop_hands runtime_loop_hands(struct runtime *runtime)
{
    return (struct loop_hands){.submit = hand_submit,
                               .look_up = hand_look_up,
                               .fetch = hand_fetch,
                               .reply = hand_reply,
                               .carry_out = hand_carry_out,
                               .inspect = hand_inspect,
                               .hold = hand_hold,
                               .fenced = hand_fenced,
                               .context = runtime};
}

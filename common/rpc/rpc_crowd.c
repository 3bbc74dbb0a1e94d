/* rpc_crowd.c -- see rpc_crowd.h. */
#include "rpc/rpc_crowd.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/assert.h"
#include "base/memory.h"
#include "base/thread.h"
#include "base/thread_meter.h"
#include "rpc/rpc_core.h"

enum {
    LOOK_EVERY_MS = 20,
    BUSY_AT_PERCENT = 80,
    GO_AFTER_LOOKS = 250, /* five seconds */
    GO_BELOW_PERCENT = 50,
    GO_BUSY_LOOKS_MAX = 5,
    QUIET_BELOW_PERCENT = 1,
    SLEEP_AFTER_LOOKS = 50, /* a second */
    STAY_MS = 100           /* who was called looks so often whether it may go */
};

struct poller {
    struct rpc_crowd *crowd;
    pthread_t thread;
    struct thread_meter meter;
    int64_t seen_ns;   /* the warden's: as it was at its last look */
    atomic_uint turns; /* odd: an event is being worked on */
    unsigned seen_turns;
};

struct rpc_crowd {
    grpc_completion_queue *queue;
    struct poller *pollers; /* the first always polls */
    size_t count;
    pthread_t warden;

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t metered_count; /* pollers that have opened their meter */
    atomic_bool called;   /* all poll */
    atomic_bool asleep;   /* the warden */
    bool ending;
};

static _Thread_local bool is_poller;

bool rpc_crowd_is_poller(void)
{
    return is_poller;
}

bool rpc_crowd_is_called(const struct rpc_crowd *crowd)
{
    return atomic_load(&crowd->called);
}

/* ---- Pollers --------------------------------------------------------------------------------- */

static void wake_warden(struct rpc_crowd *crowd)
{
    pthread_mutex_lock(&crowd->mutex);
    atomic_store(&crowd->asleep, false);
    pthread_cond_broadcast(&crowd->changed);
    pthread_mutex_unlock(&crowd->mutex);
}

/* False: the queue has ended. */
static bool poll_once(struct poller *poller, gpr_timespec until)
{
    struct rpc_crowd *crowd = poller->crowd;
    const grpc_event event = grpc_completion_queue_next(crowd->queue, until, NULL);
    if (event.type != GRPC_OP_COMPLETE) {
        return event.type == GRPC_QUEUE_TIMEOUT;
    }
    struct rpc_tag *const tag = event.tag;
    (void)atomic_fetch_add_explicit(&poller->turns, 1, memory_order_relaxed);
    if (atomic_load_explicit(&crowd->asleep, memory_order_relaxed)) {
        wake_warden(crowd);
    }
    rpc_tag_take(tag);
    tag->run(tag, event.success != 0);
    (void)atomic_fetch_add_explicit(&poller->turns, 1, memory_order_relaxed);
    return true;
}

static void begin(struct poller *poller)
{
    struct rpc_crowd *crowd = poller->crowd;
    is_poller = true;
    thread_meter_open(&poller->meter);
    pthread_mutex_lock(&crowd->mutex);
    crowd->metered_count++;
    pthread_cond_broadcast(&crowd->changed);
    pthread_mutex_unlock(&crowd->mutex);
}

static void *first_main(void *argument)
{
    struct poller *const poller = argument;
    begin(poller);
    while (poll_once(poller, gpr_inf_future(GPR_CLOCK_MONOTONIC))) {
    }
    return NULL;
}

/* False: it ends. */
static bool wait_for_call(struct rpc_crowd *crowd)
{
    pthread_mutex_lock(&crowd->mutex);
    while (!crowd->ending && !atomic_load(&crowd->called)) {
        pthread_cond_wait(&crowd->changed, &crowd->mutex);
    }
    const bool ending = crowd->ending;
    pthread_mutex_unlock(&crowd->mutex);
    return !ending;
}

static gpr_timespec stay_until(void)
{
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(STAY_MS, GPR_TIMESPAN));
}

static void *other_main(void *argument)
{
    struct poller *const poller = argument;
    begin(poller);
    bool going = true;
    while (going && wait_for_call(poller->crowd)) {
        while (going && atomic_load(&poller->crowd->called)) {
            going = poll_once(poller, stay_until());
        }
    }
    return NULL;
}

/* ---- The warden ------------------------------------------------------------------------------ */

void rpc_crowd_judge(struct rpc_crowd_mind *mind, const struct rpc_crowd_look *look)
{
    const bool busy = look->stuck || look->first_percent >= BUSY_AT_PERCENT;
    const bool quiet = !busy && look->all_percent < QUIET_BELOW_PERCENT;
    mind->looks++;
    mind->busy_looks += busy ? 1 : 0;
    mind->percent_sum += look->all_percent;
    mind->quiet_looks = quiet ? mind->quiet_looks + 1 : 0;
    mind->may_sleep = mind->quiet_looks >= SLEEP_AFTER_LOOKS && !mind->called;
    if (busy && !mind->called) {
        *mind = (struct rpc_crowd_mind){.called = true};
    } else if (mind->looks >= GO_AFTER_LOOKS) {
        const bool calm = mind->busy_looks <= GO_BUSY_LOOKS_MAX &&
                          mind->percent_sum < (int64_t)GO_BELOW_PERCENT * mind->looks;
        mind->called = mind->called && !calm;
        mind->looks = 0;
        mind->busy_looks = 0;
        mind->percent_sum = 0;
    }
}

static int64_t now_ns(void)
{
    struct timespec now;
    tercet_assert(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The time of this look; -1: the kernel does not tell. */
static int64_t look_at(struct rpc_crowd *crowd, int64_t last_ns, struct rpc_crowd_look *look_out)
{
    const int64_t at_ns = now_ns();
    const int64_t passed_ns = at_ns > last_ns ? at_ns - last_ns : 1;
    *look_out = (struct rpc_crowd_look){0};
    for (size_t i = 0; i < crowd->count; i++) {
        struct poller *poller = &crowd->pollers[i];
        const int64_t wanted_ns = thread_meter_ns(&poller->meter);
        if (wanted_ns < 0) {
            return -1;
        }
        const int percent = (int)((wanted_ns - poller->seen_ns) * 100 / passed_ns);
        look_out->all_percent += percent;
        look_out->first_percent = i == 0 ? percent : look_out->first_percent;
        poller->seen_ns = wanted_ns;
    }
    struct poller *first = &crowd->pollers[0];
    const unsigned turns = atomic_load_explicit(&first->turns, memory_order_relaxed);
    look_out->stuck = turns % 2 == 1 && turns == first->seen_turns;
    first->seen_turns = turns;
    return at_ns;
}

/* The mutex is held. */
static void wait_ms(struct rpc_crowd *crowd, int64_t ms)
{
    const int64_t until_ns = now_ns() + ms * 1000000;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000),
                                   .tv_nsec = (long)(until_ns % 1000000000)};
    int failed = 0;
    while (!crowd->ending && failed == 0) {
        failed = pthread_cond_timedwait(&crowd->changed, &crowd->mutex, &until);
    }
}

/* The mutex is held. */
static void call(struct rpc_crowd *crowd)
{
    atomic_store(&crowd->called, true);
    pthread_cond_broadcast(&crowd->changed);
}

/* The mutex is held.  Nothing is to be seen: until an event comes. */
static void sleep_until_event(struct rpc_crowd *crowd)
{
    atomic_store(&crowd->asleep, true);
    while (!crowd->ending && atomic_load(&crowd->asleep)) {
        pthread_cond_wait(&crowd->changed, &crowd->mutex);
    }
}

/* The mutex is held. */
static void watch(struct rpc_crowd *crowd)
{
    struct rpc_crowd_mind mind = {0};
    struct rpc_crowd_look look;
    int64_t at_ns = look_at(crowd, 0, &look);
    while (!crowd->ending && at_ns >= 0) {
        wait_ms(crowd, LOOK_EVERY_MS);
        at_ns = look_at(crowd, at_ns, &look);
        rpc_crowd_judge(&mind, &look);
        if (mind.called && !atomic_load(&crowd->called)) {
            call(crowd);
        }
        atomic_store(&crowd->called, mind.called);
        if (mind.may_sleep) {
            sleep_until_event(crowd);
            mind.quiet_looks = 0;
            at_ns = look_at(crowd, at_ns, &look); /* the next is of 20 ms again */
        }
    }
}

static void *warden_main(void *argument)
{
    struct rpc_crowd *const crowd = argument;
    pthread_mutex_lock(&crowd->mutex);
    while (crowd->metered_count < crowd->count) {
        pthread_cond_wait(&crowd->changed, &crowd->mutex);
    }
    watch(crowd);
    call(crowd); /* it ends, or cannot be seen */
    pthread_mutex_unlock(&crowd->mutex);
    return NULL;
}

/* ---- Life ------------------------------------------------------------------------------------ */

struct rpc_crowd *rpc_crowd_create(grpc_completion_queue *queue, size_t count)
{
    pthread_condattr_t attributes;
    struct rpc_crowd *crowd = xcalloc(1, sizeof *crowd);
    tercet_assert(count > 0);
    crowd->queue = queue;
    crowd->count = count;
    crowd->pollers = xcalloc(count, sizeof *crowd->pollers);
    tercet_assert(pthread_mutex_init(&crowd->mutex, NULL) == 0);
    tercet_assert(pthread_condattr_init(&attributes) == 0);
    tercet_assert(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    tercet_assert(pthread_cond_init(&crowd->changed, &attributes) == 0);
    tercet_assert(pthread_condattr_destroy(&attributes) == 0);
    for (size_t i = 0; i < count; i++) {
        struct poller *poller = &crowd->pollers[i];
        poller->crowd = crowd;
        thread_start(&poller->thread, "rpc", i == 0 ? first_main : other_main, poller);
    }
    thread_start(&crowd->warden, "rpc-warden", warden_main, crowd);
    return crowd;
}

void rpc_crowd_destroy(struct rpc_crowd *crowd)
{
    pthread_mutex_lock(&crowd->mutex);
    crowd->ending = true;
    pthread_cond_broadcast(&crowd->changed);
    pthread_mutex_unlock(&crowd->mutex);
    (void)pthread_join(crowd->warden, NULL);
    for (size_t i = 0; i < crowd->count; i++) {
        (void)pthread_join(crowd->pollers[i].thread, NULL);
        thread_meter_close(&crowd->pollers[i].meter);
    }
    (void)pthread_cond_destroy(&crowd->changed);
    (void)pthread_mutex_destroy(&crowd->mutex);
    free(crowd->pollers);
    free(crowd);
}

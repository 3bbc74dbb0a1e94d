/* participant_stop.c -- how a participant ends: by stop(), by a signal, by destroy().
 *
 *   begin    new requests are answered LATER, health says NOT_SERVING, queued ones are put off
 *   drain    running handlers finish and their answers leave
 *   finish   after the grace the rest is cut off: the server closes its connections
 *
 * What was cut off is asked again by the coordinator, which is safe: its handler's transaction
 * either committed with its row or left nothing. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/error.h"
#include "src/lane.h"
#include "src/moment.h"
#include "src/participant_core.h"
#include "src/service.h"
#include "src/unfenced.h"

/* ---- Counting -------------------------------------------------------------------------------- */

static void tell_drained(struct tercet_participant *participant)
{
    const uint64_t one = 1;

    (void)pthread_mutex_lock(&participant->mutex);
    (void)pthread_cond_broadcast(&participant->drained);
    if (participant->drained_fd >= 0) {
        /* It can fail only by being readable already. */
        const ssize_t written = write(participant->drained_fd, &one, sizeof one);
        (void)written;
    }
    (void)pthread_mutex_unlock(&participant->mutex);
}

bool participant_admit(struct tercet_participant *participant, size_t payload_bytes)
{
    const uint_fast32_t count = atomic_fetch_add(&participant->in_flight, 1) + 1;
    const size_t bytes = atomic_fetch_add(&participant->payload_bytes, payload_bytes);

    if (count > participant->in_flight_max ||
        bytes + payload_bytes > PARTICIPANT_PAYLOAD_BYTES_MAX) {
        participant_let_go(participant, payload_bytes);
        return false;
    }
    return true;
}

void participant_let_go(struct tercet_participant *participant, size_t payload_bytes)
{
    (void)atomic_fetch_sub(&participant->payload_bytes, payload_bytes);
    /* Whoever stops sets `stopping` first and looks at the count then: one of the two sees it. */
    if (atomic_fetch_sub(&participant->in_flight, 1) == 1 && atomic_load(&participant->stopping)) {
        tell_drained(participant);
    }
}

void participant_hold(struct tercet_participant *participant)
{
    (void)atomic_fetch_add(&participant->in_flight, 1);
}

/* ---- Stop ------------------------------------------------------------------------------------ */

void participant_begin_stop(struct tercet_participant *participant)
{
    (void)pthread_mutex_lock(&participant->mutex);
    const bool first = participant->state < PARTICIPANT_STOPPING;
    const bool served = participant->state == PARTICIPANT_SERVING;
    if (first) {
        participant->state = PARTICIPANT_STOPPING;
        atomic_store(&participant->stopping, true);
    }
    (void)pthread_mutex_unlock(&participant->mutex);
    if (!first) {
        return;
    }
    if (served) {
        rpc_health_set(participant->health, "", false);
        rpc_health_set(participant->health, SERVICE_NAME, false);
    }
    for (size_t i = 0; i < participant->lane_count; i++) {
        lane_begin_stop(participant->lanes[i]);
    }
    if (participant->unfenced != NULL) {
        unfenced_begin_stop(participant->unfenced);
    }
    if (atomic_load(&participant->in_flight) == 0) {
        tell_drained(participant);
    }
}

/* Waits until nothing is in flight, the grace is over, or another thread, whose grace was shorter, closes.
 * True: the caller closes; else that was done. */
static bool claim_closing(struct tercet_participant *participant, int64_t until)
{
    (void)pthread_mutex_lock(&participant->mutex);
    while (participant->state < PARTICIPANT_CLOSING && atomic_load(&participant->in_flight) > 0 &&
           moment_ms() < until) {
        moment_condition_wait(&participant->drained, &participant->mutex, until);
    }
    const bool claimed = participant->state < PARTICIPANT_CLOSING;
    if (claimed) {
        participant->state = PARTICIPANT_CLOSING;
        participant->cut_off = atomic_load(&participant->in_flight) > 0;
    }
    while (!claimed && participant->state < PARTICIPANT_STOPPED) {
        moment_condition_wait(&participant->drained, &participant->mutex, INT64_MAX);
    }
    (void)pthread_mutex_unlock(&participant->mutex);
    return claimed;
}

static void close_server(struct tercet_participant *participant)
{
    const bool cut_off = participant->cut_off;

    if (!participant->answering) {
        return;
    }
    /* Nothing is held when it drained; else the rest is answered UNAVAILABLE now. */
    rpc_server_stop(participant->server, 0);
    LOG_TELL(&participant->log, cut_off ? TERCET_LOG_WARNING : TERCET_LOG_INFO,
             "participant.stopped", logger_text("participant", participant->name),
             logger_int("drained", cut_off ? 0 : 1));
}

enum tercet_status participant_finish_stop(struct tercet_participant *participant,
                                           uint32_t grace_ms)
{
    const int64_t until = grace_ms == TERCET_FOREVER ? INT64_MAX : moment_ms() + grace_ms;

    if (claim_closing(participant, until)) {
        close_server(participant);
        (void)pthread_mutex_lock(&participant->mutex);
        participant->state = PARTICIPANT_STOPPED;
        (void)pthread_cond_broadcast(&participant->drained);
        (void)pthread_mutex_unlock(&participant->mutex);
    }
    return participant->cut_off ? TERCET_DEADLINE_EXCEEDED : TERCET_OK;
}

enum tercet_status tercet_participant_stop(struct tercet_participant *participant,
                                           uint32_t grace_ms)
{
    if (participant == NULL) {
        return TERCET_INVALID_ARGUMENT;
    }
    (void)pthread_mutex_lock(&participant->mutex);
    const bool stopped = participant->state == PARTICIPANT_STOPPED;
    (void)pthread_mutex_unlock(&participant->mutex);
    if (stopped) {
        return TERCET_OK;
    }
    participant_begin_stop(participant);
    return participant_finish_stop(participant, grace_ms);
}

/* ---- Serve ----------------------------------------------------------------------------------- */

/* Waits for a signal, for the end of all work (unless `drained_fd` is -1), or for the grace. */
static bool wait_for_event(int signals, int drained_fd, int timeout_ms)
{
    struct pollfd events[] = {{.fd = signals, .events = POLLIN},
                              {.fd = drained_fd, .events = POLLIN}};
    int ready = 0;

    do {
        ready = poll(events, drained_fd >= 0 ? 2 : 1, timeout_ms);
    } while (ready < 0 && errno == EINTR);
    if (ready > 0 && (events[0].revents & POLLIN) != 0) {
        struct signalfd_siginfo read_signal;
        const ssize_t size = read(signals, &read_signal, sizeof read_signal);
        return size == (ssize_t)sizeof read_signal;
    }
    return false;
}

static enum tercet_status serve(struct tercet_participant *participant, int signals,
                                struct tercet_error *error_out)
{
    enum tercet_status status = tercet_participant_start(participant, error_out);

    if (status != TERCET_OK) {
        return status;
    }
    while (!wait_for_event(signals, -1, -1)) {
    }
    const uint32_t grace = participant->stop_grace_ms;
    const int64_t until = moment_ms() + grace;
    participant_begin_stop(participant);
    const bool second = wait_for_event(signals, participant->drained_fd,
                                       grace < INT32_MAX ? (int)grace : INT32_MAX);
    const int64_t left = until - moment_ms();
    status = participant_finish_stop(participant, second || left < 0 ? 0 : (uint32_t)left);
    if (status != TERCET_OK) {
        (void)error_set(error_out, status, "participant %s: running work was cut off",
                        participant->name);
    }
    return status;
}

enum tercet_status tercet_participant_serve(struct tercet_participant *participant,
                                            struct tercet_error *error_out)
{
    sigset_t wanted;
    sigset_t before;

    if (participant == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "participant: must not be NULL");
    }
    (void)sigemptyset(&wanted);
    (void)sigaddset(&wanted, SIGINT);
    (void)sigaddset(&wanted, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &wanted, &before);
    const int signals = signalfd(-1, &wanted, SFD_CLOEXEC);
    enum tercet_status status = TERCET_RESOURCE_EXHAUSTED;
    if (signals < 0) {
        status = error_set(error_out, status, "no descriptor for signals is left");
    } else {
        status = serve(participant, signals, error_out);
        (void)close(signals);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

/* ---- Figures --------------------------------------------------------------------------------- */

static uint64_t read_counter(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void tercet_participant_read_stats(const struct tercet_participant *participant,
                                   struct tercet_participant_stats *stats_out)
{
    const struct participant_counters *counters = &participant->counters;
    const size_t size = stats_out->size;
    struct tercet_participant_stats stats = {
        .size = size,
        .requests = read_counter(&counters->requests),
        .handler_runs = read_counter(&counters->handler_runs),
        .done = read_counter(&counters->done),
        .refused = read_counter(&counters->refused),
        .later = read_counter(&counters->later),
        .conflicts = read_counter(&counters->conflicts),
        .from_fence = read_counter(&counters->from_fence),
        .failures = read_counter(&counters->failures),
        .transactions = read_counter(&counters->transactions),
        .transactions_retried = read_counter(&counters->transactions_retried),
        .running = read_counter(&counters->running),
        .marks = read_counter(&counters->marks),
        .rows_forgotten = read_counter(&counters->rows_forgotten),
        .rows_kept = read_counter(&counters->rows_kept),
    };

    for (size_t i = 0; i < participant->lane_count; i++) {
        stats.queued += lane_queued(participant->lanes[i]);
    }
    if (participant->unfenced != NULL) {
        stats.queued += unfenced_queued(participant->unfenced);
    }
    memcpy(stats_out, &stats, size < sizeof stats ? size : sizeof stats);
}

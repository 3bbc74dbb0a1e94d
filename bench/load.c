/* load.c -- see load.h.
 *
 * Each of the `concurrency` slots has one transaction under way.  Its callback, on one of the client's
 * threads, counts it and begins the slot's next.  A slot ends with the first transaction that is not
 * confirmed: the run is then no measurement, and a client that fails at once must not be asked in a
 * circle. */
#include "load.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "participant.h"

enum { READY_TIMEOUT_MS = 30000, READY_PAUSE_MS = 20, DRAIN_TIMEOUT_MS = 60000, GID_SIZE = 64 };

static const char payload[] = "sixteen bytes...";

enum stage { STAGE_WARMUP, STAGE_WINDOW, STAGE_OVER };

struct load;

struct slot {
    struct load *load;
    uint32_t index;
    uint64_t sequence;
    uint64_t begun_us;
};

struct load {
    const struct load_options *options;
    const struct tercet_branch *branches;
    struct histogram *latency_us;
    char run[TERCET_GID_MADE_SIZE]; /* makes this run's gids its own */
    atomic_int stage;
    atomic_uint_fast64_t outcomes[LOAD_OUTCOME_COUNT];
    atomic_bool failed;
    char failure[512]; /* written by whoever set `failed`; read when all is done */
};

static void fill_branches(struct tercet_branch *branches, uint32_t count)
{
    memset(branches, 0, count * sizeof branches[0]);
    for (uint32_t i = 0; i < count; i++) {
        branches[i].participant = cluster_participant_name(i);
        branches[i].action = PARTICIPANT_ACTION;
        branches[i].payload = tercet_bytes_of(payload, sizeof payload - 1);
    }
}

static void sleep_until(uint64_t moment_us)
{
    const struct timespec moment = {.tv_sec = (time_t)(moment_us / 1000000),
                                    .tv_nsec = (long)(moment_us % 1000000) * 1000};
    int result = EINTR;
    while (result == EINTR) {
        result = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL);
    }
}

/* ---- Ready ------------------------------------------------------------------------------------- */

/* The coordinator refuses, without a trace, what names a participant that it has not reached yet; so
 * the same gid may be asked again and again. */
bool load_wait_ready(const struct load_options *options, struct cluster *cluster)
{
    struct tercet_branch branches[CLUSTER_PARTICIPANT_COUNT_MAX];
    char gid[TERCET_GID_MADE_SIZE];
    char why[256] = "";
    const uint64_t until_us = process_now_us() + (uint64_t)READY_TIMEOUT_MS * 1000;
    bool ready = false;

    fill_branches(branches, options->branches);
    tercet_gid_make(gid);
    const struct tercet_transaction first = {.size = sizeof first,
                                             .gid = gid,
                                             .branches = branches,
                                             .branch_count = options->branches,
                                             .wait = TERCET_WAIT_END,
                                             .wait_timeout_ms = 1000};
    while (!ready && process_is_alive(&cluster->coordinator) && process_now_us() < until_us) {
        struct tercet_result *result = NULL;
        ready =
            tercet_client_execute(options->client, &first, &result) == TERCET_OUTCOME_CONFIRMED &&
            result->ended;
        (void)snprintf(why, sizeof why, "%s", result->status_text);
        tercet_result_destroy(result);
        if (!ready) {
            sleep_until(process_now_us() + (uint64_t)READY_PAUSE_MS * 1000);
        }
    }
    if (!ready) {
        (void)fprintf(stderr, "tercet-bench: the coordinator did not become ready: %s\n", why);
    }
    return ready;
}

/* ---- The loop ---------------------------------------------------------------------------------- */

static void fail(struct load *load, const char *gid, const char *outcome, const char *text)
{
    if (!atomic_exchange(&load->failed, true)) {
        (void)snprintf(load->failure, sizeof load->failure, "%s %s: %s", gid, outcome, text);
    }
}

static void on_done(const struct tercet_result *result, void *context);

static void begin_next(struct slot *slot)
{
    struct load *load = slot->load;
    char gid[GID_SIZE];
    struct tercet_error error = {0};

    (void)snprintf(gid, sizeof gid, "%s-%u-%llu", load->run, (unsigned)slot->index,
                   (unsigned long long)slot->sequence);
    slot->sequence++;
    const struct tercet_transaction transaction = {.size = sizeof transaction,
                                                   .gid = gid,
                                                   .branches = load->branches,
                                                   .branch_count = load->options->branches,
                                                   .wait = TERCET_WAIT_DECISION};
    slot->begun_us = process_now_us();
    if (tercet_client_execute_async(load->options->client, &transaction, on_done, slot, &error) !=
        TERCET_OK) {
        (void)atomic_fetch_add(&load->outcomes[TERCET_OUTCOME_NOT_STARTED], 1);
        fail(load, gid, "was not sent", error.text);
    }
}

static void on_done(const struct tercet_result *result, void *context)
{
    struct slot *slot = context;
    struct load *load = slot->load;
    const int stage = atomic_load(&load->stage);
    const unsigned outcome = (unsigned)result->outcome;

    if (stage == STAGE_WINDOW) {
        histogram_add(load->latency_us, process_now_us() - slot->begun_us);
    }
    (void)atomic_fetch_add(
        &load->outcomes[outcome < LOAD_OUTCOME_COUNT ? outcome : TERCET_OUTCOME_UNKNOWN], 1);
    if (result->outcome != TERCET_OUTCOME_CONFIRMED) {
        fail(load, result->gid, tercet_outcome_name(result->outcome),
             result->outcome == TERCET_OUTCOME_CANCELLED ? result->reason.text
                                                         : result->status_text);
    } else if (stage != STAGE_OVER) {
        begin_next(slot);
    }
}

static void subtract(struct cluster_cpu *from, const struct cluster_cpu *begun, uint32_t count)
{
    from->generator_us -= begun->generator_us;
    from->coordinator_us -= begun->coordinator_us;
    from->machine.busy_us -= begun->machine.busy_us;
    from->machine.idle_us -= begun->machine.idle_us;
    for (uint32_t i = 0; i < count; i++) {
        from->participants_us[i] -= begun->participants_us[i];
    }
}

/* Opens the window after the warm-up and closes it when it is over. */
static void measure(struct load *load, const struct cluster *cluster,
                    struct load_result *result_out)
{
    struct cluster_cpu begun;
    const uint64_t start_us = process_now_us();

    sleep_until(start_us + (uint64_t)load->options->warmup_s * 1000000);
    cluster_read_cpu(cluster, &begun);
    const uint64_t opened_us = process_now_us();
    atomic_store(&load->stage, STAGE_WINDOW);
    sleep_until(opened_us + (uint64_t)load->options->seconds * 1000000);
    atomic_store(&load->stage, STAGE_OVER);
    result_out->window_us = process_now_us() - opened_us;
    cluster_read_cpu(cluster, &result_out->cpu);
    subtract(&result_out->cpu, &begun, cluster->participant_count);
}

bool load_run(const struct load_options *options, const struct cluster *cluster,
              struct load_result *result_out)
{
    struct tercet_branch branches[CLUSTER_PARTICIPANT_COUNT_MAX];
    struct tercet_error error = {0};
    struct load load = {
        .options = options, .branches = branches, .latency_us = result_out->latency_us};
    struct slot *slots = calloc(options->concurrency, sizeof *slots);

    if (slots == NULL) {
        (void)fputs("tercet-bench: out of memory\n", stderr);
        return false;
    }
    fill_branches(branches, options->branches);
    tercet_gid_make(load.run);
    for (uint32_t i = 0; i < options->concurrency; i++) {
        slots[i] = (struct slot){.load = &load, .index = i};
        begin_next(&slots[i]);
    }
    measure(&load, cluster, result_out);
    const bool drained =
        tercet_client_wait(options->client, 0, DRAIN_TIMEOUT_MS, &error) == TERCET_OK;
    if (!drained) {
        /* Callbacks may still come: what they point to must stay. */
        (void)fprintf(stderr, "tercet-bench: transactions did not complete: %s\n", error.text);
        _Exit(1);
    }
    free(slots);
    for (int i = 0; i < LOAD_OUTCOME_COUNT; i++) {
        result_out->outcomes[i] = atomic_load(&load.outcomes[i]);
    }
    memcpy(result_out->failure, load.failure, sizeof load.failure);
    return true;
}

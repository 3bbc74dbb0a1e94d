/* load.c -- see load.h.
 *
 * Each of the `concurrency` slots has at most one transaction under way.  Its callback, on one of the
 * client's threads, counts it and begins the slot's next (closed loop), or gives the slot back (open
 * loop).  A slot ends with the first transaction that does not end as asked: the run is then no
 * measurement, and a client that fails at once must not be asked in a circle. */
#include "load.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "participant.h"

enum { READY_TIMEOUT_MS = 30000, READY_PAUSE_MS = 20, DRAIN_TIMEOUT_MS = 60000 };

struct load;

struct slot {
    struct load *load;
    uint64_t sequence;
    uint64_t begun_us; /* open loop: when it was due */
    bool cancels;
    struct slot *next_free;
};

struct load {
    const struct load_options *options;
    struct tercet_branch agree[CLUSTER_PARTICIPANT_COUNT_MAX];
    struct tercet_branch refuse[CLUSTER_PARTICIPANT_COUNT_MAX];
    struct histogram *latency_us;
    uint64_t opens_us;
    uint64_t closes_us;
    atomic_uint_fast64_t completed; /* within the window */
    atomic_uint_fast64_t outcomes[LOAD_OUTCOME_COUNT];
    atomic_bool failed;
    char failure[512];     /* written by whoever set `failed`; read when all is done */
    pthread_mutex_t mutex; /* of the free slots; open loop */
    pthread_cond_t freed;
    struct slot *free;
};

static void fill_branches(struct load *load, const void *payload)
{
    const uint32_t count = load->options->branches;
    for (uint32_t i = 0; i < count; i++) {
        load->agree[i].participant = cluster_participant_name(i);
        load->agree[i].action = PARTICIPANT_AGREE;
        load->agree[i].payload = tercet_bytes_of(payload, load->options->payload_bytes);
    }
    memcpy(load->refuse, load->agree, sizeof load->refuse);
    load->refuse[count - 1].action = PARTICIPANT_REFUSE;
}

/* ---- Ready ------------------------------------------------------------------------------------- */

/* The coordinator refuses, without a trace, what names a participant that it has not reached yet; so
 * the same gid may be asked again and again. */
static bool wait_confirmed(struct tercet_client *client, struct cluster *cluster,
                           const struct tercet_branch *branches, uint32_t count)
{
    char gid[TERCET_GID_MADE_SIZE];
    char why[256] = "";
    const uint64_t until_us = process_now_us() + (uint64_t)READY_TIMEOUT_MS * 1000;
    bool ready = false;

    tercet_gid_make(gid);
    const struct tercet_transaction first = {.size = sizeof first,
                                             .gid = gid,
                                             .branches = branches,
                                             .branch_count = count,
                                             .wait = TERCET_WAIT_END,
                                             .wait_timeout_ms = 1000};
    while (!ready && process_is_alive(&cluster->coordinator) && process_now_us() < until_us) {
        struct tercet_result *result = NULL;
        ready = tercet_client_execute(client, &first, &result) == TERCET_OUTCOME_CONFIRMED &&
                result->ended;
        (void)snprintf(why, sizeof why, "%s", result->status_text);
        tercet_result_destroy(result);
        if (!ready) {
            process_sleep_until(process_now_us() + (uint64_t)READY_PAUSE_MS * 1000);
        }
    }
    if (!ready) {
        (void)fprintf(stderr, "tercet-bench: the coordinator did not become ready: %s\n", why);
    }
    return ready;
}

bool load_wait_ready(const struct load_options *options, struct cluster *cluster)
{
    static struct load load;
    const struct load_options small = {.branches = options->branches};
    const struct tercet_branch silent = {.participant = CLUSTER_SILENT,
                                         .action = PARTICIPANT_AGREE};
    load.options = &small;
    fill_branches(&load, "");
    return wait_confirmed(options->client, cluster, load.agree, options->branches) &&
           (!cluster_has_silent(cluster) || wait_confirmed(options->client, cluster, &silent, 1));
}

/* ---- One transaction --------------------------------------------------------------------------- */

static void fail(struct load *load, const char *gid, const char *outcome, const char *text)
{
    if (!atomic_exchange(&load->failed, true)) {
        (void)snprintf(load->failure, sizeof load->failure, "%s %s: %s", gid, outcome, text);
    }
}

static void make_gid(enum load_gids gids, char *gid_out)
{
    char made[TERCET_GID_MADE_SIZE];
    tercet_gid_make(made);
    for (size_t i = 0; i + 1 < sizeof made; i++) { /* read from its end, chance comes first */
        gid_out[i] = gids == LOAD_GIDS_TIME ? made[i] : made[sizeof made - 2 - i];
    }
    gid_out[sizeof made - 1] = '\0';
}

static void on_done(const struct tercet_result *result, void *context);

static void begin_next(struct slot *slot, uint64_t begun_us)
{
    struct load *load = slot->load;
    const struct load_options *options = load->options;
    char gid[TERCET_GID_MADE_SIZE];
    struct tercet_error error = {0};

    make_gid(options->gids, gid);
    slot->cancels =
        options->mode == LOAD_CANCEL || (options->mode == LOAD_MIXED && slot->sequence % 2 == 1);
    slot->sequence++;
    slot->begun_us = begun_us;
    const struct tercet_transaction transaction = {
        .size = sizeof transaction,
        .gid = gid,
        .branches = slot->cancels ? load->refuse : load->agree,
        .branch_count = options->branches,
        .wait = options->wait_end ? TERCET_WAIT_END : TERCET_WAIT_DECISION};
    if (tercet_client_execute_async(options->client, &transaction, on_done, slot, &error) !=
        TERCET_OK) {
        (void)atomic_fetch_add(&load->outcomes[TERCET_OUTCOME_NOT_STARTED], 1);
        fail(load, gid, "was not sent", error.text);
    }
}

static void give_back(struct slot *slot)
{
    struct load *load = slot->load;
    (void)pthread_mutex_lock(&load->mutex);
    slot->next_free = load->free;
    load->free = slot;
    (void)pthread_cond_signal(&load->freed);
    (void)pthread_mutex_unlock(&load->mutex);
}

static void count(struct slot *slot, uint64_t now_us)
{
    struct load *load = slot->load;
    const bool within = now_us >= load->opens_us && now_us < load->closes_us;
    const bool due_within = slot->begun_us >= load->opens_us && slot->begun_us < load->closes_us;
    if (within) {
        (void)atomic_fetch_add(&load->completed, 1);
    }
    if (load->options->rate == 0 ? within : due_within) {
        histogram_add(load->latency_us, now_us - slot->begun_us);
    }
}

static void on_done(const struct tercet_result *result, void *context)
{
    struct slot *slot = context;
    struct load *load = slot->load;
    const unsigned outcome = (unsigned)result->outcome;
    const enum tercet_outcome wanted =
        slot->cancels ? TERCET_OUTCOME_CANCELLED : TERCET_OUTCOME_CONFIRMED;
    const uint64_t now_us = process_now_us();

    count(slot, now_us);
    (void)atomic_fetch_add(
        &load->outcomes[outcome < LOAD_OUTCOME_COUNT ? outcome : TERCET_OUTCOME_UNKNOWN], 1);
    if (result->outcome != wanted || (load->options->wait_end && !result->ended)) {
        fail(load, result->gid, tercet_outcome_name(result->outcome),
             result->outcome == TERCET_OUTCOME_CANCELLED ? result->reason.text
                                                         : result->status_text);
    } else if (load->options->rate > 0) {
        give_back(slot);
    } else if (now_us < load->closes_us) {
        begin_next(slot, now_us);
    }
}

/* ---- Open loop --------------------------------------------------------------------------------- */

/* Waits for a free slot; NULL: none came in time. */
static struct slot *take_free(struct load *load, uint64_t until_us)
{
    const struct timespec until = {.tv_sec = (time_t)(until_us / 1000000),
                                   .tv_nsec = (long)(until_us % 1000000) * 1000};
    int result = 0;
    (void)pthread_mutex_lock(&load->mutex);
    while (load->free == NULL && result == 0) {
        result = pthread_cond_timedwait(&load->freed, &load->mutex, &until);
    }
    struct slot *slot = load->free;
    if (slot != NULL) {
        load->free = slot->next_free;
    }
    (void)pthread_mutex_unlock(&load->mutex);
    return slot;
}

/* A sleeper is woken that late at times.  Without a backlog only the last few of a window are begun behind
 * it, and by no more. */
enum { WAKE_US = 1000 };

struct pace {
    struct load *load;
    uint64_t start_us;
    uint64_t late;
};

/* Begins what is due, late or not, for as long again as the window at the most. */
static void *pace_main(void *argument)
{
    struct pace *pace = argument;
    struct load *load = pace->load;
    const uint64_t rate = load->options->rate;
    const uint64_t give_up_us = load->closes_us + (load->closes_us - load->opens_us);
    const uint64_t all = (load->closes_us - pace->start_us) * rate / 1000000;
    for (uint64_t i = 0; i < all; i++) {
        const uint64_t due_us = pace->start_us + i * 1000000 / rate;
        if (due_us > process_now_us()) {
            process_sleep_until(due_us);
        }
        struct slot *slot = atomic_load(&load->failed) ? NULL : take_free(load, give_up_us);
        if (slot == NULL) {
            pace->late += all - i;
            break;
        }
        pace->late += process_now_us() >= load->closes_us + WAKE_US ? 1 : 0;
        begin_next(slot, due_us);
    }
    return NULL;
}

/* ---- A run ------------------------------------------------------------------------------------- */

/* Reads what was used when the window opens and when it closes. */
static void measure(const struct load *load, const struct cluster *cluster,
                    struct load_result *result_out)
{
    struct cluster_usage begun;
    process_sleep_until(load->opens_us);
    cluster_read_usage(cluster, &begun);
    const uint64_t opened_us = process_now_us();
    process_sleep_until(load->closes_us);
    result_out->window_us = process_now_us() - opened_us;
    cluster_read_usage(cluster, &result_out->usage);
    cluster_usage_subtract(&result_out->usage, &begun, cluster->participant_count);
}

static bool run(struct load *load, const struct cluster *cluster, struct slot *slots,
                struct load_result *result_out)
{
    const struct load_options *options = load->options;
    struct pace pace = {.load = load, .start_us = process_now_us()};
    pthread_t pacer;
    struct tercet_error error = {0};

    load->opens_us = pace.start_us + (uint64_t)options->warmup_s * 1000000;
    load->closes_us = load->opens_us + (uint64_t)options->seconds * 1000000;
    for (uint32_t i = 0; i < options->concurrency; i++) {
        slots[i] = (struct slot){.load = load};
        if (options->rate > 0) {
            give_back(&slots[i]);
        } else {
            begin_next(&slots[i], process_now_us());
        }
    }
    if (options->rate > 0 && pthread_create(&pacer, NULL, pace_main, &pace) != 0) {
        (void)fputs("tercet-bench: no thread to be had\n", stderr);
        return false;
    }
    measure(load, cluster, result_out);
    if (options->rate > 0) {
        (void)pthread_join(pacer, NULL);
    }
    result_out->late = pace.late;
    if (tercet_client_wait(options->client, 0, DRAIN_TIMEOUT_MS, &error) != TERCET_OK) {
        /* Callbacks may still come: what they point to must stay. */
        (void)fprintf(stderr, "tercet-bench: transactions did not complete: %s\n", error.text);
        _Exit(1);
    }
    return true;
}

bool load_run(const struct load_options *options, const struct cluster *cluster,
              struct load_result *result_out)
{
    static struct load load;
    struct slot *slots = calloc(options->concurrency, sizeof *slots);
    char *payload = malloc(options->payload_bytes + 1);
    pthread_condattr_t monotonic;

    load = (struct load){.options = options, .latency_us = result_out->latency_us};
    if (slots == NULL || payload == NULL || pthread_condattr_init(&monotonic) != 0 ||
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) != 0 ||
        pthread_cond_init(&load.freed, &monotonic) != 0 ||
        pthread_mutex_init(&load.mutex, NULL) != 0) {
        free(slots);
        free(payload);
        (void)fputs("tercet-bench: out of memory\n", stderr);
        return false;
    }
    memset(payload, 'x', options->payload_bytes + 1);
    fill_branches(&load, payload);
    const bool ok = run(&load, cluster, slots, result_out);
    free(slots);
    free(payload);
    result_out->completed = atomic_load(&load.completed);
    for (int i = 0; i < LOAD_OUTCOME_COUNT; i++) {
        result_out->outcomes[i] = atomic_load(&load.outcomes[i]);
    }
    memcpy(result_out->failure, load.failure, sizeof load.failure);
    return ok;
}

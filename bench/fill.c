/* fill.c -- see fill.h.
 *
 * A closed loop as the load's: so many calls are under way, and the callback of each begins the next, until
 * all are begun.  A call is answered when its transaction is durable.  The first that is not begun ends the
 * loop. */
#include "fill.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "participant.h"
#include "tercet/client.h"

enum { IN_FLIGHT = 1024, ANSWER_MS_MAX = 60000 };
enum { REST_LOOK_MS = 500, REST_CPU_US_MAX = 10000, REST_TIMEOUT_MS = 300000 };

struct fill {
    const struct fill_options *options;
    struct tercet_client *client;
    struct tercet_branch branches[CLUSTER_PARTICIPANT_COUNT_MAX];
    atomic_uint_fast32_t begun; /* may count beyond the last */
    atomic_bool failed;
    char failure[512]; /* written by whoever set `failed`; read when all is done */
};

static void fill_branches(struct fill *fill, const void *payload)
{
    for (uint32_t i = 0; i < fill->options->branches; i++) {
        fill->branches[i] = (struct tercet_branch){
            .participant = CLUSTER_SILENT,
            .action = i == 0 ? PARTICIPANT_STALL : PARTICIPANT_AGREE,
            .payload = tercet_bytes_of(payload, fill->options->payload_bytes),
            .stage = i == 0 ? 0 : 1};
    }
}

static void fail(struct fill *fill, const char *gid, const char *text)
{
    if (!atomic_exchange(&fill->failed, true)) {
        (void)snprintf(fill->failure, sizeof fill->failure, "%s: %s", gid, text);
    }
}

static void on_begun(const struct tercet_result *result, void *context);

static void begin_next(struct fill *fill)
{
    const uint_fast32_t number = atomic_fetch_add(&fill->begun, 1);
    char gid[TERCET_GID_MADE_SIZE];
    struct tercet_error error = {0};
    if (number >= fill->options->transactions || atomic_load(&fill->failed)) {
        return;
    }
    tercet_gid_make(gid);
    const struct tercet_transaction transaction = {.size = sizeof transaction,
                                                   .gid = gid,
                                                   .branches = fill->branches,
                                                   .branch_count = fill->options->branches,
                                                   .try_timeout_ms = TERCET_TRY_TIMEOUT_MS_MAX,
                                                   .wait = TERCET_WAIT_BEGIN,
                                                   .wait_timeout_ms = ANSWER_MS_MAX};
    if (tercet_client_execute_async(fill->client, &transaction, on_begun, fill, &error) !=
        TERCET_OK) {
        fail(fill, gid, error.text);
    }
}

/* Stored and not decided: UNKNOWN with status OK. */
static void on_begun(const struct tercet_result *result, void *context)
{
    struct fill *fill = context;
    if (result->status != TERCET_OK) {
        fail(fill, result->gid, result->status_text);
    } else if (result->outcome != TERCET_OUTCOME_UNKNOWN) {
        fail(fill, result->gid, tercet_outcome_name(result->outcome));
    } else {
        begin_next(fill);
    }
}

/* What the fill has left for the journal's compactions is not the load's: waits until a moment passes in
 * which the coordinator uses no more than a tick. */
static bool wait_rest(const struct cluster *cluster)
{
    const pid_t id = cluster->coordinator.id;
    const uint64_t until_us = process_now_us() + (uint64_t)REST_TIMEOUT_MS * 1000;
    uint64_t before_us = process_cpu_us(id);
    uint64_t used_us = UINT64_MAX;
    while (used_us > REST_CPU_US_MAX && process_now_us() < until_us) {
        process_sleep_until(process_now_us() + (uint64_t)REST_LOOK_MS * 1000);
        const uint64_t now_us = process_cpu_us(id);
        used_us = now_us - before_us;
        before_us = now_us;
    }
    if (used_us > REST_CPU_US_MAX) {
        (void)fputs("tercet-bench: the coordinator did not come to rest\n", stderr);
    }
    return used_us <= REST_CPU_US_MAX;
}

/* A call ends by itself, so this does too. */
static bool begin_all(struct fill *fill)
{
    struct tercet_error error = {0};
    for (uint32_t i = 0; i < IN_FLIGHT; i++) {
        begin_next(fill);
    }
    if (tercet_client_wait(fill->client, 0, TERCET_TRY_TIMEOUT_MS_MAX, &error) != TERCET_OK) {
        fail(fill, "all", error.text);
    }
    if (atomic_load(&fill->failed)) {
        (void)fprintf(stderr, "tercet-bench: what is to stay open was not begun; first: %s\n",
                      fill->failure);
        return false;
    }
    return true;
}

bool fill_run(const struct fill_options *options, struct cluster *cluster,
              struct fill_result *result_out)
{
    static struct fill fill;
    const pid_t id = cluster->coordinator.id;
    /* A call counts until its callback has returned, and that begins the next one. */
    const struct tercet_client_options client = {
        .size = sizeof client, .target = cluster->target, .in_flight_max = 2 * IN_FLIGHT};
    struct tercet_error error = {0};
    char *payload = malloc(options->payload_bytes + 1);

    fill = (struct fill){.options = options};
    if (payload == NULL || tercet_client_create(&client, &fill.client, &error) != TERCET_OK) {
        (void)fprintf(stderr, "tercet-bench: %s\n", payload == NULL ? "out of memory" : error.text);
        free(payload);
        return false;
    }
    memset(payload, 'x', options->payload_bytes + 1);
    fill_branches(&fill, payload);
    result_out->resident_before_bytes = process_resident_bytes(id);
    const uint64_t begun_us = process_now_us();
    bool ok = begin_all(&fill);
    result_out->begin_us = process_now_us() - begun_us;
    tercet_client_destroy(fill.client); /* its callbacks look at the rest */
    free(payload);
    ok = ok && wait_rest(cluster);
    result_out->resident_filled_bytes = process_resident_bytes(id);
    return ok;
}

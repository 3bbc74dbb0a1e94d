/* main.c -- tercet-bench: how many transactions a second, how long each takes, what it costs, and what
 * the parts alone could do.
 *
 *   tercet-bench [OPTIONS]                        docs/performance.md
 *   tercet-bench participant NAME ADDRESS [STORE PLACE BATCH], tercet-bench echo ADDRESS     what it starts by itself
 *
 * Nothing is simulated: a real tercetd with a fresh journal, participants in processes of their own, and
 * the SDK's client in this one.  The floors are measured in the same run, beside nothing else.
 *
 * Exit code: 0 every transaction ended as asked; 1 not, or the run could not be made; 64 wrong use. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "fill.h"
#include "floor.h"
#include "report.h"

enum { FLOOR_MS = 1000, STEP_TIMEOUT_MS = 10000, EXIT_USAGE = 64 };

/* ---- Paths ------------------------------------------------------------------------------------- */

static bool find_self(char path_out[PATH_MAX])
{
    const ssize_t size = readlink("/proc/self/exe", path_out, PATH_MAX - 1);
    if (size <= 0) {
        return false;
    }
    path_out[size] = '\0';
    return true;
}

/* In the build tree it is ../coordinator/tercetd, installed it stands beside us. */
static bool find_daemon(const char *self, char path_out[PATH_MAX])
{
    static const char *const places[] = {"../coordinator/tercetd", "tercetd"};
    const char *slash = strrchr(self, '/');
    const int directory_size = slash == NULL ? 0 : (int)(slash - self);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const int size = snprintf(path_out, PATH_MAX, "%.*s/%s", directory_size, self, places[i]);
        if (size > 0 && size < PATH_MAX && access(path_out, X_OK) == 0) {
            return true;
        }
    }
    (void)fputs("tercet-bench: there is no tercetd; say where by --coordinator\n", stderr);
    return false;
}

/* ---- A run ------------------------------------------------------------------------------------- */

static bool measure_pace(const struct arguments *arguments, const char *directory,
                         struct floor_pace *pace_out)
{
    const struct load_options *load = &arguments->load;
    const struct floor_pace_options options = {.directory = directory,
                                               .branches = load->branches,
                                               .payload_bytes = load->payload_bytes,
                                               .rate = load->rate,
                                               .warmup_s = load->warmup_s,
                                               .seconds = load->seconds};
    return load->rate == 0 || floor_measure_pace(&options, pace_out);
}

/* As many calls under way as there can be through tercetd, whose window is this by default. */
static bool measure_unary(const struct arguments *arguments, const struct cluster *cluster,
                          const char *self, struct floor_unary *unary_out)
{
    enum { WINDOW = 256 };
    const uint32_t in_flight = arguments->load.concurrency;
    const struct floor_unary_options options = {.directory = cluster->directory,
                                                .self = self,
                                                .program = arguments->participant_program,
                                                .log = cluster->log,
                                                .servers = arguments->load.branches,
                                                .in_flight =
                                                    in_flight < WINDOW ? in_flight : WINDOW,
                                                .payload_bytes = arguments->load.payload_bytes,
                                                .warmup_ms = arguments->load.warmup_s * 1000,
                                                .duration_ms = FLOOR_MS};
    return !arguments_are_unary(arguments) || floor_measure_unary(&options, unary_out);
}

static bool measure_floors(const struct arguments *arguments, const struct cluster *cluster,
                           const char *self, struct floors *floors_out)
{
    const char *directory = cluster->directory;
    const uint32_t branches = arguments->load.branches;
    const uint32_t bytes = arguments->load.payload_bytes;
    return !arguments->floors ||
           (floor_measure_disk(directory, FLOOR_MS, &floors_out->disk) &&
            floor_measure_journal(directory, branches, bytes, FLOOR_MS, &floors_out->journal) &&
            floor_measure_stream(directory, self, branches, bytes, FLOOR_MS, &floors_out->stream) &&
            measure_pace(arguments, directory, &floors_out->pace) &&
            measure_unary(arguments, cluster, self, &floors_out->unary));
}

static bool fill(const struct arguments *arguments, struct cluster *cluster,
                 struct fill_result *result)
{
    const struct fill_options options = {.transactions = arguments->open,
                                         .branches = arguments->load.branches,
                                         .payload_bytes = arguments->load.payload_bytes};
    return arguments->open == 0 || fill_run(&options, cluster, result);
}

/* Everybody runs. */
static bool measure(struct arguments *arguments, struct cluster *cluster, struct report *report,
                    struct load_result *result)
{
    struct tercet_error error = {0};
    /* A call counts until its callback has returned, and that begins the next one. */
    const uint32_t in_flight_max = 2 * arguments->load.concurrency;
    const struct tercet_client_options options = {.size = sizeof options,
                                                  .target = cluster->target,
                                                  .in_flight_max = in_flight_max,
                                                  .step_timeout_ms = STEP_TIMEOUT_MS,
                                                  .unary_only = arguments->unary_only};
    if (tercet_client_create(&options, &arguments->load.client, &error) != TERCET_OK) {
        (void)fprintf(stderr, "tercet-bench: %s\n", error.text);
        return false;
    }
    const bool ok = load_wait_ready(&arguments->load, cluster) &&
                    fill(arguments, cluster, &report->fill) &&
                    load_run(&arguments->load, cluster, result);
    report->fill.resident_end_bytes = process_resident_bytes(cluster->coordinator.id);
    tercet_client_destroy(arguments->load.client);
    return ok;
}

/* Only those that were to stay open may be. */
static bool check_open(const struct arguments *arguments, int64_t open)
{
    const bool right = arguments->open == 0 || open == arguments->open;
    if (!right) {
        (void)fprintf(stderr,
                      "tercet-bench: %" PRIu32 " transactions should be open at the end, and "
                      "%" PRId64 " are\n",
                      arguments->open, open);
    }
    return right;
}

/* The cluster has a directory and goes with it. */
static bool run_cluster(struct arguments *arguments, const char *self, struct cluster *cluster,
                        struct report *report, struct load_result *result)
{
    struct floor_disk after = {0};
    const char *daemon = arguments->coordinator;
    const uint32_t open_branches = arguments->open * arguments->load.branches;
    const struct cluster_participants participants = {
        .count = arguments->load.branches,
        .program = arguments->participant_program,
        .store = arguments->store->name,
        .database = arguments->database,
        .batch_max = arguments->batch_max,
        .connections = arguments->connections,
        .unary_only = !arguments->participant_stream,
        .open_transactions = arguments->open,
        .open_branches = open_branches,
        .open_payload_bytes = (uint64_t)open_branches * arguments->load.payload_bytes};
    bool ok = measure_floors(arguments, cluster, self, &report->floors) &&
              cluster_start(cluster, daemon, self, &participants) &&
              measure(arguments, cluster, report, result);
    ok = cluster_stop(cluster) && ok;
    report->local_transactions = cluster->local_transactions;
    ok = ok && cluster_read_open(cluster, daemon, &report->open_transactions) &&
         check_open(arguments, report->open_transactions);
    if (ok && arguments->floors) {
        ok = floor_measure_disk(cluster->directory, FLOOR_MS, &after);
        report->syncs_per_s_after = after.syncs_per_s;
    }
    return ok;
}

static bool run(struct arguments *arguments, const char *self)
{
    static struct cluster cluster;
    struct load_result result = {.latency_us = histogram_create()};
    struct report report = {.arguments = arguments, .result = &result};

    if (result.latency_us == NULL) {
        (void)fputs("tercet-bench: out of memory\n", stderr);
        return false;
    }
    report.file_system = floor_file_system(arguments->directory);
    bool ok = cluster_make_directory(&cluster, arguments->directory) &&
              run_cluster(arguments, self, &cluster, &report, &result);
    cluster_remove(&cluster);
    if (ok && arguments->json) {
        report_print_json(&report);
    } else if (ok) {
        report_print_table(&report);
    }
    if (ok && result.failure[0] != '\0') {
        (void)fprintf(stderr, "tercet-bench: not every transaction ended as asked; first: %s\n",
                      result.failure);
        ok = false;
    }
    histogram_destroy(result.latency_us);
    return ok;
}

int main(int count, char **words)
{
    struct arguments arguments;
    char self[PATH_MAX];
    char daemon[PATH_MAX];

    if ((count == 4 || count == 7) && strcmp(words[1], "participant") == 0) {
        const struct store_kind *kind = store_find(count == 7 ? words[4] : "memory");
        const struct store_place place = {
            .place = count == 7 ? words[5] : "",
            .name = words[2],
            .batch_max = count == 7 ? (uint32_t)strtoul(words[6], NULL, 10) : 0};
        return kind != NULL ? participant_main(kind, &place, words[3]) : EXIT_USAGE;
    }
    if (count == 3 && strcmp(words[1], "echo") == 0) {
        return floor_echo_main(words[2]);
    }
    arguments_parse(count, words, &arguments);
    if (!find_self(self) || (arguments.coordinator == NULL && !find_daemon(self, daemon))) {
        return 1;
    }
    if (arguments.coordinator == NULL) {
        arguments.coordinator = daemon;
    }
    return run(&arguments, self) ? 0 : 1;
}

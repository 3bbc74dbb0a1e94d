/* main.c -- tercet-bench: how many transactions a second, how long each takes, what it costs.
 *
 *   tercet-bench [--branches 4] [--concurrency 64] [--seconds 10] [--warmup 2] [--json]
 *   tercet-bench participant NAME ADDRESS     what it starts by itself
 *
 * Nothing is simulated: a real tercetd with a fresh journal, participants in processes of their own,
 * and the SDK's client in this one.  The floor is measured in the same run, beside nothing else.
 *
 * Exit code: 0 every transaction was confirmed; 1 not, or the run could not be made; 64 wrong use. */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "floor.h"
#include "participant.h"
#include "report.h"

enum { CONCURRENCY_MAX = 10000, SECONDS_MAX = 86400, FLOOR_MS = 1000, STEP_TIMEOUT_MS = 10000 };

struct arguments {
    struct load_options load;
    const char *coordinator; /* NULL: beside this program */
    const char *directory;
    bool json;
};

enum option_key {
    KEY_BRANCHES = 'b',
    KEY_CONCURRENCY = 'c',
    KEY_SECONDS = 's',
    KEY_WARMUP = 'w',
    KEY_JSON = 'j',
    KEY_PARTICIPANTS = 'p',
    KEY_COORDINATOR = 0x100,
    KEY_DIRECTORY
};

static const struct argp_option flags[] = {
    {"branches", KEY_BRANCHES, "N", 0, "branches, each at a participant of its own (4; 1 to 64)",
     0},
    {"concurrency", KEY_CONCURRENCY, "N", 0, "transactions under way at a time (64)", 0},
    {"seconds", KEY_SECONDS, "N", 0, "length of the measured window (10)", 0},
    {"warmup", KEY_WARMUP, "N", 0, "seconds before it (2)", 0},
    {"participants", KEY_PARTICIPANTS, "KIND", 0, "the participants' store: memory", 0},
    {"json", KEY_JSON, NULL, 0, "for programs", 0},
    {"coordinator", KEY_COORDINATOR, "FILE", 0, "tercetd (default: of the same build tree)", 0},
    {"directory", KEY_DIRECTORY, "DIR", 0,
     "where the journal's temporary directory is made (/var/tmp)", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

static uint32_t number(const char *text, uint32_t min, uint32_t max, struct argp_state *state)
{
    char *end = NULL;
    errno = 0;
    const unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value < min || value > max) {
        argp_error(state, "\"%s\": want a number from %u to %u", text, (unsigned)min,
                   (unsigned)max);
    }
    return (uint32_t)value;
}

static error_t take(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case KEY_BRANCHES:
        arguments->load.branches = number(value, 1, CLUSTER_PARTICIPANT_COUNT_MAX, state);
        return 0;
    case KEY_CONCURRENCY:
        arguments->load.concurrency = number(value, 1, CONCURRENCY_MAX, state);
        return 0;
    case KEY_SECONDS:
        arguments->load.seconds = number(value, 1, SECONDS_MAX, state);
        return 0;
    case KEY_WARMUP:
        arguments->load.warmup_s = number(value, 0, SECONDS_MAX, state);
        return 0;
    case KEY_PARTICIPANTS:
        if (strcmp(value, "memory") != 0) {
            argp_error(state, "\"%s\": participants can be: memory", value);
        }
        return 0;
    case KEY_JSON:
        arguments->json = true;
        return 0;
    case KEY_COORDINATOR:
        arguments->coordinator = value;
        return 0;
    case KEY_DIRECTORY:
        arguments->directory = value;
        return 0;
    default: /* argp's own keys */
        return ARGP_ERR_UNKNOWN;
    }
}

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

static bool measure_floor(const struct cluster *cluster, double *per_second_out)
{
    if (floor_measure(cluster->directory, FLOOR_MS, per_second_out)) {
        return true;
    }
    (void)fprintf(stderr, "tercet-bench: %s: %s\n", cluster->directory, strerror(errno));
    return false;
}

/* Everybody runs; `report` gets everything but the second floor. */
static bool measure(struct arguments *arguments, struct cluster *cluster,
                    struct load_result *result)
{
    struct tercet_error error = {0};
    /* A call counts until its callback has returned, and that begins the next one. */
    const uint32_t in_flight_max = 2 * arguments->load.concurrency;
    const struct tercet_client_options options = {.size = sizeof options,
                                                  .target = cluster->target,
                                                  .in_flight_max = in_flight_max,
                                                  .step_timeout_ms = STEP_TIMEOUT_MS};
    if (tercet_client_create(&options, &arguments->load.client, &error) != TERCET_OK) {
        (void)fprintf(stderr, "tercet-bench: %s\n", error.text);
        return false;
    }
    const bool ok =
        load_wait_ready(&arguments->load, cluster) && load_run(&arguments->load, cluster, result);
    tercet_client_destroy(arguments->load.client);
    return ok;
}

static bool run(struct arguments *arguments, const char *daemon, const char *self)
{
    static struct cluster cluster;
    struct load_result result = {.latency_us = histogram_create()};
    struct report report = {.options = &arguments->load, .result = &result};

    if (result.latency_us == NULL) {
        (void)fputs("tercet-bench: out of memory\n", stderr);
        return false;
    }
    bool ok =
        cluster_start(&cluster, arguments->directory, daemon, self, arguments->load.branches) &&
        measure_floor(&cluster, &report.floor_before) && measure(arguments, &cluster, &result) &&
        measure_floor(&cluster, &report.floor_after);
    report.file_system = floor_file_system(arguments->directory);
    const bool stopped = cluster_stop(&cluster);
    if (ok && arguments->json) {
        report_print_json(&report);
    } else if (ok) {
        report_print_table(&report);
    }
    if (ok && result.failure[0] != '\0') {
        (void)fprintf(stderr, "tercet-bench: not every transaction was confirmed; first: %s\n",
                      result.failure);
        ok = false;
    }
    histogram_destroy(result.latency_us);
    return ok && stopped;
}

int main(int count, char **words)
{
    static const struct argp parser = {
        .options = flags,
        .parser = take,
        .doc = "Measures transactions through a real coordinator and real participants."};
    struct arguments arguments = {
        .load = {.branches = 4, .concurrency = 64, .warmup_s = 2, .seconds = 10},
        .directory = "/var/tmp"};
    char self[PATH_MAX];
    char daemon[PATH_MAX];

    if (count == 4 && strcmp(words[1], "participant") == 0) {
        return participant_main(words[2], words[3]);
    }
    argp_err_exit_status = 64;
    if (argp_parse(&parser, count, words, 0, NULL, &arguments) != 0) {
        return 64;
    }
    if (!find_self(self) || (arguments.coordinator == NULL && !find_daemon(self, daemon))) {
        return 1;
    }
    return run(&arguments, arguments.coordinator != NULL ? arguments.coordinator : daemon, self)
               ? 0
               : 1;
}

/* report.c -- see report.h. */
#include "report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "report_floors.h"

/* What a quiet machine of the kind in docs/performance.md gives, and how much of it a run must have had. */
static const double DISK_SYNCS_PER_S = 4600;
static const double LEAST_SHARE = 0.8;
static const double OTHERS_PERCENT_MAX = 5;

/* What both forms show, worked out once. */
struct figures {
    double per_second;
    uint64_t p50, p95, p99, p999, max;
    /* CPU µs of one transaction; the participants' together. */
    double coordinator, generator, participants;
    double written_bytes, participants_written_bytes; /* of one transaction */
    double batches;                                   /* of the journal */
    double local_transactions;                        /* of all participants */
    /* Percent of the machine within the window. */
    double ours, others, idle;
};

static double share(double amount, uint64_t count)
{
    return count == 0 ? 0.0 : amount / (double)count;
}

static void work_out_machine(const struct cluster_usage *usage, double ours_us,
                             struct figures *figures)
{
    const double busy_us = (double)usage->machine.busy_us;
    const double all_us = busy_us + (double)usage->machine.idle_us;
    if (all_us > 0) {
        figures->ours = 100 * ours_us / all_us;
        figures->others = busy_us > ours_us ? 100 * (busy_us - ours_us) / all_us : 0;
        figures->idle = 100 * (all_us - busy_us) / all_us;
    }
}

static struct report_reached reached(const struct figures *figures)
{
    return (struct report_reached){.transactions_per_s = figures->per_second,
                                   .coordinator_cpu_us = figures->coordinator,
                                   .p50_us = figures->p50,
                                   .p99_us = figures->p99};
}

static struct figures work_out(const struct report *report)
{
    const struct load_result *result = report->result;
    const struct cluster_usage *usage = &result->usage;
    const uint32_t branches = report->arguments->load.branches;
    const uint64_t count = result->completed;
    uint64_t participants_us = 0;
    uint64_t all = 0;
    for (uint32_t i = 0; i < branches; i++) {
        participants_us += usage->participants_cpu_us[i];
    }
    for (int i = 0; i < LOAD_OUTCOME_COUNT; i++) {
        all += result->outcomes[i];
    }
    struct figures figures = {
        .per_second = (double)count * 1e6 / (double)result->window_us,
        .p50 = histogram_percentile(result->latency_us, 500),
        .p95 = histogram_percentile(result->latency_us, 950),
        .p99 = histogram_percentile(result->latency_us, 990),
        .p999 = histogram_percentile(result->latency_us, 999),
        .max = histogram_max(result->latency_us),
        .coordinator = share((double)usage->coordinator_cpu_us, count),
        .generator = share((double)usage->generator_cpu_us, count),
        .participants = share((double)participants_us, count),
        .written_bytes = share((double)usage->coordinator_written_bytes, count),
        .participants_written_bytes = share((double)usage->participants_written_bytes, count),
        .batches = share((double)usage->batches, count),
        .local_transactions = share((double)report->local_transactions, all),
    };
    work_out_machine(
        usage, (double)(participants_us + usage->coordinator_cpu_us + usage->generator_cpu_us),
        &figures);
    return figures;
}

const char *report_doubt(const struct report *report)
{
    const struct figures figures = work_out(report);
    if (report->arguments->floors &&
        (report->floors.disk.syncs_per_s < LEAST_SHARE * DISK_SYNCS_PER_S ||
         report->syncs_per_s_after < LEAST_SHARE * DISK_SYNCS_PER_S)) {
        return "the disk alone was slower than 80 % of what docs/performance.md measured";
    }
    /* A database's server is among the others. */
    if (figures.others > OTHERS_PERCENT_MAX && report->arguments->database == NULL) {
        return "others used more than 5 % of the machine";
    }
    return NULL;
}

/* ---- Table ------------------------------------------------------------------------------------- */

static const char *const mode_names[] = {"commit", "cancel", "mixed"};
static const char *const gids_names[] = {"time", "random"};

static void print_head(const struct report *report)
{
    const struct load_options *options = &report->arguments->load;
    (void)printf("tercet-bench %s  %" PRIu32 " branches of %" PRIu32 " bytes, ", tercet_version(),
                 options->branches, options->payload_bytes);
    if (options->rate > 0) {
        (void)printf("%" PRIu32 " a second (at most %" PRIu32 " in flight)", options->rate,
                     options->concurrency);
    } else {
        (void)printf("%" PRIu32 " in flight", options->concurrency);
    }
    (void)printf(
        ", %s, %s gids, %" PRIu32 " s after %" PRIu32 " s of warm-up, %ld CPUs\n"
        "one coordinator, %" PRIu32 " participants (%s%s), unix sockets, journal on %s\n\n",
        mode_names[options->mode], gids_names[options->gids], options->seconds, options->warmup_s,
        sysconf(_SC_NPROCESSORS_ONLN), options->branches, report->arguments->store->name,
        arguments_are_unary(report->arguments) ? ", unary calls" : "", report->file_system);
}

/* What one open transaction takes of the coordinator's memory, its payloads included. */
static double resident_bytes_per_open(const struct report *report)
{
    const struct fill_result *fill = &report->fill;
    return share((double)fill->resident_filled_bytes - (double)fill->resident_before_bytes,
                 report->arguments->open);
}

static uint64_t payload_bytes_per_open(const struct report *report)
{
    const struct load_options *options = &report->arguments->load;
    return (uint64_t)options->branches * options->payload_bytes;
}

static void print_open(const struct report *report)
{
    const struct fill_result *fill = &report->fill;
    const double mib = 1024.0 * 1024.0;
    (void)printf("open all the time   %10" PRIu32
                 "   (begun in %.1f s, at the silent participant)\n",
                 report->arguments->open, (double)fill->begin_us / 1e6);
    (void)printf("coordinator's RSS   %10.1f MiB before %8.1f filled %8.1f at the end\n",
                 (double)fill->resident_before_bytes / mib,
                 (double)fill->resident_filled_bytes / mib, (double)fill->resident_end_bytes / mib);
    (void)printf("RSS/open            %10.0f bytes, %" PRIu64 " of them its payloads\n",
                 resident_bytes_per_open(report), payload_bytes_per_open(report));
}

void report_print_table(const struct report *report)
{
    const struct load_options *options = &report->arguments->load;
    const struct load_result *result = report->result;
    const struct figures figures = work_out(report);

    print_head(report);
    (void)printf("transactions/s      %10.0f   (%" PRIu64 " in the window)\n", figures.per_second,
                 result->completed);
    (void)printf("latency, µs         %10" PRIu64 " p50 %8" PRIu64 " p95 %8" PRIu64 " p99 %8" PRIu64
                 " p99.9 %8" PRIu64 " max   (to the %s)\n",
                 figures.p50, figures.p95, figures.p99, figures.p999, figures.max,
                 options->wait_end ? "end" : "decision");
    if (options->rate > 0) {
        (void)printf("late                %10" PRIu64
                     "   (begun more than 1 ms behind the window, or never)\n",
                     result->late);
    }
    (void)printf("CPU µs/transaction  %10.1f coordinator %8.1f participants together %8.1f "
                 "generator\n",
                 figures.coordinator, figures.participants, figures.generator);
    (void)printf("bytes/transaction   %10.0f coordinator %8.0f participants together, to disk\n",
                 figures.written_bytes, figures.participants_written_bytes);
    (void)printf("batches/transaction %10.3f   (of the journal, each with at most one sync)\n",
                 figures.batches);
    (void)printf("local transactions  %10.3f   (of all participants, for each transaction)\n",
                 figures.local_transactions);
    for (int i = 0; i < LOAD_OUTCOME_COUNT; i++) {
        (void)printf("%-20s%10" PRIu64 "\n", tercet_outcome_name((enum tercet_outcome)i),
                     result->outcomes[i]);
    }
    (void)printf("open at the end     %10" PRId64 "\n", report->open_transactions);
    if (report->arguments->open > 0) {
        print_open(report);
    }
    (void)printf("machine             %9.0f%% these processes %6.0f%% others %6.0f%% idle\n",
                 figures.ours, figures.others, figures.idle);
    if (report->arguments->floors) {
        const struct report_reached all = reached(&figures);
        report_floors_print(report, &all);
    }
    const char *doubt = report_doubt(report);
    if (doubt != NULL) {
        (void)printf("\nNOT A MEASUREMENT: %s\n", doubt);
    }
}

/* ---- JSON -------------------------------------------------------------------------------------- */

static json_t *run_json(const struct report *report)
{
    const struct load_options *options = &report->arguments->load;
    return json_pack(
        "{s:s, s:i, s:i, s:i, s:i, s:s, s:s, s:s, s:i, s:i, s:s, s:b, s:I, s:s}", "version",
        tercet_version(), "branches", (int)options->branches, "payload_bytes",
        (int)options->payload_bytes, "concurrency", (int)options->concurrency, "rate",
        (int)options->rate, "mode", mode_names[options->mode], "gids", gids_names[options->gids],
        "wait", options->wait_end ? "end" : "decision", "seconds", (int)options->seconds,
        "warmup_s", (int)options->warmup_s, "participants", report->arguments->store->name, "unary",
        arguments_are_unary(report->arguments), "cpus", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN),
        "file_system", report->file_system);
}

static json_t *outcomes_json(const struct load_result *result)
{
    json_t *outcomes = json_object();
    for (int i = 0; i < LOAD_OUTCOME_COUNT; i++) {
        (void)json_object_set_new(outcomes, tercet_outcome_name((enum tercet_outcome)i),
                                  json_integer((json_int_t)result->outcomes[i]));
    }
    return outcomes;
}

static json_t *open_json(const struct report *report)
{
    const struct fill_result *fill = &report->fill;
    return json_pack("{s:I, s:f, s:I, s:{s:I, s:I, s:I}, s:f}", "transactions",
                     (json_int_t)report->arguments->open, "begin_s", (double)fill->begin_us / 1e6,
                     "payload_bytes_per_transaction", (json_int_t)payload_bytes_per_open(report),
                     "rss_bytes", "before", (json_int_t)fill->resident_before_bytes, "filled",
                     (json_int_t)fill->resident_filled_bytes, "end",
                     (json_int_t)fill->resident_end_bytes, "rss_bytes_per_transaction",
                     resident_bytes_per_open(report));
}

void report_print_json(const struct report *report)
{
    const struct figures figures = work_out(report);
    const struct report_reached all = reached(&figures);
    const char *doubt = report_doubt(report);
    json_t *told = json_pack(
        "{s:o, s:I, s:f, s:{s:I, s:I, s:I, s:I, s:I}, s:I, s:{s:f, s:f, s:f}, s:{s:f, s:f}, s:f, "
        "s:f, "
        "s:o, s:I, s:o, s:{s:f, s:f, s:f}, s:o, s:o}",
        "run", run_json(report), "transactions", (json_int_t)report->result->completed,
        "transactions_per_s", figures.per_second, "latency_us", "p50", (json_int_t)figures.p50,
        "p95", (json_int_t)figures.p95, "p99", (json_int_t)figures.p99, "p999",
        (json_int_t)figures.p999, "max", (json_int_t)figures.max, "late",
        (json_int_t)report->result->late, "cpu_us_per_transaction", "coordinator",
        figures.coordinator, "participants", figures.participants, "generator", figures.generator,
        "disk_bytes_per_transaction", "coordinator", figures.written_bytes, "participants",
        figures.participants_written_bytes, "batches_per_transaction", figures.batches,
        "local_transactions_per_transaction", figures.local_transactions, "outcomes",
        outcomes_json(report->result), "open_at_the_end", (json_int_t)report->open_transactions,
        "open", report->arguments->open > 0 ? open_json(report) : json_null(), "machine_percent",
        "ours", figures.ours, "others", figures.others, "idle", figures.idle, "floors",
        report->arguments->floors ? report_floors_json(report, &all) : json_null(), "doubt",
        doubt != NULL ? json_string(doubt) : json_null());
    char *text = told != NULL ? json_dumps(told, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    (void)puts(text != NULL ? text : "{}");
    free(text);
    json_decref(told);
}

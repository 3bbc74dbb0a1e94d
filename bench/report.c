/* report.c -- see report.h. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* What both forms show, worked out once. */
struct figures {
    uint64_t count; /* transactions in the window */
    double per_second;
    uint64_t p50, p95, p99, max;
    /* CPU µs of one transaction; the participants' together. */
    double coordinator, generator, participants;
    /* Percent of the machine within the window. */
    double ours, others, idle;
};

static double share(uint64_t cpu_us, uint64_t count)
{
    return count == 0 ? 0.0 : (double)cpu_us / (double)count;
}

static struct figures work_out(const struct report *report)
{
    const struct load_result *result = report->result;
    const uint64_t count = histogram_count(result->latency_us);
    uint64_t participants_us = 0;
    for (uint32_t i = 0; i < report->options->branches; i++) {
        participants_us += result->cpu.participants_us[i];
    }
    const double ours_us =
        (double)(participants_us + result->cpu.coordinator_us + result->cpu.generator_us);
    const double busy_us = (double)result->cpu.machine.busy_us;
    const double all_us = busy_us + (double)result->cpu.machine.idle_us;
    return (struct figures){
        .ours = all_us > 0 ? 100 * ours_us / all_us : 0,
        .others = all_us > 0 && busy_us > ours_us ? 100 * (busy_us - ours_us) / all_us : 0,
        .idle = all_us > 0 ? 100 * (all_us - busy_us) / all_us : 0,
        .count = count,
        .per_second = (double)count * 1e6 / (double)result->window_us,
        .p50 = histogram_percentile(result->latency_us, 500),
        .p95 = histogram_percentile(result->latency_us, 950),
        .p99 = histogram_percentile(result->latency_us, 990),
        .max = histogram_max(result->latency_us),
        .coordinator = share(result->cpu.coordinator_us, count),
        .generator = share(result->cpu.generator_us, count),
        .participants = share(participants_us, count),
    };
}

void report_print_table(const struct report *report)
{
    const struct load_options *options = report->options;
    const struct figures figures = work_out(report);

    (void)printf(
        "tercet-bench %s  %" PRIu32 " branches, %" PRIu32 " in flight, %" PRIu32 " s after %" PRIu32
        " s of warm-up, %ld CPUs\n"
        "one coordinator, %" PRIu32 " participants (memory), unix sockets, journal on %s\n\n",
        tercet_version(), options->branches, options->concurrency, options->seconds,
        options->warmup_s, sysconf(_SC_NPROCESSORS_ONLN), options->branches, report->file_system);
    (void)printf("transactions/s      %10.0f   (%" PRIu64 " in the window)\n", figures.per_second,
                 figures.count);
    (void)printf("latency, µs         %10" PRIu64 " p50 %8" PRIu64 " p95 %8" PRIu64 " p99 %8" PRIu64
                 " max   (to the decision)\n",
                 figures.p50, figures.p95, figures.p99, figures.max);
    (void)printf("CPU µs/transaction  %10.1f coordinator %8.1f participants together %8.1f "
                 "generator\n",
                 figures.coordinator, figures.participants, figures.generator);
    for (uint32_t i = 0; i < options->branches; i++) {
        (void)printf("  %-4s              %10.1f\n", cluster_participant_name(i),
                     share(report->result->cpu.participants_us[i], figures.count));
    }
    for (int i = 0; i < LOAD_OUTCOME_COUNT; i++) {
        (void)printf("%-20s%10" PRIu64 "\n", tercet_outcome_name((enum tercet_outcome)i),
                     report->result->outcomes[i]);
    }
    (void)printf("machine             %9.0f%% these processes %6.0f%% others %6.0f%% idle\n",
                 figures.ours, figures.others, figures.idle);
    (void)printf("floor: fdatasync/s  %10.0f before %8.0f after   (512 bytes appended each)\n",
                 report->floor_before, report->floor_after);
}

void report_print_json(const struct report *report)
{
    const struct load_options *options = report->options;
    const struct figures figures = work_out(report);

    (void)printf("{\"version\": \"%s\", \"branches\": %" PRIu32 ", \"concurrency\": %" PRIu32
                 ", \"seconds\": %" PRIu32 ", \"warmup_s\": %" PRIu32
                 ", \"participants\": \"memory\", \"cpus\": %ld, \"file_system\": \"%s\",\n",
                 tercet_version(), options->branches, options->concurrency, options->seconds,
                 options->warmup_s, sysconf(_SC_NPROCESSORS_ONLN), report->file_system);
    (void)printf(" \"transactions\": %" PRIu64 ", \"transactions_per_s\": %.1f,\n", figures.count,
                 figures.per_second);
    (void)printf(" \"latency_us\": {\"p50\": %" PRIu64 ", \"p95\": %" PRIu64 ", \"p99\": %" PRIu64
                 ", \"max\": %" PRIu64 "},\n",
                 figures.p50, figures.p95, figures.p99, figures.max);
    (void)printf(" \"cpu_us_per_transaction\": {\"coordinator\": %.2f, \"generator\": %.2f, "
                 "\"participants\": [",
                 figures.coordinator, figures.generator);
    for (uint32_t i = 0; i < options->branches; i++) {
        (void)printf("%s%.2f", i == 0 ? "" : ", ",
                     share(report->result->cpu.participants_us[i], figures.count));
    }
    (void)printf("]},\n \"outcomes\": {");
    for (int i = 0; i < LOAD_OUTCOME_COUNT; i++) {
        (void)printf("%s\"%s\": %" PRIu64, i == 0 ? "" : ", ",
                     tercet_outcome_name((enum tercet_outcome)i), report->result->outcomes[i]);
    }
    (void)printf("},\n \"machine_percent\": {\"ours\": %.1f, \"others\": %.1f, \"idle\": %.1f",
                 figures.ours, figures.others, figures.idle);
    (void)printf("},\n \"floor_fdatasync_per_s\": {\"before\": %.1f, \"after\": %.1f}}\n",
                 report->floor_before, report->floor_after);
}

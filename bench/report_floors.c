/* report_floors.c -- see report_floors.h. */
#include "report_floors.h"

#include <inttypes.h>
#include <stdio.h>

static double ratio(double amount, double floor)
{
    return floor > 0 ? amount / floor : 0;
}

/* ---- For one transaction ----------------------------------------------------------------------- */

/* Every branch is tried and then confirmed or cancelled. */
static double calls_per_transaction(const struct report *report)
{
    return 2.0 * report->arguments->load.branches;
}

/* The initiator's request holds all payloads once. */
static double cpu_us(const struct report *report)
{
    const struct floors *floors = &report->floors;
    return floors->journal.cpu_us + calls_per_transaction(report) * floors->stream.cpu_us +
           report->arguments->load.branches * floors->stream.server_cpu_us;
}

/* Stored, tried, decided. */
static double latency_us(const struct floors *floors)
{
    return (double)(floors->disk.pair_us + floors->stream.round_trip_us +
                    floors->stream.fan_out_us);
}

/* At the best, with nothing but the unary calls. */
static double unary_transactions_per_s(const struct report *report)
{
    return report->floors.unary.calls_per_s / calls_per_transaction(report);
}

/* ---- Table ------------------------------------------------------------------------------------- */

static void print_unary(const struct report *report, const struct report_reached *reached)
{
    const struct floor_unary *unary = &report->floors.unary;
    const double best = unary_transactions_per_s(report);
    (void)printf("floor: unary calls  %10.0f calls/s %8.2f CPU µs each, %.2f where it is answered; "
                 "%" PRIu32 " threads\n",
                 unary->calls_per_s, unary->cpu_us, unary->server_cpu_us, unary->threads);
    (void)printf("transactions/s      %10.2f times the floor of %.0f\n",
                 ratio(reached->transactions_per_s, best), best);
}

static void print_pace(const struct report *report, const struct report_reached *reached)
{
    const struct floor_pace *pace = &report->floors.pace;
    (void)printf("floor: pace         %10" PRIu64 " µs p50 %8" PRIu64 " p99 %8" PRIu64
                 " max; LevelDB at this rate, %.3f batches/transaction\n",
                 pace->p50_us, pace->p99_us, pace->max_us, pace->batches);
    (void)printf("p99                 %10.1f times the floor of %" PRIu64 " µs\n",
                 ratio((double)reached->p99_us, (double)pace->p99_us), pace->p99_us);
}

void report_floors_print(const struct report *report, const struct report_reached *reached)
{
    const struct floors *floors = &report->floors;
    (void)printf("\nfloor: disk         %10.0f fdatasync/s before %8.0f after; %" PRIu64
                 " µs for two\n",
                 floors->disk.syncs_per_s, report->syncs_per_s_after, floors->disk.pair_us);
    (void)printf("floor: LevelDB      %10.0f transactions/s %8.1f CPU µs each\n",
                 floors->journal.transactions_per_s, floors->journal.cpu_us);
    (void)printf("floor: stream       %10.0f requests/s %8.2f CPU µs each, %.2f where it is "
                 "answered\n",
                 floors->stream.requests_per_s, floors->stream.cpu_us,
                 floors->stream.server_cpu_us);
    (void)printf("floor: latency      %10" PRIu64 " µs there and back %8" PRIu64 " µs to all\n",
                 floors->stream.round_trip_us, floors->stream.fan_out_us);
    (void)printf("coordinator's CPU   %10.1f times the floor of %.1f µs\n",
                 ratio(reached->coordinator_cpu_us, cpu_us(report)), cpu_us(report));
    (void)printf("p50                 %10.1f times the floor of %.0f µs\n",
                 ratio((double)reached->p50_us, latency_us(floors)), latency_us(floors));
    if (report->arguments->load.rate > 0) {
        print_pace(report, reached);
    }
    if (arguments_are_unary(report->arguments)) {
        print_unary(report, reached);
    }
}

/* ---- JSON -------------------------------------------------------------------------------------- */

static json_t *pace_json(const struct report *report, const struct report_reached *reached)
{
    const struct floor_pace *pace = &report->floors.pace;
    return json_pack("{s:I, s:I, s:I, s:I, s:f, s:f}", "transactions",
                     (json_int_t)pace->transactions, "p50_us", (json_int_t)pace->p50_us, "p99_us",
                     (json_int_t)pace->p99_us, "max_us", (json_int_t)pace->max_us,
                     "batches_per_transaction", pace->batches, "ratio",
                     ratio((double)reached->p99_us, (double)pace->p99_us));
}

static json_t *unary_json(const struct report *report, const struct report_reached *reached)
{
    const struct floor_unary *unary = &report->floors.unary;
    const double best = unary_transactions_per_s(report);
    return json_pack("{s:f, s:f, s:f, s:i, s:f, s:f}", "calls_per_s", unary->calls_per_s,
                     "cpu_us_per_call", unary->cpu_us, "server_cpu_us_per_call",
                     unary->server_cpu_us, "threads", (int)unary->threads, "transactions_per_s",
                     best, "ratio", ratio(reached->transactions_per_s, best));
}

json_t *report_floors_json(const struct report *report, const struct report_reached *reached)
{
    const struct floors *floors = &report->floors;
    return json_pack(
        "{s:{s:f, s:f, s:I}, s:{s:f, s:f}, s:{s:f, s:f, s:f, s:I, s:I}, s:o, s:o, s:f, s:f}",
        "disk", "syncs_per_s", floors->disk.syncs_per_s, "syncs_per_s_after",
        report->syncs_per_s_after, "pair_us", (json_int_t)floors->disk.pair_us, "journal",
        "transactions_per_s", floors->journal.transactions_per_s, "cpu_us_per_transaction",
        floors->journal.cpu_us, "stream", "requests_per_s", floors->stream.requests_per_s,
        "cpu_us_per_request", floors->stream.cpu_us, "server_cpu_us_per_request",
        floors->stream.server_cpu_us, "round_trip_us", (json_int_t)floors->stream.round_trip_us,
        "fan_out_us", (json_int_t)floors->stream.fan_out_us, "pace",
        report->arguments->load.rate > 0 ? pace_json(report, reached) : json_null(), "unary",
        arguments_are_unary(report->arguments) ? unary_json(report, reached) : json_null(),
        "cpu_us_per_transaction", cpu_us(report), "latency_us", latency_us(floors));
}

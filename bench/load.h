/* load.h -- a closed loop: always `concurrency` transactions under way, each followed at once by the
 * next.
 *
 * What is counted: a transaction that completes within the measured window, with the time from its
 * execute_async() to its callback.  A closed loop slows down with what it measures, so its latencies
 * are those at the throughput it reaches, not at a rate that somebody else sets. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster.h"
#include "histogram.h"
#include "tercet/client.h"

enum { LOAD_OUTCOME_COUNT = 4 }; /* of enum tercet_outcome */

struct load_options {
    struct tercet_client *client;
    uint32_t branches; /* one at each of so many participants */
    uint32_t concurrency;
    uint32_t warmup_s;
    uint32_t seconds;
};

struct load_result {
    struct histogram *latency_us; /* the caller's; of the window */
    uint64_t window_us;
    uint64_t outcomes[LOAD_OUTCOME_COUNT]; /* of all transactions, warm-up included */
    struct cluster_cpu cpu;                /* spent within the window */
    char failure[512];                     /* the first that was not CONFIRMED; "": none */
};

/* Waits until a transaction over all participants is confirmed.  False: it was said why not. */
bool load_wait_ready(const struct load_options *options, struct cluster *cluster);

/* False: it was said why not.  A transaction that is not confirmed is in `result_out`. */
bool load_run(const struct load_options *options, const struct cluster *cluster,
              struct load_result *result_out);

#endif

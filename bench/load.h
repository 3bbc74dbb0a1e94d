/* load.h -- transactions, begun as a closed or an open loop.
 *
 * Closed (`rate` 0): always `concurrency` transactions under way, each followed at once by the next.  It
 * slows down with what it measures, so its latencies are those at the throughput it reaches.  What is
 * counted: a transaction that completes within the window, from its execute_async() to its callback.
 *
 * Open: one is due every 1/rate seconds, whether those before it are through or not.  What is counted: a
 * transaction that is due within the window, from the moment it was due, so that what had to wait is not
 * left out (no coordinated omission).  At most `concurrency` are under way; others wait, and that counts.
 * A rate that cannot be kept up shows in `late`. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster.h"
#include "histogram.h"
#include "tercet/client.h"

enum { LOAD_OUTCOME_COUNT = 4 }; /* of enum tercet_outcome */

enum load_mode { LOAD_COMMIT, LOAD_CANCEL, LOAD_MIXED };
enum load_gids { LOAD_GIDS_TIME, LOAD_GIDS_RANDOM };

struct load_options {
    struct tercet_client *client;
    uint32_t branches; /* one at each of so many participants */
    uint32_t concurrency;
    uint32_t rate; /* a second; 0: closed */
    uint32_t payload_bytes;
    enum load_mode mode; /* CANCEL: the last branch refuses; MIXED: every other time */
    enum load_gids gids; /* TIME: tercet_gid_make's, later ones sort later; RANDOM: they do not */
    bool wait_end;       /* until all participants have answered, not for the decision alone */
    uint32_t warmup_s;
    uint32_t seconds;
};

struct load_result {
    struct histogram *latency_us; /* the caller's; of the window */
    uint64_t window_us;
    uint64_t completed; /* within the window */
    uint64_t late;      /* due within the window, begun more than 1 ms behind it or never */
    uint64_t outcomes[LOAD_OUTCOME_COUNT]; /* of all transactions, warm-up included */
    struct cluster_usage usage;            /* within the window */
    char failure[512];                     /* the first that did not end as asked; "": none */
};

/* Waits until a transaction over all participants is confirmed, and one at the silent one, if there is
 * one.  False: it was said why not. */
bool load_wait_ready(const struct load_options *options, struct cluster *cluster);

/* False: it was said why not.  A transaction that did not end as asked is in `result_out`. */
bool load_run(const struct load_options *options, const struct cluster *cluster,
              struct load_result *result_out);

#endif

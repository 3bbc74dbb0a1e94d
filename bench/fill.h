/* fill.h -- transactions that are begun before the load and stay open beside it.
 *
 * They have the load's branches and payloads, but all at the silent participant.  Its first branch is in
 * stage 0 and is asked, or waits to be asked, for a try that nobody answers; the others wait for their
 * stage.  So each is undecided, and stands wherever an open transaction stands: in the journal, in memory
 * with its payloads, under its gid, among the deadlines, and with one branch in a queue of dispatch.
 * Nothing happens to it until the coordinator stops, or its trying time, the longest there is, is over.
 *
 * The load's participants have no part in them: what they keep for a branch, and what they may forget,
 * would be another subject. */
#ifndef BENCH_FILL_H
#define BENCH_FILL_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster.h"

struct fill_options {
    uint32_t transactions;
    uint32_t branches; /* of each */
    uint32_t payload_bytes;
};

struct fill_result {
    uint64_t begin_us; /* what it took to begin them */
    /* What the coordinator has in memory: before, when all are begun and it has come to rest, and when the
     * load is through. */
    uint64_t resident_before_bytes;
    uint64_t resident_filled_bytes;
    uint64_t resident_end_bytes; /* the caller's */
};

/* Begins them, and waits until the coordinator has nothing to do.  The silent participant has been
 * reached.  False: it was said why not. */
bool fill_run(const struct fill_options *options, struct cluster *cluster,
              struct fill_result *result_out);

#endif

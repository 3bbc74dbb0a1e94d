/* cluster.h -- what is measured: one coordinator with a fresh journal, and its participants, each a
 * process of its own, on unix sockets in one temporary directory. */
#ifndef BENCH_CLUSTER_H
#define BENCH_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process.h"

enum { CLUSTER_PARTICIPANT_COUNT_MAX = 64, CLUSTER_PATH_SIZE = 96 };

struct cluster {
    char directory[CLUSTER_PATH_SIZE]; /* "" when there is none */
    char target[CLUSTER_PATH_SIZE];    /* the coordinator's */
    char log[CLUSTER_PATH_SIZE];       /* everybody's standard error */
    struct process coordinator;
    struct process participants[CLUSTER_PARTICIPANT_COUNT_MAX];
    uint32_t participant_count;
};

/* CPU time since each was started. */
struct cluster_cpu {
    uint64_t generator_us; /* this process */
    uint64_t coordinator_us;
    uint64_t participants_us[CLUSTER_PARTICIPANT_COUNT_MAX];
    struct process_machine machine; /* all processors, whoever used them */
};

/* "p1", ...: the name of a participant, from 0. */
const char *cluster_participant_name(uint32_t index);

/* Makes the directory below `parent` and starts everybody; `daemon` is tercetd, `self` this program.
 * False: it has been said on standard error, and cluster_stop() is still due. */
bool cluster_start(struct cluster *cluster, const char *parent, const char *daemon,
                   const char *self, uint32_t participant_count);

/* Ends everybody and removes the directory.  False: somebody did not end well, which has been said,
 * with the end of the log. */
bool cluster_stop(struct cluster *cluster);

void cluster_read_cpu(const struct cluster *cluster, struct cluster_cpu *cpu_out);

#endif

/* cluster.h -- what is measured: one coordinator with a fresh journal, and its participants, each a
 * process of its own, on unix sockets in one temporary directory. */
#ifndef BENCH_CLUSTER_H
#define BENCH_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process.h"

enum { CLUSTER_PARTICIPANT_COUNT_MAX = 64, CLUSTER_PATH_SIZE = 96 };

/* What tercetd takes at the most of one participant's open branches. */
enum { CLUSTER_OPEN_BRANCHES_MAX = 10000000 };

/* The participant of the transactions that stay open. */
#define CLUSTER_SILENT "silent"

struct cluster {
    char directory[CLUSTER_PATH_SIZE]; /* "" when there is none */
    char target[CLUSTER_PATH_SIZE];    /* the coordinator's */
    char log[CLUSTER_PATH_SIZE];       /* everybody's standard error */
    struct process coordinator;
    struct process participants[CLUSTER_PARTICIPANT_COUNT_MAX];
    struct process silent; /* where transactions are to stay open */
    uint32_t participant_count;
    uint64_t local_transactions; /* committed by all participants; known when all have ended */
};

/* What was used since each was started. */
struct cluster_usage {
    uint64_t generator_cpu_us; /* this process */
    uint64_t coordinator_cpu_us;
    uint64_t participants_cpu_us[CLUSTER_PARTICIPANT_COUNT_MAX];
    uint64_t coordinator_written_bytes; /* handed to the file system for the disk */
    uint64_t participants_written_bytes;
    uint64_t batches;               /* of the journal, each with at most one sync */
    struct process_machine machine; /* all processors, whoever used them */
};

/* "p1", ...: the name of a participant, from 0. */
const char *cluster_participant_name(uint32_t index);

/* Makes the temporary directory below `parent`.  False: it has been said on standard error. */
bool cluster_make_directory(struct cluster *cluster, const char *parent);

/* How participants are started. */
struct cluster_participants {
    uint32_t count;
    const char *program;  /* NULL: ours, and the next three are for it */
    const char *store;    /* a kind of store.h */
    const char *database; /* its server; NULL: files in the temporary directory */
    uint32_t batch_max;
    uint32_t connections; /* from the coordinator to each */
    bool unary_only;      /* the coordinator does not use Work */
    /* Beside them: transactions that are to stay open, for which the coordinator gets room and a
     * participant of their own, of which one branch at a time is asked.  0: neither. */
    uint32_t open_transactions;
    uint32_t open_branches; /* of all of them together, at most CLUSTER_OPEN_BRANCHES_MAX */
    uint64_t open_payload_bytes;
};

bool cluster_has_silent(const struct cluster *cluster);

/* Starts everybody in it; `daemon` is tercetd, `self` this program.  False: it has been said, and
 * cluster_stop() is still due. */
bool cluster_start(struct cluster *cluster, const char *daemon, const char *self,
                   const struct cluster_participants *participants);

/* Ends everybody; the directory stays.  False: somebody did not end well, which has been said, with the
 * end of the log. */
bool cluster_stop(struct cluster *cluster);

/* When the coordinator has ended: reads the whole journal, and how many transactions are open there.
 * False: it was said why not. */
bool cluster_read_open(const struct cluster *cluster, const char *daemon, int64_t *open_out);

void cluster_remove(struct cluster *cluster);

void cluster_read_usage(const struct cluster *cluster, struct cluster_usage *usage_out);
void cluster_usage_subtract(struct cluster_usage *from, const struct cluster_usage *begun,
                            uint32_t participant_count);

#endif

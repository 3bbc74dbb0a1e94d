/* rpc_crowd.h -- how many threads of a runtime poll.
 *
 * Core lets one thread poll at a time, and whoever has polled wakes the next before it works: with
 * several, each message costs a switch of threads, a tenth of all that a transaction costs.  One alone
 * is no good either, when it does not get to the end of its work: a connection that resets streams keeps
 * it busy without an end, and everybody else waits behind it.
 *
 * So one polls, and the others are called when it is needed: when it has run, or waited for a processor,
 * for most of the last 20 ms, or has not come back from the work on one event for so long.  They go when
 * for five seconds one could have done what all of them together wanted, and hardly ever was in need of
 * them: an attack may come in waves.  A warden looks, on a thread of its own, which sleeps when for a
 * second nothing was to be seen.  Where the kernel does not tell how busy a thread is, all poll always. */
#ifndef COMMON_RPC_RPC_CROWD_H
#define COMMON_RPC_RPC_CROWD_H

#include <grpc/grpc.h>

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

struct rpc_crowd;

/* Starts the threads: one that polls `queue`, and `count` - 1 to be called. */
struct rpc_crowd *rpc_crowd_create(grpc_completion_queue *queue, size_t count);

/* After the queue's shutdown: ends when it is drained. */
void rpc_crowd_destroy(struct rpc_crowd *crowd);

/* Whether the calling thread polls, for any crowd. */
bool rpc_crowd_is_poller(void);

/* Whether all poll now.  For tests. */
bool rpc_crowd_is_called(const struct rpc_crowd *crowd);

/* ---- What the warden makes of it --------------------------------------------------------------- */

/* What it sees every 20 ms, in percent of these. */
struct rpc_crowd_look {
    int first_percent; /* wanted by the one that always polls */
    int all_percent;   /* by all together; may be above 100 */
    bool stuck;        /* the first has been at one event all the time */
};

struct rpc_crowd_mind { /* all zero at first */
    bool called;        /* all should poll */
    bool may_sleep;     /* nothing was to be seen for a second */
    int looks; /* since the others were called, or since it was last asked whether they may go */
    int busy_looks;
    int64_t percent_sum;
    int quiet_looks;
};

/* What one more look changes.  Pure: no clock, no lock; the caller's thread. */
void rpc_crowd_judge(struct rpc_crowd_mind *mind, const struct rpc_crowd_look *look);

TERCET_END_DECLS

#endif

/* rpc_crowd.h -- how many threads of a runtime poll.
 *
 * Core lets one thread poll at a time, and whoever has polled wakes the next before it works: with
 * several, each message costs a switch of threads, a tenth of all that a transaction costs.  One alone
 * is no good either, when it does not get to the end of its work: a connection that resets streams keeps
 * it busy without an end, and everybody else waits behind it.
 *
 * So one polls, and the others are called when it is needed: when it has run, or waited for a processor,
 * for most of the last 20 ms, or has not come back from the work on one event for so long.  They go when
 * what all of them together wanted could have been done by one for five seconds.  A warden
 * looks, on a thread of its own, which sleeps when for a second nothing was to be seen.  Where the
 * kernel does not tell how busy a thread is, all poll always. */
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

TERCET_END_DECLS

#endif

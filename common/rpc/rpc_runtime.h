/* rpc_runtime.h -- gRPC core in this process: start-up, a completion queue and the threads that poll it.
 *
 * A server and the channels of one component share one runtime.  A process may have several (a
 * client and a participant in one program); what is the process's own (core's initialisation, its
 * log, abseil's deadlock detector) is counted and done once.
 *
 * Invariants
 *   1. The queue is polled from rpc_runtime_create() until rpc_runtime_destroy(): an unpolled
 *      queue hangs the calls that land on it.
 *   2. A server's runtime has at least four threads, of which all but one poll only when they are
 *      needed (rpc_crowd.h): the honest must not wait behind what strangers send.  They do not bound
 *      core's memory: one connection that opens and resets streams (CVE-2023-44487) makes it grow by
 *      100 MiB a second, whatever the quota.  Whoever is open to strangers needs a screen (screen.h).
 *   3. The threads block all signals.
 *   4. Order of the end: servers stopped and destroyed, channels closed, then the runtime.  The
 *      runtime asserts that nobody uses it any more.
 *
 * A queue is in order: what ends on it waits for all that ended before.  So what must get on while a
 * server drowns in requests has a runtime of its own.  Only the queue is: core has one set of
 * descriptors in a process, and whoever polls reads for all.
 *
 * Not for use after fork(): create it in the process that needs it. */
#ifndef COMMON_RPC_RPC_RUNTIME_H
#define COMMON_RPC_RPC_RUNTIME_H

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

struct rpc_runtime;

/* An error line of gRPC core, without newline.  Any thread; must not block nor call rpc. */
typedef void (*rpc_log_fn)(const char *line, void *context);

struct rpc_runtime_options {
    uint32_t thread_count; /* that poll when it is needed.  0: 4 */
    rpc_log_fn log; /* NULL: core's errors are dropped.  With several runtimes the oldest that
                              has one is told */
    void *log_context;
};

/* Starts the threads.  NULL: all defaults.  Owned by the caller. */
struct rpc_runtime *rpc_runtime_create(const struct rpc_runtime_options *options);

/* Ends the threads.  Not on a poller thread.  NULL is fine. */
void rpc_runtime_destroy(struct rpc_runtime *runtime);

/* Whether the calling thread is a poller of any runtime; whoever is must not block. */
bool rpc_runtime_on_poller(void);

TERCET_END_DECLS

#endif

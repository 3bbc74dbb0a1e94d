/* rpc_process.h -- internal: what a process has only once of gRPC core.
 *
 * Counted: core itself.  Done once and kept: its log's direction, abseil's deadlock detector off. */
#ifndef COMMON_RPC_RPC_PROCESS_H
#define COMMON_RPC_RPC_PROCESS_H

#include <signal.h>

#include "rpc/rpc_runtime.h"

/* One user of core's log; embedded in a runtime. */
struct rpc_process_user {
    rpc_log_fn log;
    void *log_context;
    struct rpc_process_user *next;
};

/* Core starts helper threads when it first needs them, out of whatever call it is in, and they inherit
 * the caller's mask.  Calls of ours that may cause that are put between these two, so that no signal
 * of the program ever lands on a thread that is not its own.  On a thread that thread_start() made, where
 * all are blocked for good, both do nothing and `before_out` is left alone.  Any thread. */
void rpc_signals_block(sigset_t *before_out);
void rpc_signals_restore(const sigset_t *before);

/* With signals blocked.  The last to leave ends core, which may take ten seconds more when a write has
 * had to wait for its peer: core 1.51 watches such sockets by a thread of its own that looks up no
 * sooner. */
void rpc_process_enter(struct rpc_process_user *user);
void rpc_process_leave(struct rpc_process_user *user);

#endif

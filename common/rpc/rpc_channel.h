/* rpc_channel.h -- a client's connection to one target.
 *
 * It connects when the first call needs it and connects again by itself, trying every 100 to 500 ms,
 * so a peer that was restarted is found again within a second.  While there is no connection calls
 * fail at once with UNAVAILABLE (rpc_call.h); retrying is the caller's.
 *
 * Two channels never share a connection.
 *
 * Thread: any. */
#ifndef COMMON_RPC_RPC_CHANNEL_H
#define COMMON_RPC_RPC_CHANNEL_H

#include "rpc/rpc_credentials.h"
#include "rpc/rpc_runtime.h"

TERCET_BEGIN_DECLS

struct rpc_channel;

struct rpc_channel_options {
    struct rpc_runtime *runtime;               /* kept.  Required */
    const char *target;                        /* "host:port", "[v6]:port" or "unix:/path" */
    const struct rpc_credentials *credentials; /* NULL: plaintext, loopback and unix only */
    uint32_t receive_bytes_max;                /* default 4 MiB */
    uint32_t keepalive_time_ms;    /* default 30000; a server strikes below its minimum */
    uint32_t keepalive_timeout_ms; /* default 10000 */
    bool keepalive_idle;           /* also between calls; only for a peer that allows it
                                                  (rpc_server.h does, others' defaults do not) */
    uint32_t connect_timeout_ms;   /* of one attempt; default 2000 */
    uint32_t reconnect_min_ms;     /* default 100 */
    uint32_t reconnect_max_ms;     /* default 500 */
    const char *user_agent;        /* NULL: core's only */
};

/* Never connects by itself; INVALID_ARGUMENT for a target that cannot be understood, or plaintext to
 * one that is neither loopback nor a unix socket. */
TERCET_MUST_CHECK enum tercet_status rpc_channel_open(const struct rpc_channel_options *options,
                                                      struct rpc_channel **channel_out,
                                                      struct tercet_error *error_out);

/* Cancels the calls and streams in flight and returns when all their functions have returned.
 * Handles (struct rpc_call *) may still be unreferenced afterwards; no call may be started any more.
 * Not on a poller thread.  NULL is fine. */
void rpc_channel_close(struct rpc_channel *channel);

/* Is there a connection now?  It may break at any moment, and a call then makes another. */
bool rpc_channel_is_connected(struct rpc_channel *channel);

/* How many connections it has lost.  A call that is begun, and ends with an answer, between two equal
 * readings went over the connection that the channel still has: no other was made meanwhile.  A loss is
 * counted when a poller thread has heard of it, which is before a new connection can be made unless all
 * of them are busy for that long.  One that came and went while they were is counted too, but not when
 * yet another stands by the time they look, and none stood when they last did. */
uint64_t rpc_channel_losses(const struct rpc_channel *channel);

/* Try to connect now instead of waiting for the next attempt. */
void rpc_channel_hurry(struct rpc_channel *channel);

TERCET_END_DECLS

#endif

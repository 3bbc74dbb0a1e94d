/* rpc_listen.h -- internal: binds a server to one address.
 *
 * Core unlinks any socket file that is in its way, live or not, so a unix address is examined first:
 * it is free when there is no file, or when the file is a socket on which nobody accepts.  While we
 * use it we hold a lock on "<path>.lock" (which stays behind, empty): two servers that start together
 * cannot both find a stale file and the second remove the first's. */
#ifndef COMMON_RPC_RPC_LISTEN_H
#define COMMON_RPC_RPC_LISTEN_H

#include "rpc/rpc_address.h"
#include "rpc/rpc_core.h"

struct rpc_listener {
    uint16_t port; /* the real one; 0 for a unix socket */
    int lock_fd;   /* -1: none */
};

/* UNAVAILABLE with a sentence when the address is in use or cannot be bound. */
TERCET_MUST_CHECK enum tercet_status rpc_listen(grpc_server *server,
                                                const struct rpc_address *address,
                                                struct rpc_listener *listener_out,
                                                struct tercet_error *error_out);

/* After the server is gone. */
void rpc_listener_close(struct rpc_listener *listener);

#endif

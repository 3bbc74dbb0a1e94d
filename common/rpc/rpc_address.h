/* rpc_address.h -- internal: what "host:port", "[v6]:port" and "unix:/path" mean.
 *
 * Pure text: nothing is resolved.  A host is loopback when it is a literal of 127.0.0.0/8, ::1, or
 * the name "localhost". */
#ifndef COMMON_RPC_RPC_ADDRESS_H
#define COMMON_RPC_RPC_ADDRESS_H

#include "rpc/rpc_credentials.h"
#include "tercet/tercet.h"

enum { RPC_ADDRESS_BYTES_MAX = 255, RPC_UNIX_PATH_BYTES_MAX = 107 };

struct rpc_address {
    char text[RPC_ADDRESS_BYTES_MAX + 1];        /* as given */
    char host[RPC_ADDRESS_BYTES_MAX + 1];        /* without brackets; "" for a unix socket */
    char unix_path[RPC_UNIX_PATH_BYTES_MAX + 1]; /* absolute; "" for TCP */
    uint16_t port;
    bool is_loopback; /* or a unix socket */
};

/* INVALID_ARGUMENT with a sentence when it cannot be understood, or when it is plaintext (NULL
 * credentials) and neither loopback nor a unix socket. */
TERCET_MUST_CHECK enum tercet_status rpc_address_parse(const char *text,
                                                       const struct rpc_credentials *credentials,
                                                       struct rpc_address *address_out,
                                                       struct tercet_error *error_out);

#endif

/* rpc_credentials.h -- the place for TLS.
 *
 * Servers and channels take a `const struct rpc_credentials *`.  NULL means plaintext, which is
 * accepted on loopback addresses and unix sockets only.  There is no way yet to make another. */
#ifndef COMMON_RPC_RPC_CREDENTIALS_H
#define COMMON_RPC_RPC_CREDENTIALS_H

struct rpc_credentials;

#endif

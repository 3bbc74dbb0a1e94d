/* rpc_server.h -- a gRPC server: addresses, a table of methods, an orderly end.
 *
 *     create (bound, not answering) ──► start ──► [drain] ──► stop ──► destroy
 *
 * A request reaches its handler only after it was scanned (rpc_scan.h) and decoded.  What fails
 * before that is answered here:
 *   message over the limit        RESOURCE_EXHAUSTED (core does it)
 *   no message                    INVALID_ARGUMENT
 *   malformed, nested too deep    INVALID_ARGUMENT
 *   too many elements             RESOURCE_EXHAUSTED
 *   not understood                INVALID_ARGUMENT, if the method refuses unknown
 *   unknown method                UNIMPLEMENTED
 *   draining or stopping          UNAVAILABLE
 *
 * Memory is bounded by the quota, the streams per connection and the slots; how many calls the
 * handlers hold is theirs to bound (they answer RESOURCE_EXHAUSTED). */
#ifndef COMMON_RPC_RPC_SERVER_H
#define COMMON_RPC_RPC_SERVER_H

#include "rpc/rpc_credentials.h"
#include "rpc/rpc_detail.h"
#include "rpc/rpc_method.h"
#include "rpc/rpc_runtime.h"

TERCET_BEGIN_DECLS

struct rpc_server;
struct rpc_health;
struct rpc_trailers;

/* Why rpc itself, not a handler, answered a call with an error. */
enum rpc_refusal {
    RPC_REFUSAL_MALFORMED,      /* not this message, or nested too deep */
    RPC_REFUSAL_TOO_LARGE,      /* more elements than allowed */
    RPC_REFUSAL_NOT_UNDERSTOOD, /* holds a field or enum value that we do not know */
    RPC_REFUSAL_UNIMPLEMENTED,  /* no such method */
    RPC_REFUSAL_STOPPING        /* draining or stopping, before a handler saw it */
};

/* Told before such an answer leaves, so that the owner can count it and add its own trailers by
 * rpc_trailers_add().  Poller thread; must not block. */
typedef void (*rpc_refused_fn)(enum rpc_refusal refusal, enum tercet_status status,
                               const char *text, struct rpc_trailers *trailers, void *context);

/* Copies both.  At most RPC_TRAILER_COUNT_MAX. */
void rpc_trailers_add(struct rpc_trailers *trailers, const char *key, struct tercet_bytes value);

struct rpc_server_options {
    struct rpc_runtime *runtime;  /* kept.  Required */
    const char *const *addresses; /* "host:port", "[v6]:port" (port 0: any), "unix:/path" */
    size_t address_count;         /* at least 1, at most 16 */
    const struct rpc_credentials *credentials; /* NULL: plaintext, loopback and unix only */
    const struct rpc_method *methods;          /* copied */
    size_t method_count;
    struct rpc_health *health; /* kept; adds grpc.health.v1.  NULL: not served */
    rpc_refused_fn refused;    /* NULL: nobody is told */
    void *refused_context;

    uint32_t receive_bytes_max;      /* default 4 MiB */
    uint32_t metadata_bytes_max;     /* default 16 KiB */
    uint32_t element_count_max;      /* of one request; default 8192 (rpc_scan.h) */
    uint32_t concurrent_streams_max; /* per connection; default 1000 */
    uint32_t keepalive_time_ms;      /* default 30000 */
    uint32_t keepalive_timeout_ms;   /* default 10000 */
    uint32_t ping_interval_min_ms; /* pings of clients closer than this are strikes; default 5000 */
    uint32_t handshake_timeout_ms; /* default 5000 */
    uint64_t quota_bytes;          /* core's I/O memory; default 256 MiB */
};

/* Binds all addresses or none.
 *   INVALID_ARGUMENT  an address that cannot be understood, or plaintext on one that strangers reach
 *   UNAVAILABLE       an address is in use (a unix socket file counts only if somebody accepts on
 *                     it; a stale one is replaced), or cannot be bound */
TERCET_MUST_CHECK enum tercet_status rpc_server_create(const struct rpc_server_options *options,
                                                       struct rpc_server **server_out,
                                                       struct tercet_error *error_out);

/* The port that addresses[index] really has; 0 for a unix socket. */
uint16_t rpc_server_port(const struct rpc_server *server, size_t index);

/* Begins to answer.  Once. */
void rpc_server_start(struct rpc_server *server);

/* From now on new calls are answered UNAVAILABLE "stopping"; calls that a handler holds go on.  Any
 * thread, any number of times. */
void rpc_server_drain(struct rpc_server *server);

/* Drains, ends the streams at once (UNAVAILABLE), and gives the unary calls that handlers hold, and the
 * duplex streams that can be asked (`stopping`), up to grace_ms to be answered; those that are left are
 * answered UNAVAILABLE here.  Their owners still answer them, or let go of them, as always, even after
 * rpc_server_destroy(); it then has no effect but to free them.  Then it closes the addresses and the
 * connections, when the clients have read what was answered, or after a second.  A call that core takes
 * in at that very moment may be handed to nobody: it is cut off.  After return no handler runs and no
 * new one will.  Once; not on a poller thread. */
void rpc_server_stop(struct rpc_server *server, uint32_t grace_ms);

/* Stops it first, without grace, if that was not done.  Removes our unix socket files.  NULL is
 * fine. */
void rpc_server_destroy(struct rpc_server *server);

TERCET_END_DECLS

#endif

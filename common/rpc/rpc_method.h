/* rpc_method.h -- one row of a server's method table. */
#ifndef COMMON_RPC_RPC_METHOD_H
#define COMMON_RPC_RPC_METHOD_H

#include <protobuf-c/protobuf-c.h>

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

struct rpc_unary;
struct rpc_stream;
struct rpc_duplex;

enum rpc_method_kind {
    RPC_METHOD_UNARY,
    RPC_METHOD_SERVER_STREAM,
    RPC_METHOD_DUPLEX,       /* both sides stream */
    RPC_METHOD_UNIMPLEMENTED /* known by name, answered UNIMPLEMENTED */
};

/* Called on a poller thread; must not block.  `request` is valid until the call is answered.  The
 * handler owns the call and answers it exactly once: now, or later from any thread (rpc_unary.h). */
typedef void (*rpc_unary_fn)(struct rpc_unary *call, const ProtobufCMessage *request,
                             void *context);

/* The same for a stream; `request` is valid until rpc_stream_finish() (rpc_stream.h). */
typedef void (*rpc_stream_fn)(struct rpc_stream *stream, const ProtobufCMessage *request,
                              void *context);

/* The same for a stream of both sides; it must listen before it returns (rpc_duplex.h). */
typedef void (*rpc_duplex_fn)(struct rpc_duplex *duplex, void *context);

struct rpc_method {
    const char *path; /* "/package.Service/Method"; copied */
    enum rpc_method_kind kind;
    const ProtobufCMessageDescriptor *request; /* of each message; static storage */
    bool refuse_unknown;  /* a field or enum value that we do not know is INVALID_ARGUMENT; not
                             for DUPLEX */
    rpc_unary_fn unary;   /* kind UNARY */
    rpc_stream_fn stream; /* kind SERVER_STREAM */
    rpc_duplex_fn duplex; /* kind DUPLEX */
    void *context;        /* kept; must outlive the server */
    uint32_t slots;       /* calls that may arrive at once; default 16, rare methods 2 */
};

TERCET_END_DECLS

#endif

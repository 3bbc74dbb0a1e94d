#include "rpc/rpc_server_args.h"

#include <grpc/compression.h>

#include "rpc/rpc_args.h"

enum {
    RECEIVE_BYTES_DEFAULT = 4 << 20,
    METADATA_BYTES_DEFAULT = 16 << 10,
    CONCURRENT_STREAMS_DEFAULT = 1000,
    KEEPALIVE_TIME_MS_DEFAULT = 30000,
    KEEPALIVE_TIMEOUT_MS_DEFAULT = 10000,
    PING_INTERVAL_MS_DEFAULT = 5000,
    HANDSHAKE_TIMEOUT_MS_DEFAULT = 5000,
    READ_BYTES_MAX = 16 << 10,
    QUOTA_BYTES_DEFAULT = 256 << 20
};

static void add_limits(struct rpc_args *args, const struct rpc_server_options *options)
{
    rpc_args_add_number(args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
                        rpc_args_or(options->receive_bytes_max, RECEIVE_BYTES_DEFAULT));
    rpc_args_add_number(args, GRPC_ARG_MAX_METADATA_SIZE,
                        rpc_args_or(options->metadata_bytes_max, METADATA_BYTES_DEFAULT));
    rpc_args_add_number(args, GRPC_ARG_MAX_CONCURRENT_STREAMS,
                        rpc_args_or(options->concurrent_streams_max, CONCURRENT_STREAMS_DEFAULT));
    rpc_args_add_number(args, GRPC_ARG_KEEPALIVE_TIME_MS,
                        rpc_args_or(options->keepalive_time_ms, KEEPALIVE_TIME_MS_DEFAULT));
    rpc_args_add_number(args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                        rpc_args_or(options->keepalive_timeout_ms, KEEPALIVE_TIMEOUT_MS_DEFAULT));
    rpc_args_add_number(args, GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                        rpc_args_or(options->ping_interval_min_ms, PING_INTERVAL_MS_DEFAULT));
    rpc_args_add_number(args, GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                        rpc_args_or(options->handshake_timeout_ms, HANDSHAKE_TIMEOUT_MS_DEFAULT));
}

grpc_server *rpc_server_args_create(const struct rpc_server_options *options)
{
    struct rpc_args args = {.count = 0};
    add_limits(&args, options);
    rpc_args_add_number(&args, GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    /* Otherwise a second server binds the same port silently and gets half of the connections. */
    rpc_args_add_number(&args, GRPC_ARG_ALLOW_REUSEPORT, 0);
    rpc_args_add_number(&args, GRPC_ARG_ENABLE_CHANNELZ, 0); /* counts that nobody reads */
    /* What one connection may bring before the next one has its turn.  Core would read 4 MiB at once from
     * whoever sends without pause, and carry it all out, while others wait. */
    rpc_args_add_number(&args, GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, READ_BYTES_MAX);
    /* Small messages gain nothing, and a compressed one could be a thousand times its size. */
    rpc_args_add_number(&args, GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
                        1U << GRPC_COMPRESS_NONE);

    grpc_resource_quota *quota = grpc_resource_quota_create("rpc_server");
    grpc_resource_quota_resize(quota, options->quota_bytes > 0 ? (size_t)options->quota_bytes
                                                               : (size_t)QUOTA_BYTES_DEFAULT);
    grpc_arg *const arg = rpc_args_add(&args, GRPC_ARG_RESOURCE_QUOTA);
    arg->type = GRPC_ARG_POINTER;
    arg->value.pointer.p = quota;
    arg->value.pointer.vtable = grpc_resource_quota_arg_vtable();

    const grpc_channel_args list = {.num_args = args.count, .args = args.items};
    grpc_server *server = grpc_server_create(&list, NULL);
    grpc_resource_quota_unref(quota); /* the server has its own reference */
    return server;
}

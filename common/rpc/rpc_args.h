/* rpc_args.h -- internal: a list of core's arguments being filled. */
#ifndef COMMON_RPC_RPC_ARGS_H
#define COMMON_RPC_RPC_ARGS_H

#include <grpc/grpc.h>
#include <limits.h>

#include "base/assert.h"

enum { RPC_ARGS_COUNT_MAX = 24 };

struct rpc_args {
    grpc_arg items[RPC_ARGS_COUNT_MAX];
    size_t count;
};

static inline grpc_arg *rpc_args_add(struct rpc_args *args, const char *key)
{
    tercet_assert(args->count < RPC_ARGS_COUNT_MAX);
    grpc_arg *const arg = &args->items[args->count++];
    arg->key = (char *)(uintptr_t)key; /* core does not write to it */
    return arg;
}

static inline void rpc_args_add_number(struct rpc_args *args, const char *key, uint32_t value)
{
    grpc_arg *const arg = rpc_args_add(args, key);
    arg->type = GRPC_ARG_INTEGER;
    arg->value.integer = value < (uint32_t)INT_MAX ? (int)value : INT_MAX;
}

/* The value, or its default when it is 0. */
static inline uint32_t rpc_args_or(uint32_t value, uint32_t otherwise)
{
    return value > 0 ? value : otherwise;
}

#endif

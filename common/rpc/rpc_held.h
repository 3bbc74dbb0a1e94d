/* rpc_held.h -- internal: a list of what is under way, so that its owner can end all of it.
 *
 * Once closed, nothing new gets in.  The list has no lock of its own: its owner's mutex guards it. */
#ifndef COMMON_RPC_RPC_HELD_H
#define COMMON_RPC_RPC_HELD_H

#include "base/list.h"

struct rpc_held {
    struct list_node list;
    bool closed;
};

static inline void rpc_held_init(struct rpc_held *held)
{
    list_init(&held->list);
    held->closed = false;
}

static inline bool rpc_held_is_empty(const struct rpc_held *held)
{
    return list_is_empty(&held->list);
}

/* False: closed, nothing was done. */
static inline bool rpc_held_add(struct rpc_held *held, struct list_node *node)
{
    if (held->closed) {
        return false;
    }
    list_push_back(&held->list, node);
    return true;
}

#endif

/* rpc_tag.h -- what comes out of a completion queue.
 *
 * Every operation that is under way embeds one tag in its own struct; the poller threads know nothing
 * but `run`.  The struct is found again by container_of.
 *
 * Thread: run() is called on a poller thread of the runtime; it must not block. */
#ifndef COMMON_RPC_RPC_TAG_H
#define COMMON_RPC_RPC_TAG_H

#include <stdatomic.h>
#include <stdbool.h>

struct rpc_tag {
    void (*run)(struct rpc_tag *tag, bool ok);
    atomic_uint handed; /* how often it was given to core */
};

/* Just before core gets the tag, and just after core gave it back: what the one thread wrote before
 * is seen by the other after.  Core's queues order this too, by means that thread checkers do not see
 * in a library that was not built for them. */
static inline void rpc_tag_hand(struct rpc_tag *tag)
{
    (void)atomic_fetch_add_explicit(&tag->handed, 1, memory_order_release);
}

static inline void rpc_tag_take(struct rpc_tag *tag)
{
    (void)atomic_load_explicit(&tag->handed, memory_order_acquire);
}

#endif

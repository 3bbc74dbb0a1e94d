/* intruder.c -- see intruder.h. */
#include "intruder.h"

#include <stdatomic.h>

#include "base/assert.h"
#include "rpc/rpc_core.h"
#include "rpc/rpc_duplex_core.h"

grpc_call_error __real_grpc_call_start_batch(grpc_call *call, const grpc_op *ops, size_t count,
                                             void *tag, void *reserved);
grpc_call_error __wrap_grpc_call_start_batch(grpc_call *call, const grpc_op *ops, size_t count,
                                             void *tag, void *reserved);

static struct {
    struct rpc_tag tag;
    atomic_bool waits;
    struct rpc_duplex *duplex;
    void (*run)(void *context);
    void *context;
} intruder;

static void run_intruder(struct rpc_tag *tag, bool ok)
{
    tercet_assert(ok && tag == &intruder.tag);
    (void)rpc_duplex_may_send(intruder.duplex);
    intruder.run(intruder.context);
}

void intruder_send(struct rpc_duplex *duplex, void (*run)(void *context), void *context)
{
    intruder.tag.run = run_intruder;
    intruder.duplex = duplex;
    intruder.run = run;
    intruder.context = context;
    tercet_assert(!atomic_exchange(&intruder.waits, true));
}

grpc_call_error __wrap_grpc_call_start_batch(grpc_call *call, const grpc_op *ops, size_t count,
                                             void *tag, void *reserved)
{
    const bool sends = count == 1 && ops[0].op == GRPC_OP_SEND_MESSAGE;
    if (sends && atomic_exchange(&intruder.waits, false)) {
        rpc_tag_hand(&intruder.tag);
        tercet_assert(__real_grpc_call_start_batch(call, NULL, 0, &intruder.tag, NULL) ==
                      GRPC_CALL_OK);
    }
    return __real_grpc_call_start_batch(call, ops, count, tag, reserved);
}

/* memory_duplex.h -- a Work stream without a wire: both sides of rpc_duplex.h, in the fuzzer's hands.
 *
 * gRPC's threads would make every input another history, and its set-up a thousand times as dear.  So
 * the functions of rpc_duplex.h are wrapped by the linker (CMakeLists.txt): whatever the stream's code
 * sends lies in `outgoing` until the target takes it, and events come when and only when the target says
 * so, under the same promises: one message is being written at a time, `ended` is the last event and comes
 * once, nothing is sent after finish, half-close or a cancel. */
#ifndef TESTS_FUZZ_MEMORY_DUPLEX_H
#define TESTS_FUZZ_MEMORY_DUPLEX_H

#include "base/bytes.h"
#include "rpc/rpc_duplex.h"

/* What stands behind a struct rpc_duplex.  One at a time. */
struct memory_duplex {
    const ProtobufCMessageDescriptor *received;
    struct rpc_duplex_events events;
    struct buffer outgoing; /* the message that is being written */
    bool writing;
    size_t sent_count; /* messages */
    bool closed;       /* by us: half-closed or finished */
    bool cancelled;    /* by us */
    bool over;         /* `ended` has come */
    bool given_back;
    enum tercet_status finish_status; /* server */
};

/* What looks at each message in place of `writing` and memory_duplex_written(): it has left when it was sent.
 * NULL, as at first: none does. */
void memory_duplex_leave_at_once(void (*look)(void));

/* The newest; NULL: there is none. */
struct memory_duplex *memory_duplex_now(void);

/* A server's stream that begins, as its handler is given it. */
struct rpc_duplex *memory_duplex_serve(const ProtobufCMessageDescriptor *received);

/* Bytes come in, as one message.  False: they are none, or too many elements; nothing was called. */
bool memory_duplex_receive(struct tercet_bytes bytes);

/* What was sent has left. */
void memory_duplex_written(void);

/* The last event. */
void memory_duplex_end(const struct rpc_result *result);

/* Frees it; it has ended. */
void memory_duplex_free(void);

#endif

/* bare.h -- gRPC core's C API with nothing of ours around it: what the floor's unary calls are made with,
 * and a participant that is nothing else. */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <grpc/grpc.h>
#include <protobuf-c/protobuf-c.h>

enum { BARE_METHOD_COUNT = 2 };

/* Try and Confirm, of Participant. */
extern const char *const bare_methods[BARE_METHOD_COUNT];

/* grpc_init(), behind what rpc does for a process only once: core's log, abseil's deadlock detector. */
void bare_init(void);

/* The message encoded, to be sent again and again.  Owned by the caller. */
grpc_slice bare_slice(const ProtobufCMessage *message);

/* A participant of any name on `listen`, of one thread: DONE to every try and confirm, unread, and
 * UNIMPLEMENTED to all else, so it is asked by unary calls only.  No fence, no store.  Until standard
 * input closes.  The exit code. */
int bare_serve(const char *listen);

#endif

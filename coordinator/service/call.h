/* call.h -- one call of an initiator, from its arrival to its last answer.  Internal.
 *
 * Its address is the token that travels through inbox and engine.  Two may hold a call: whoever has
 * its token, until the last answer; and, for Watch, the stream's events, until the stream can call
 * nobody any more.  A FORGET is pushed while the second hold stands; so it lies in the inbox before
 * any request of a later call that may get the same address, and cannot be taken for that one's.
 *
 * Thread: created on a poller, answered by whoever has the token. */
#ifndef COORDINATOR_SERVICE_CALL_H
#define COORDINATOR_SERVICE_CALL_H

#include <stdatomic.h>

#include "rpc/rpc_answers.h"
#include "rpc/rpc_stream.h"
#include "rpc/rpc_unary.h"
#include "service/batch.h"
#include "service/list.h"
#include "service/read.h"
#include "service/service.h"

/* A row of the method table, with what its handler needs. */
struct method {
    struct service *service;
    enum request_kind kind;
    bool is_new_work; /* refused while draining */
    read_fn read;     /* NULL: LIST */
};

enum { SERVICE_METHOD_COUNT = 10 }; /* with ExecuteStream, whose elements are Execute's */

struct service {
    struct service_options options;
    atomic_uint waiting; /* calls that are open, elements of streams among them */
    atomic_uint streams; /* of ExecuteStream */
    atomic_bool draining;
    struct rpc_answers *held[BATCH_STREAM_COUNT_MAX]; /* that answers of this turn were given to */
    uint32_t held_count;
    struct method methods[SERVICE_METHOD_COUNT];
    struct rpc_method rpc_methods[SERVICE_METHOD_COUNT];
};

/* Where a request came from, and its answers go: one of the three. */
struct caller {
    struct rpc_unary *unary;
    struct rpc_stream *stream;   /* WATCH */
    struct rpc_answers *answers; /* of an ExecuteStream, whose element is `name` */
    int64_t name;
};

struct call {
    struct service *service;
    atomic_uint refs;
    enum request_kind kind;
    struct caller caller;
    struct list_page *page; /* LIST; owned */
};

/* NULL: too many wait already; the refusal says so. */
struct call *call_open(struct service *service, enum request_kind kind, struct refusal *refusal);

/* After the last answer, by whoever has the token. */
void call_close(struct call *call);

/* Drops one hold. */
void call_unref(struct call *call);

/* Answers with an error; afterwards call_close() is due. */
void call_fail(struct call *call, const struct refusal *refusal, bool refused);

/* Gives the call its request, whose token it becomes, to be submitted with others. */
void call_request(struct call *call, struct event *event, struct list_node *requests);

/* Pushes them, at once and in order; their calls' tokens are the engine's then.  Those that the inbox
 * has no room for are answered with an error, and their calls closed. */
void call_submit_all(struct service *service, struct list_node *requests);

/* One alone: both of the above. */
void call_submit(struct call *call, struct event *event);

/* Answers with an error.  The caller cannot be answered any more. */
void caller_fail(const struct caller *caller, const struct refusal *refusal, bool refused);

/* Takes a request that is one message with one answer: refuses it, or adds it to those that are to be
 * submitted. */
void service_take(const struct method *method, const struct caller *caller,
                  const ProtobufCMessage *message, uint32_t left_ms, struct list_node *requests);

#endif

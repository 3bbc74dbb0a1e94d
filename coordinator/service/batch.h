/* batch.h -- ExecuteStream: many Executes over one stream.
 *
 *     batch ──► each element as if it had come by Execute (service_take()) ──► all at once to the inbox
 *     replies gather ──► one message at a time (rpc_answers.h)
 *
 * An element is a call like any other: screened, counted, joined and answered the same.  It has no
 * deadline of its own but what it says.
 *
 * Bounds
 *   * Elements that wait count as calls that wait (`waiting_calls_max`); above it an element is refused
 *     like a call.  The window is as large, so that nobody who keeps to it can wait behind it.
 *   * Replies that are not read: BATCH_UNSENT_BYTES_MAX for each stream, then it is broken off.
 *   * Streams: BATCH_STREAM_COUNT_MAX, above it RESOURCE_EXHAUSTED; their clients use Execute.
 *
 * A stream that breaks takes nothing back: its elements go on and their replies are dropped. */
#ifndef COORDINATOR_SERVICE_BATCH_H
#define COORDINATOR_SERVICE_BATCH_H

#include "rpc/rpc_answers.h"
#include "service/refusal.h"
#include "tercet/v1/coordinator.pb-c.h"

struct service;

enum {
    BATCH_REQUEST_COUNT_MAX = 1024, /* in one message */
    BATCH_UNSENT_BYTES_MAX = 2 * 1024 * 1024,
    BATCH_STREAM_COUNT_MAX = 64
};

/* rpc_duplex_fn; the context is Execute's struct method. */
void batch_serve(struct rpc_duplex *duplex, void *context);

/* What is answered on this stream from now on leaves with service_flush().  The loop's thread. */
void batch_hold(struct service *service, struct rpc_answers *answers);

/* The answer to the element `name`. */
void batch_reply(struct rpc_answers *answers, int64_t name, Tercet__V1__Transaction *transaction);
void batch_fail(struct rpc_answers *answers, int64_t name, const struct refusal *refusal,
                bool refused);

#endif

/* client_stream.h -- Execute over ExecuteStream, while there is one (rpc_feed.h).
 *
 * One stream for each target, shared by all threads.  It is only a faster way for an attempt: what it
 * cannot take now (not open, window full, a request that is large and gains nothing) goes as a unary
 * call, and an attempt on it ends as one of a unary call would: with the answer, with the same
 * error, at its own deadline, or UNAVAILABLE because what carried it broke.  A deadline that passes
 * ends its own attempt and nothing else.
 *
 * Deadlines are core's for unary calls; for attempts on a stream a worker looks when the first is
 * due (client_workers.c). */
#ifndef TERCET_SRC_CLIENT_STREAM_H
#define TERCET_SRC_CLIENT_STREAM_H

#include "src/client_core.h"

TERCET_BEGIN_DECLS

/* For the target `index`, whose channel is open. */
void client_stream_init(struct tercet_client *client, size_t index);
void client_stream_deinit(struct tercet_client *client,
                          size_t index); /* after its channel is closed */

/* Sends an attempt.  True: it will end, perhaps it has, and nothing of the call is touched any more.
 * False: nothing was done, it is to go as a unary call. */
bool client_stream_send(struct rpc_feed *feed, struct client_call *call, uint32_t timeout_ms);

/* Ends the attempts whose time is over.  When the next may be, by moment_ms(); INT64_MAX: none. */
int64_t client_stream_expire(struct tercet_client *client);

TERCET_END_DECLS

#endif

/* service.h -- the coordinator's gRPC service: wire to events, effects to wire.
 *
 * A request is validated, bounded and copied on the thread that received it; whatever is wrong is
 * answered there and never reaches the inbox.  What passes becomes one EVENT_REQUEST, whose token is
 * the call.  The loop gives every REPLY back through service_reply().
 *
 * Bounds kept here: the number of calls that wait (above it RESOURCE_EXHAUSTED with tercet-refused),
 * and the inbox's own. */
#ifndef COORDINATOR_SERVICE_SERVICE_H
#define COORDINATOR_SERVICE_SERVICE_H

#include "base/inbox.h"
#include "engine/effect.h"
#include "rpc/rpc_server.h"

struct service;

struct service_options {
    struct inbox *inbox;               /* borrowed */
    const struct directory *directory; /* borrowed */
    uint32_t waiting_calls_max;        /* default 4000 */
    uint32_t try_timeout_ms;           /* when a request does not say; default 30000 */

    /* Asks the reader thread for a page of outcomes behind `cursor`; it answers later, from its own
     * thread, by service_outcomes(). */
    void (*list_outcomes)(void *context, void *token, const char *cursor, uint32_t page_size);
    void *context;
};

struct service *service_create(const struct service_options *options);

/* After the server was destroyed and every token has had its last answer. */
void service_destroy(struct service *service);

/* The methods to register with the server, their context filled in. */
const struct rpc_method *service_methods(struct service *service, size_t *count_out);

/* From now on new work (Execute, Begin, Try) is refused UNAVAILABLE with tercet-refused; everything
 * else goes on.  Any thread. */
void service_drain(struct service *service);

/* Carries out a REPLY: encodes, sends, and takes what it owns.  What goes over an ExecuteStream leaves
 * with service_flush().  The loop's thread. */
void service_reply(struct service *service, struct effect_reply *reply);

/* After the replies of a turn.  The loop's thread. */
void service_flush(struct service *service);

/* Calls that are open, each with its token. */
uint32_t service_waiting_calls(const struct service *service);

/* The server's `refused` function (rpc_server.h; its context is not used): gives what rpc refuses by
 * itself the trailers that all our errors have. */
void service_refused(enum rpc_refusal why, enum tercet_status status, const char *text,
                     struct rpc_trailers *trailers, void *context);

/* A page of encoded outcomes decoded to views (owned; taken).  `next_cursor` "": that was all.  The
 * reader's thread. */
void service_outcomes(struct service *service, void *token, struct view **views, uint32_t count,
                      const char *next_cursor, enum tercet_status status);

#endif

/* service.h -- tercet.v1.Participant on the wire: from a decoded request to a job.
 *
 * Everything here runs on rpc's pollers: it checks, finds the action and queues; it never runs a
 * handler nor touches a database.  What cannot be queued is answered at once. */
#ifndef TERCET_SRC_SERVICE_H
#define TERCET_SRC_SERVICE_H

#include "rpc/rpc_method.h"
#include "src/asker.h"
#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

struct tercet_participant;

enum { SERVICE_METHOD_COUNT = 6 };

#define SERVICE_NAME "tercet.v1.Participant"

/* What requests have in common, and what its check found. */
struct service_context {
    const Tercet__V1__RequestContext *message;
    enum tercet_status status;
    struct tercet_error error;
    int64_t came_ms;   /* monotonic: all that stand under it came together */
    bool mark_offered; /* to the stores */
};

void service_check_context(struct service_context *context_out,
                           const Tercet__V1__RequestContext *message);

/* A request of a Work stream: answered at once, or queued like any other. */
void service_work_request(struct tercet_participant *participant, const struct asker *asker,
                          const Tercet__V1__BranchRequest *request,
                          struct service_context *context);

/* A context that came alone. */
void service_offer_mark(struct tercet_participant *participant, struct service_context *context);

/* After the last of a message: now its requests are looked at, all together. */
void service_wake(struct tercet_participant *participant);

/* The method table for `participant`, which must outlive the server. */
void service_methods(struct tercet_participant *participant,
                     struct rpc_method methods_out[SERVICE_METHOD_COUNT]);

TERCET_END_DECLS

#endif

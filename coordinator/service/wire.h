/* wire.h -- what the engine tells, as messages of the wire. */
#ifndef COORDINATOR_SERVICE_WIRE_H
#define COORDINATOR_SERVICE_WIRE_H

#include "engine/effect.h"
#include "rpc/rpc_detail.h"
#include "service/refusal.h"
#include "tercet/v1/coordinator.pb-c.h"

/* One allocation, freed by free(); its strings and bytes are borrowed from the view. */
Tercet__V1__Transaction *wire_transaction(const struct view *view, bool with_branches);

/* Result and reason are borrowed from the reply's view, the reason's memory is `reason`. */
void wire_try_reply(const struct effect_reply *reply, Tercet__V1__Reason *reason,
                    Tercet__V1__TryReply *message_out);

/* Borrows from the refusal. */
void wire_error_detail(Tercet__V1__ErrorDetail *message_out, const struct refusal *refusal);

/* What a failed call carries.  Init, hand `detail` to rpc, deinit. */
enum { WIRE_TRAILER_COUNT = 2 };
struct wire_error {
    struct rpc_metadata trailers[WIRE_TRAILER_COUNT];
    struct rpc_detail detail;
    void *packed;
};

/* `refused`: it had no effect and can have none. */
void wire_error_init(struct wire_error *error, const struct refusal *refusal, bool refused);
void wire_error_deinit(struct wire_error *error);

#endif

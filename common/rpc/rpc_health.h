/* rpc_health.h -- grpc.health.v1: what load balancers and probes ask.
 *
 * The name "" is the whole server.  Check of a name that was never set is NOT_FOUND; Watch answers
 * SERVICE_UNKNOWN and stays open, as the protocol demands.  Everything starts as NOT_SERVING.
 *
 * Thread: any. */
#ifndef COMMON_RPC_RPC_HEALTH_H
#define COMMON_RPC_RPC_HEALTH_H

#include "rpc/rpc_server.h"

TERCET_BEGIN_DECLS

enum { RPC_HEALTH_SERVICE_COUNT_MAX = 16, RPC_HEALTH_NAME_BYTES_MAX = 127 };

/* Handed to rpc_server_create(); destroyed after the server. */
struct rpc_health *rpc_health_create(void);
void rpc_health_destroy(struct rpc_health *health);

/* Watchers are told of a change.  `service` is copied. */
void rpc_health_set(struct rpc_health *health, const char *service, bool serving);

TERCET_END_DECLS

#endif

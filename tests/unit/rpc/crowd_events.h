/* crowd_events.h -- events on a completion queue, whenever a test wants one. */
#ifndef TESTS_UNIT_RPC_CROWD_EVENTS_H
#define TESTS_UNIT_RPC_CROWD_EVENTS_H

#include "rpc/rpc_crowd.h"

TERCET_BEGIN_DECLS

struct crowd_events; /* a queue, and a channel whose watches are over at once */

struct crowd_events *crowd_events_create(void);
void crowd_events_shutdown(struct crowd_events *events); /* before the crowd is destroyed */
void crowd_events_destroy(struct crowd_events *events);
grpc_completion_queue *crowd_events_queue(struct crowd_events *events);

/* An event: whoever polls calls `run`, once. */
void crowd_events_make(struct crowd_events *events, void (*run)(void *context), void *context);

TERCET_END_DECLS

#endif

/* crowd_events.c -- see crowd_events.h. */
#include "crowd_events.h"

#include <stdlib.h>

#include "base/memory.h"
#include "rpc/rpc_core.h"

struct crowd_events {
    grpc_completion_queue *queue;
    grpc_channel *channel;
};

struct made {
    struct rpc_tag tag;
    void (*run)(void *context);
    void *context;
};

struct crowd_events *crowd_events_create(void)
{
    struct crowd_events *events = xcalloc(1, sizeof *events);
    grpc_init();
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    events->queue = grpc_completion_queue_create_for_next(NULL);
    events->channel = grpc_channel_create("unix:/nowhere/at/all", credentials, NULL);
    grpc_channel_credentials_release(credentials);
    return events;
}

void crowd_events_shutdown(struct crowd_events *events)
{
    grpc_channel_destroy(events->channel);
    grpc_completion_queue_shutdown(events->queue);
}

void crowd_events_destroy(struct crowd_events *events)
{
    grpc_completion_queue_destroy(events->queue);
    grpc_shutdown();
    free(events);
}

grpc_completion_queue *crowd_events_queue(struct crowd_events *events)
{
    return events->queue;
}

static void run_made(struct rpc_tag *tag, bool ok)
{
    struct made *made = container_of(tag, struct made, tag);
    (void)ok;
    made->run(made->context);
    free(made);
}

void crowd_events_make(struct crowd_events *events, void (*run)(void *context), void *context)
{
    struct made *made = xcalloc(1, sizeof *made);
    made->tag.run = run_made;
    made->run = run;
    made->context = context;
    rpc_tag_hand(&made->tag);
    grpc_channel_watch_connectivity_state(events->channel, GRPC_CHANNEL_IDLE,
                                          gpr_time_0(GPR_CLOCK_REALTIME), events->queue,
                                          &made->tag);
}

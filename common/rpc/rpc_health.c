#include "rpc/rpc_health.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/list.h"
#include "base/memory.h"
#include "health/v1/health.pb-c.h"
#include "rpc/rpc_health_core.h"
#include "rpc/rpc_stream.h"
#include "rpc/rpc_unary.h"

enum { WATCHER_COUNT_MAX = 256, HEALTH_SLOTS = 2 };

struct health_service {
    char name[RPC_HEALTH_NAME_BYTES_MAX + 1];
    bool serving;
};

struct watcher {
    struct list_node node;
    struct rpc_health *health;
    struct rpc_stream *stream; /* alive as long as the watcher is in the list */
    char name[RPC_HEALTH_NAME_BYTES_MAX + 1];
};

struct rpc_health {
    pthread_mutex_t mutex;
    struct health_service services[RPC_HEALTH_SERVICE_COUNT_MAX];
    size_t service_count;
    struct list_node watchers;
    size_t watcher_count;
};

struct rpc_health *rpc_health_create(void)
{
    struct rpc_health *health = xcalloc(1, sizeof *health);
    tercet_assert(pthread_mutex_init(&health->mutex, NULL) == 0);
    list_init(&health->watchers);
    health->service_count = 1; /* "", the whole server */
    return health;
}

void rpc_health_destroy(struct rpc_health *health)
{
    if (health == NULL) {
        return;
    }
    tercet_assert(list_is_empty(&health->watchers)); /* the server goes first */
    (void)pthread_mutex_destroy(&health->mutex);
    free(health);
}

static struct health_service *find_service(struct rpc_health *health, const char *name)
{
    for (size_t i = 0; i < health->service_count; i++) {
        if (strcmp(health->services[i].name, name) == 0) {
            return &health->services[i];
        }
    }
    return NULL;
}

static Grpc__Health__V1__HealthCheckResponse__ServingStatus status_of(
    const struct health_service *service)
{
    if (service == NULL) {
        return GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;
    }
    return service->serving ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
                            : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
}

/* Under the mutex. */
static void send_status(struct rpc_health *health, const struct watcher *watcher)
{
    Grpc__Health__V1__HealthCheckResponse reply = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    reply.status = status_of(find_service(health, watcher->name));
    rpc_stream_send(watcher->stream, &reply.base);
}

void rpc_health_set(struct rpc_health *health, const char *service, bool serving)
{
    tercet_assert(strlen(service) <= RPC_HEALTH_NAME_BYTES_MAX);
    pthread_mutex_lock(&health->mutex);
    struct health_service *found = find_service(health, service);
    bool changed = false;
    if (found == NULL) {
        tercet_assert(health->service_count < RPC_HEALTH_SERVICE_COUNT_MAX);
        found = &health->services[health->service_count++];
        memcpy(found->name, service, strlen(service) + 1);
        changed = true;
    }
    changed = changed || found->serving != serving;
    found->serving = serving;
    if (changed) {
        for (struct list_node *at = health->watchers.next; at != &health->watchers; at = at->next) {
            const struct watcher *const watcher = container_of(at, struct watcher, node);
            if (strcmp(watcher->name, service) == 0) {
                send_status(health, watcher);
            }
        }
    }
    pthread_mutex_unlock(&health->mutex);
}

static void check(struct rpc_unary *call, const ProtobufCMessage *message, void *context)
{
    struct rpc_health *const health = context;
    const Grpc__Health__V1__HealthCheckRequest *const request =
        (const Grpc__Health__V1__HealthCheckRequest *)(const void *)message;
    Grpc__Health__V1__HealthCheckResponse reply = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    pthread_mutex_lock(&health->mutex);
    const struct health_service *const service = find_service(health, request->service);
    const bool known = service != NULL;
    reply.status = status_of(service);
    pthread_mutex_unlock(&health->mutex);
    if (known) {
        rpc_unary_reply(call, &reply.base);
    } else {
        rpc_unary_fail(call, TERCET_NOT_FOUND, "no such service", NULL);
    }
}

static void watch_cancelled(struct rpc_stream *stream, void *context)
{
    struct watcher *const watcher = context;
    struct rpc_health *const health = watcher->health;
    pthread_mutex_lock(&health->mutex);
    list_remove(&watcher->node);
    health->watcher_count--;
    pthread_mutex_unlock(&health->mutex);
    rpc_stream_finish(stream, TERCET_CALL_CANCELLED, "", NULL);
}

static void watch(struct rpc_stream *stream, const ProtobufCMessage *message, void *context)
{
    struct rpc_health *const health = context;
    const Grpc__Health__V1__HealthCheckRequest *const request =
        (const Grpc__Health__V1__HealthCheckRequest *)(const void *)message;
    if (strlen(request->service) > RPC_HEALTH_NAME_BYTES_MAX) {
        rpc_stream_finish(stream, TERCET_INVALID_ARGUMENT, "the service's name is too long", NULL);
        return;
    }
    struct watcher *watcher = xcalloc(1, sizeof *watcher);
    watcher->health = health;
    watcher->stream = stream;
    memcpy(watcher->name, request->service, strlen(request->service) + 1);

    pthread_mutex_lock(&health->mutex);
    const bool room = health->watcher_count < WATCHER_COUNT_MAX;
    if (room) {
        const struct rpc_stream_events events = {
            .cancelled = watch_cancelled, .released = free, .context = watcher};
        rpc_stream_listen(stream, &events);
        list_push_back(&health->watchers, &watcher->node);
        health->watcher_count++;
        send_status(health, watcher);
    }
    pthread_mutex_unlock(&health->mutex);
    if (!room) {
        free(watcher);
        rpc_stream_finish(stream, TERCET_RESOURCE_EXHAUSTED, "too many watchers", NULL);
    }
}

void rpc_health_methods(struct rpc_health *health, struct rpc_method *methods_out)
{
    methods_out[0] = (struct rpc_method){
        .path = "/grpc.health.v1.Health/Check",
        .kind = RPC_METHOD_UNARY,
        .request = &grpc__health__v1__health_check_request__descriptor,
        .unary = check,
        .context = health,
        .slots = HEALTH_SLOTS,
    };
    methods_out[1] = (struct rpc_method){
        .path = "/grpc.health.v1.Health/Watch",
        .kind = RPC_METHOD_SERVER_STREAM,
        .request = &grpc__health__v1__health_check_request__descriptor,
        .stream = watch,
        .context = health,
        .slots = HEALTH_SLOTS,
    };
}

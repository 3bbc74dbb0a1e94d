#include "rpc/rpc_server.h"

#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "rpc/rpc_duplex_core.h"
#include "rpc/rpc_health_core.h"
#include "rpc/rpc_listen.h"
#include "rpc/rpc_process.h"
#include "rpc/rpc_runtime_core.h"
#include "rpc/rpc_scan.h"
#include "rpc/rpc_server_args.h"
#include "rpc/rpc_site.h"
#include "rpc/rpc_stray.h"
#include "rpc/rpc_stream_core.h"
#include "rpc/rpc_unary_core.h"

enum {
    ADDRESS_COUNT_MAX = 16,
    SLOTS_DEFAULT = 16,
    STRAY_SLOTS = 4,
    /* How long answers that are under way may take to leave before connections are cut. */
    FLUSH_MS = 1000
};

struct rpc_server {
    struct rpc_site site;
    struct rpc_runtime *runtime;
    struct rpc_route *routes;
    size_t route_count;
    struct rpc_listener listeners[ADDRESS_COUNT_MAX];
    size_t listener_count;
    struct rpc_tag shutdown;
    bool started;
    bool stopped;
};

static void shutdown_run(struct rpc_tag *tag, bool ok);

/* What its calls become; NULL: it has no handler. */
static const struct rpc_incoming_kind *method_kind(const struct rpc_method *method)
{
    switch (method->kind) {
    case RPC_METHOD_UNARY:
        return method->unary != NULL ? &rpc_unary_kind : NULL;
    case RPC_METHOD_SERVER_STREAM:
        return method->stream != NULL ? &rpc_stream_kind : NULL;
    case RPC_METHOD_DUPLEX:
        return method->duplex != NULL ? &rpc_duplex_kind : NULL;
    case RPC_METHOD_UNIMPLEMENTED:
        return NULL;
    }
    tercet_unreachable();
}

/* Copies a row and registers it with core.  What is known only by name falls to the catch-all. */
static void add_method(struct rpc_server *server, const struct rpc_method *method)
{
    if (method->kind == RPC_METHOD_UNIMPLEMENTED) {
        return;
    }
    tercet_assert(method->path != NULL && method->path[0] == '/' && method->request != NULL);
    tercet_assert(method_kind(method) != NULL);
    struct rpc_route *const route = &server->routes[server->route_count++];
    route->method = *method;
    route->site = &server->site;
    route->method.path = xstrdup(method->path);
    if (route->method.slots == 0) {
        route->method.slots = SLOTS_DEFAULT;
    }
    route->registered = grpc_server_register_method(server->site.core, route->method.path, NULL,
                                                    rpc_route_has_request(route)
                                                        ? GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER
                                                        : GRPC_SRM_PAYLOAD_NONE,
                                                    0);
    tercet_assert(route->registered != NULL); /* NULL: the same path twice */
}

static void add_methods(struct rpc_server *server, const struct rpc_server_options *options)
{
    struct rpc_method health[RPC_HEALTH_METHOD_COUNT];
    const size_t health_count = options->health != NULL ? RPC_HEALTH_METHOD_COUNT : 0;
    server->routes =
        xcalloc(options->method_count + RPC_HEALTH_METHOD_COUNT, sizeof *server->routes);
    for (size_t i = 0; i < options->method_count; i++) {
        add_method(server, &options->methods[i]);
    }
    if (health_count > 0) {
        rpc_health_methods(options->health, health);
    }
    for (size_t i = 0; i < health_count; i++) {
        add_method(server, &health[i]);
    }
}

/* All addresses are understood before the first is bound. */
static enum tercet_status parse_addresses(const struct rpc_server_options *options,
                                          struct rpc_address *addresses_out,
                                          struct tercet_error *error_out)
{
    if (options->address_count < 1 || options->address_count > ADDRESS_COUNT_MAX) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "a server needs 1 to %d listen addresses; %zu are given",
                         (int)ADDRESS_COUNT_MAX, options->address_count);
    }
    for (size_t i = 0; i < options->address_count; i++) {
        const enum tercet_status status = rpc_address_parse(
            options->addresses[i], options->credentials, &addresses_out[i], error_out);
        if (status != TERCET_OK) {
            return status;
        }
    }
    return TERCET_OK;
}

enum tercet_status rpc_server_create(const struct rpc_server_options *options,
                                     struct rpc_server **server_out, struct tercet_error *error_out)
{
    tercet_assert(options->credentials == NULL); /* there is no way to make any */
    struct rpc_address addresses[ADDRESS_COUNT_MAX];
    enum tercet_status status = parse_addresses(options, addresses, error_out);
    if (status != TERCET_OK) {
        return status;
    }

    sigset_t before;
    rpc_signals_block(&before);
    struct rpc_server *server = xcalloc(1, sizeof *server);
    server->runtime = options->runtime;
    rpc_runtime_use(server->runtime);
    rpc_site_init(&server->site);
    server->site.refused = options->refused;
    server->site.refused_context = options->refused_context;
    server->site.element_count_max = options->element_count_max > 0
                                         ? options->element_count_max
                                         : RPC_SCAN_ELEMENT_COUNT_DEFAULT;
    server->site.core = rpc_server_args_create(options);
    grpc_server_register_completion_queue(server->site.core, rpc_runtime_queue(server->runtime),
                                          NULL);
    add_methods(server, options);
    for (size_t i = 0; i < options->address_count; i++) {
        status = rpc_listen(server->site.core, &addresses[i], &server->listeners[i], error_out);
        if (status != TERCET_OK) {
            goto out;
        }
        server->listener_count++;
    }
    *server_out = server;
    server = NULL; /* handed over */
out:
    rpc_server_destroy(server);
    rpc_signals_restore(&before);
    return status;
}

uint16_t rpc_server_port(const struct rpc_server *server, size_t index)
{
    tercet_assert(index < server->listener_count);
    return server->listeners[index].port;
}

void rpc_server_start(struct rpc_server *server)
{
    tercet_assert(!server->started && !server->stopped);
    server->started = true;
    sigset_t before;
    rpc_signals_block(&before);
    grpc_server_start(server->site.core);
    grpc_completion_queue *const queue = rpc_runtime_queue(server->runtime);
    for (size_t i = 0; i < server->route_count; i++) {
        struct rpc_route *const route = &server->routes[i];
        const struct rpc_incoming_kind *const kind = method_kind(&route->method);
        for (uint32_t slot = 0; slot < route->method.slots; slot++) {
            rpc_incoming_post(route, kind, queue);
        }
    }
    for (uint32_t slot = 0; slot < STRAY_SLOTS; slot++) {
        rpc_stray_post(&server->site, queue);
    }
    rpc_signals_restore(&before);
}

void rpc_server_drain(struct rpc_server *server)
{
    atomic_store_explicit(&server->site.draining, true, memory_order_release);
}

static void shutdown_run(struct rpc_tag *tag, bool ok)
{
    (void)ok;
    struct rpc_server *const server = container_of(tag, struct rpc_server, shutdown);
    pthread_mutex_lock(&server->site.mutex);
    server->site.shutdown_done = true;
    pthread_cond_broadcast(&server->site.changed);
    pthread_mutex_unlock(&server->site.mutex);
}

static struct timespec time_after(uint32_t ms)
{
    struct timespec at;
    tercet_assert(clock_gettime(CLOCK_MONOTONIC, &at) == 0);
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

/* Takes the first out of a list that lets nothing new in, to be given back by put_back(); NULL: it is
 * empty.  `to` is the list it goes to; NULL: none. */
static struct rpc_incoming *take_held(struct rpc_site *site, struct rpc_held *held,
                                      struct rpc_held *to)
{
    struct rpc_incoming *incoming = NULL;
    pthread_mutex_lock(&site->mutex);
    held->closed = true;
    if (!rpc_held_is_empty(held)) {
        /* Its handler has not let go yet, and cannot before it gets the mutex. */
        incoming = container_of(list_pop_front(&held->list), struct rpc_incoming, held);
        (void)atomic_fetch_add(&incoming->parties, 1);
        site->open_count++;
        if (to != NULL) {
            (void)rpc_held_add(to, &incoming->held);
        }
    }
    pthread_mutex_unlock(&site->mutex);
    return incoming;
}

static void put_back(struct rpc_site *site, struct rpc_incoming *incoming)
{
    rpc_incoming_unref(incoming);
    rpc_site_leave(site);
}

/* Ends everything in a list, and lets nothing new into it. */
static void end_held(struct rpc_site *site, struct rpc_held *held,
                     void (*abandon)(struct rpc_incoming *incoming))
{
    struct rpc_incoming *incoming = take_held(site, held, NULL);
    while (incoming != NULL) {
        abandon(incoming);
        put_back(site, incoming);
        incoming = take_held(site, held, NULL);
    }
}

/* Streams of both sides whose owners can be asked finish by themselves; the others are ended. */
static void ask_duplexes(struct rpc_site *site)
{
    struct rpc_incoming *incoming = take_held(site, &site->duplexes, &site->leaving);
    while (incoming != NULL) {
        if (!rpc_duplex_ask(incoming)) {
            rpc_site_let_go(site, &incoming->held);
            rpc_duplex_abandon(incoming);
        }
        put_back(site, incoming);
        incoming = take_held(site, &site->duplexes, &site->leaving);
    }
}

/* What is asked for finishes, or the grace is over. */
static void wait_for_answers(struct rpc_site *site, uint32_t grace_ms)
{
    const struct timespec until = time_after(grace_ms);
    int error = 0;
    pthread_mutex_lock(&site->mutex);
    while (!(rpc_held_is_empty(&site->unary) && rpc_held_is_empty(&site->leaving)) && error == 0) {
        error = pthread_cond_timedwait(&site->changed, &site->mutex, &until);
    }
    pthread_mutex_unlock(&site->mutex);
}

/* Waits until core has closed everything and nothing touches the server; NULL: without limit. */
static bool wait_for_end(struct rpc_site *site, const struct timespec *until)
{
    int error = 0;
    pthread_mutex_lock(&site->mutex);
    while ((!site->shutdown_done || site->open_count > 0) && error == 0) {
        error = until != NULL ? pthread_cond_timedwait(&site->changed, &site->mutex, until)
                              : pthread_cond_wait(&site->changed, &site->mutex);
    }
    pthread_mutex_unlock(&site->mutex);
    return error == 0;
}

void rpc_server_stop(struct rpc_server *server, uint32_t grace_ms)
{
    tercet_assert(!server->stopped && !rpc_runtime_on_poller());
    struct rpc_site *const site = &server->site;
    sigset_t before;
    rpc_signals_block(&before);
    server->stopped = true;
    rpc_server_drain(server);
    end_held(site, &site->streams, rpc_stream_abandon);
    ask_duplexes(site);
    wait_for_answers(site, grace_ms);
    end_held(site, &site->unary, rpc_unary_abandon);
    end_held(site, &site->leaving, rpc_duplex_abandon);
    /* Last.  Told while calls are open, core closes each connection with its last call, whatever the client
     * has not read yet; told when none is, only after a ping has come back, behind all that was sent. */
    server->shutdown.run = shutdown_run;
    rpc_tag_hand(&server->shutdown);
    grpc_server_shutdown_and_notify(site->core, rpc_runtime_queue(server->runtime),
                                    &server->shutdown);
    const struct timespec flushed = time_after(FLUSH_MS);
    if (!wait_for_end(site, &flushed)) {
        grpc_server_cancel_all_calls(site->core);
        (void)wait_for_end(site, NULL);
    }
    rpc_signals_restore(&before);
}

void rpc_server_destroy(struct rpc_server *server)
{
    if (server == NULL) {
        return;
    }
    if (!server->stopped) {
        rpc_server_stop(server, 0);
    }
    sigset_t before;
    rpc_signals_block(&before);
    grpc_server_destroy(server->site.core);
    rpc_signals_restore(&before);
    for (size_t i = 0; i < server->listener_count; i++) {
        rpc_listener_close(&server->listeners[i]);
    }
    for (size_t i = 0; i < server->route_count; i++) {
        free((void *)(uintptr_t)server->routes[i].method.path);
    }
    free(server->routes);
    rpc_site_deinit(&server->site);
    rpc_runtime_release(server->runtime);
    free(server);
}

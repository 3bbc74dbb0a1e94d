#include <grpc/compression.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "rpc/rpc_address.h"
#include "rpc/rpc_args.h"
#include "rpc/rpc_channel_core.h"
#include "rpc/rpc_outgoing.h"
#include "rpc/rpc_process.h"
#include "rpc/rpc_runtime_core.h"

enum {
    RECEIVE_BYTES_DEFAULT = 4 << 20,
    KEEPALIVE_TIME_MS_DEFAULT = 30000,
    KEEPALIVE_TIMEOUT_MS_DEFAULT = 10000,
    CONNECT_TIMEOUT_MS_DEFAULT = 2000,
    RECONNECT_MIN_MS_DEFAULT = 100,
    RECONNECT_MAX_MS_DEFAULT = 500,
    RESOLVE_AGAIN_MS = 1000
};

static void add_connecting(struct rpc_args *args, const struct rpc_channel_options *options)
{
    rpc_args_add_number(args, GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS,
                        rpc_args_or(options->reconnect_min_ms, RECONNECT_MIN_MS_DEFAULT));
    rpc_args_add_number(args, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS,
                        rpc_args_or(options->reconnect_max_ms, RECONNECT_MAX_MS_DEFAULT));
    /* In spite of its name the time that one attempt may take. */
    rpc_args_add_number(args, GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
                        rpc_args_or(options->connect_timeout_ms, CONNECT_TIMEOUT_MS_DEFAULT));
    rpc_args_add_number(args, GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, RESOLVE_AGAIN_MS);
    rpc_args_add_number(args, GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
}

/* What core would otherwise do by itself: proxies from the environment, TXT look-ups, retries of
 * what only our journal may repeat, counts of calls that nobody reads. */
static void add_refusals(struct rpc_args *args)
{
    rpc_args_add_number(args, GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    rpc_args_add_number(args, GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
    rpc_args_add_number(args, GRPC_ARG_ENABLE_RETRIES, 0);
    rpc_args_add_number(args, GRPC_ARG_ENABLE_CHANNELZ, 0);
    rpc_args_add_number(args, GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
                        1U << GRPC_COMPRESS_NONE);
}

static void add_limits(struct rpc_args *args, const struct rpc_channel_options *options)
{
    rpc_args_add_number(args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
                        rpc_args_or(options->receive_bytes_max, RECEIVE_BYTES_DEFAULT));
    rpc_args_add_number(args, GRPC_ARG_KEEPALIVE_TIME_MS,
                        rpc_args_or(options->keepalive_time_ms, KEEPALIVE_TIME_MS_DEFAULT));
    rpc_args_add_number(args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                        rpc_args_or(options->keepalive_timeout_ms, KEEPALIVE_TIMEOUT_MS_DEFAULT));
    rpc_args_add_number(args, GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS,
                        options->keepalive_idle ? 1 : 0);
    rpc_args_add_number(args, GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0); /* no limit */
    if (options->user_agent != NULL) {
        grpc_arg *const arg = rpc_args_add(args, GRPC_ARG_PRIMARY_USER_AGENT_STRING);
        arg->type = GRPC_ARG_STRING;
        arg->value.string = (char *)(uintptr_t)options->user_agent;
    }
}

/* ---- Losses ------------------------------------------------------------------------------------ */

/* The mutex is held. */
static void watch(struct rpc_channel *channel)
{
    channel->state = grpc_channel_check_connectivity_state(channel->core, 0);
    channel->watched = true;
    rpc_tag_hand(&channel->changed);
    grpc_channel_watch_connectivity_state(channel->core, channel->state,
                                          gpr_inf_future(GPR_CLOCK_MONOTONIC),
                                          rpc_runtime_queue(channel->runtime), &channel->changed);
}

/* A connection may come and go between two looks: only the loss of one leads to IDLE, or from one attempt
 * to connect to another without a failure that lasts. */
static bool may_have_lost(grpc_connectivity_state before, grpc_connectivity_state now)
{
    return before == GRPC_CHANNEL_READY || now == GRPC_CHANNEL_IDLE ||
           (before == GRPC_CHANNEL_CONNECTING && now == GRPC_CHANNEL_CONNECTING);
}

/* The state is another one than `state`, or was for a moment. */
static void on_changed(struct rpc_tag *tag, bool ok)
{
    struct rpc_channel *channel = container_of(tag, struct rpc_channel, changed);
    (void)ok; /* it has no deadline to miss */
    pthread_mutex_lock(&channel->mutex);
    const grpc_connectivity_state before = channel->state;
    if (channel->calls.closed) {
        channel->watched = false;
        (void)pthread_cond_signal(&channel->emptied);
    } else {
        watch(channel);
        (void)atomic_fetch_add(&channel->losses, may_have_lost(before, channel->state) ? 1 : 0);
    }
    pthread_mutex_unlock(&channel->mutex);
}

uint64_t rpc_channel_losses(const struct rpc_channel *channel)
{
    return atomic_load(&channel->losses);
}

/* ---- Life -------------------------------------------------------------------------------------- */

enum tercet_status rpc_channel_open(const struct rpc_channel_options *options,
                                    struct rpc_channel **channel_out,
                                    struct tercet_error *error_out)
{
    tercet_assert(options->credentials == NULL); /* there is no way to make any */
    struct rpc_address address;
    const enum tercet_status status =
        rpc_address_parse(options->target, options->credentials, &address, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    if (address.unix_path[0] == '\0' && address.port == 0) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "address \"%.100s\": nobody is reached at port 0", options->target);
    }
    /* Spelled so that the target never equals the peer it leads to (rpc_outgoing.c): the peer is
     * then "ipv4:...", "ipv6:..." or "unix:/path". */
    char target[RPC_ADDRESS_BYTES_MAX + sizeof "unix://"];
    if (address.unix_path[0] != '\0') {
        (void)snprintf(target, sizeof target, "unix://%s", address.unix_path);
    } else {
        (void)snprintf(target, sizeof target, "dns:///%s", address.text);
    }

    struct rpc_args args = {.count = 0};
    add_connecting(&args, options);
    add_refusals(&args);
    add_limits(&args, options);
    const grpc_channel_args list = {.num_args = args.count, .args = args.items};

    struct rpc_channel *channel = xcalloc(1, sizeof *channel);
    channel->runtime = options->runtime;
    rpc_runtime_use(channel->runtime);
    tercet_assert(pthread_mutex_init(&channel->mutex, NULL) == 0);
    tercet_assert(pthread_cond_init(&channel->emptied, NULL) == 0);
    rpc_held_init(&channel->calls);
    sigset_t before;
    rpc_signals_block(&before);
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    channel->core = grpc_channel_create(target, credentials, &list);
    grpc_channel_credentials_release(credentials);
    tercet_assert(channel->core != NULL);
    channel->target = grpc_channel_get_target(channel->core);
    channel->changed.run = on_changed;
    pthread_mutex_lock(&channel->mutex);
    watch(channel);
    pthread_mutex_unlock(&channel->mutex);
    rpc_signals_restore(&before);
    *channel_out = channel;
    return TERCET_OK;
}

void rpc_channel_close(struct rpc_channel *channel)
{
    if (channel == NULL) {
        return;
    }
    tercet_assert(!rpc_runtime_on_poller());
    sigset_t before;
    rpc_signals_block(&before);
    pthread_mutex_lock(&channel->mutex);
    channel->calls.closed = true;
    for (struct list_node *at = channel->calls.list.next; at != &channel->calls.list;
         at = at->next) {
        rpc_outgoing_cancel(container_of(at, struct rpc_outgoing, node));
    }
    while (!rpc_held_is_empty(&channel->calls)) {
        pthread_cond_wait(&channel->emptied, &channel->mutex);
    }
    grpc_channel_destroy(channel->core); /* which is a change of its state, too */
    while (channel->watched) {
        pthread_cond_wait(&channel->emptied, &channel->mutex);
    }
    pthread_mutex_unlock(&channel->mutex);
    gpr_free(channel->target);
    (void)pthread_mutex_destroy(&channel->mutex);
    (void)pthread_cond_destroy(&channel->emptied);
    rpc_signals_restore(&before);
    rpc_runtime_release(channel->runtime);
    free(channel);
}

bool rpc_channel_is_connected(struct rpc_channel *channel)
{
    return grpc_channel_check_connectivity_state(channel->core, 0) == GRPC_CHANNEL_READY;
}

void rpc_channel_hurry(struct rpc_channel *channel)
{
    grpc_channel_reset_connect_backoff(channel->core);
}

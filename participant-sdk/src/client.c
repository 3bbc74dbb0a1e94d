/* client.c -- the client object and its blocking calls.
 *
 * A blocking call is carried by its caller's thread: send, sleep until the attempt has ended,
 * judge, sleep the back-off, send again.  The end of destroy() is ordered: no new attempt, what is
 * under way is cancelled and completed, then the workers, then the runtime. */
#include "tercet/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "fence/struct_size.h"
#include "src/client_core.h"
#include "src/client_result.h"
#include "src/client_stream.h"
#include "src/moment.h"

enum {
    IN_FLIGHT_DEFAULT = 10000,
    IN_FLIGHT_MAX = 1000000,
    THREADS_DEFAULT = 2,
    STEP_TIMEOUT_MS_DEFAULT = 35000,
    TARGET_BYTES_MAX = 1024
};

/* ---- Counting -------------------------------------------------------------------------------- */

enum tercet_status client_enter(struct tercet_client *client, struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_OK;

    (void)pthread_mutex_lock(&client->mutex);
    if (client->closing) {
        status = error_set(error_out, TERCET_FAILED_PRECONDITION, "the client is being destroyed");
    } else if (client->in_flight >= client->in_flight_max) {
        status = error_set(error_out, TERCET_RESOURCE_EXHAUSTED,
                           "in_flight_max: %" PRIu32 " calls are in flight", client->in_flight);
    } else {
        client->in_flight++;
    }
    (void)pthread_mutex_unlock(&client->mutex);
    return status;
}

void client_leave(struct tercet_client *client)
{
    (void)pthread_mutex_lock(&client->mutex);
    client->in_flight--;
    (void)pthread_cond_broadcast(&client->fewer);
    (void)pthread_mutex_unlock(&client->mutex);
}

bool client_attempt(struct tercet_client *client, struct client_call *call)
{
    (void)pthread_mutex_lock(&client->mutex);
    if (client->closing) {
        (void)pthread_mutex_unlock(&client->mutex);
        return false;
    }
    client->starting++;
    (void)pthread_mutex_unlock(&client->mutex);

    const size_t target = atomic_load(&client->target) % client->channel_count;
    call->target = target;
    const int64_t due_ms = client_call_start(call, client->channels[target],
                                             client->streams ? &client->feeds[target] : NULL);

    (void)pthread_mutex_lock(&client->mutex);
    client->starting--;
    if (due_ms < client->expire_ms) {
        client->expire_ms = due_ms;
        (void)pthread_cond_signal(&client->work);
    }
    if (client->closing) {
        (void)pthread_cond_broadcast(&client->fewer);
    }
    (void)pthread_mutex_unlock(&client->mutex);
    return true;
}

void client_turn(struct tercet_client *client, const struct client_call *call)
{
    /* Of many calls that failed at one target only the first turns away from it. */
    size_t expected = call->target;
    if (call->ending.status == TERCET_OK) {
        return; /* it has answered, "not yet" */
    }
    (void)atomic_compare_exchange_strong(&client->target, &expected,
                                         (call->target + 1) % client->channel_count);
}

/* ---- Create and destroy ---------------------------------------------------------------------- */

static void runtime_log(const char *line, void *context)
{
    struct tercet_client *client = context;
    LOG_TELL(&client->log, TERCET_LOG_WARNING, "grpc.said", logger_text("text", line));
}

static enum tercet_status open_channels(struct tercet_client *client, const char *targets,
                                        struct tercet_error *error_out)
{
    const char *at = targets;
    for (;;) {
        const size_t size = strcspn(at, ",");
        char target[TARGET_BYTES_MAX + 1];
        if (client->channel_count == CLIENT_TARGET_COUNT_MAX) {
            return error_set(error_out, TERCET_INVALID_ARGUMENT,
                             "client_options.target: more than %d addresses",
                             CLIENT_TARGET_COUNT_MAX);
        }
        memcpy(target, at, size);
        target[size] = '\0';
        const struct rpc_channel_options options = {.runtime = client->runtime, .target = target};
        const enum tercet_status status =
            rpc_channel_open(&options, &client->channels[client->channel_count], error_out);
        if (status != TERCET_OK) {
            return status;
        }
        client_stream_init(client, client->channel_count);
        client->channel_count++;
        if (at[size] == '\0') {
            return TERCET_OK;
        }
        at += size + 1;
    }
}

static void wait_for_fewer(struct tercet_client *client, const uint32_t *count)
{
    (void)pthread_mutex_lock(&client->mutex);
    while (*count > 0) {
        (void)pthread_cond_wait(&client->fewer, &client->mutex);
    }
    (void)pthread_mutex_unlock(&client->mutex);
}

static void destroy(struct tercet_client *client)
{
    (void)pthread_mutex_lock(&client->mutex);
    client->closing = true;
    client_workers_wake(client);
    (void)pthread_mutex_unlock(&client->mutex);

    wait_for_fewer(client, &client->starting);
    for (size_t i = 0; i < client->channel_count; i++) {
        rpc_channel_close(client->channels[i]);
    }
    wait_for_fewer(client, &client->in_flight);
    client_workers_stop(client);
    for (size_t i = 0; i < client->channel_count; i++) {
        client_stream_deinit(client, i);
    }
    rpc_runtime_destroy(client->runtime);
    (void)pthread_cond_destroy(&client->work);
    (void)pthread_cond_destroy(&client->fewer);
    (void)pthread_mutex_destroy(&client->mutex);
    log_deinit(&client->log);
    free(client);
}

static enum tercet_status check_options(const struct tercet_client_options *options,
                                        struct tercet_error *error_out)
{
    if (options->target == NULL || options->target[0] == '\0' ||
        strlen(options->target) > TARGET_BYTES_MAX) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "client_options.target: required, at most %d bytes", TARGET_BYTES_MAX);
    }
    if (options->tls != NULL) {
        return error_set(
            error_out, TERCET_UNIMPLEMENTED,
            "client_options.tls: this library cannot do TLS; leave it NULL and connect "
            "by loopback or a unix socket");
    }
    if (options->in_flight_max > IN_FLIGHT_MAX) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "client_options.in_flight_max: %" PRIu32 ", at most %d",
                         options->in_flight_max, IN_FLIGHT_MAX);
    }
    if (options->thread_count > CLIENT_THREAD_COUNT_MAX) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "client_options.thread_count: %" PRIu32 ", at most %d",
                         options->thread_count, CLIENT_THREAD_COUNT_MAX);
    }
    return TERCET_OK;
}

enum tercet_status tercet_client_create(const struct tercet_client_options *given,
                                        struct tercet_client **client_out,
                                        struct tercet_error *error_out)
{
    struct tercet_client_options options;
    enum tercet_status status =
        struct_size_read(given, &options, sizeof options, "client_options", error_out);
    if (status == TERCET_OK) {
        status = check_options(&options, error_out);
    }
    if (status == TERCET_OK && client_out == NULL) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT, "client_out: must not be NULL");
    }
    if (status != TERCET_OK) {
        return status;
    }
    struct tercet_client *client = xcalloc(1, sizeof *client);
    client->in_flight_max = options.in_flight_max != 0 ? options.in_flight_max : IN_FLIGHT_DEFAULT;
    client->thread_count = options.thread_count != 0 ? options.thread_count : THREADS_DEFAULT;
    client->step_timeout_ms =
        options.step_timeout_ms != 0 ? options.step_timeout_ms : STEP_TIMEOUT_MS_DEFAULT;
    client->reach_timeout_ms = options.reach_timeout_ms;
    client->streams = !options.unary_only;
    client->expire_ms = INT64_MAX;
    log_init(&client->log, options.log, options.log_context);
    (void)pthread_mutex_init(&client->mutex, NULL);
    moment_condition_init(&client->fewer);
    moment_condition_init(&client->work);
    const struct rpc_runtime_options runtime = {.log = options.log == NULL ? NULL : runtime_log,
                                                .log_context = client};
    client->runtime = rpc_runtime_create(&runtime);
    client_workers_start(client);
    status = open_channels(client, options.target, error_out);
    if (status != TERCET_OK) {
        destroy(client);
        return status;
    }
    *client_out = client;
    return TERCET_OK;
}

void tercet_client_destroy(struct tercet_client *client)
{
    tercet_assert(!client_workers_on());
    if (client != NULL) {
        destroy(client);
    }
}

enum tercet_status tercet_client_wait(struct tercet_client *client, uint32_t in_flight,
                                      uint32_t timeout_ms, struct tercet_error *error_out)
{
    if (client == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "client: must not be NULL");
    }
    if (client_workers_on()) {
        return error_set(error_out, TERCET_FAILED_PRECONDITION,
                         "tercet_client_wait() blocks and was called from a callback");
    }
    const int64_t until = timeout_ms == TERCET_FOREVER ? INT64_MAX : moment_ms() + timeout_ms;
    enum tercet_status status = TERCET_OK;
    (void)pthread_mutex_lock(&client->mutex);
    while (client->in_flight > in_flight && status == TERCET_OK) {
        if (moment_ms() >= until) {
            status = error_set(error_out, TERCET_DEADLINE_EXCEEDED,
                               "%" PRIu32 " calls are still in flight", client->in_flight);
        } else {
            moment_condition_wait(&client->fewer, &client->mutex, until);
        }
    }
    (void)pthread_mutex_unlock(&client->mutex);
    return status;
}

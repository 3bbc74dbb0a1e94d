/* participant.c -- the participant object: made, started, freed.  Its actions are in
 * participant_actions.c, its end in participant_stop.c. */
#include "tercet/participant.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "fence/store.h"
#include "fence/struct_size.h"
#include "src/lane.h"
#include "src/moment.h"
#include "src/participant_core.h"
#include "src/service.h"
#include "src/text_check.h"
#include "src/unfenced.h"

enum {
    IN_FLIGHT_DEFAULT = 10000,
    IN_FLIGHT_MAX = 1000000,
    UNFENCED_WORKERS_DEFAULT = 8,
    UNFENCED_WORKERS_MAX = 256,
    STOP_GRACE_MS_DEFAULT = 10000,
    LISTEN_BYTES_MAX = 255,
    RECEIVE_BYTES_MAX = 1024 * 1024 /* a request is at most a payload and a mark */
};

/* ---- Create ---------------------------------------------------------------------------------- */

static enum tercet_status check_options(const struct tercet_participant_options *options,
                                        struct tercet_error *error_out)
{
    enum tercet_status status =
        text_check_name("participant_options.name", options->name, error_out);
    if (status == TERCET_OK && (options->listen == NULL || options->listen[0] == '\0' ||
                                strlen(options->listen) > LISTEN_BYTES_MAX)) {
        status =
            error_set(error_out, TERCET_INVALID_ARGUMENT,
                      "participant_options.listen: required, at most %d bytes", LISTEN_BYTES_MAX);
    }
    if (status == TERCET_OK && options->tls != NULL) {
        status = error_set(error_out, TERCET_UNIMPLEMENTED,
                           "participant_options.tls: this library cannot do TLS; leave it NULL "
                           "and listen on loopback or a unix socket");
    }
    if (status == TERCET_OK && options->in_flight_max > IN_FLIGHT_MAX) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT,
                           "participant_options.in_flight_max: %" PRIu32 ", at most %d",
                           options->in_flight_max, IN_FLIGHT_MAX);
    }
    if (status == TERCET_OK && options->unfenced_workers > UNFENCED_WORKERS_MAX) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT,
                           "participant_options.unfenced_workers: %" PRIu32 ", at most %d",
                           options->unfenced_workers, UNFENCED_WORKERS_MAX);
    }
    return status;
}

static uint32_t or_default(uint32_t given, uint32_t fallback)
{
    return given != 0 ? given : fallback;
}

enum tercet_status tercet_participant_create(const struct tercet_participant_options *given,
                                             struct tercet_participant **participant_out,
                                             struct tercet_error *error_out)
{
    struct tercet_participant_options options;
    enum tercet_status status =
        struct_size_read(given, &options, sizeof options, "participant_options", error_out);
    if (status == TERCET_OK) {
        status = check_options(&options, error_out);
    }
    if (status == TERCET_OK && participant_out == NULL) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT, "participant_out: must not be NULL");
    }
    if (status != TERCET_OK) {
        return status;
    }
    struct tercet_participant *participant = xcalloc(1, sizeof *participant);
    (void)snprintf(participant->name, sizeof participant->name, "%s", options.name);
    participant->listen = xstrdup(options.listen);
    participant->in_flight_max = or_default(options.in_flight_max, IN_FLIGHT_DEFAULT);
    participant->unfenced_workers = or_default(options.unfenced_workers, UNFENCED_WORKERS_DEFAULT);
    participant->stop_grace_ms = or_default(options.stop_grace_ms, STOP_GRACE_MS_DEFAULT);
    participant->drained_fd = -1;
    log_init(&participant->log, options.log, options.log_context);
    epochs_init(&participant->epochs);
    (void)pthread_mutex_init(&participant->mutex, NULL);
    moment_condition_init(&participant->drained);
    *participant_out = participant;
    return TERCET_OK;
}

void tercet_participant_destroy(struct tercet_participant *participant)
{
    if (participant == NULL) {
        return;
    }
    participant_begin_stop(participant);
    (void)participant_finish_stop(participant, participant->stop_grace_ms);
    rpc_server_destroy(participant->server);
    rpc_health_destroy(participant->health);
    for (size_t i = 0; i < participant->lane_count; i++) {
        lane_join(participant->lanes[i]);
    }
    if (participant->unfenced != NULL) {
        unfenced_join(participant->unfenced);
    }
    rpc_runtime_destroy(participant->runtime);
    for (size_t i = 0; i < participant->lane_count; i++) {
        lane_store(participant->lanes[i])->served_by = NULL;
        lane_destroy(participant->lanes[i]);
    }
    unfenced_destroy(participant->unfenced);
    for (size_t i = 0; i < participant->action_count; i++) {
        free(participant->actions[i]);
    }
    free(participant->actions);
    if (participant->drained_fd >= 0) {
        (void)close(participant->drained_fd);
    }
    (void)pthread_cond_destroy(&participant->drained);
    (void)pthread_mutex_destroy(&participant->mutex);
    epochs_deinit(&participant->epochs);
    log_deinit(&participant->log);
    free(participant->address);
    free(participant->listen);
    free(participant);
}

/* ---- Start ----------------------------------------------------------------------------------- */

static void runtime_log(const char *line, void *context)
{
    struct tercet_participant *participant = context;
    LOG_TELL(&participant->log, TERCET_LOG_WARNING, "grpc.said",
             logger_text("participant", participant->name), logger_text("text", line));
}

/* `listen` with the port that it really has. */
static char *real_address(const char *listen, uint16_t port)
{
    char text[LISTEN_BYTES_MAX + 16];
    const char *colon = strrchr(listen, ':');

    if (port == 0 || colon == NULL) {
        return xstrdup(listen);
    }
    (void)snprintf(text, sizeof text, "%.*s:%" PRIu16, (int)(colon - listen), listen, port);
    return xstrdup(text);
}

static enum tercet_status bind_server(struct tercet_participant *participant,
                                      struct tercet_error *error_out)
{
    struct rpc_method methods[SERVICE_METHOD_COUNT];
    const char *const addresses[] = {participant->listen};
    const struct rpc_runtime_options runtime = {
        .log = participant->log.hook == NULL ? NULL : runtime_log, .log_context = participant};

    service_methods(participant, methods);
    participant->runtime = rpc_runtime_create(&runtime);
    participant->health = rpc_health_create();
    const struct rpc_server_options options = {.runtime = participant->runtime,
                                               .addresses = addresses,
                                               .address_count = 1,
                                               .methods = methods,
                                               .method_count = SERVICE_METHOD_COUNT,
                                               .health = participant->health,
                                               .receive_bytes_max = RECEIVE_BYTES_MAX};
    return rpc_server_create(&options, &participant->server, error_out);
}

/* Whoever has stopped it meanwhile has the last word. */
static enum tercet_status begin_serving(struct tercet_participant *participant,
                                        struct tercet_error *error_out)
{
    (void)pthread_mutex_lock(&participant->mutex);
    const bool stopped = participant->state != PARTICIPANT_MADE;
    if (!stopped) {
        participant->state = PARTICIPANT_SERVING;
        participant->drained_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        participant->address =
            real_address(participant->listen, rpc_server_port(participant->server, 0));
        rpc_health_set(participant->health, "", true);
        rpc_health_set(participant->health, SERVICE_NAME, true);
        rpc_server_start(participant->server);
        participant->answering = true;
    }
    (void)pthread_mutex_unlock(&participant->mutex);
    return !stopped ? TERCET_OK
                    : error_set(error_out, TERCET_FAILED_PRECONDITION,
                                "participant %s: was stopped while it started", participant->name);
}

/* Stores first: whoever can connect to us must find us able to work. */
static enum tercet_status start(struct tercet_participant *participant,
                                struct tercet_error *error_out)
{
    enum tercet_status status = bind_server(participant, error_out);

    for (size_t i = 0; status == TERCET_OK && i < participant->lane_count; i++) {
        status = lane_start(participant->lanes[i], error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    if (participant->unfenced != NULL) {
        unfenced_start(participant->unfenced);
    }
    return begin_serving(participant, error_out);
}

enum tercet_status tercet_participant_start(struct tercet_participant *participant,
                                            struct tercet_error *error_out)
{
    if (participant == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "participant: must not be NULL");
    }
    if (participant->state != PARTICIPANT_MADE || participant->runtime != NULL) {
        return error_set(error_out, TERCET_FAILED_PRECONDITION,
                         "participant %s: was started before", participant->name);
    }
    if (participant->action_count == 0) {
        return error_set(error_out, TERCET_FAILED_PRECONDITION,
                         "participant %s: no action is registered", participant->name);
    }
    const enum tercet_status status = start(participant, error_out);
    if (status == TERCET_OK) {
        LOG_TELL(&participant->log, TERCET_LOG_INFO, "participant.serving",
                 logger_text("participant", participant->name),
                 logger_text("address", participant->address),
                 logger_int("actions", (int64_t)participant->action_count),
                 logger_int("stores", (int64_t)participant->lane_count));
    }
    return status;
}

const char *tercet_participant_address(const struct tercet_participant *participant)
{
    return participant == NULL || participant->address == NULL ? "" : participant->address;
}

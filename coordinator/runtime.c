/* runtime.c -- see runtime.h.
 *
 * Threads (`top -H` shows their names), and what each may touch:
 *
 *   main      waits for signals; starts and stops everything else
 *   loop      engine, dispatch, batches; everything it does goes through struct loop_hands below
 *   writer    the journal's write()
 *   reader    the journal's look-ups, lists and upkeep
 *   rpc       gRPC's: requests into the inbox, answers into the inbox; never block.  Most of them wait
 *             until rpc-warden calls them (rpc_crowd.h)
 *
 * Between them stand the inbox (events to the loop), the writer's one slot and the reader's queue;
 * nothing else is shared. */
#include "runtime.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/logger.h"
#include "base/random.h"
#include "base/thread.h"
#include "journal/journal_leveldb.h"
#include "journal/open_gids.h"
#include "journal/record.h"
#include "runtime_internal.h"
#include "screen.h"

/* ---- Start ------------------------------------------------------------------------------------- */

struct adopting {
    struct runtime *runtime;
    struct open_gids open; /* of the engine's transactions */
};

static void adopt(struct txn *txn_take, void *context)
{
    struct adopting *adopting = context;
    open_gids_add(&adopting->open, txn_take->gid, txn_take->sequence);
    engine_adopt_take(adopting->runtime->engine, txn_take);
}

/* One that is not configured cannot be asked; what is known of it stays in the journal. */
static void meet(const char *name, const struct acquaintance *known, void *context)
{
    const struct adopting *adopting = context;
    struct runtime *runtime = adopting->runtime;
    const uint32_t participant = directory_find(&runtime->directory, name, strlen(name));
    if (participant != UINT32_MAX) {
        engine_adopt_acquaintance(runtime->engine, participant, known);
    }
}

/* What the journal's pairs are handed to. */
static enum tercet_status take_pair(struct tercet_bytes key, struct tercet_bytes value,
                                    struct digest128 hash, void *context)
{
    struct tercet_error error;
    enum tercet_status status = record_loader_pair(context, key, value, hash, &error);
    if (status != TERCET_OK) {
        LOGGER(LOGGER_ERROR, "journal.record", logger_text("text", error.text));
    }
    return status;
}

static enum tercet_status open_journal(struct runtime *runtime, struct tercet_error *error_out)
{
    const struct config *config = runtime->config;
    const struct journal_leveldb_options options = {
        .directory = config->journal,
        .outcome_keep_ms = (int64_t)config->outcome_keep_days * 24 * 3600 * 1000,
        .outcome_keep_bytes_max = (int64_t)config->outcome_keep_bytes,
        .ballast_bytes = (int64_t)config->ballast_bytes,
    };
    return journal_leveldb_open(&options, clock_read().unix_ms, &runtime->journal, error_out);
}

static enum tercet_status recover(struct runtime *runtime, struct tercet_error *error_out)
{
    const struct config *config = runtime->config;
    journal_read_head(runtime->journal, &runtime->head);
    struct engine_options options = {
        .limits = {.open_transactions_max = config->open_transactions_max,
                   .open_payload_bytes_max = config->open_payload_bytes_max,
                   .waiting_calls_max = config->waiting_calls_max,
                   .try_timeout_ms = config->try_timeout_ms,
                   .retry_base_ms = config->retry_base_ms,
                   .retry_cap_ms = config->retry_cap_ms},
        .directory = &runtime->directory,
        .incarnation = runtime->head.incarnation,
        .next_number = runtime->head.next_number,
        .lost_from = {runtime->head.lost_incarnation, runtime->head.lost_number},
        .greatest_ended_gid = runtime->head.greatest_ended_gid,
        .horizon_unix_ms = runtime->head.horizon_unix_ms,
        .newest_end_unix_ms = journal_newest_end_unix_ms(runtime->journal),
    };
    random_entropy(&options.seed, sizeof options.seed);
    clock_boot_id(options.boot_id);
    runtime->engine = engine_create(&options);

    struct adopting adopting = {.runtime = runtime};
    struct record_loader *loader =
        record_loader_create(&runtime->head, &runtime->directory, adopt, &adopting);
    record_loader_tell_participants(loader, meet);
    enum tercet_status status = journal_load(runtime->journal, take_pair, loader, error_out);
    if (status == TERCET_OK) {
        status = record_loader_finish(loader, error_out);
    }
    record_loader_destroy(loader);
    if (status == TERCET_OK) {
        status = open_gids_refuse_ended(&adopting.open, runtime->journal, error_out);
    }
    open_gids_deinit(&adopting.open);
    if (status != TERCET_OK) {
        return status;
    }
    struct engine_stats stats;
    engine_read_stats(runtime->engine, &stats);
    LOGGER(LOGGER_INFO, "coordinator.recovered", logger_int("epoch", runtime->head.epoch),
           logger_int("lsn", runtime->head.lsn),
           logger_int("open_transactions", (int64_t)stats.open_transactions));
    return TERCET_OK;
}

static void create_loop(struct runtime *runtime)
{
    struct dispatch_options dispatch_options = {.directory = &runtime->directory};
    random_entropy(&dispatch_options.seed, sizeof dispatch_options.seed);
    runtime->dispatch = dispatch_create(&dispatch_options);
    const struct loop_options options = {
        .engine = runtime->engine,
        .dispatch = runtime->dispatch,
        .directory = &runtime->directory,
        .hands = runtime_loop_hands(runtime),
        .durable_lsn = runtime->head.lsn,
    };
    runtime->loop = loop_create(&options);
}

static enum tercet_status create_edge(struct runtime *runtime, struct tercet_error *error_out)
{
    struct edge_options options = {.runtime = runtime->participants,
                                   .inbox = &runtime->inbox,
                                   .directory = &runtime->directory,
                                   .incarnation = runtime->head.incarnation,
                                   .epoch = runtime->head.epoch,
                                   .streams = runtime->config->participant_stream};
    memcpy(options.origin, runtime->head.origin, sizeof options.origin);
    return edge_create(&options, &runtime->edge, error_out);
}

static void list_outcomes(void *context, void *token, const char *cursor, uint32_t page_size)
{
    struct runtime *runtime = context;
    reader_list(runtime->reader, token, cursor, page_size);
}

static void tell_page(void *context, void *token, struct view **views, uint32_t count,
                      const char *next_cursor, enum tercet_status status)
{
    struct runtime *runtime = context;
    service_outcomes(runtime->service, token, views, count, next_cursor, status);
}

/* Binds the addresses; nothing is answered yet. */
static enum tercet_status create_server(struct runtime *runtime, struct tercet_error *error_out)
{
    /* Some clients open a hundred before they read how many they may. */
    enum { STREAMS_UNSETTLED_LEAST = 256 };
    const struct config *config = runtime->config;
    const struct service_options service_options = {.inbox = &runtime->inbox,
                                                    .directory = &runtime->directory,
                                                    .waiting_calls_max = config->waiting_calls_max,
                                                    .try_timeout_ms = config->try_timeout_ms,
                                                    .list_outcomes = list_outcomes,
                                                    .context = runtime};
    const struct screen_options screen_options = {
        .connections_max = config->connections_max,
        .connections_per_second = config->connections_per_second,
        .resets_per_second = config->resets_per_second,
        .streams_unsettled_max = config->streams_max > STREAMS_UNSETTLED_LEAST
                                     ? config->streams_max
                                     : STREAMS_UNSETTLED_LEAST};
    screen_configure(&screen_options);
    runtime->service = service_create(&service_options);
    runtime->health = rpc_health_create();
    size_t method_count = 0;
    const struct rpc_method *methods = service_methods(runtime->service, &method_count);
    const struct rpc_server_options options = {
        .runtime = runtime->rpc,
        .addresses = (const char *const *)config->listen,
        .address_count = config->listen_count,
        .methods = methods,
        .method_count = method_count,
        .health = runtime->health,
        .refused = service_refused,
        .receive_bytes_max = config->message_bytes_max,
        .concurrent_streams_max = config->streams_max,
        .quota_bytes = config->rpc_memory_bytes,
    };
    return rpc_server_create(&options, &runtime->server, error_out);
}

static void start_threads(struct runtime *runtime)
{
    runtime->writer = writer_start(runtime->journal, &runtime->inbox);
    const struct reader_options options = {.journal = runtime->journal,
                                           .inbox = &runtime->inbox,
                                           .page = tell_page,
                                           .context = runtime};
    runtime->reader = reader_start(&options);
    loop_resume(runtime->loop, clock_read());
    thread_start(&runtime->loop_thread, "loop", runtime_loop_run, runtime);
    runtime->loop_started = true;
}

/* Everything but serving, in the order in which one part needs another.  The journal's lock comes
 * first, so that a second coordinator disturbs nothing. */
static enum tercet_status start(struct runtime *runtime, struct tercet_error *error_out)
{
    enum tercet_status status =
        config_make_directory(runtime->config, &runtime->directory, error_out);
    if (status == TERCET_OK) {
        status = open_journal(runtime, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("runtime.before_recover");
        status = recover(runtime, error_out);
        TERCET_FAILPOINT("runtime.after_recover");
    }
    if (status == TERCET_OK) {
        runtime->rpc = rpc_runtime_create(NULL);
        /* Its answers would wait behind every request that is refused, in the same queue. */
        const struct rpc_runtime_options few = {.thread_count = 2};
        runtime->participants = rpc_runtime_create(&few);
        status = create_server(runtime, error_out);
    }
    if (status == TERCET_OK) {
        status = create_edge(runtime, error_out);
    }
    if (status == TERCET_OK) {
        TERCET_FAILPOINT("runtime.before_loop");
        create_loop(runtime);
        start_threads(runtime);
        TERCET_FAILPOINT("runtime.after_threads");
        rpc_health_set(runtime->health, "", true);
        rpc_server_start(runtime->server);
        TERCET_FAILPOINT("runtime.serving");
    }
    return status;
}

/* ---- Stop -------------------------------------------------------------------------------------- */

/* Waits until nothing is under way, the grace is over, or a second signal says that it is. */
static void drain(struct runtime *runtime, const sigset_t *signals)
{
    enum { LOOK_EVERY_MS = 20 };
    service_drain(runtime->service);
    TERCET_FAILPOINT("runtime.draining");
    rpc_health_set(runtime->health, "", false);
    const int64_t until_ms = clock_boot_ms() + runtime->config->stop_grace_ms;
    const struct timespec moment = {.tv_nsec = LOOK_EVERY_MS * 1000000};
    while (!atomic_load(&runtime->idle) && clock_boot_ms() < until_ms) {
        if (sigtimedwait(signals, NULL, &moment) > 0) {
            break;
        }
    }
    struct event *stop = event_create(EVENT_STOP);
    tercet_assert(inbox_push_always(&runtime->inbox, &stop->link));
}

/* Takes apart whatever stands, in reverse. */
static void stop(struct runtime *runtime)
{
    enum { ANSWERS_LEAVE_MS = 2000 };
    if (runtime->server != NULL) {
        rpc_server_stop(runtime->server, runtime->loop_started ? ANSWERS_LEAVE_MS : 0);
    }
    if (runtime->loop_started) {
        atomic_store(&runtime->stopping, true);
        struct event *last = event_create(EVENT_STOP);
        tercet_assert(inbox_push_always(&runtime->inbox, &last->link));
        tercet_assert(pthread_join(runtime->loop_thread, NULL) == 0);
    }
    if (runtime->edge != NULL) {
        edge_stop(runtime->edge); /* what is cut off is asked again after the next start */
    }
    reader_stop(runtime->reader);
    writer_stop(runtime->writer);
    rpc_server_destroy(runtime->server);
    service_destroy(runtime->service);
    rpc_health_destroy(runtime->health);
    edge_destroy(runtime->edge);
    rpc_runtime_destroy(runtime->participants);
    rpc_runtime_destroy(runtime->rpc);
    loop_destroy(runtime->loop);
    dispatch_destroy(runtime->dispatch);
    engine_destroy(runtime->engine);
    TERCET_FAILPOINT("runtime.before_close");
    journal_close(runtime->journal);

    struct list_node rest;
    list_init(&rest);
    inbox_take_all(&runtime->inbox, 0, &rest);
    while (!list_is_empty(&rest)) {
        event_destroy(container_of(list_pop_front(&rest), struct event, link));
    }
    inbox_deinit(&runtime->inbox);
    directory_deinit(&runtime->directory);
}

static void log_serving(const struct runtime *runtime)
{
    for (size_t i = 0; i < runtime->config->listen_count; i++) {
        LOGGER(LOGGER_INFO, "coordinator.serving",
               logger_text("address", runtime->config->listen[i]),
               logger_int("port", rpc_server_port(runtime->server, i)),
               logger_int("epoch", runtime->head.epoch), logger_int("lsn", runtime->head.lsn));
    }
}

/* SIGUSR1: a backup into a directory that is named by the second. */
static void begin_backup(struct runtime *runtime)
{
    char name[CONFIG_TEXT_BYTES_MAX + 32];
    struct tm parts;
    const time_t seconds = (time_t)(clock_read().unix_ms / 1000);
    if (runtime->config->backup_directory == NULL) {
        LOGGER(LOGGER_WARNING, "journal.backup_failed",
               logger_text("text", "backup_directory is not set"));
        return;
    }
    tercet_assert(gmtime_r(&seconds, &parts) != NULL);
    const size_t size =
        (size_t)snprintf(name, sizeof name, "%s/", runtime->config->backup_directory);
    tercet_assert(strftime(name + size, sizeof name - size, "%Y%m%dT%H%M%SZ", &parts) > 0);
    reader_backup(runtime->reader, name);
}

/* Until it is told to stop; the number of the signal that told it. */
static int wait_for_stop(struct runtime *runtime, const sigset_t *signals)
{
    int signal_number = SIGUSR1;
    while (signal_number == SIGUSR1) {
        tercet_assert(sigwait(signals, &signal_number) == 0);
        if (signal_number == SIGUSR1) {
            begin_backup(runtime);
        }
    }
    return signal_number;
}

enum tercet_status runtime_run(const struct config *config, struct tercet_error *error_out)
{
    /* Blocked before the first thread exists, so that all threads inherit it and only sigwait()
     * below is told. */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);
    tercet_assert(pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0);
    signal(SIGPIPE, SIG_IGN);

    struct runtime runtime = {.config = config};
    directory_init(&runtime.directory);
    inbox_init(&runtime.inbox, config->inbox_max);
    enum tercet_status status = start(&runtime, error_out);
    if (status == TERCET_OK) {
        log_serving(&runtime);
        const int signal_number = wait_for_stop(&runtime, &signals);
        sigdelset(&signals, SIGUSR1);
        LOGGER(LOGGER_INFO, "coordinator.stopping", logger_int("signal", signal_number));
        drain(&runtime, &signals);
    }
    stop(&runtime);
    if (status == TERCET_OK) {
        struct screen_stats screened;
        screen_read_stats(&screened);
        LOGGER(LOGGER_INFO, "coordinator.stopped", logger_int("epoch", runtime.head.epoch),
               logger_int("connections_refused", (int64_t)screened.refused),
               logger_int("connections_cut", (int64_t)screened.cut));
    }
    return status;
}

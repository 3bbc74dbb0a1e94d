/* floor_unary.c -- see floor.h: unary calls of bare gRPC core, with nothing behind them.
 *
 * Both sides are core's C API and nothing of ours (bare.h): methods are registered, requests and answers
 * are bytes that were encoded once and that nobody decodes, calls have no deadline, no retries and as few
 * filters as core can do with.  A server has one thread.  To each server always so many calls are under
 * way, tries and confirms in turn, and a call that ends is followed at once by the next.  With how many
 * threads, each with a queue of its own, that goes fastest depends on the machine: so all of some numbers
 * are tried, and the fastest counts.
 *
 * Where participants are a program of somebody's, the servers are the same program.  It may be compiled
 * while it runs, so before all that it is called as long as the load warms up. */
#include <grpc/byte_buffer.h>
#include <grpc/grpc_security.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bare.h"
#include "cluster.h"
#include "floor.h"
#include "participant.h"
#include "tercet/v1/participant.pb-c.h"

enum { THREAD_COUNT_MAX = 4, STOP_GRACE_MS = 10000, PAYLOAD_BYTES_MAX = 65536 };

struct unary;

struct lane {
    struct process server;
    grpc_channel *channel;
    void *methods[BARE_METHOD_COUNT];
};

/* A call under way, and when that has ended the next. */
struct slot {
    struct lane *lane;
    unsigned turn; /* of the methods */
    grpc_call *call;
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_byte_buffer *request;
    grpc_byte_buffer *reply;
    grpc_status_code status;
    grpc_slice details;
};

/* A thread and its share of the calls. */
struct caller {
    struct unary *unary;
    pthread_t thread;
    grpc_completion_queue *queue;
    struct slot *slots;
    size_t slot_count;
    atomic_uint_fast64_t ended;
};

struct unary {
    const struct floor_unary_options *options;
    struct lane lanes[CLUSTER_PARTICIPANT_COUNT_MAX];
    struct caller callers[THREAD_COUNT_MAX];
    uint32_t caller_count;
    grpc_slice requests[BARE_METHOD_COUNT];
    atomic_bool over;
    atomic_bool failed;
};

/* ---- A call ------------------------------------------------------------------------------------ */

static bool call(struct caller *caller, struct slot *slot)
{
    const unsigned method = slot->turn++ % BARE_METHOD_COUNT;
    slot->call = grpc_channel_create_registered_call(
        slot->lane->channel, NULL, GRPC_PROPAGATE_DEFAULTS, caller->queue,
        slot->lane->methods[method], gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    slot->request = grpc_raw_byte_buffer_create(&caller->unary->requests[method], 1);
    grpc_metadata_array_init(&slot->initial);
    grpc_metadata_array_init(&slot->trailing);
    const grpc_op ops[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA, .flags = GRPC_INITIAL_METADATA_WAIT_FOR_READY},
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = slot->request},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        {.op = GRPC_OP_RECV_INITIAL_METADATA,
         .data.recv_initial_metadata.recv_initial_metadata = &slot->initial},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &slot->reply},
        {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
         .data.recv_status_on_client = {.trailing_metadata = &slot->trailing,
                                        .status = &slot->status,
                                        .status_details = &slot->details}}};
    return grpc_call_start_batch(slot->call, ops, sizeof ops / sizeof ops[0], slot, NULL) ==
           GRPC_CALL_OK;
}

/* True: it was answered. */
static bool let_go(struct slot *slot)
{
    const bool answered = slot->status == GRPC_STATUS_OK && slot->reply != NULL;
    grpc_byte_buffer_destroy(slot->request);
    grpc_byte_buffer_destroy(slot->reply);
    grpc_metadata_array_destroy(&slot->initial);
    grpc_metadata_array_destroy(&slot->trailing);
    grpc_slice_unref(slot->details);
    grpc_call_unref(slot->call);
    return answered;
}

static void *call_main(void *argument)
{
    struct caller *caller = argument;
    struct unary *unary = caller->unary;
    size_t under_way = 0;
    while (under_way < caller->slot_count && call(caller, &caller->slots[under_way])) {
        under_way++;
    }
    bool ok = under_way == caller->slot_count;
    while (under_way > 0) {
        const grpc_event event =
            grpc_completion_queue_next(caller->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        struct slot *slot = event.tag;
        under_way--;
        (void)atomic_fetch_add(&caller->ended, 1);
        ok = let_go(slot) && ok;
        if (ok && !atomic_load(&unary->over)) {
            ok = call(caller, slot);
            under_way += ok ? 1 : 0;
        }
    }
    if (!ok) {
        atomic_store(&unary->failed, true);
    }
    return NULL;
}

/* ---- So many threads --------------------------------------------------------------------------- */

/* The calls go to all servers in turn, and so do those of each thread. */
static bool start_caller(struct unary *unary, uint32_t index)
{
    const uint32_t servers = unary->options->servers;
    const size_t all = (size_t)servers * unary->options->in_flight;
    struct caller *caller = &unary->callers[index];
    *caller = (struct caller){.unary = unary,
                              .queue = grpc_completion_queue_create_for_next(NULL),
                              .slots = calloc(all, sizeof *caller->slots)};
    if (caller->slots == NULL) {
        return false;
    }
    for (size_t i = index; i < all; i += unary->caller_count) {
        struct slot *slot = &caller->slots[caller->slot_count++];
        slot->lane = &unary->lanes[i / unary->caller_count % servers];
        slot->turn = (unsigned)(i / unary->caller_count / servers);
    }
    return pthread_create(&caller->thread, NULL, call_main, caller) == 0;
}

static void end_caller(struct caller *caller)
{
    (void)pthread_join(caller->thread, NULL);
    grpc_completion_queue_shutdown(caller->queue);
    while (
        grpc_completion_queue_next(caller->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
        GRPC_QUEUE_SHUTDOWN) {
    }
    grpc_completion_queue_destroy(caller->queue);
    free(caller->slots);
}

struct reading {
    uint64_t now_us;
    uint64_t calls;
    uint64_t cpu_us;
    uint64_t server_cpu_us;
};

static struct reading read_now(struct unary *unary)
{
    struct reading reading = {.now_us = process_now_us(), .cpu_us = process_cpu_us(getpid())};
    for (uint32_t i = 0; i < unary->caller_count; i++) {
        reading.calls += atomic_load(&unary->callers[i].ended);
    }
    for (uint32_t i = 0; i < unary->options->servers; i++) {
        reading.server_cpu_us += process_cpu_us(unary->lanes[i].server.id);
    }
    return reading;
}

/* A quarter of the time is warm-up. */
static bool measure(struct unary *unary, uint32_t threads, uint32_t duration_ms,
                    struct floor_unary *unary_out)
{
    const uint64_t duration_us = (uint64_t)duration_ms * 1000;
    const uint64_t begun_us = process_now_us();
    uint32_t started = 0;
    unary->caller_count = threads;
    atomic_store(&unary->over, false);
    while (started < threads && start_caller(unary, started)) {
        started++;
    }
    process_sleep_until(begun_us + duration_us / 4);
    const struct reading before = read_now(unary);
    process_sleep_until(begun_us + duration_us);
    const struct reading after = read_now(unary);
    atomic_store(&unary->over, true);
    for (uint32_t i = 0; i < started; i++) {
        end_caller(&unary->callers[i]);
    }
    const double calls = (double)(after.calls - before.calls);
    *unary_out = (struct floor_unary){
        .calls_per_s = calls * 1e6 / (double)(after.now_us - before.now_us),
        .cpu_us = (double)(after.cpu_us - before.cpu_us) / (calls + 1),
        .server_cpu_us = (double)(after.server_cpu_us - before.server_cpu_us) / (calls + 1),
        .threads = threads};
    return started == threads && !atomic_load(&unary->failed);
}

/* ---- Life -------------------------------------------------------------------------------------- */

static grpc_arg switch_of(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER,
                      .key = (char *)(uintptr_t)key, /* core does not write to it */
                      .value.integer = value};
}

static grpc_channel *open_channel(const char *address)
{
    grpc_arg items[] = {switch_of(GRPC_ARG_ENABLE_RETRIES, 0),
                        switch_of(GRPC_ARG_ENABLE_CHANNELZ, 0),
                        switch_of(GRPC_ARG_MINIMAL_STACK, 1)};
    const grpc_channel_args list = {.num_args = sizeof items / sizeof items[0], .args = items};
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    grpc_channel *channel = grpc_channel_create(address, credentials, &list);
    grpc_channel_credentials_release(credentials);
    return channel;
}

static bool open_lane(const struct floor_unary_options *options, struct lane *lane, uint32_t index)
{
    char address[CLUSTER_PATH_SIZE + 16];
    (void)snprintf(address, sizeof address, "unix:%s/bare%u", options->directory, (unsigned)index);
    const struct participant_command command = {.self = options->self,
                                                .program = options->program,
                                                .name = cluster_participant_name(index),
                                                .listen = address,
                                                .store = STORE_BARE,
                                                .place = options->directory};
    if (!participant_start(&lane->server, &command, options->log) ||
        !participant_wait(&lane->server, command.name)) {
        return false;
    }
    lane->channel = open_channel(address);
    for (size_t i = 0; i < BARE_METHOD_COUNT; i++) {
        lane->methods[i] = grpc_channel_register_call(lane->channel, bare_methods[i], NULL, NULL);
    }
    return true;
}

static void close_lane(struct lane *lane)
{
    if (lane->channel != NULL) {
        grpc_channel_destroy(lane->channel);
    }
    (void)process_stop(&lane->server, STOP_GRACE_MS);
}

/* As tercetd asks, but without a mark. */
static grpc_slice make_request(Tercet__V1__Phase phase, uint32_t payload_bytes)
{
    static uint8_t payload[PAYLOAD_BYTES_MAX];
    enum { NOW_UNIX_MS = 1800000000, SOME = 100000 };
    static uint8_t digest[16];
    static uint8_t origin[20];
    static char gid[] = "0123456789abcdef0123456789abcdef";
    static char action[] = "agree";
    static char participant[] = "p1";
    Tercet__V1__RequestContext context = TERCET__V1__REQUEST_CONTEXT__INIT;
    Tercet__V1__BranchNumber number = TERCET__V1__BRANCH_NUMBER__INIT;
    Tercet__V1__BranchRequest request = TERCET__V1__BRANCH_REQUEST__INIT;
    context.participant = participant;
    context.origin = (ProtobufCBinaryData){sizeof origin, origin};
    context.incarnation = NOW_UNIX_MS * INT64_C(1000);
    context.epoch = 2;
    number.incarnation = context.incarnation;
    number.number = SOME;
    request.gid = gid;
    request.branch = 1;
    request.phase = phase;
    request.action = action;
    request.payload = (ProtobufCBinaryData){
        payload_bytes < sizeof payload ? payload_bytes : sizeof payload, payload};
    request.digest = (ProtobufCBinaryData){sizeof digest, digest};
    request.number = &number;
    request.attempt = 1;
    request.timeout_ms = 5000;
    request.context = &context;
    request.expires_unix_ms = phase == TERCET__V1__PHASE__PHASE_TRY ? context.incarnation : 0;
    return bare_slice(&request.base);
}

bool floor_measure_unary(const struct floor_unary_options *options, struct floor_unary *unary_out)
{
    static struct unary unary;
    const uint32_t bytes = options->payload_bytes;
    struct floor_unary one = {0};
    bool ok = true;
    bare_init();
    unary.options = options;
    unary.requests[0] = make_request(TERCET__V1__PHASE__PHASE_TRY, bytes);
    unary.requests[1] = make_request(TERCET__V1__PHASE__PHASE_CONFIRM, bytes);
    for (uint32_t i = 0; ok && i < options->servers; i++) {
        ok = open_lane(options, &unary.lanes[i], i);
    }
    if (options->warmup_ms > 0) {
        ok = ok && measure(&unary, THREAD_COUNT_MAX, options->warmup_ms, &one);
    }
    for (uint32_t threads = 1; ok && threads <= THREAD_COUNT_MAX; threads *= 2) {
        ok = measure(&unary, threads, options->duration_ms, &one);
        if (one.calls_per_s > unary_out->calls_per_s) {
            *unary_out = one;
        }
    }
    for (uint32_t i = 0; i < options->servers; i++) {
        close_lane(&unary.lanes[i]);
    }
    for (size_t i = 0; i < BARE_METHOD_COUNT; i++) {
        grpc_slice_unref(unary.requests[i]);
    }
    grpc_shutdown();
    if (!ok) {
        (void)fputs("tercet-bench: bare unary calls could not be measured\n", stderr);
    }
    return ok;
}

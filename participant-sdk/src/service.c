/* service.c -- see service.h. */
#include "src/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "rpc/rpc_unary.h"
#include "src/epochs.h"
#include "src/lane.h"
#include "src/moment.h"
#include "src/participant_core.h"
#include "src/reply.h"
#include "src/request_check.h"
#include "src/survey.h"
#include "src/unfenced.h"
#include "src/work.h"

/* ---- Try, Confirm, Cancel -------------------------------------------------------------------- */

/* When nobody waits any more: the request's own timeout or the call's deadline, whichever is
 * first. */
static int64_t until_ms(const struct asker *asker, const Tercet__V1__BranchRequest *request,
                        int64_t came_ms)
{
    const uint32_t of_call = asker_timeout_ms(asker);
    const uint32_t of_request = request->timeout_ms != 0 ? request->timeout_ms : TERCET_FOREVER;
    const uint32_t timeout = of_call < of_request ? of_call : of_request;
    return timeout == TERCET_FOREVER ? INT64_MAX : came_ms + timeout;
}

static struct tercet_fence_caller caller_of(const struct tercet_participant *participant,
                                            const Tercet__V1__RequestContext *context)
{
    struct tercet_fence_caller caller = {
        .participant = participant->name,
        .epoch = {.incarnation = context->incarnation, .epoch = context->epoch}};
    memcpy(caller.origin, context->origin.data, TERCET_ORIGIN_BYTES);
    return caller;
}

/* What is to be copied into a job. */
struct source {
    const Tercet__V1__BranchRequest *request;
    enum tercet_phase phase;
    const struct action *action;
};

static void copy(char *to, const void *from, size_t size)
{
    if (size > 0) {
        memcpy(to, from, size);
    }
    to[size] = '\0';
}

static struct job *make_job(struct tercet_participant *participant, const struct asker *asker,
                            const struct service_context *context, const struct source *source)
{
    const Tercet__V1__BranchRequest *request = source->request;
    const struct tercet_action *action = &source->action->base;
    const size_t payload = request->payload.len;
    const size_t gid = strlen(request->gid);
    const size_t traceparent = strlen(request->traceparent);
    struct job *job = xmalloc(sizeof *job + payload + gid + traceparent + 3);

    char *const gid_at = job->bytes + payload + 1;
    char *const traceparent_at = gid_at + gid + 1;
    *job = (struct job){
        .kind = JOB_BRANCH,
        .participant = participant,
        .asker = *asker,
        .request = {.key = {.gid = tercet_bytes_of(gid_at, gid), .branch = request->branch},
                    .phase = source->phase,
                    .caller = &job->caller,
                    .number = {.incarnation = request->number->incarnation,
                               .number = request->number->number},
                    .action = action->name,
                    .confirm_only = action->on_try == NULL,
                    .user = job},
        .caller = caller_of(participant, context->message),
        .action = action,
        .payload = tercet_bytes_of(job->bytes, payload),
        .traceparent = traceparent_at,
        .expires_unix_ms = request->expires_unix_ms,
        .until_ms = until_ms(asker, request, context->came_ms),
        .attempt = request->attempt,
    };
    tercet_assert(request->digest.len == TERCET_DIGEST_BYTES);
    memcpy(job->request.digest, request->digest.data, TERCET_DIGEST_BYTES);
    copy(job->bytes, request->payload.data, payload);
    copy(gid_at, request->gid, gid);
    copy(traceparent_at, request->traceparent, traceparent);
    return job;
}

/* The mark is for every store: branches of one participant share one number line. */
static void offer_mark(struct tercet_participant *participant,
                       const struct tercet_fence_caller *caller, struct service_context *context)
{
    const Tercet__V1__Mark *mark = context->message->mark;

    for (size_t i = 0; mark != NULL && !context->mark_offered && i < participant->lane_count; i++) {
        lane_offer_mark(participant->lanes[i], caller, mark);
    }
    context->mark_offered = true;
}

static void refuse_unknown_action(const struct asker *asker, const char *action)
{
    char text[TERCET_NAME_BYTES_MAX + 96];
    (void)snprintf(text, sizeof text,
                   "TERCET_UNKNOWN_ACTION: action \"%s\" is not served by this participant",
                   action);
    asker_fail(asker, TERCET_FAILED_PRECONDITION, text);
}

/* Unfenced actions have no store that remembers epochs; the process does, as long as it lives. */
static bool epoch_is_old(struct tercet_participant *participant, struct job *job)
{
    struct tercet_epoch seen;
    if (epochs_admit(&participant->epochs, &job->caller, &seen)) {
        return false;
    }
    struct group_answer answer = {.status = TERCET_FAILED_PRECONDITION, .log = TERCET_LOG_WARNING};
    (void)snprintf(answer.code, sizeof answer.code, "%s", TERCET_CODE_OLD_EPOCH);
    (void)snprintf(answer.text, sizeof answer.text,
                   TERCET_CODE_OLD_EPOCH ": incarnation %" PRId64 " epoch %" PRId64
                                         " has been seen here",
                   seen.incarnation, seen.epoch);
    reply_answer(job, &answer);
    return true;
}

static void queue(struct tercet_participant *participant, const struct action *action,
                  struct job *job, struct service_context *context)
{
    bool taken = false;

    if (action->lane != NULL) {
        offer_mark(participant, &job->caller, context);
        taken = lane_push(action->lane, job);
    } else if (!epoch_is_old(participant, job)) {
        offer_mark(participant, &job->caller, context);
        taken = unfenced_push(participant->unfenced, job);
    } else {
        return;
    }
    if (!taken && atomic_load(&participant->stopping)) {
        reply_later(job, REPLY_CODE_STOPPING, "the participant is stopping");
    } else if (!taken) {
        reply_later(job, REPLY_CODE_QUEUE_FULL, "too many requests are waiting for a worker");
    }
}

void service_wake(struct tercet_participant *participant)
{
    for (size_t i = 0; i < participant->lane_count; i++) {
        lane_wake(participant->lanes[i]);
    }
}

void service_check_context(struct service_context *context_out,
                           const Tercet__V1__RequestContext *message)
{
    *context_out = (struct service_context){.message = message, .came_ms = moment_ms()};
    context_out->status = request_check_context(message, &context_out->error);
}

static void serve_branch(struct tercet_participant *participant, const struct asker *asker,
                         const Tercet__V1__BranchRequest *request, enum tercet_phase phase,
                         struct service_context *context)
{
    struct tercet_error error = {0};

    TERCET_FAILPOINT("participant.received");
    (void)atomic_fetch_add_explicit(&participant->counters.requests, 1, memory_order_relaxed);
    const enum tercet_status status = request_check_branch(request, phase, &error);
    if (status != TERCET_OK || context->status != TERCET_OK) {
        asker_fail(asker, status != TERCET_OK ? status : context->status,
                   status != TERCET_OK ? error.text : context->error.text);
        return;
    }
    if (strcmp(context->message->participant, participant->name) != 0) {
        reply_later_to(participant, asker, REPLY_CODE_WRONG_PARTICIPANT, participant->name);
        return;
    }
    if (atomic_load(&participant->stopping)) {
        reply_later_to(participant, asker, REPLY_CODE_STOPPING, "the participant is stopping");
        return;
    }
    const struct action *action = participant_action(participant, request->action);
    if (action == NULL) {
        refuse_unknown_action(asker, request->action);
        return;
    }
    if (action->base.on_try == NULL && phase == TERCET_PHASE_TRY) {
        asker_fail(asker, TERCET_INVALID_ARGUMENT, "phase: a confirm-only action is not tried");
        return;
    }
    if (!participant_admit(participant, request->payload.len)) {
        reply_later_to(participant, asker, REPLY_CODE_QUEUE_FULL,
                       "too many requests are held at a time");
        return;
    }
    TERCET_FAILPOINT("participant.admitted");
    const struct source source = {.request = request, .phase = phase, .action = action};
    queue(participant, action, make_job(participant, asker, context, &source), context);
}

static void serve_unary(struct rpc_unary *call, const ProtobufCMessage *message,
                        enum tercet_phase phase, struct tercet_participant *participant)
{
    const Tercet__V1__BranchRequest *request = (const Tercet__V1__BranchRequest *)message;
    const struct asker asker = {.call = call};
    struct service_context context;

    service_check_context(&context, request->context);
    serve_branch(participant, &asker, request, phase, &context);
    service_wake(participant);
}

static void serve_try(struct rpc_unary *call, const ProtobufCMessage *request, void *context)
{
    serve_unary(call, request, TERCET_PHASE_TRY, context);
}

static void serve_confirm(struct rpc_unary *call, const ProtobufCMessage *request, void *context)
{
    serve_unary(call, request, TERCET_PHASE_CONFIRM, context);
}

static void serve_cancel(struct rpc_unary *call, const ProtobufCMessage *request, void *context)
{
    serve_unary(call, request, TERCET_PHASE_CANCEL, context);
}

/* ---- Work ------------------------------------------------------------------------------------ */

void service_work_request(struct tercet_participant *participant, const struct asker *asker,
                          const Tercet__V1__BranchRequest *request, struct service_context *context)
{
    const int phase = (int)request->phase;

    if (request->context != NULL) {
        asker_fail(asker, TERCET_INVALID_ARGUMENT, "context: stands in the batch");
    } else if (phase < TERCET_PHASE_TRY) {
        asker_fail(asker, TERCET_INVALID_ARGUMENT, "phase: required");
    } else if (phase > TERCET_PHASE_CANCEL) {
        asker_fail(asker, TERCET_UNIMPLEMENTED, "phase: not known to this version");
    } else {
        serve_branch(participant, asker, request, (enum tercet_phase)phase, context);
    }
}

void service_offer_mark(struct tercet_participant *participant, struct service_context *context)
{
    if (context->status == TERCET_OK && !atomic_load(&participant->stopping) &&
        strcmp(context->message->participant, participant->name) == 0) {
        const struct tercet_fence_caller caller = caller_of(participant, context->message);
        offer_mark(participant, &caller, context);
    }
}

/* ---- Describe, Inspect ----------------------------------------------------------------------- */

/* Whether a survey may begin; if not, the call has been answered. */
static bool admit_survey(struct tercet_participant *participant, struct rpc_unary *call,
                         enum tercet_status checked, const struct tercet_error *error)
{
    if (checked != TERCET_OK) {
        rpc_unary_fail(call, checked, error->text, NULL);
        return false;
    }
    if (atomic_load(&participant->stopping)) {
        rpc_unary_fail(call, TERCET_UNAVAILABLE, "the participant is stopping", NULL);
        return false;
    }
    if (!participant_admit(participant, 0)) {
        rpc_unary_fail(call, TERCET_RESOURCE_EXHAUSTED, "too many requests are held at a time",
                       NULL);
        return false;
    }
    return true;
}

/* Asked under another name it tells its own: that is how the mistake is found. */
static void serve_describe(struct rpc_unary *call, const ProtobufCMessage *message, void *context)
{
    const Tercet__V1__DescribeRequest *request = (const Tercet__V1__DescribeRequest *)message;
    struct tercet_error error = {0};

    if (admit_survey(context, call, request_check_context(request->context, &error), &error)) {
        TERCET_FAILPOINT("participant.describe");
        survey_describe(context, call, request);
    }
}

static void serve_inspect(struct rpc_unary *call, const ProtobufCMessage *message, void *context)
{
    const Tercet__V1__InspectRequest *request = (const Tercet__V1__InspectRequest *)message;
    const struct tercet_participant *participant = context;
    struct tercet_error error = {0};

    enum tercet_status status = request_check_inspect(request, &error);
    if (status == TERCET_OK && strcmp(request->context->participant, participant->name) != 0) {
        status = TERCET_FAILED_PRECONDITION;
        (void)snprintf(error.text, sizeof error.text, "%s: this is participant %s",
                       REPLY_CODE_WRONG_PARTICIPANT, participant->name);
    }
    if (admit_survey(context, call, status, &error)) {
        survey_inspect(context, call, request);
    }
}

/* ---- The table ------------------------------------------------------------------------------- */

void service_methods(struct tercet_participant *participant,
                     struct rpc_method methods_out[SERVICE_METHOD_COUNT])
{
    const ProtobufCMessageDescriptor *branch = &tercet__v1__branch_request__descriptor;
    const struct rpc_method methods[SERVICE_METHOD_COUNT] = {
        {.path = "/" SERVICE_NAME "/Try", .request = branch, .unary = serve_try},
        {.path = "/" SERVICE_NAME "/Confirm", .request = branch, .unary = serve_confirm},
        {.path = "/" SERVICE_NAME "/Cancel", .request = branch, .unary = serve_cancel},
        {.path = "/" SERVICE_NAME "/Describe",
         .request = &tercet__v1__describe_request__descriptor,
         .unary = serve_describe,
         .slots = 2},
        {.path = "/" SERVICE_NAME "/Inspect",
         .request = &tercet__v1__inspect_request__descriptor,
         .unary = serve_inspect,
         .slots = 2},
        {.path = "/" SERVICE_NAME "/Work",
         .kind = RPC_METHOD_DUPLEX,
         .request = &tercet__v1__work_batch__descriptor,
         .duplex = work_serve,
         .slots = 2},
    };
    for (size_t i = 0; i < SERVICE_METHOD_COUNT; i++) {
        methods_out[i] = methods[i];
        methods_out[i].context = participant;
    }
}

/* service.c -- see service.h. */
#include "src/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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

/* ---- Try, Confirm, Cancel -------------------------------------------------------------------- */

/* When nobody waits any more: the request's own timeout or the call's deadline, whichever is
 * first. */
static int64_t until_ms(const struct rpc_unary *call, const Tercet__V1__BranchRequest *request)
{
    const uint32_t of_call = rpc_unary_timeout_ms(call);
    const uint32_t of_request = request->timeout_ms != 0 ? request->timeout_ms : TERCET_FOREVER;
    const uint32_t timeout = of_call < of_request ? of_call : of_request;
    return timeout == TERCET_FOREVER ? INT64_MAX : moment_ms() + timeout;
}

static struct job *make_job(struct tercet_participant *participant, struct rpc_unary *call,
                            const Tercet__V1__BranchRequest *request, enum tercet_phase phase,
                            const struct action *action)
{
    const Tercet__V1__RequestContext *context = request->context;
    struct job *job = xcalloc(1, sizeof *job + request->payload.len + 1);

    job->kind = JOB_BRANCH;
    job->participant = participant;
    job->call = call;
    job->request = request;
    job->phase = phase;
    job->action = &action->base;
    job->until_ms = until_ms(call, request);
    job->caller.participant = participant->name;
    memcpy(job->caller.origin, context->origin.data, TERCET_ORIGIN_BYTES);
    job->caller.epoch =
        (struct tercet_epoch){.incarnation = context->incarnation, .epoch = context->epoch};
    if (request->payload.len != 0) {
        memcpy(job->payload, request->payload.data, request->payload.len);
    }
    return job;
}

/* The mark is for every store: branches of one participant share one number line. */
static void offer_mark(struct tercet_participant *participant, const struct job *job,
                       const Tercet__V1__RequestContext *context)
{
    for (size_t i = 0; context->mark != NULL && i < participant->lane_count; i++) {
        lane_offer_mark(participant->lanes[i], &job->caller, context->mark);
    }
}

static void refuse_unknown_action(struct rpc_unary *call, const char *action)
{
    char text[TERCET_NAME_BYTES_MAX + 96];
    (void)snprintf(text, sizeof text,
                   "TERCET_UNKNOWN_ACTION: action \"%s\" is not served by this participant",
                   action);
    reply_error_to_call(call, TERCET_FAILED_PRECONDITION, text);
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
                  struct job *job)
{
    bool taken = false;

    if (action->lane != NULL) {
        offer_mark(participant, job, job->request->context);
        taken = lane_push(action->lane, job);
    } else if (!epoch_is_old(participant, job)) {
        offer_mark(participant, job, job->request->context);
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

static void serve_branch(struct rpc_unary *call, const Tercet__V1__BranchRequest *request,
                         enum tercet_phase phase, struct tercet_participant *participant)
{
    struct tercet_error error = {0};

    TERCET_FAILPOINT("participant.received");
    (void)atomic_fetch_add_explicit(&participant->counters.requests, 1, memory_order_relaxed);
    const enum tercet_status status = request_check_branch(request, phase, &error);
    if (status != TERCET_OK) {
        reply_error_to_call(call, status, error.text);
        return;
    }
    if (strcmp(request->context->participant, participant->name) != 0) {
        reply_later_to_call(participant, call, REPLY_CODE_WRONG_PARTICIPANT, participant->name);
        return;
    }
    if (atomic_load(&participant->stopping)) {
        reply_later_to_call(participant, call, REPLY_CODE_STOPPING, "the participant is stopping");
        return;
    }
    const struct action *action = participant_action(participant, request->action);
    if (action == NULL) {
        refuse_unknown_action(call, request->action);
        return;
    }
    if (action->base.on_try == NULL && phase == TERCET_PHASE_TRY) {
        reply_error_to_call(call, TERCET_INVALID_ARGUMENT,
                            "phase: a confirm-only action is not tried");
        return;
    }
    if (!participant_admit(participant, request->payload.len)) {
        reply_later_to_call(participant, call, REPLY_CODE_QUEUE_FULL,
                            "too many requests are held at a time");
        return;
    }
    TERCET_FAILPOINT("participant.admitted");
    queue(participant, action, make_job(participant, call, request, phase, action));
}

static void serve_try(struct rpc_unary *call, const ProtobufCMessage *request, void *context)
{
    serve_branch(call, (const Tercet__V1__BranchRequest *)request, TERCET_PHASE_TRY, context);
}

static void serve_confirm(struct rpc_unary *call, const ProtobufCMessage *request, void *context)
{
    serve_branch(call, (const Tercet__V1__BranchRequest *)request, TERCET_PHASE_CONFIRM, context);
}

static void serve_cancel(struct rpc_unary *call, const ProtobufCMessage *request, void *context)
{
    serve_branch(call, (const Tercet__V1__BranchRequest *)request, TERCET_PHASE_CANCEL, context);
}

/* ---- Describe, Inspect ----------------------------------------------------------------------- */

/* Whether a survey may begin; if not, the call has been answered. */
static bool admit_survey(struct tercet_participant *participant, struct rpc_unary *call,
                         enum tercet_status checked, const struct tercet_error *error)
{
    if (checked != TERCET_OK) {
        reply_error_to_call(call, checked, error->text);
        return false;
    }
    if (atomic_load(&participant->stopping)) {
        reply_error_to_call(call, TERCET_UNAVAILABLE, "the participant is stopping");
        return false;
    }
    if (!participant_admit(participant, 0)) {
        reply_error_to_call(call, TERCET_RESOURCE_EXHAUSTED,
                            "too many requests are held at a time");
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
        {.path = "/" SERVICE_NAME "/Work", .kind = RPC_METHOD_UNIMPLEMENTED},
    };
    for (size_t i = 0; i < SERVICE_METHOD_COUNT; i++) {
        methods_out[i] = methods[i];
        methods_out[i].context = participant;
    }
}

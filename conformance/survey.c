/* survey.c -- see survey.h. */
#include "survey.h"

enum { TIMEOUT_MS = 5000 };

static void *borrow(const void *data)
{
    return (void *)(uintptr_t)data;
}

/* Their marks would hide what is asked for (docs/protocol.md, 2). */
static void fill_context(struct request_context *context, const struct persona *persona)
{
    request_context_fill(context, persona);
    context->message.mark = NULL;
}

static void call(struct survey *survey_out, struct rpc_channel *channel,
                 const struct rpc_call_options *options)
{
    *survey_out = (struct survey){.call = rpc_call_start(channel, options)};
    const struct rpc_result *result = rpc_call_wait(survey_out->call);
    survey_out->status = result->status;
    survey_out->text = result->text;
    if (result->status == TERCET_OK && options->reply == &tercet__v1__describe_reply__descriptor) {
        survey_out->describe = (const Tercet__V1__DescribeReply *)result->reply;
    } else if (result->status == TERCET_OK) {
        survey_out->inspect = (const Tercet__V1__InspectReply *)result->reply;
    }
}

static void describe(struct survey *survey_out, struct rpc_channel *channel,
                     const struct persona *persona, bool wait_for_ready)
{
    Tercet__V1__DescribeRequest request = TERCET__V1__DESCRIBE_REQUEST__INIT;
    struct request_context context;
    const struct rpc_call_options options = {.path = "/tercet.v1.Participant/Describe",
                                             .request = &request.base,
                                             .reply = &tercet__v1__describe_reply__descriptor,
                                             .timeout_ms = TIMEOUT_MS,
                                             .wait_for_ready = wait_for_ready};
    fill_context(&context, persona);
    request.context = &context.message;
    call(survey_out, channel, &options);
}

void survey_describe(struct survey *survey_out, struct rpc_channel *channel,
                     const struct persona *persona)
{
    describe(survey_out, channel, persona, true);
}

bool survey_is_alive(struct rpc_channel *channel, const struct persona *persona)
{
    struct survey survey;
    describe(&survey, channel, persona, false);
    const enum tercet_status status = survey.status;
    survey_close(&survey);
    return status != TERCET_UNAVAILABLE && status != TERCET_DEADLINE_EXCEEDED;
}

static void inspect(struct survey *survey_out, struct rpc_channel *channel,
                    const Tercet__V1__InspectRequest *request)
{
    const struct rpc_call_options options = {.path = "/tercet.v1.Participant/Inspect",
                                             .request = &request->base,
                                             .reply = &tercet__v1__inspect_reply__descriptor,
                                             .timeout_ms = TIMEOUT_MS,
                                             .wait_for_ready = true};
    call(survey_out, channel, &options);
}

void survey_inspect(struct survey *survey_out, struct rpc_channel *channel,
                    const struct branch *branch)
{
    Tercet__V1__InspectRequest request = TERCET__V1__INSPECT_REQUEST__INIT;
    struct request_context context;
    fill_context(&context, branch->persona);
    request.context = &context.message;
    request.gid = borrow(branch->gid);
    request.branch = branch->index;
    inspect(survey_out, channel, &request);
}

void survey_inspect_range(struct survey *survey_out, struct rpc_channel *channel,
                          const struct persona *persona, const struct survey_range *range)
{
    Tercet__V1__InspectRequest request = TERCET__V1__INSPECT_REQUEST__INIT;
    Tercet__V1__BranchNumber from = request_number(range->from);
    Tercet__V1__BranchNumber below = request_number(range->below);
    struct request_context context;
    fill_context(&context, persona);
    request.context = &context.message;
    request.from = &from;
    request.below = &below;
    request.page_size = range->page_size;
    request.page_token = borrow(range->page_token);
    inspect(survey_out, channel, &request);
}

void survey_close(struct survey *survey)
{
    rpc_call_unref(survey->call);
    *survey = (struct survey){.call = NULL};
}

struct tercet_branch_number survey_mark_age(const Tercet__V1__DescribeReply *describe)
{
    struct tercet_branch_number oldest = {0, 0};
    for (size_t i = 0; i < describe->n_stores; i++) {
        const Tercet__V1__Mark *mark = describe->stores[i]->mark;
        if (mark == NULL) {
            return (struct tercet_branch_number){0, 0};
        }
        const struct tercet_branch_number age = {mark->as_of_incarnation, mark->as_of_lsn};
        if (i == 0 || tercet_branch_number_compare(age, oldest) < 0) {
            oldest = age;
        }
    }
    return oldest;
}

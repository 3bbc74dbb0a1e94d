/* request.c -- see request.h. */
#include "request.h"

#include "base/assert.h"

enum { CALL_TIMEOUT_MS = 5000 };

/* protobuf-c's fields are not const, and it does not write through them when it packs. */
static void *borrow(const void *data)
{
    return (void *)(uintptr_t)data;
}

Tercet__V1__BranchNumber request_number(struct tercet_branch_number number)
{
    Tercet__V1__BranchNumber message = TERCET__V1__BRANCH_NUMBER__INIT;
    message.incarnation = number.incarnation;
    message.number = number.number;
    return message;
}

static void fill_mark(struct request_context *context, const struct tercet_mark *mark)
{
    tercet_assert(mark->open_count <= TERCET_MARK_OPEN_MAX);
    tercet__v1__mark__init(&context->mark);
    context->mark.as_of_incarnation = mark->as_of_incarnation;
    context->mark.as_of_lsn = mark->as_of_lsn;
    context->low = request_number(mark->low);
    context->mark.low = &context->low;
    for (uint32_t i = 0; i < mark->open_count; i++) {
        context->open[i] = request_number(mark->open[i]);
        context->open_pointers[i] = &context->open[i];
    }
    context->mark.n_open = mark->open_count;
    context->mark.open = context->open_pointers;
    context->message.mark = &context->mark;
}

void request_context_fill(struct request_context *context, const struct persona *persona)
{
    Tercet__V1__RequestContext *message = &context->message;
    tercet__v1__request_context__init(message);
    message->participant = borrow(persona->participant);
    message->origin.data = borrow(persona->origin);
    message->origin.len = sizeof persona->origin;
    message->incarnation = persona->epoch.incarnation;
    message->epoch = persona->epoch.epoch;
    if (persona->mark != NULL) {
        fill_mark(context, persona->mark);
    }
}

void request_fill(struct request *request, const struct branch *branch, enum tercet_phase phase)
{
    Tercet__V1__BranchRequest *message = &request->message;
    tercet__v1__branch_request__init(message);
    message->gid = borrow(branch->gid);
    message->branch = branch->index;
    message->phase = (Tercet__V1__Phase)phase;
    message->action = borrow(branch->action);
    message->payload.data = borrow(branch->payload.data);
    message->payload.len = branch->payload.size;
    message->digest.data = borrow(branch->digest);
    message->digest.len = sizeof branch->digest;
    request->number = request_number(branch->number);
    message->number = &request->number;
    message->attempt = 1;
    message->timeout_ms = CALL_TIMEOUT_MS;
    request_context_fill(&request->context, branch->persona);
    message->context = &request->context.message;
}

const char *request_method(enum tercet_phase phase)
{
    switch (phase) {
    case TERCET_PHASE_TRY:
        return "/tercet.v1.Participant/Try";
    case TERCET_PHASE_CONFIRM:
        return "/tercet.v1.Participant/Confirm";
    case TERCET_PHASE_CANCEL:
        return "/tercet.v1.Participant/Cancel";
    }
    tercet_unreachable();
}

/* request_check.c -- see request_check.h. */
#include "src/request_check.h"

#include <inttypes.h>

#include "base/error.h"
#include "src/text_check.h"

/* int64 values of the protocol stay below this, so that they are exact in JavaScript. */
static const int64_t INTEGER_END = INT64_C(1) << 53;

static enum tercet_status check_integer(const char *field, int64_t value, int64_t min,
                                        struct tercet_error *error_out)
{
    if (value < min || value >= INTEGER_END) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "%s: %" PRId64 ", must be %" PRId64 " to %" PRId64, field, value, min,
                         INTEGER_END - 1);
    }
    return TERCET_OK;
}

static enum tercet_status check_uint31(const char *field, uint32_t value,
                                       struct tercet_error *error_out)
{
    if (value > INT32_MAX) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "%s: %" PRIu32 ", must be 0 to %" PRId32, field, value, INT32_MAX);
    }
    return TERCET_OK;
}

static enum tercet_status check_number(const char *field, const Tercet__V1__BranchNumber *number,
                                       struct tercet_error *error_out)
{
    struct tercet_error error;
    enum tercet_status status = check_integer("incarnation", number->incarnation, 1, &error);
    if (status == TERCET_OK) {
        status = check_integer("number", number->number, 1, &error);
    }
    return status == TERCET_OK ? status : error_set(error_out, status, "%s.%s", field, error.text);
}

static bool number_is_below(const Tercet__V1__BranchNumber *a, const Tercet__V1__BranchNumber *b)
{
    return a->incarnation != b->incarnation ? a->incarnation < b->incarnation
                                            : a->number < b->number;
}

static enum tercet_status check_mark(const Tercet__V1__Mark *mark, struct tercet_error *error_out)
{
    enum tercet_status status =
        check_integer("context.mark.as_of_incarnation", mark->as_of_incarnation, 1, error_out);
    if (status == TERCET_OK) {
        status = check_integer("context.mark.as_of_lsn", mark->as_of_lsn, 1, error_out);
    }
    if (status == TERCET_OK && mark->low == NULL) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT, "context.mark.low: required");
    }
    if (status == TERCET_OK) {
        status = check_number("context.mark.low", mark->low, error_out);
    }
    if (status == TERCET_OK && mark->n_open > REQUEST_OPEN_COUNT_MAX) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT,
                           "context.mark.open: %zu numbers, must be 0 to %d", mark->n_open,
                           REQUEST_OPEN_COUNT_MAX);
    }
    for (size_t i = 0; status == TERCET_OK && i < mark->n_open; i++) {
        status = check_number("context.mark.open", mark->open[i], error_out);
        if (status == TERCET_OK && i > 0 && !number_is_below(mark->open[i - 1], mark->open[i])) {
            status = error_set(error_out, TERCET_INVALID_ARGUMENT,
                               "context.mark.open[%zu]: is not above the one before it", i);
        }
    }
    return status;
}

enum tercet_status request_check_context(const Tercet__V1__RequestContext *context,
                                         struct tercet_error *error_out)
{
    if (context == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "context: required");
    }
    enum tercet_status status =
        text_check_name("context.participant", context->participant, error_out);
    if (status == TERCET_OK) {
        status = text_check_length("context.origin", context->origin.len, REQUEST_ORIGIN_BYTES,
                                   REQUEST_ORIGIN_BYTES, error_out);
    }
    if (status == TERCET_OK) {
        status = check_integer("context.incarnation", context->incarnation, 1, error_out);
    }
    if (status == TERCET_OK) {
        status = check_integer("context.epoch", context->epoch, 1, error_out);
    }
    if (status == TERCET_OK && context->mark != NULL) {
        status = check_mark(context->mark, error_out);
    }
    return status;
}

/* Identity and content: what the fence stores. */
static enum tercet_status check_identity(const Tercet__V1__BranchRequest *request,
                                         struct tercet_error *error_out)
{
    enum tercet_status status = text_check_gid("gid", request->gid, error_out);
    if (status == TERCET_OK && (request->branch < 1 || request->branch > TERCET_BRANCH_COUNT_MAX)) {
        status =
            error_set(error_out, TERCET_INVALID_ARGUMENT, "branch: %" PRIu32 ", must be 1 to %d",
                      request->branch, TERCET_BRANCH_COUNT_MAX);
    }
    if (status == TERCET_OK) {
        status = text_check_name("action", request->action, error_out);
    }
    if (status == TERCET_OK) {
        status = text_check_length("payload", request->payload.len, 0, TERCET_PAYLOAD_BYTES_MAX,
                                   error_out);
    }
    if (status == TERCET_OK) {
        status = text_check_length("digest", request->digest.len, REQUEST_DIGEST_BYTES,
                                   REQUEST_DIGEST_BYTES, error_out);
    }
    if (status == TERCET_OK && request->number == NULL) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT, "number: required");
    }
    if (status == TERCET_OK) {
        status = check_number("number", request->number, error_out);
    }
    return status;
}

enum tercet_status request_check_branch(const Tercet__V1__BranchRequest *request,
                                        enum tercet_phase phase, struct tercet_error *error_out)
{
    enum tercet_status status = check_identity(request, error_out);
    if (status == TERCET_OK && (int)request->phase != (int)phase) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT,
                           "phase: %d, must be %d (%s) as the method", (int)request->phase,
                           (int)phase, tercet_phase_name(phase));
    }
    if (status == TERCET_OK) {
        status = check_integer("call", request->call, 0, error_out);
    }
    if (status == TERCET_OK) {
        status = check_uint31("attempt", request->attempt, error_out);
    }
    if (status == TERCET_OK) {
        status = check_uint31("timeout_ms", request->timeout_ms, error_out);
    }
    if (status == TERCET_OK) {
        status = check_integer("expires_unix_ms", request->expires_unix_ms, 0, error_out);
    }
    if (status == TERCET_OK) {
        status = text_check_length("traceparent", strlen(request->traceparent), 0,
                                   REQUEST_TRACEPARENT_BYTES_MAX, error_out);
    }
    if (status == TERCET_OK) {
        status = text_check_characters("traceparent", request->traceparent, 0x20, 0x7e, error_out);
    }
    return status;
}

enum tercet_status request_check_inspect(const Tercet__V1__InspectRequest *request,
                                         struct tercet_error *error_out)
{
    enum tercet_status status = request_check_context(request->context, error_out);
    if (status == TERCET_OK && request->gid[0] != '\0') {
        status = text_check_gid("gid", request->gid, error_out);
    }
    if (status == TERCET_OK && request->branch > TERCET_BRANCH_COUNT_MAX) {
        status =
            error_set(error_out, TERCET_INVALID_ARGUMENT, "branch: %" PRIu32 ", must be 0 to %d",
                      request->branch, TERCET_BRANCH_COUNT_MAX);
    }
    if (status == TERCET_OK && request->branch != 0 && request->gid[0] == '\0') {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT, "gid: required beside branch");
    }
    if (status == TERCET_OK && request->from != NULL) {
        status = check_number("from", request->from, error_out);
    }
    if (status == TERCET_OK && request->below != NULL) {
        status = check_number("below", request->below, error_out);
    }
    if (status == TERCET_OK && request->page_size > REQUEST_PAGE_SIZE_MAX) {
        status =
            error_set(error_out, TERCET_INVALID_ARGUMENT, "page_size: %" PRIu32 ", must be 0 to %d",
                      request->page_size, REQUEST_PAGE_SIZE_MAX);
    }
    if (status == TERCET_OK) {
        status = text_check_length("page_token", strlen(request->page_token), 0,
                                   REQUEST_PAGE_TOKEN_BYTES_MAX, error_out);
    }
    return status;
}

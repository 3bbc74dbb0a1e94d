/* request_check.h -- a request from the wire is looked at field by field before anything is kept.
 *
 * The coordinator is trusted with decisions, not with memory: whoever reaches the port can send
 * anything.  Every field has a limit here, and a request over one is INVALID_ARGUMENT with a text
 * that names the field, the limit and the value.  Fields that this version does not know are
 * ignored, as participant.proto promises. */
#ifndef TERCET_SRC_REQUEST_CHECK_H
#define TERCET_SRC_REQUEST_CHECK_H

#include "tercet/tercet.h"
#include "tercet/v1/participant.pb-c.h"

TERCET_BEGIN_DECLS

enum {
    REQUEST_ORIGIN_BYTES = 20,
    REQUEST_DIGEST_BYTES = 16,
    REQUEST_TRACEPARENT_BYTES_MAX = 64,
    REQUEST_OPEN_COUNT_MAX = 256,
    REQUEST_PAGE_SIZE_MAX = 1000,
    REQUEST_PAGE_SIZE_DEFAULT = 100,
    REQUEST_PAGE_TOKEN_BYTES_MAX = 256
};

/* One phase of one branch, without its context; `phase` is the method's. */
TERCET_MUST_CHECK enum tercet_status request_check_branch(const Tercet__V1__BranchRequest *request,
                                                          enum tercet_phase phase,
                                                          struct tercet_error *error_out);

TERCET_MUST_CHECK enum tercet_status request_check_context(
    const Tercet__V1__RequestContext *context, struct tercet_error *error_out);

TERCET_MUST_CHECK enum tercet_status request_check_inspect(
    const Tercet__V1__InspectRequest *request, struct tercet_error *error_out);

TERCET_END_DECLS

#endif

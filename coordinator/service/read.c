/* read.c -- see read.h. */
#include "service/read.h"

#include <inttypes.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/gid.h"
#include "base/memory.h"
#include "service/check.h"
#include "service/read_branch.h"

/* How much longer than the trying phase a call waits that does not say. */
enum { WAIT_BEYOND_TRYING_MS = 5000 };

/* Nobody says that a unary caller has gone, so this is how long one may count among the calls that wait. */
enum { WAIT_TIMEOUT_MS_MAX = 3600000 };

/* An answer shall be there before the caller gives up.  gRPC rounds a deadline up by as much as a
 * hundredth when it sends it, which comes on top of the way back. */
enum { ANSWER_WAY_MS = 50, ANSWER_ROUNDING_PART = 64 };

/* Integers of the protocol stay below this, so that they are exact everywhere. */
static const int64_t INTEGER_MAX = (INT64_C(1) << 53) - 1;

/* ---- Common parts ------------------------------------------------------------------------------ */

static bool take_gid(const struct read *read, const char *gid, struct request *request)
{
    if (!check_gid(read->refusal, "gid", gid)) {
        return false;
    }
    memcpy(request->gid, gid, strlen(gid) + 1);
    return true;
}

/* How long the answer may take, at most. */
static bool take_wait_ms(const struct read *read, uint32_t wanted_ms, uint32_t try_timeout_ms,
                         struct request *request)
{
    if (!check_range(read->refusal, "wait_timeout_ms", wanted_ms, 0, WAIT_TIMEOUT_MS_MAX)) {
        return false;
    }
    const uint32_t trying_ms = try_timeout_ms != 0 ? try_timeout_ms : read->try_timeout_ms;
    const uint32_t wait = wanted_ms != 0 ? wanted_ms : trying_ms + WAIT_BEYOND_TRYING_MS;
    if (read->left_ms == TERCET_FOREVER) {
        request->wait_ms = wait;
        return true;
    }
    const uint32_t tenth = read->left_ms / 10;
    const uint32_t margin = ANSWER_WAY_MS + read->left_ms / ANSWER_ROUNDING_PART;
    const uint32_t left = read->left_ms - (tenth < margin ? tenth : margin);
    request->wait_ms = wait < left ? wait : left;
    return true;
}

/* UNSPECIFIED becomes `unspecified`; BEGIN is refused where a decision is asked for. */
static bool take_wait(const struct read *read, Tercet__V1__Wait wait, enum wait_mode unspecified,
                      bool begin_allowed, struct request *request)
{
    switch (wait) {
    case TERCET__V1__WAIT__WAIT_UNSPECIFIED:
        request->wait = unspecified;
        return true;
    case TERCET__V1__WAIT__WAIT_BEGIN:
        if (!begin_allowed) {
            return refusal_set(read->refusal, TERCET_INVALID_ARGUMENT, "TERCET_MALFORMED", "wait",
                               "wait is WAIT_BEGIN; this call waits for WAIT_DECISION or WAIT_END");
        }
        request->wait = WAIT_MODE_BEGIN;
        return true;
    case TERCET__V1__WAIT__WAIT_DECISION:
        request->wait = WAIT_MODE_DECISION;
        return true;
    case TERCET__V1__WAIT__WAIT_END:
        request->wait = WAIT_MODE_END;
        return true;
    case _TERCET__V1__WAIT_IS_INT_SIZE:
        break;
    }
    return refusal_set(read->refusal, TERCET_INVALID_ARGUMENT, "TERCET_NOT_UNDERSTOOD", "wait",
                       "wait is %d, which this version does not know", (int)wait);
}

/* What Execute and Begin have in common. */
static bool take_beginning(const struct read *read, const char *gid, uint32_t try_timeout_ms,
                           const char *traceparent, int64_t created_at, struct request *request)
{
    static_assert(sizeof request->traceparent == 65, "the limit below");
    if (!(gid[0] == '\0' || check_gid(read->refusal, "gid", gid)) ||
        !check_range(read->refusal, "try_timeout_ms", try_timeout_ms, 0,
                     TERCET_TRY_TIMEOUT_MS_MAX) ||
        !check_printable(read->refusal, "traceparent", traceparent, 64) ||
        !check_range(read->refusal, "created_at_unix_ms", created_at, 0, INTEGER_MAX)) {
        return false;
    }
    if (gid[0] == '\0') {
        gid_make(clock_read().unix_ms, request->gid);
    } else {
        memcpy(request->gid, gid, strlen(gid) + 1);
    }
    memcpy(request->traceparent, traceparent, strlen(traceparent) + 1);
    request->try_timeout_ms = try_timeout_ms;
    request->created_at_unix_ms = created_at;
    return true;
}

/* ---- Execute ----------------------------------------------------------------------------------- */

static bool check_branches(const struct read *read, const Tercet__V1__ExecuteRequest *message)
{
    if (!check_range(read->refusal, "branches", (int64_t)message->n_branches, 1,
                     TERCET_BRANCH_COUNT_MAX)) {
        return false;
    }
    size_t payload_bytes = 0;
    for (size_t i = 0; i < message->n_branches; i++) {
        if (!read_branch_check(read, message->branches[i], TERCET_STAGE_MAX)) {
            return refusal_within(read->refusal, "branches[%zu]", i);
        }
        payload_bytes += message->branches[i]->payload.len;
    }
    return payload_bytes <= TERCET_PAYLOADS_BYTES_MAX ||
           refusal_set_limit(read->refusal, "branches.payload", (int64_t)payload_bytes,
                             TERCET_PAYLOADS_BYTES_MAX, " bytes together");
}

bool read_execute(const struct read *read, const ProtobufCMessage *base, struct request *request)
{
    const Tercet__V1__ExecuteRequest *message = (const Tercet__V1__ExecuteRequest *)base;
    if (!take_beginning(read, message->gid, message->try_timeout_ms, message->traceparent,
                        message->created_at_unix_ms, request) ||
        !take_wait(read, message->wait, WAIT_MODE_DECISION, true, request) ||
        !take_wait_ms(read, message->wait_timeout_ms, message->try_timeout_ms, request) ||
        !check_branches(read, message)) {
        return false;
    }
    request->branches = xcalloc(message->n_branches, sizeof(struct branch *));
    struct digest16 digests[TERCET_BRANCH_COUNT_MAX];
    for (size_t i = 0; i < message->n_branches; i++) {
        struct branch *branch = read_branch_make(read, message->branches[i], (uint32_t)i + 1);
        request->branches[i] = branch;
        digests[i] = branch->spec.digest;
    }
    request->branch_count = (uint32_t)message->n_branches;
    request->content = digest_of_content(request->gid, digests, message->n_branches);
    return true;
}

/* ---- Step by step ------------------------------------------------------------------------------ */

bool read_begin(const struct read *read, const ProtobufCMessage *base, struct request *request)
{
    const Tercet__V1__BeginRequest *message = (const Tercet__V1__BeginRequest *)base;
    if (!take_beginning(read, message->gid, message->try_timeout_ms, message->traceparent,
                        message->created_at_unix_ms, request) ||
        !take_wait_ms(read, 0, message->try_timeout_ms, request)) {
        return false;
    }
    request->wait = WAIT_MODE_BEGIN;
    request->content = digest_of_content(request->gid, NULL, 0);
    return true;
}

bool read_try(const struct read *read, const ProtobufCMessage *base, struct request *request)
{
    const Tercet__V1__TryRequest *message = (const Tercet__V1__TryRequest *)base;
    if (!take_gid(read, message->gid, request) ||
        !take_wait_ms(read, message->wait_timeout_ms, 0, request) ||
        !check_range(read->refusal, "number", message->number, 1, TERCET_BRANCH_COUNT_MAX)) {
        return false;
    }
    if (message->branch == NULL) {
        return refusal_set(read->refusal, TERCET_INVALID_ARGUMENT, "TERCET_REQUIRED", "branch",
                           "branch is required");
    }
    if (!read_branch_check(read, message->branch, 0)) {
        return refusal_within(read->refusal, "branch");
    }
    request->wait = WAIT_MODE_DECISION; /* a Try waits for its own branch */
    request->branch_index = message->number;
    request->branches = xcalloc(1, sizeof(struct branch *));
    request->branches[0] = read_branch_make(read, message->branch, message->number);
    request->branch_count = 1;
    return true;
}

bool read_confirm(const struct read *read, const ProtobufCMessage *base, struct request *request)
{
    const Tercet__V1__ConfirmRequest *message = (const Tercet__V1__ConfirmRequest *)base;
    return take_gid(read, message->gid, request) &&
           take_wait_ms(read, message->wait_timeout_ms, 0, request) &&
           take_wait(read, message->wait, WAIT_MODE_DECISION, false, request);
}

bool read_cancel(const struct read *read, const ProtobufCMessage *base, struct request *request)
{
    const Tercet__V1__CancelRequest *message = (const Tercet__V1__CancelRequest *)base;
    request->created_at_unix_ms = message->created_at_unix_ms;
    if (!check_range(read->refusal, "created_at_unix_ms", message->created_at_unix_ms, 0,
                     INTEGER_MAX)) {
        return false;
    }
    if (!take_gid(read, message->gid, request) ||
        !take_wait_ms(read, message->wait_timeout_ms, 0, request) ||
        !take_wait(read, message->wait, WAIT_MODE_DECISION, false, request)) {
        return false;
    }
    if (message->reason == NULL) {
        return true;
    }
    if (!check_code(read->refusal, "reason.code", message->reason->code) ||
        !check_utf8(read->refusal, "reason.text", message->reason->text)) {
        return false;
    }
    reason_set(&request->reason, message->reason->code, message->reason->text);
    return true;
}

/* ---- Questions and the operator ---------------------------------------------------------------- */

bool read_get(const struct read *read, const ProtobufCMessage *base, struct request *request)
{
    const Tercet__V1__GetRequest *message = (const Tercet__V1__GetRequest *)base;
    return take_gid(read, message->gid, request) &&
           take_wait_ms(read, message->wait_timeout_ms, 0, request) &&
           take_wait(read, message->wait, WAIT_MODE_BEGIN, true, request);
}

bool read_watch(const struct read *read, const ProtobufCMessage *base, struct request *request)
{
    const Tercet__V1__WatchRequest *message = (const Tercet__V1__WatchRequest *)base;
    request->wait = WAIT_MODE_END;
    return take_gid(read, message->gid, request);
}

/* A branch, or a participant: never both. */
static bool take_resolved(const struct read *read, const Tercet__V1__ResolveRequest *message,
                          struct request *request)
{
    if (message->participant[0] == '\0') {
        request->branch_index = message->branch;
        return take_gid(read, message->gid, request) &&
               check_range(read->refusal, "branch", message->branch, 1, TERCET_BRANCH_COUNT_MAX);
    }
    if (message->gid[0] != '\0' || message->branch != 0 ||
        message->resolution > TERCET__V1__RESOLUTION__RESOLUTION_ASK_AGAIN) {
        return refusal_set(read->refusal, TERCET_INVALID_ARGUMENT, "TERCET_MALFORMED",
                           "participant",
                           "a participant is resolved by itself, by RESOLUTION_ASK_AGAIN, without "
                           "gid and branch");
    }
    if (!read_participant_check(read, "participant", message->participant)) {
        return false;
    }
    request->participant = read_participant_find(read->directory, message->participant);
    return true;
}

bool read_resolve(const struct read *read, const ProtobufCMessage *base, struct request *request)
{
    const Tercet__V1__ResolveRequest *message = (const Tercet__V1__ResolveRequest *)base;
    if (!take_resolved(read, message, request) ||
        !check_bytes(read->refusal, "reason", strlen(message->reason), 1,
                     TERCET_REASON_TEXT_BYTES_MAX) ||
        !check_utf8(read->refusal, "reason", message->reason)) {
        return false;
    }
    request->wait = WAIT_MODE_BEGIN;
    reason_set(&request->reason, "", message->reason);
    switch (message->resolution) {
    case TERCET__V1__RESOLUTION__RESOLUTION_ASK_AGAIN:
        request->resolution = RESOLUTION_ASK;
        return true;
    case TERCET__V1__RESOLUTION__RESOLUTION_SETTLED:
        request->resolution = RESOLUTION_SETTLE;
        return true;
    case TERCET__V1__RESOLUTION__RESOLUTION_WAS_CONFIRMED:
        request->resolution = RESOLUTION_WAS_CONFIRMED;
        return true;
    case TERCET__V1__RESOLUTION__RESOLUTION_WAS_CANCELLED:
        request->resolution = RESOLUTION_WAS_CANCELLED;
        return true;
    case TERCET__V1__RESOLUTION__RESOLUTION_UNSPECIFIED:
    case _TERCET__V1__RESOLUTION_IS_INT_SIZE:
        break;
    }
    return refusal_set(read->refusal, TERCET_INVALID_ARGUMENT, "TERCET_REQUIRED", "resolution",
                       "resolution is %d; say RESOLUTION_ASK_AGAIN, _SETTLED, _WAS_CONFIRMED or "
                       "_WAS_CANCELLED",
                       (int)message->resolution);
}

/* client_request.c -- see client_request.h.
 *
 * The message is first laid out on the stack, borrowing the caller's bytes, then copied as a whole
 * by packing and unpacking it: one call copies everything and one call frees it. */
#include "src/client_request.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "fence/struct_size.h"
#include "src/text_check.h"
#include "tercet/v1/coordinator.pb-c.h"

enum { TRACEPARENT_BYTES_MAX = 64, TRY_TIMEOUT_MS_DEFAULT = 30000, WAIT_MARGIN_MS = 5000 };

const char *client_method_path(enum client_method method)
{
    static const char *const paths[CLIENT_METHOD_COUNT] = {
        [CLIENT_EXECUTE] = "/tercet.v1.Coordinator/Execute",
        [CLIENT_BEGIN] = "/tercet.v1.Coordinator/Begin",
        [CLIENT_TRY] = "/tercet.v1.Coordinator/Try",
        [CLIENT_CONFIRM] = "/tercet.v1.Coordinator/Confirm",
        [CLIENT_CANCEL] = "/tercet.v1.Coordinator/Cancel",
        [CLIENT_GET] = "/tercet.v1.Coordinator/Get",
    };
    tercet_assert(method < CLIENT_METHOD_COUNT);
    return paths[method];
}

/* ---- Checks ---------------------------------------------------------------------------------- */

/* Whoever asks says in front of the error which branch it is: a name that is made for each branch
 * before anything is wrong costs more than all these checks. */
static enum tercet_status check_branch_options(const struct tercet_branch *branch,
                                               struct tercet_error *error_out)
{
    if (branch->stage > TERCET_STAGE_MAX) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "stage: %" PRIu32 ", at most %d",
                         branch->stage, TERCET_STAGE_MAX);
    }
    if (branch->confirm_only && branch->optional) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "optional: not with confirm_only, which cannot refuse");
    }
    if (branch->call_timeout_ms != 0 && (branch->call_timeout_ms < TERCET_CALL_TIMEOUT_MS_MIN ||
                                         branch->call_timeout_ms > TERCET_CALL_TIMEOUT_MS_MAX)) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "call_timeout_ms: %" PRIu32 ", must be 0 or %d to %d",
                         branch->call_timeout_ms, TERCET_CALL_TIMEOUT_MS_MIN,
                         TERCET_CALL_TIMEOUT_MS_MAX);
    }
    for (size_t i = 0; i < sizeof branch->reserved / sizeof branch->reserved[0]; i++) {
        if (branch->reserved[i] != 0) {
            return error_set(error_out, TERCET_INVALID_ARGUMENT, "reserved[%zu]: must be 0", i);
        }
    }
    return TERCET_OK;
}

static enum tercet_status check_branch(const struct tercet_branch *branch,
                                       struct tercet_error *error_out)
{
    enum tercet_status status = text_check_name("participant", branch->participant, error_out);
    if (status == TERCET_OK) {
        status = text_check_name("action", branch->action, error_out);
    }
    if (status == TERCET_OK) {
        status = text_check_length("payload", branch->payload.size, 0, TERCET_PAYLOAD_BYTES_MAX,
                                   error_out);
    }
    if (status == TERCET_OK && branch->payload.size != 0 && branch->payload.data == NULL) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT, "payload.data: must not be NULL");
    }
    return status != TERCET_OK ? status : check_branch_options(branch, error_out);
}

static enum tercet_status check_branches(const struct tercet_transaction *transaction,
                                         struct tercet_error *error_out)
{
    size_t payload_bytes = 0;

    if (transaction->branches == NULL || transaction->branch_count < 1 ||
        transaction->branch_count > TERCET_BRANCH_COUNT_MAX) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "branch_count: %zu branches, must be 1 to %d", transaction->branch_count,
                         TERCET_BRANCH_COUNT_MAX);
    }
    for (size_t i = 0; i < transaction->branch_count; i++) {
        struct tercet_error error;
        const enum tercet_status status = check_branch(&transaction->branches[i], &error);
        if (status != TERCET_OK) {
            return error_set(error_out, status, "branches[%zu].%s", i, error.text);
        }
        payload_bytes += transaction->branches[i].payload.size;
    }
    return text_check_length("branches[].payload together", payload_bytes, 0,
                             TERCET_PAYLOADS_BYTES_MAX, error_out);
}

/* Everything but the branches. */
static enum tercet_status check_transaction(const struct tercet_transaction *transaction,
                                            struct tercet_error *error_out)
{
    enum tercet_status status = text_check_gid("gid", transaction->gid, error_out);
    if (status == TERCET_OK && transaction->try_timeout_ms > TERCET_TRY_TIMEOUT_MS_MAX) {
        status =
            error_set(error_out, TERCET_INVALID_ARGUMENT, "try_timeout_ms: %" PRIu32 ", at most %d",
                      transaction->try_timeout_ms, TERCET_TRY_TIMEOUT_MS_MAX);
    }
    if (status == TERCET_OK &&
        (transaction->wait < TERCET_WAIT_DEFAULT || transaction->wait > TERCET_WAIT_END)) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT, "wait: %d, must be 0 to %d",
                           (int)transaction->wait, (int)TERCET_WAIT_END);
    }
    if (status == TERCET_OK && transaction->traceparent != NULL) {
        status = text_check_length("traceparent", strlen(transaction->traceparent), 0,
                                   TRACEPARENT_BYTES_MAX, error_out);
    }
    if (status == TERCET_OK && transaction->traceparent != NULL) {
        status =
            text_check_characters("traceparent", transaction->traceparent, 0x20, 0x7e, error_out);
    }
    if (status == TERCET_OK && transaction->created_at_unix_ms < 0) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT,
                           "created_at_unix_ms: %" PRId64 ", must not be negative",
                           transaction->created_at_unix_ms);
    }
    return status;
}

/* ---- Messages -------------------------------------------------------------------------------- */

/* protobuf-c's fields are not const; it does not write through them when packing. */
static char *borrow_text(const char *text)
{
    static char empty[1] = "";
    union {
        const char *given;
        char *wanted;
    } borrowed = {.given = text};
    return text == NULL ? empty : borrowed.wanted;
}

static ProtobufCBinaryData borrow_bytes(struct tercet_bytes bytes)
{
    union {
        const void *given;
        uint8_t *wanted;
    } borrowed = {.given = bytes.data};
    return (ProtobufCBinaryData){.len = bytes.size, .data = borrowed.wanted};
}

static void branch_fill(Tercet__V1__Branch *message, const struct tercet_branch *branch)
{
    tercet__v1__branch__init(message);
    message->participant = borrow_text(branch->participant);
    message->action = borrow_text(branch->action);
    message->payload = borrow_bytes(branch->payload);
    message->stage = branch->stage;
    message->kind = branch->confirm_only ? TERCET__V1__BRANCH_KIND__BRANCH_KIND_CONFIRM_ONLY
                                         : TERCET__V1__BRANCH_KIND__BRANCH_KIND_TCC;
    message->optional = branch->optional;
    message->call_timeout_ms = branch->call_timeout_ms;
}

static ProtobufCMessage *message_copy(const ProtobufCMessage *message)
{
    const size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = xmalloc(size + 1);
    (void)protobuf_c_message_pack(message, bytes);
    ProtobufCMessage *copy = protobuf_c_message_unpack(message->descriptor, NULL, size, bytes);
    free(bytes);
    tercet_assert(copy != NULL);
    return copy;
}

static enum tercet_wait wait_or_default(enum tercet_wait wait)
{
    return wait == TERCET_WAIT_DEFAULT ? TERCET_WAIT_DECISION : wait;
}

enum tercet_status client_request_execute(const struct tercet_transaction *given,
                                          int64_t now_unix_ms, struct client_request *request_out,
                                          struct tercet_error *error_out)
{
    struct tercet_transaction transaction;
    enum tercet_status status =
        struct_size_read(given, &transaction, sizeof transaction, "transaction", error_out);
    if (status == TERCET_OK) {
        status = check_transaction(&transaction, error_out);
    }
    if (status == TERCET_OK) {
        status = check_branches(&transaction, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    Tercet__V1__Branch branches[TERCET_BRANCH_COUNT_MAX];
    Tercet__V1__Branch *pointers[TERCET_BRANCH_COUNT_MAX];
    for (size_t i = 0; i < transaction.branch_count; i++) {
        branch_fill(&branches[i], &transaction.branches[i]);
        pointers[i] = &branches[i];
    }
    const enum tercet_wait wait = wait_or_default(transaction.wait);
    Tercet__V1__ExecuteRequest message = TERCET__V1__EXECUTE_REQUEST__INIT;
    message.gid = borrow_text(transaction.gid);
    message.n_branches = transaction.branch_count;
    message.branches = pointers;
    message.wait = (Tercet__V1__Wait)wait;
    message.try_timeout_ms = transaction.try_timeout_ms;
    message.traceparent = borrow_text(transaction.traceparent);
    message.created_at_unix_ms =
        transaction.created_at_unix_ms != 0 ? transaction.created_at_unix_ms : now_unix_ms;

    const uint32_t try_timeout_ms =
        transaction.try_timeout_ms != 0 ? transaction.try_timeout_ms : TRY_TIMEOUT_MS_DEFAULT;
    Tercet__V1__ExecuteRequest *copy = (Tercet__V1__ExecuteRequest *)message_copy(&message.base);
    *request_out = (struct client_request){.method = CLIENT_EXECUTE,
                                           .wait = wait,
                                           .message = &copy->base,
                                           .size = protobuf_c_message_get_packed_size(&copy->base),
                                           .gid = copy->gid,
                                           .wait_timeout_ms = &copy->wait_timeout_ms,
                                           .timeout_ms = transaction.wait_timeout_ms != 0
                                                             ? transaction.wait_timeout_ms
                                                             : try_timeout_ms + WAIT_MARGIN_MS};
    return TERCET_OK;
}

enum tercet_status client_request_begin(const struct tercet_transaction *given, int64_t now_unix_ms,
                                        struct client_request *request_out,
                                        struct tercet_error *error_out)
{
    struct tercet_transaction transaction;
    enum tercet_status status =
        struct_size_read(given, &transaction, sizeof transaction, "transaction", error_out);
    if (status == TERCET_OK) {
        status = check_transaction(&transaction, error_out);
    }
    if (status == TERCET_OK && transaction.branch_count != 0) {
        status =
            error_set(error_out, TERCET_INVALID_ARGUMENT,
                      "branch_count: %zu, must be 0: branches are added by tercet_client_try()",
                      transaction.branch_count);
    }
    if (status != TERCET_OK) {
        return status;
    }
    Tercet__V1__BeginRequest message = TERCET__V1__BEGIN_REQUEST__INIT;
    message.gid = borrow_text(transaction.gid);
    message.try_timeout_ms = transaction.try_timeout_ms;
    message.traceparent = borrow_text(transaction.traceparent);
    message.created_at_unix_ms =
        transaction.created_at_unix_ms != 0 ? transaction.created_at_unix_ms : now_unix_ms;
    Tercet__V1__BeginRequest *copy = (Tercet__V1__BeginRequest *)message_copy(&message.base);
    *request_out = (struct client_request){.method = CLIENT_BEGIN,
                                           .wait = TERCET_WAIT_BEGIN,
                                           .message = &copy->base,
                                           .gid = copy->gid,
                                           .timeout_ms = transaction.wait_timeout_ms};
    return TERCET_OK;
}

enum tercet_status client_request_try(const char *gid, uint32_t number,
                                      const struct tercet_branch *branch,
                                      struct client_request *request_out,
                                      struct tercet_error *error_out)
{
    enum tercet_status status = text_check_gid("gid", gid, error_out);
    if (status == TERCET_OK && (number < 1 || number > TERCET_BRANCH_COUNT_MAX)) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT,
                           "number: %" PRIu32 ", must be 1 to %d", number, TERCET_BRANCH_COUNT_MAX);
    }
    if (status == TERCET_OK && branch == NULL) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT, "branch: must not be NULL");
    }
    if (status == TERCET_OK) {
        struct tercet_error error;
        status = check_branch(branch, &error);
        if (status != TERCET_OK) {
            return error_set(error_out, status, "branch.%s", error.text);
        }
    }
    if (status == TERCET_OK && branch->stage != 0) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT,
                           "branch.stage: %" PRIu32 ", must be 0: the steps are the order",
                           branch->stage);
    }
    if (status != TERCET_OK) {
        return status;
    }
    Tercet__V1__Branch part;
    branch_fill(&part, branch);
    Tercet__V1__TryRequest message = TERCET__V1__TRY_REQUEST__INIT;
    message.gid = borrow_text(gid);
    message.number = number;
    message.branch = &part;
    Tercet__V1__TryRequest *copy = (Tercet__V1__TryRequest *)message_copy(&message.base);
    *request_out = (struct client_request){.method = CLIENT_TRY,
                                           .wait = TERCET_WAIT_DECISION,
                                           .message = &copy->base,
                                           .gid = copy->gid,
                                           .wait_timeout_ms = &copy->wait_timeout_ms,
                                           .branch = number};
    return TERCET_OK;
}

enum tercet_status client_request_confirm(const char *gid, struct client_request *request_out,
                                          struct tercet_error *error_out)
{
    const enum tercet_status status = text_check_gid("gid", gid, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    Tercet__V1__ConfirmRequest message = TERCET__V1__CONFIRM_REQUEST__INIT;
    message.gid = borrow_text(gid);
    message.wait = TERCET__V1__WAIT__WAIT_DECISION;
    Tercet__V1__ConfirmRequest *copy = (Tercet__V1__ConfirmRequest *)message_copy(&message.base);
    *request_out = (struct client_request){.method = CLIENT_CONFIRM,
                                           .wait = TERCET_WAIT_DECISION,
                                           .message = &copy->base,
                                           .gid = copy->gid,
                                           .wait_timeout_ms = &copy->wait_timeout_ms};
    return TERCET_OK;
}

enum tercet_status client_request_cancel(const char *gid, const char *text,
                                         struct client_request *request_out,
                                         struct tercet_error *error_out)
{
    const enum tercet_status status = text_check_gid("gid", gid, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    char cut[TERCET_REASON_TEXT_BYTES_MAX + 1] = "";
    if (text != NULL) {
        memcpy(cut, text, text_cut(text, strlen(text), TERCET_REASON_TEXT_BYTES_MAX));
    }
    Tercet__V1__Reason reason = TERCET__V1__REASON__INIT;
    reason.text = cut;
    Tercet__V1__CancelRequest message = TERCET__V1__CANCEL_REQUEST__INIT;
    message.gid = borrow_text(gid);
    message.wait = TERCET__V1__WAIT__WAIT_DECISION;
    message.reason = cut[0] != '\0' ? &reason : NULL;
    Tercet__V1__CancelRequest *copy = (Tercet__V1__CancelRequest *)message_copy(&message.base);
    *request_out = (struct client_request){.method = CLIENT_CANCEL,
                                           .wait = TERCET_WAIT_DECISION,
                                           .message = &copy->base,
                                           .gid = copy->gid,
                                           .wait_timeout_ms = &copy->wait_timeout_ms};
    return TERCET_OK;
}

enum tercet_status client_request_get(const char *gid, enum tercet_wait wait,
                                      struct client_request *request_out,
                                      struct tercet_error *error_out)
{
    enum tercet_status status = text_check_gid("gid", gid, error_out);
    if (status == TERCET_OK && (wait < TERCET_WAIT_DEFAULT || wait > TERCET_WAIT_END)) {
        status = error_set(error_out, TERCET_INVALID_ARGUMENT, "wait: %d, must be 0 to %d",
                           (int)wait, (int)TERCET_WAIT_END);
    }
    if (status != TERCET_OK) {
        return status;
    }
    wait = wait_or_default(wait);
    Tercet__V1__GetRequest message = TERCET__V1__GET_REQUEST__INIT;
    message.gid = borrow_text(gid);
    message.wait = (Tercet__V1__Wait)wait;
    Tercet__V1__GetRequest *copy = (Tercet__V1__GetRequest *)message_copy(&message.base);
    *request_out = (struct client_request){.method = CLIENT_GET,
                                           .wait = wait,
                                           .message = &copy->base,
                                           .gid = copy->gid,
                                           .wait_timeout_ms = &copy->wait_timeout_ms};
    return TERCET_OK;
}

void client_request_deinit(struct client_request *request)
{
    if (request->message != NULL) {
        protobuf_c_message_free_unpacked(request->message, NULL);
    }
    *request = (struct client_request){0};
}

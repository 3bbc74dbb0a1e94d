/* client_request.c -- see client_request.h.
 *
 * The message and copies of all that the caller gave lie in one arena, which has room for them from
 * the start: nothing is freed singly. */
#include "src/client_request.h"

#include <inttypes.h>

#include "base/assert.h"
#include "base/error.h"
#include "fence/struct_size.h"
#include "src/text_check.h"
#include "tercet/v1/coordinator.pb-c.h"

enum { TRACEPARENT_BYTES_MAX = 64, TRY_TIMEOUT_MS_DEFAULT = 30000, WAIT_MARGIN_MS = 5000 };

/* For a message beside its branches, and for each of these beside its payload: so much they take with
 * the longest texts, so that the arena need not grow. */
enum { MESSAGE_ROOM = 512, BRANCH_ROOM = 272 };

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
                                         size_t *payload_bytes_out, struct tercet_error *error_out)
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
    *payload_bytes_out = payload_bytes;
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

static void make_room(struct arena *arena, size_t branch_count, size_t payload_bytes)
{
    arena_init(arena, MESSAGE_ROOM + branch_count * BRANCH_ROOM + payload_bytes);
}

/* NULL: empty. */
static char *keep_text(struct arena *arena, const char *text)
{
    static char empty[1] = "";
    if (text == NULL) {
        return empty;
    }
    const size_t size = strlen(text) + 1;
    return memcpy(arena_alloc(arena, size), text, size);
}

static Tercet__V1__Branch *make_branch(struct arena *arena, const struct tercet_branch *branch)
{
    Tercet__V1__Branch *message = arena_alloc(arena, sizeof *message);
    tercet__v1__branch__init(message);
    message->participant = keep_text(arena, branch->participant);
    message->action = keep_text(arena, branch->action);
    if (branch->payload.size > 0) {
        message->payload.len = branch->payload.size;
        message->payload.data = arena_alloc(arena, branch->payload.size);
        memcpy(message->payload.data, branch->payload.data, branch->payload.size);
    }
    message->stage = branch->stage;
    message->kind = branch->confirm_only ? TERCET__V1__BRANCH_KIND__BRANCH_KIND_CONFIRM_ONLY
                                         : TERCET__V1__BRANCH_KIND__BRANCH_KIND_TCC;
    message->optional = branch->optional;
    message->call_timeout_ms = branch->call_timeout_ms;
    return message;
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
    size_t payload_bytes = 0;
    enum tercet_status status =
        struct_size_read(given, &transaction, sizeof transaction, "transaction", error_out);
    if (status == TERCET_OK) {
        status = check_transaction(&transaction, error_out);
    }
    if (status == TERCET_OK) {
        status = check_branches(&transaction, &payload_bytes, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    const enum tercet_wait wait = wait_or_default(transaction.wait);
    const uint32_t try_timeout_ms =
        transaction.try_timeout_ms != 0 ? transaction.try_timeout_ms : TRY_TIMEOUT_MS_DEFAULT;
    struct arena arena;
    make_room(&arena, transaction.branch_count, payload_bytes);
    Tercet__V1__ExecuteRequest *message = arena_alloc(&arena, sizeof *message);
    tercet__v1__execute_request__init(message);
    message->gid = keep_text(&arena, transaction.gid);
    message->n_branches = transaction.branch_count;
    message->branches =
        arena_alloc(&arena, transaction.branch_count * sizeof(Tercet__V1__Branch *));
    for (size_t i = 0; i < transaction.branch_count; i++) {
        message->branches[i] = make_branch(&arena, &transaction.branches[i]);
    }
    message->wait = (Tercet__V1__Wait)wait;
    message->try_timeout_ms = transaction.try_timeout_ms;
    message->traceparent = keep_text(&arena, transaction.traceparent);
    message->created_at_unix_ms =
        transaction.created_at_unix_ms != 0 ? transaction.created_at_unix_ms : now_unix_ms;
    *request_out = (struct client_request){
        .method = CLIENT_EXECUTE,
        .wait = wait,
        .arena = arena,
        .message = &message->base,
        .size = protobuf_c_message_get_packed_size(&message->base),
        .gid = message->gid,
        .wait_timeout_ms = &message->wait_timeout_ms,
        .timeout_ms = transaction.wait_timeout_ms != 0 ? transaction.wait_timeout_ms
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
    struct arena arena;
    make_room(&arena, 0, 0);
    Tercet__V1__BeginRequest *message = arena_alloc(&arena, sizeof *message);
    tercet__v1__begin_request__init(message);
    message->gid = keep_text(&arena, transaction.gid);
    message->try_timeout_ms = transaction.try_timeout_ms;
    message->traceparent = keep_text(&arena, transaction.traceparent);
    message->created_at_unix_ms =
        transaction.created_at_unix_ms != 0 ? transaction.created_at_unix_ms : now_unix_ms;
    *request_out = (struct client_request){.method = CLIENT_BEGIN,
                                           .wait = TERCET_WAIT_BEGIN,
                                           .arena = arena,
                                           .message = &message->base,
                                           .gid = message->gid,
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
    struct arena arena;
    make_room(&arena, 1, branch->payload.size);
    Tercet__V1__TryRequest *message = arena_alloc(&arena, sizeof *message);
    tercet__v1__try_request__init(message);
    message->gid = keep_text(&arena, gid);
    message->number = number;
    message->branch = make_branch(&arena, branch);
    *request_out = (struct client_request){.method = CLIENT_TRY,
                                           .wait = TERCET_WAIT_DECISION,
                                           .arena = arena,
                                           .message = &message->base,
                                           .gid = message->gid,
                                           .wait_timeout_ms = &message->wait_timeout_ms,
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
    struct arena arena;
    make_room(&arena, 0, 0);
    Tercet__V1__ConfirmRequest *message = arena_alloc(&arena, sizeof *message);
    tercet__v1__confirm_request__init(message);
    message->gid = keep_text(&arena, gid);
    message->wait = TERCET__V1__WAIT__WAIT_DECISION;
    *request_out = (struct client_request){.method = CLIENT_CONFIRM,
                                           .wait = TERCET_WAIT_DECISION,
                                           .arena = arena,
                                           .message = &message->base,
                                           .gid = message->gid,
                                           .wait_timeout_ms = &message->wait_timeout_ms};
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
    struct arena arena;
    make_room(&arena, 0, 0);
    Tercet__V1__CancelRequest *message = arena_alloc(&arena, sizeof *message);
    tercet__v1__cancel_request__init(message);
    message->gid = keep_text(&arena, gid);
    message->wait = TERCET__V1__WAIT__WAIT_DECISION;
    if (cut[0] != '\0') {
        message->reason = arena_alloc(&arena, sizeof *message->reason);
        tercet__v1__reason__init(message->reason);
        message->reason->text = keep_text(&arena, cut);
    }
    *request_out = (struct client_request){.method = CLIENT_CANCEL,
                                           .wait = TERCET_WAIT_DECISION,
                                           .arena = arena,
                                           .message = &message->base,
                                           .gid = message->gid,
                                           .wait_timeout_ms = &message->wait_timeout_ms};
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
    struct arena arena;
    make_room(&arena, 0, 0);
    Tercet__V1__GetRequest *message = arena_alloc(&arena, sizeof *message);
    tercet__v1__get_request__init(message);
    message->gid = keep_text(&arena, gid);
    message->wait = (Tercet__V1__Wait)wait;
    *request_out = (struct client_request){.method = CLIENT_GET,
                                           .wait = wait,
                                           .arena = arena,
                                           .message = &message->base,
                                           .gid = message->gid,
                                           .wait_timeout_ms = &message->wait_timeout_ms};
    return TERCET_OK;
}

void client_request_deinit(struct client_request *request)
{
    arena_deinit(&request->arena);
    *request = (struct client_request){0};
}

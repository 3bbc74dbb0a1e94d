/* fuzz_request.c -- every request that the coordinator and a participant are sent.
 *
 * The way of rpc_incoming.c: scan, decode, and then the checks of the coordinator's service or of
 * the SDK.  Oracle:
 *   1. What the scan calls understood holds nothing unknown.
 *   2. What decodes packs back to the same message.
 *   3. What the checks accept is within every limit of the protocol.
 *   4. What they refuse is said in one line of ASCII with a status, a code and (coordinator) an
 *      ErrorDetail that can be read.
 * The first byte selects the message and whether the rest is its wire form or builds it
 * (build_message.h), the second the caller's deadline. */
#include <stdlib.h>

#include "base/assert.h"
#include "build_message.h"
#include "engine/directory.h"
#include "engine/event.h"
#include "judge.h"
#include "rpc/rpc_codec.h"
#include "rpc/rpc_scan.h"
#include "service/list.h"
#include "service/read.h"
#include "service/wire.h"
#include "src/request_check.h"
#include "tercet/v1/coordinator.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t integer_max = (INT64_C(1) << 53) - 1;

struct kind {
    const ProtobufCMessageDescriptor *descriptor;
    void (*judge)(const struct kind *kind, const ProtobufCMessage *message, uint32_t left_ms);
    bool refuse_unknown;
    enum request_kind request; /* the coordinator's */
    read_fn read;
    enum tercet_phase phase; /* a participant's */
};

/* ---- The coordinator's ------------------------------------------------------------------------- */

static const struct directory *configured(void)
{
    static struct directory directory;
    if (directory.count == 0) {
        struct directory_entry entry = {
            .name = "a", .targets = {(char[]){"127.0.0.1:1"}}, .target_count = 1};
        tercet_assert(directory_add(&directory, &entry) == TERCET_OK);
        (void)directory_intern(&directory, "gone");
        memcpy(entry.name, "stock", sizeof "stock");
        tercet_assert(directory_add(&directory, &entry) == TERCET_OK);
    }
    return &directory;
}

static void judge_refusal(const struct refusal *refusal)
{
    tercet_assert(refusal->status == TERCET_INVALID_ARGUMENT ||
                  refusal->status == TERCET_FAILED_PRECONDITION);
    tercet_assert(judge_is_range(refusal->text, 1, REFUSAL_TEXT_SIZE - 1, ' ', '~'));
    tercet_assert(refusal->code[0] != '\0' && judge_is_code(refusal->code));
    tercet_assert(strstr(refusal->text, refusal->field) != NULL);

    struct wire_error error;
    wire_error_init(&error, refusal, true);
    ProtobufCMessage *message =
        rpc_codec_unpack(&tercet__v1__error_detail__descriptor, error.trailers[0].value,
                         RPC_SCAN_ELEMENT_COUNT_DEFAULT);
    const Tercet__V1__ErrorDetail *detail = (const Tercet__V1__ErrorDetail *)message;
    tercet_assert(detail != NULL && strcmp(detail->text, refusal->text) == 0 &&
                  strcmp(detail->field, refusal->field) == 0);
    rpc_codec_free(message);
    wire_error_deinit(&error);
}

static void judge_branches(const struct request *request)
{
    const bool execute = request->kind == REQUEST_EXECUTE;
    size_t payload_bytes = 0;
    for (uint32_t i = 0; i < request->branch_count; i++) {
        const struct branch *branch = request->branches[i];
        const struct branch_traits *spec = &branch->spec;
        const uint32_t call_timeout_ms = branch_rare(branch)->call_timeout_ms;
        tercet_assert(spec->index == (execute ? i + 1 : request->branch_index));
        tercet_assert(spec->participant < configured()->count &&
                      configured()->entries[spec->participant].target_count > 0);
        tercet_assert(judge_is_name(branch->action));
        tercet_assert(branch->payload_size <= 65536 && spec->stage <= (execute ? 63U : 0U));
        tercet_assert(call_timeout_ms == 0 || (call_timeout_ms >= 10 && call_timeout_ms <= 600000));
        tercet_assert(!(spec->confirm_only && spec->optional));
        payload_bytes += branch->payload_size;
    }
    tercet_assert(payload_bytes <= 1048576);
}

/* A branch by its gid and index, or a participant, of which only ASK can be said. */
static void judge_resolve(const struct request *request)
{
    tercet_assert(request->reason.text[0] != '\0');
    tercet_assert(request->resolution >= RESOLUTION_ASK &&
                  request->resolution <= RESOLUTION_WAS_CANCELLED);
    tercet_assert((request->gid[0] != '\0') == (request->branch_index > 0));
    tercet_assert(request->gid[0] != '\0' || (request->resolution == RESOLUTION_ASK &&
                                              request->participant < configured()->count));
}

static void judge_request(const struct request *request)
{
    const enum request_kind kind = request->kind;
    const bool decides = kind == REQUEST_CONFIRM || kind == REQUEST_CANCEL;
    tercet_assert(judge_is_range(request->gid, kind == REQUEST_RESOLVE ? 0 : 1, 128, '!', '~'));
    tercet_assert(judge_is_range(request->traceparent, 0, 64, ' ', '~'));
    tercet_assert(request->try_timeout_ms <= 3600000);
    tercet_assert(request->created_at_unix_ms >= 0 && request->created_at_unix_ms <= integer_max);
    tercet_assert(request->wait >= (decides ? WAIT_MODE_DECISION : WAIT_MODE_BEGIN) &&
                  request->wait <= WAIT_MODE_END);
    tercet_assert(request->branch_count <= (kind == REQUEST_EXECUTE ? 64U : 1U));
    tercet_assert((request->branch_count > 0) == (kind == REQUEST_EXECUTE || kind == REQUEST_TRY));
    tercet_assert(request->branch_index <= 64);
    tercet_assert((request->branch_index > 0) == (kind == REQUEST_TRY) || kind == REQUEST_RESOLVE);
    tercet_assert(judge_is_code(request->reason.code) && judge_is_utf8(request->reason.text));
    if (kind == REQUEST_RESOLVE) {
        judge_resolve(request);
    }
    judge_branches(request);
}

static void judge_coordinator(const struct kind *kind, const ProtobufCMessage *message,
                              uint32_t left_ms)
{
    struct refusal refusal = {0};
    const struct read read = {.directory = configured(),
                              .try_timeout_ms = 30000,
                              .left_ms = left_ms,
                              .refusal = &refusal};
    struct event *event = event_create(EVENT_REQUEST);
    event->u.request.kind = kind->request;
    if (kind->read(&read, message, &event->u.request)) {
        judge_request(&event->u.request);
        tercet_assert(left_ms == TERCET_FOREVER || kind->request == REQUEST_WATCH ||
                      event->u.request.wait_ms <= left_ms);
    } else {
        judge_refusal(&refusal);
    }
    event_destroy(event);
}

/* Each element as its own call: batch.c. */
static void judge_batch(const struct kind *kind, const ProtobufCMessage *message, uint32_t left_ms)
{
    static const struct kind element = {
        .request = REQUEST_EXECUTE, .refuse_unknown = true, .read = read_execute};
    const Tercet__V1__ExecuteBatch *batch = (const Tercet__V1__ExecuteBatch *)message;
    (void)kind;
    (void)left_ms;
    for (size_t i = 0; i < batch->n_requests; i++) {
        judge_coordinator(&element, &batch->requests[i]->base, TERCET_FOREVER);
    }
}

static void judge_list(const struct kind *kind, const ProtobufCMessage *message, uint32_t left_ms)
{
    (void)kind;
    (void)left_ms;
    struct refusal refusal = {0};
    struct list_page *page = list_page_create((const Tercet__V1__ListRequest *)message, &refusal);
    if (page == NULL) {
        judge_refusal(&refusal);
        return;
    }
    tercet_assert(page->size >= 1 && page->size <= (page->with_branches ? 32U : 1000U));
    tercet_assert((page->state_mask & ~0x3eU) == 0);
    tercet_assert(judge_is_range(page->gid_prefix, 0, 128, '!', '~'));
    tercet_assert(page->after_sequence >= 0 && strlen(page->cursor) <= LIST_TOKEN_BYTES_MAX);
    list_page_destroy(page);
}

/* ---- A participant's --------------------------------------------------------------------------- */

static bool is_integer(int64_t value, int64_t min)
{
    return value >= min && value <= integer_max;
}

static void judge_number(const Tercet__V1__BranchNumber *number)
{
    tercet_assert(is_integer(number->incarnation, 1) && is_integer(number->number, 1));
}

static void judge_context(const Tercet__V1__RequestContext *context)
{
    tercet_assert(context != NULL && judge_is_name(context->participant));
    tercet_assert(context->origin.len == 20);
    tercet_assert(is_integer(context->incarnation, 1) && is_integer(context->epoch, 1));
    const Tercet__V1__Mark *mark = context->mark;
    if (mark == NULL) {
        return;
    }
    tercet_assert(is_integer(mark->as_of_incarnation, 1) && is_integer(mark->as_of_lsn, 1));
    tercet_assert(mark->low != NULL && mark->n_open <= 256);
    judge_number(mark->low);
    for (size_t i = 0; i < mark->n_open; i++) {
        judge_number(mark->open[i]);
        tercet_assert(i == 0 || mark->open[i - 1]->incarnation < mark->open[i]->incarnation ||
                      (mark->open[i - 1]->incarnation == mark->open[i]->incarnation &&
                       mark->open[i - 1]->number < mark->open[i]->number));
    }
}

static bool is_said(enum tercet_status status, const struct tercet_error *error)
{
    if (status == TERCET_OK) {
        return false;
    }
    tercet_assert(status == TERCET_INVALID_ARGUMENT && error->status == status);
    tercet_assert(judge_is_range(error->text, 1, sizeof error->text - 1, ' ', '~'));
    return true;
}

/* Without its context. */
static void judge_branch_fields(const Tercet__V1__BranchRequest *request, enum tercet_phase phase)
{
    struct tercet_error error = {0};
    if (is_said(request_check_branch(request, phase, &error), &error)) {
        return;
    }
    tercet_assert(judge_is_range(request->gid, 1, 128, '!', '~'));
    tercet_assert(request->branch >= 1 && request->branch <= 64);
    tercet_assert((int)request->phase == (int)phase && judge_is_name(request->action));
    tercet_assert(request->payload.len <= 65536 && request->digest.len == 16);
    tercet_assert(request->number != NULL);
    judge_number(request->number);
    tercet_assert(is_integer(request->call, 0) && is_integer(request->expires_unix_ms, 0));
    tercet_assert(request->attempt <= INT32_MAX && request->timeout_ms <= INT32_MAX);
    tercet_assert(judge_is_range(request->traceparent, 0, 64, ' ', '~'));
}

static void judge_given_context(const Tercet__V1__RequestContext *context)
{
    struct tercet_error error = {0};
    if (!is_said(request_check_context(context, &error), &error)) {
        judge_context(context);
    }
}

static void judge_branch(const struct kind *kind, const ProtobufCMessage *message, uint32_t left_ms)
{
    (void)left_ms;
    const Tercet__V1__BranchRequest *request = (const Tercet__V1__BranchRequest *)message;
    judge_branch_fields(request, kind->phase);
    judge_given_context(request->context);
}

/* As service_work_request() does, which sees to unknown phases first. */
static void judge_work(const struct kind *kind, const ProtobufCMessage *message, uint32_t left_ms)
{
    (void)kind;
    (void)left_ms;
    const Tercet__V1__WorkBatch *batch = (const Tercet__V1__WorkBatch *)message;
    judge_given_context(batch->context);
    for (size_t i = 0; i < batch->n_requests; i++) {
        const int phase = (int)batch->requests[i]->phase;
        if (phase >= TERCET_PHASE_TRY && phase <= TERCET_PHASE_CANCEL) {
            judge_branch_fields(batch->requests[i], (enum tercet_phase)phase);
        }
    }
}

static void judge_describe(const struct kind *kind, const ProtobufCMessage *message,
                           uint32_t left_ms)
{
    (void)kind;
    (void)left_ms;
    judge_given_context(((const Tercet__V1__DescribeRequest *)message)->context);
}

static void judge_inspect(const struct kind *kind, const ProtobufCMessage *message,
                          uint32_t left_ms)
{
    (void)kind;
    (void)left_ms;
    const Tercet__V1__InspectRequest *request = (const Tercet__V1__InspectRequest *)message;
    struct tercet_error error = {0};
    if (is_said(request_check_inspect(request, &error), &error)) {
        return;
    }
    judge_context(request->context);
    tercet_assert(judge_is_range(request->gid, request->branch > 0 ? 1 : 0, 128, '!', '~'));
    tercet_assert(request->branch <= 64 && request->page_size <= 1000);
    tercet_assert(strlen(request->page_token) <= 256);
    if (request->from != NULL) {
        judge_number(request->from);
    }
    if (request->below != NULL) {
        judge_number(request->below);
    }
}

/* ---- The table --------------------------------------------------------------------------------- */

#define COORDINATOR(name, NAME)                                                                    \
    {                                                                                              \
        &tercet__v1__##name##_request__descriptor, judge_coordinator, true, REQUEST_##NAME,        \
            read_##name, 0                                                                         \
    }
#define BRANCH(phase)                                                                              \
    {                                                                                              \
        &tercet__v1__branch_request__descriptor, judge_branch, false, 0, NULL,                     \
            TERCET_PHASE_##phase                                                                   \
    }

/* Only ever added to at the end: the corpus names them by their place. */
static const struct kind kinds[] = {
    COORDINATOR(execute, EXECUTE),
    COORDINATOR(begin, BEGIN),
    COORDINATOR(try, TRY),
    COORDINATOR(confirm, CONFIRM),
    COORDINATOR(cancel, CANCEL),
    COORDINATOR(get, GET),
    COORDINATOR(watch, WATCH),
    COORDINATOR(resolve, RESOLVE),
    {&tercet__v1__list_request__descriptor, judge_list, true, REQUEST_LIST, NULL, 0},
    BRANCH(TRY),
    BRANCH(CONFIRM),
    BRANCH(CANCEL),
    {&tercet__v1__describe_request__descriptor, judge_describe, false, 0, NULL, 0},
    {&tercet__v1__inspect_request__descriptor, judge_inspect, false, 0, NULL, 0},
    {&tercet__v1__work_batch__descriptor, judge_work, false, 0, NULL, 0},
    {&tercet__v1__execute_batch__descriptor, judge_batch, false, 0, NULL, 0},
};

static void run(const struct kind *kind, struct tercet_bytes bytes, uint32_t left_ms)
{
    struct rpc_scan_result scan;
    const enum rpc_scan_verdict verdict =
        rpc_scan(kind->descriptor, bytes, RPC_SCAN_ELEMENT_COUNT_DEFAULT, &scan);
    tercet_assert(judge_is_range(scan.unknown_path, 0, RPC_SCAN_PATH_SIZE - 1, ' ', '~'));
    tercet_assert((verdict == RPC_SCAN_NUL || scan.has_unknown) == (scan.unknown_path[0] != '\0'));
    if (verdict != RPC_SCAN_FINE || (kind->refuse_unknown && scan.has_unknown)) {
        return;
    }
    tercet_assert(scan.element_count <= RPC_SCAN_ELEMENT_COUNT_DEFAULT);
    ProtobufCMessage *message =
        rpc_codec_unpack(kind->descriptor, bytes, RPC_SCAN_ELEMENT_COUNT_DEFAULT);
    if (message == NULL) {
        return;
    }
    tercet_assert(scan.has_unknown || !judge_has_unknown(message));
    judge_round_trip(message);
    kind->judge(kind, message, left_ms);
    rpc_codec_free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tercet_bytes source = tercet_bytes_of(data, size);
    const uint8_t which = build_take(&source);
    const uint8_t left = build_take(&source);
    const struct kind *kind = &kinds[(which & 0x7fU) % (sizeof kinds / sizeof kinds[0])];
    const uint32_t left_ms = left == 0xff ? TERCET_FOREVER : left * 97U;
    if ((which & 0x80U) == 0) {
        run(kind, source, left_ms);
        return 0;
    }
    struct buffer built = {0};
    build_message(kind->descriptor, &source, &built);
    run(kind, buffer_bytes(&built), left_ms);
    buffer_deinit(&built);
    return 0;
}

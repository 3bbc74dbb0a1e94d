/* fuzz_work.c -- a participant's side of a Work stream: batches come, answers leave.
 *
 * The way of a batch is the SDK's own: scan, decode, work.c, service.c, the checks; and that of an answer:
 * reply.c, work.c, rpc_gather.c.  Below and above are the fuzzer's hands: the stream is memory_duplex.h's,
 * and what would be queued for workers (lane.c, unfenced.c) waits in `jobs` until the input says what it is
 * answered, in which order, and whether the message before has left by then.  Batches are arbitrary
 * bytes, built by the input (build_message.h), or good ones with calls that are doubled, zero or negative
 * and one request up to a thousand times.  Oracle:
 *   1. Every request that was taken in is answered exactly once, under its own call; when the stream
 *      breaks, at most once.  Nothing else is answered.
 *   2. DONE is said only of what a worker has done.
 *   3. Never more unanswered than the window, which stands in the first message and nowhere else.
 *   4. When all is over nothing is held, by the participant nor in memory, and the stream was finished
 *      once: with OK, or because the client went, or did what it may not. */
#include <stdlib.h>

#include "base/assert.h"
#include "build_message.h"
#include "call_list.h"
#include "judge.h"
#include "memory_duplex.h"
#include "rpc/rpc_codec.h"
#include "rpc/rpc_scan.h"
#include "src/participant_core.h"
#include "src/reply.h"
#include "src/work.h"
#include "tercet/store_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_COUNT_MAX = 1024 };

/* Of this input. */
static struct tercet_participant *participant;
static struct job *jobs[WORK_WINDOW];
static size_t job_count;
static bool is_full;              /* no queue takes anything */
static struct call_list asked;    /* taken in */
static struct call_list answered; /* in a message that was sent */
static struct call_list done;     /* a worker has done it */
static struct call_list told;     /* DONE was said of it */
static size_t message_count;

/* ---- What stands around the stream --------------------------------------------------------------- */

struct lane;
struct unfenced;
bool __wrap_lane_push(struct lane *lane, struct job *job);
bool __wrap_unfenced_push(struct unfenced *pool, struct job *job);

static bool take_job(struct job *job)
{
    if (is_full) {
        return false;
    }
    tercet_assert(job_count < WORK_WINDOW);
    jobs[job_count++] = job;
    return true;
}

bool __wrap_lane_push(struct lane *lane, struct job *job)
{
    tercet_assert(lane != NULL);
    return take_job(job);
}

bool __wrap_unfenced_push(struct unfenced *pool, struct job *job)
{
    tercet_assert(pool != NULL);
    return take_job(job);
}

/* Workers are the fuzzer: no handler is ever called. */
static enum tercet_verdict handle(struct tercet_request *request)
{
    (void)request;
    tercet_unreachable();
}

static struct tercet_store *begin(void)
{
    const struct tercet_memory_options memory = {.size = sizeof memory, .batch_max = 1};
    const struct tercet_participant_options options = {
        .size = sizeof options, .name = "account", .listen = "127.0.0.1:0"};
    const struct tercet_action fenced[] = {
        {.name = "debit", .on_try = handle, .on_confirm = handle, .on_cancel = handle},
        {.name = "notify", .on_confirm = handle}};
    const struct tercet_action unfenced = {
        .name = "mail", .on_try = handle, .on_confirm = handle, .on_cancel = handle};
    struct tercet_store *store = NULL;
    struct tercet_error error = {0};
    tercet_assert(tercet_memory_open(&memory, &store, &error) == TERCET_OK);
    tercet_assert(tercet_participant_create(&options, &participant, &error) == TERCET_OK);
    tercet_assert(tercet_participant_register(participant, store, fenced, 2, &error) == TERCET_OK);
    tercet_assert(tercet_participant_register_unfenced(participant, &unfenced, 1, &error) ==
                  TERCET_OK);
    asked.count = 0;
    answered.count = 0;
    done.count = 0;
    told.count = 0;
    message_count = 0;
    is_full = false;
    return store;
}

/* ---- Batches ------------------------------------------------------------------------------------- */

static int64_t take_call(struct tercet_bytes *source)
{
    static const int64_t calls[] = {0, -1, INT64_MIN, INT64_MAX, INT64_C(1) << 53, 1};
    const uint8_t drawn = build_take(source);
    return drawn < 250 ? drawn : calls[drawn - 250U];
}

/* One good request; its first byte says what is different. */
static void take_request(struct tercet_bytes *source, Tercet__V1__BranchRequest *request)
{
    static uint8_t digest[16];
    static Tercet__V1__BranchNumber number;
    static char *const actions[] = {"debit", "notify", "mail", "gone"};
    const uint8_t drawn = build_take(source);
    tercet__v1__branch_number__init(&number);
    tercet__v1__branch_request__init(request);
    number.incarnation = 1;
    number.number = 1 + drawn % 7;
    request->number = &number;
    request->gid = "gid";
    request->branch = drawn < 0xf8 ? 1U : 65U;
    request->action = actions[drawn & 3U];
    request->phase = (Tercet__V1__Phase)((drawn >> 2U & 3U) + (drawn % 5 == 0 ? 2U : 0U));
    request->digest = (ProtobufCBinaryData){.len = sizeof digest, .data = digest};
    request->payload = (ProtobufCBinaryData){.len = drawn >> 4U, .data = digest};
    request->call = take_call(source);
}

/* A batch of good requests, some of them many times. */
static void make_batch(struct tercet_bytes *source, struct buffer *wire_out)
{
    static uint8_t origin[20];
    static Tercet__V1__BranchRequest requests[16];
    static Tercet__V1__BranchRequest *all[16 + (16 << 7)];
    const uint8_t shape = build_take(source);
    Tercet__V1__RequestContext context = TERCET__V1__REQUEST_CONTEXT__INIT;
    Tercet__V1__WorkBatch batch = TERCET__V1__WORK_BATCH__INIT;
    context.participant = (shape & 0xe0U) == 0xe0U ? "other" : "account";
    context.origin = (ProtobufCBinaryData){.len = sizeof origin, .data = origin};
    context.incarnation = (shape & 0xe0U) == 0xc0U ? 0 : 1;
    context.epoch = 1 + (shape >> 4U & 1U);
    batch.context = (shape & 0xe0U) == 0xa0U ? NULL : &context;
    batch.requests = all;
    for (unsigned i = 0; i < (shape & 0xfU); i++) {
        take_request(source, &requests[i]);
        const uint8_t drawn = build_take(source);
        const bool many = drawn >= 0xf8 && batch.n_requests <= i; /* one of them at most */
        for (unsigned n = many ? 16U << (drawn & 7U) : 1; n > 0; n--) {
            all[batch.n_requests++] = &requests[i];
        }
    }
    size_t size = 0;
    void *packed = rpc_codec_pack(&batch.base, &size);
    buffer_append(wire_out, packed, size);
    free(packed);
}

/* What a batch asks, unless it is none. */
static void note_asked(struct tercet_bytes wire, size_t admitted_max)
{
    ProtobufCMessage *message =
        rpc_codec_unpack(&tercet__v1__work_batch__descriptor, wire, RPC_SCAN_ELEMENT_COUNT_DEFAULT);
    const Tercet__V1__WorkBatch *batch = (const Tercet__V1__WorkBatch *)message;
    tercet_assert(batch != NULL && batch->n_requests <= WORK_REQUEST_COUNT_MAX);
    tercet_assert(batch->n_requests <= admitted_max);
    for (size_t i = 0; i < batch->n_requests; i++) {
        call_list_add(&asked, batch->requests[i]->call);
    }
    rpc_codec_free(message);
}

/* False: the stream reads no more. */
static bool receive(struct tercet_bytes wire)
{
    const struct memory_duplex *stream = memory_duplex_now();
    const size_t unanswered = asked.count - answered.count;
    if (asked.count > CALL_LIST_MAX - WORK_REQUEST_COUNT_MAX) {
        return true; /* enough of them */
    }
    if (!memory_duplex_receive(wire)) {
        stream->events.gone(stream->events.context);
        return false;
    }
    if (stream->closed) {
        tercet_assert(stream->finish_status == TERCET_RESOURCE_EXHAUSTED);
        return false;
    }
    note_asked(wire, WORK_WINDOW - unanswered);
    return true;
}

/* ---- Answers ------------------------------------------------------------------------------------- */

static void judge_reply(const Tercet__V1__BranchReply *reply)
{
    call_list_add(&answered, reply->call);
    if (reply->status != 0) {
        tercet_assert(reply->verdict == 0 && reply->reason != NULL);
        tercet_assert(reply->reason->text[0] != '\0' && reply->status <= TERCET_UNAUTHENTICATED);
        return;
    }
    tercet_assert(reply->verdict >= 1 && (int)reply->verdict <= TERCET_VERDICT_CONFLICT);
    if ((int)reply->verdict == TERCET_VERDICT_DONE) {
        call_list_add(&told, reply->call);
    }
}

/* A message has been sent: looks at it. */
static void judge_sent(void)
{
    const struct memory_duplex *stream = memory_duplex_now();
    ProtobufCMessage *message =
        rpc_codec_unpack(&tercet__v1__answer_batch__descriptor, buffer_bytes(&stream->outgoing),
                         RPC_SCAN_ELEMENT_COUNT_DEFAULT);
    const Tercet__V1__AnswerBatch *batch = (const Tercet__V1__AnswerBatch *)message;
    tercet_assert(batch != NULL && !judge_has_unknown(message));
    tercet_assert(batch->window == (message_count == 0 ? WORK_WINDOW : 0));
    tercet_assert((batch->n_replies == 0) == (message_count == 0));
    tercet_assert(batch->n_replies <= MESSAGE_COUNT_MAX);
    for (size_t i = 0; i < batch->n_replies; i++) {
        judge_reply(batch->replies[i]);
    }
    message_count++;
    rpc_codec_free(message);
}

/* Whatever was done may have sent a message, but not two. */
static void look(void)
{
    const size_t sent_count = memory_duplex_now()->sent_count;
    tercet_assert(sent_count <= message_count + 1);
    if (sent_count > message_count) {
        judge_sent();
    }
}

static void let_leave(void)
{
    if (memory_duplex_now()->writing) {
        memory_duplex_written();
    }
}

/* The job at this place, as `drawn` says. */
static void answer(size_t at, uint8_t drawn)
{
    struct job *job = jobs[at];
    struct group_answer said = {.status = TERCET_OK, .how = TERCET_HOW_RAN};
    jobs[at] = jobs[--job_count];
    said.verdict = (enum tercet_verdict)(TERCET_VERDICT_DONE + (drawn & 3U));
    said.result_bytes = job->request.phase == TERCET_PHASE_TRY ? drawn >> 2U : 0;
    said.after_ms = drawn;
    said.mark_lsn = drawn;
    if (drawn >= 0xf0) {
        said.status = TERCET_FAILED_PRECONDITION;
        memcpy(said.text, "TERCET_OLD_EPOCH", sizeof "TERCET_OLD_EPOCH");
    } else if (drawn >= 0xe0) {
        reply_later(job, REPLY_CODE_WAITED_TOO_LONG, "it waited for too long");
        return;
    } else if (said.verdict == TERCET_VERDICT_DONE) {
        call_list_add(&done, job->asker.stream_call);
    }
    reply_answer(job, &said);
}

/* As a lane does after its group: all are announced, then they are answered. */
static void answer_group(struct tercet_bytes *source)
{
    const uint8_t drawn = build_take(source);
    const size_t count = drawn < 0xf0 ? drawn & 7U : 64U * (drawn & 0xfU);
    const size_t first = job_count > count ? job_count - count : 0;
    for (size_t i = first; i < job_count; i++) {
        asker_announce(&jobs[i]->asker);
    }
    while (job_count > first) {
        answer(job_count - 1, build_take(source));
    }
}

/* ---- A stream ------------------------------------------------------------------------------------ */

/* One thing that happens.  False: nothing more is read. */
static bool happen(struct tercet_bytes *source)
{
    struct buffer wire = {0};
    const uint8_t what = build_take(source);
    bool reads = true;
    is_full = (what & 0xf0U) == 0xf0U;
    switch (what & 7U) {
    case 0:
    case 1:
        make_batch(source, &wire);
        reads = receive(buffer_bytes(&wire));
        break;
    case 2:
        build_message(&tercet__v1__work_batch__descriptor, source, &wire);
        reads = receive(buffer_bytes(&wire));
        break;
    case 3: {
        const uint8_t said = build_take(source);
        const size_t size = said < source->size ? said : source->size;
        const struct tercet_bytes bytes = tercet_bytes_of(source->data, size);
        *source = tercet_bytes_of((const uint8_t *)source->data + size, source->size - size);
        reads = receive(bytes);
        break;
    }
    case 4:
        let_leave();
        break;
    case 5:
        if (job_count > 0) {
            const size_t at = build_take(source) % job_count;
            answer(at, build_take(source));
        }
        break;
    case 6:
        answer_group(source);
        break;
    case 7:
        reads = (what & 0x30U) != 0;
        break;
    }
    buffer_deinit(&wire);
    return reads;
}

/* The client says no more: it has half-closed, or it is gone. */
static void end(bool gone, struct tercet_bytes *source)
{
    const struct memory_duplex *stream = memory_duplex_now();
    const bool lost = stream->closed;
    if (!lost) {
        stream->events.half_closed(stream->events.context);
        look();
    }
    const size_t left = gone ? job_count / 2 : 0;
    while (job_count > left || (stream->writing && !stream->closed)) {
        if (job_count > left) {
            answer(job_count - 1, build_take(source));
        } else {
            let_leave();
        }
        look();
    }
    if (gone && !lost) {
        stream->events.gone(stream->events.context);
    }
    tercet_assert(stream->closed);
    const bool whole = stream->finish_status == TERCET_OK;
    tercet_assert(whole || lost || gone);
    tercet_assert(!whole || (answered.count == asked.count && told.count == done.count));
    memory_duplex_end(NULL);
    memory_duplex_free();
    while (job_count > 0) {
        answer(job_count - 1, build_take(source));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tercet_bytes source = tercet_bytes_of(data, size);
    struct tercet_store *store = begin();
    const uint8_t first = build_take(&source);
    bool reads = true;
    memory_duplex_leave_at_once((first & 8U) != 0 ? look : NULL);
    work_serve(memory_duplex_serve(&tercet__v1__work_batch__descriptor), participant);
    look();
    const bool gone = (first & 7U) == 7;
    while (reads && source.size > 0) {
        reads = happen(&source);
        look();
    }
    end(gone, &source);
    call_list_judge_within(&answered, &asked);
    call_list_judge_within(&told, &done);
    tercet_assert(atomic_load(&participant->in_flight) == 0);
    tercet_assert(atomic_load(&participant->payload_bytes) == 0);
    tercet_assert(atomic_load(&participant->streams) == 0);
    tercet_participant_destroy(participant);
    tercet_store_close(store);
    return 0;
}

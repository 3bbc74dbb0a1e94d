/* fuzz_feed.c -- the coordinator's side of a Work stream: calls go in, answers come out.
 *
 * rpc_feed.c and ends.c as the edge uses them, over memory_duplex.h, with the clock in the input's hands.  The
 * loop's part (ready, send, flush, expire, retire, a new mark in the context), the stream's (written, its
 * end) and the participant's answers come in any order.  Answers are arbitrary bytes, built by the input
 * (build_message.h), or good ones whose `call` was sent, was not sent yet, was answered before, or was never
 * a call, with windows from zero to 2^32 - 1.  Oracle:
 *   1. Every call that was taken ends exactly once, in one event.
 *   2. It ends as DONE only by a reply to it that says so without a status, after it had left; a reply to
 *      what is unknown, waits here or has ended changes nothing.
 *   3. What leaves is the context and calls that were taken, each once, never more unanswered than the
 *      window that was told, and nothing before one was.
 *   4. At the end nothing is held, in the feed nor in memory. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"
#include "build_message.h"
#include "judge.h"
#include "memory_duplex.h"
#include "participant/edge_core.h"
#include "rpc/rpc_codec.h"
#include "rpc/rpc_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CALLS_MAX = 1024, MESSAGE_COUNT_MAX = 1024, WINDOW_UNTOLD = 64, WINDOW_MAX = 65536 };

enum call_state { WAITING, SENT, ENDED };

/* A call that was taken; its name is 1 + its place. */
struct asked {
    enum call_state state;
    const struct event *event;
    bool is_out;      /* sent, and not one reply to it has come */
    bool may_be_done; /* the message that came last says so */
};

/* Of this input. */
static struct edge edge;
static struct edge_peer peer;
static struct edge_seat seat;
static struct inbox inbox;
static struct asked asked[CALLS_MAX];
static size_t asked_count;
static size_t sent_count; /* messages that were looked at */
static uint32_t window;   /* as told last; 0: not yet */
static size_t lies;       /* replies to what was not out: each is taken for a late one */
static int64_t now_ms;
static uint64_t clock_reads;

int64_t __wrap_clock_boot_ms(void);

int64_t __wrap_clock_boot_ms(void)
{
    clock_reads++;
    return now_ms;
}

static bool is_live(void)
{
    return memory_duplex_now() != NULL && !memory_duplex_now()->over;
}

/* ---- Ends ---------------------------------------------------------------------------------------- */

/* Which of them became this event. */
static struct asked *find_event(const struct event *event)
{
    for (size_t i = 0; i < asked_count; i++) {
        if (asked[i].event == event) {
            return &asked[i];
        }
    }
    tercet_unreachable();
}

static void judge_event(struct event *event)
{
    struct asked *call = find_event(event);
    const struct answer *answer = &event->u.answer;
    tercet_assert(call->state != ENDED && answer->kind != ANSWER_UNREACHABLE);
    const bool is_done = answer->kind == ANSWER_REPLY && answer->verdict == TERCET_VERDICT_DONE;
    tercet_assert(!is_done || (call->may_be_done && call->state == SENT));
    tercet_assert(judge_is_code(answer->reason.code) && judge_is_utf8(answer->reason.text));
    call->state = ENDED;
    call->event = NULL;
    event_destroy(event);
}

static void take_events(void)
{
    struct list_node events;
    list_init(&events);
    inbox_take_all(&inbox, 0, &events);
    while (!list_is_empty(&events)) {
        judge_event(container_of(list_pop_front(&events), struct event, link));
    }
}

/* ---- What leaves --------------------------------------------------------------------------------- */

/* The message that is being written, if it was not looked at before. */
static void judge_sent(void)
{
    const struct memory_duplex *stream = memory_duplex_now();
    size_t out = 0;
    if (stream == NULL || stream->over || stream->sent_count == sent_count) {
        return;
    }
    tercet_assert(stream->sent_count == sent_count + 1 && stream->writing);
    sent_count = stream->sent_count;
    ProtobufCMessage *message =
        rpc_codec_unpack(&tercet__v1__work_batch__descriptor, buffer_bytes(&stream->outgoing),
                         RPC_SCAN_ELEMENT_COUNT_DEFAULT);
    const Tercet__V1__WorkBatch *batch = (const Tercet__V1__WorkBatch *)message;
    tercet_assert(batch != NULL && batch->context != NULL && !judge_has_unknown(message));
    tercet_assert(batch->n_requests >= 1 && batch->n_requests <= MESSAGE_COUNT_MAX);
    for (size_t i = 0; i < batch->n_requests; i++) {
        const int64_t name = batch->requests[i]->call;
        tercet_assert(name >= 1 && name <= (int64_t)asked_count);
        tercet_assert(asked[name - 1].state == WAITING);
        asked[name - 1].state = SENT;
        asked[name - 1].is_out = true;
    }
    for (size_t i = 0; i < asked_count; i++) {
        out += asked[i].is_out ? 1 : 0;
    }
    tercet_assert(window > 0 && out <= window + lies);
    rpc_codec_free(message);
}

/* ---- The loop's part ----------------------------------------------------------------------------- */

static void set_context(struct tercet_bytes *source)
{
    struct wire_context context;
    struct mark mark = {.as_of = {1, build_take(source)}, .low = {1, 1}};
    Tercet__V1__WorkBatch batch = TERCET__V1__WORK_BATCH__INIT;
    if (seat.head_lsn != mark.as_of.number) {
        wire_context_fill(&context, &edge.identity, peer.name,
                          mark.as_of.number > 0 ? &mark : NULL);
        batch.context = &context.message;
        rpc_feed_set_head(&seat.feed, &batch.base);
        seat.head_lsn = mark.as_of.number;
    }
}

static void send(struct tercet_bytes *source)
{
    static uint8_t payload[65536];
    const uint8_t drawn = build_take(source);
    struct edge_call *call = xcalloc(1, sizeof *call);
    Tercet__V1__BranchRequest request = TERCET__V1__BRANCH_REQUEST__INIT;
    Tercet__V1__BranchRequest *requests[] = {&request};
    Tercet__V1__WorkBatch batch = TERCET__V1__WORK_BATCH__INIT;
    batch.n_requests = 1;
    batch.requests = requests;
    request.gid = "gid";
    request.payload.data = payload;
    request.payload.len = drawn < 0xf8 ? 0 : sizeof payload;
    call->edge = &edge;
    call->seat = &seat;
    call->event = event_create(EVENT_ANSWER);
    call->event->u.answer.phase = (enum tercet_phase)(TERCET_PHASE_TRY + drawn % 3);
    const int64_t until_ms = now_ms + 10 * (drawn & 0x3fU);
    if (asked_count == CALLS_MAX ||
        !rpc_feed_send(&seat.feed, &call->on_stream, &batch.base, rpc_codec_size(&batch.base) + 10,
                       &request.call, now_ms, until_ms)) {
        event_destroy(call->event);
        free(call);
        return;
    }
    tercet_assert(request.call == (int64_t)asked_count + 1);
    asked[asked_count++] = (struct asked){.state = WAITING, .event = call->event};
}

/* ---- The participant's part ---------------------------------------------------------------------- */

static void fill_reply(struct tercet_bytes *source, Tercet__V1__BranchReply *reply)
{
    static const int64_t calls[] = {0, -1, INT64_MIN, INT64_MAX, INT64_C(1) << 32, CALLS_MAX + 1};
    static Tercet__V1__Reason reason;
    const uint8_t drawn = build_take(source);
    const uint8_t said = build_take(source);
    tercet__v1__reason__init(&reason);
    tercet__v1__branch_reply__init(reply);
    reply->call = drawn < 250 ? (int64_t)drawn : calls[drawn - 250U];
    reply->call += (said & 0x80U) != 0 && asked_count > 256 ? (int64_t)asked_count - 256 : 0;
    reply->verdict = (Tercet__V1__Verdict)(said & 7U);
    reply->status = (said & 0x70U) == 0x70U ? said % 23U : 0;
    reply->reason = (said & 0x18U) == 0x18U ? &reason : NULL;
    reply->mark_incarnation = edge.identity.incarnation;
    reply->mark_lsn = drawn;
}

static void make_answers(struct tercet_bytes *source, struct buffer *wire_out)
{
    static const uint32_t windows[] = {0, 1, 2, 65536, 65537, UINT32_MAX, 1U << 31U, 1024};
    static Tercet__V1__BranchReply replies[256];
    static Tercet__V1__BranchReply *all[256];
    const uint8_t drawn = build_take(source);
    const uint8_t told = build_take(source);
    Tercet__V1__AnswerBatch batch = TERCET__V1__ANSWER_BATCH__INIT;
    batch.replies = all;
    batch.window = told < 0xf8 ? told : windows[told & 7U];
    while (batch.n_replies < (drawn < 0xf0 ? drawn & 7U : drawn & 0xffU)) {
        fill_reply(source, &replies[batch.n_replies]);
        all[batch.n_replies] = &replies[batch.n_replies];
        batch.n_replies++;
    }
    size_t size = 0;
    void *packed = rpc_codec_pack(&batch.base, &size);
    buffer_append(wire_out, packed, size);
    free(packed);
}

static void note_reply(const Tercet__V1__BranchReply *reply)
{
    if (reply->call < 1 || reply->call > (int64_t)asked_count || !asked[reply->call - 1].is_out) {
        lies++;
        return;
    }
    asked[reply->call - 1].is_out = false;
    asked[reply->call - 1].may_be_done =
        reply->status == 0 && (int)reply->verdict == TERCET_VERDICT_DONE;
}

/* What these bytes say of calls, if they are a message.  As the protocol has it, not as rpc_feed.c does. */
static void note_said(struct tercet_bytes wire)
{
    ProtobufCMessage *message = rpc_codec_unpack(&tercet__v1__answer_batch__descriptor, wire,
                                                 RPC_SCAN_ELEMENT_COUNT_DEFAULT);
    const Tercet__V1__AnswerBatch *batch = (const Tercet__V1__AnswerBatch *)message;
    for (size_t i = 0; i < asked_count; i++) {
        asked[i].may_be_done = false;
    }
    if (batch != NULL) {
        const uint32_t before = window == 0 ? WINDOW_UNTOLD : window;
        window = batch->window == 0 ? before : batch->window;
        window = window < WINDOW_MAX ? window : WINDOW_MAX;
    }
    for (size_t i = 0; batch != NULL && i < batch->n_replies; i++) {
        note_reply(batch->replies[i]);
    }
    rpc_codec_free(message);
}

static void end_stream(enum tercet_status status)
{
    const struct rpc_result result = {.status = status, .text = "the fuzzer wants it"};
    memory_duplex_end(&result);
    take_events();
    for (size_t i = 0; i < asked_count; i++) {
        tercet_assert(asked[i].state == ENDED);
        asked[i].is_out = false;
    }
    window = 0;
    lies = 0;
    sent_count = 0;
}

static void receive(struct tercet_bytes wire)
{
    if (!is_live()) {
        return;
    }
    note_said(wire);
    const uint64_t reads_before = clock_reads;
    if (!memory_duplex_receive(wire)) {
        end_stream(TERCET_INTERNAL);
        return;
    }
    tercet_assert(clock_reads > reads_before); /* when it was heard is told by the input's clock */
    take_events();
    judge_sent();
}

/* ---- A life -------------------------------------------------------------------------------------- */

static void take_answers(struct tercet_bytes *source, uint8_t what)
{
    struct buffer wire = {0};
    if ((what & 0x18U) != 0) {
        make_answers(source, &wire);
    } else if ((what & 0x20U) != 0) {
        build_message(&tercet__v1__answer_batch__descriptor, source, &wire);
    } else {
        const uint8_t said = build_take(source);
        const size_t size = said < source->size ? said : source->size;
        buffer_append(&wire, source->data, size);
        *source = tercet_bytes_of((const uint8_t *)source->data + size, source->size - size);
    }
    receive(buffer_bytes(&wire));
    buffer_deinit(&wire);
}

static void seldom(struct tercet_bytes *source, uint8_t what)
{
    switch (what >> 3U & 7U) {
    case 0:
        if (is_live()) {
            end_stream((enum tercet_status)(build_take(source) % 17U));
        }
        break;
    case 1:
        rpc_feed_retire(&seat.feed);
        break;
    case 2:
        rpc_feed_may_try(&seat.feed);
        break;
    case 3:
        set_context(source);
        break;
    default:
        now_ms += 40 * (int64_t)build_take(source);
        break;
    }
}

static void happen(struct tercet_bytes *source)
{
    const uint8_t what = build_take(source);
    switch (what & 7U) {
    case 0:
        tercet_assert(!rpc_feed_ready(&seat.feed, now_ms) || !memory_duplex_now()->cancelled);
        break;
    case 1:
        for (unsigned i = 0; i <= (what < 0xf0 ? what >> 3U & 3U : 100U); i++) {
            send(source);
        }
        break;
    case 2:
        rpc_feed_flush(&seat.feed);
        break;
    case 3:
    case 4:
        take_answers(source, what);
        break;
    case 5:
        if (is_live() && memory_duplex_now()->writing) {
            memory_duplex_written();
        }
        break;
    case 6:
        now_ms += what >> 3U;
        (void)rpc_feed_expire(&seat.feed, now_ms);
        take_events();
        break;
    case 7:
        seldom(source, what);
        break;
    }
    judge_sent();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rpc_feed_hands hands = {ends_on_stream, ends_deliver, &edge};
    struct tercet_bytes source = tercet_bytes_of(data, size);
    now_ms = 1000000;
    edge = (struct edge){.identity = {.incarnation = 1, .epoch = 1}, .inbox = &inbox};
    peer = (struct edge_peer){.name = "account", .seats = &seat, .seat_count = 1};
    seat = (struct edge_seat){.peer = &peer, .head_lsn = -1};
    asked_count = 0;
    sent_count = 0;
    /* Half of all inputs, without a byte of them. */
    memory_duplex_leave_at_once(size % 2 == 1 ? judge_sent : NULL);
    inbox_init(&inbox, 1);
    rpc_feed_init(&seat.feed, &wire_work, NULL, &hands);
    struct tercet_bytes none = tercet_bytes_of("", 0);
    set_context(&none);
    while (source.size > 0) {
        happen(&source);
    }
    if (is_live()) {
        end_stream(TERCET_UNAVAILABLE);
    }
    rpc_feed_deinit(&seat.feed);
    tercet_assert(memory_duplex_now() == NULL && edge.late == NULL);
    inbox_deinit(&inbox);
    return 0;
}

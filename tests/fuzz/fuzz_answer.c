/* fuzz_answer.c -- what the coordinator makes of what participants say.
 *
 * The first byte selects
 *   0  a BranchReply     1  the end of a call that failed     2  DescribeReplies, one after another
 * and whether messages are the input itself or are built by it (build_message.h).  Oracle:
 *   1. Only a reply that says DONE is read as DONE; zero, an unknown verdict, a result that is too
 *      long, and what is no reply at all never are.
 *   2. A failed call is never read as a reply, and only TERCET_OLD_EPOCH as fenced.
 *   3. Words that are kept are valid UTF-8 in one line, within their limits.
 *   4. Describe: fencing where and only where an epoch is higher; SAME only when no store that was
 *      known is gone or has forgotten a mark, or numbers of this life of the journal. */
#include <stdlib.h>

#include "base/assert.h"
#include "build_message.h"
#include "judge.h"
#include "participant/describe.h"
#include "participant/wire.h"
#include "participant/words.h"
#include "rpc/rpc_codec.h"
#include "rpc/rpc_outgoing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char old_epoch[] = "TERCET_OLD_EPOCH";

/* The next message of the input, decoded as a call decodes its reply; NULL: it is none. */
static ProtobufCMessage *take_message(struct tercet_bytes *source,
                                      const ProtobufCMessageDescriptor *descriptor, bool build)
{
    struct buffer wire = {0};
    if (build) {
        build_message(descriptor, source, &wire);
    } else {
        const size_t said = (size_t)build_take(source) << 8U | build_take(source);
        const size_t size = said < source->size ? said : source->size;
        buffer_append(&wire, source->data, size);
        *source = tercet_bytes_of((const uint8_t *)source->data + size, source->size - size);
    }
    ProtobufCMessage *message = rpc_outgoing_decode(descriptor, buffer_bytes(&wire));
    buffer_deinit(&wire);
    if (message != NULL) {
        judge_round_trip(message);
    }
    return message;
}

static void judge_words(const struct reason *reason)
{
    tercet_assert(judge_is_code(reason->code));
    tercet_assert(judge_is_utf8(reason->text) && judge_is_line(reason->text));
}

static bool is_success(const struct answer *answer)
{
    return answer->kind == ANSWER_REPLY && answer->verdict == TERCET_VERDICT_DONE;
}

/* ---- Replies ----------------------------------------------------------------------------------- */

static void judge_reply(const struct answer *answer, const Tercet__V1__BranchReply *reply)
{
    const bool try = answer->phase == TERCET_PHASE_TRY;
    const bool too_long = try && reply->result.len > 1024;
    const int verdict = (int)reply->verdict;
    tercet_assert(is_success(answer) == (verdict == 1 && !too_long));
    tercet_assert((answer->kind == ANSWER_UNKNOWN) == (verdict == 1 && too_long));
    tercet_assert(answer->kind == ANSWER_REPLY || answer->kind == ANSWER_UNKNOWN);
    const bool known = verdict >= 1 && verdict <= 4 && answer->kind == ANSWER_REPLY;
    tercet_assert((int)answer->verdict == (known ? verdict : 0));
    tercet_assert(known || answer->reason.code[0] != '\0' || reply->reason != NULL);

    tercet_assert(answer->how <= 3 && (answer->how == 0 || answer->how == (uint32_t)reply->how));
    tercet_assert(answer->conflict <= 5 &&
                  (answer->conflict == 0 || answer->verdict == TERCET_VERDICT_CONFLICT));
    tercet_assert(answer->after_ms == (verdict == 3 ? reply->after_ms : 0));
    const bool kept = is_success(answer) && try;
    tercet_assert(
        bytes_equal(answer->result, kept ? tercet_bytes_of(reply->result.data, reply->result.len)
                                         : tercet_bytes_of(NULL, 0)));
    judge_words(&answer->reason);
}

static void run_reply(struct tercet_bytes *source, bool build, enum tercet_phase phase)
{
    struct answer answer = {.phase = phase};
    ProtobufCMessage *message = take_message(source, &tercet__v1__branch_reply__descriptor, build);
    if (message == NULL) {
        /* As rpc_call.c ends a call whose reply is none. */
        const struct rpc_result broken = {.status = TERCET_INTERNAL,
                                          .text = "reply is not a tercet.v1.BranchReply",
                                          .sent_maybe = true};
        wire_answer(&answer, &broken);
        tercet_assert(answer.kind == ANSWER_UNKNOWN);
        return;
    }
    const struct rpc_result result = {
        .status = TERCET_OK, .text = "", .reply = message, .sent_maybe = true};
    wire_answer(&answer, &result);
    judge_reply(&answer, (const Tercet__V1__BranchReply *)message);
    free((void *)(uintptr_t)answer.result.data);
    rpc_codec_free(message);
}

/* ---- Failures ---------------------------------------------------------------------------------- */

static void judge_failure(const struct answer *answer, const struct rpc_result *result)
{
    const bool fenced = result->status == TERCET_FAILED_PRECONDITION &&
                        strncmp(result->text, old_epoch, strlen(old_epoch)) == 0;
    const bool unsent = !result->sent_maybe && (result->status == TERCET_UNAVAILABLE ||
                                                result->status == TERCET_DEADLINE_EXCEEDED);
    tercet_assert(answer->kind != ANSWER_REPLY && answer->verdict == TERCET_VERDICT_UNSPECIFIED);
    tercet_assert((answer->kind == ANSWER_FENCED) == fenced);
    tercet_assert((answer->kind == ANSWER_UNREACHABLE) == unsent);
    tercet_assert(answer->result.data == NULL && answer->how == 0 && answer->after_ms == 0);
    tercet_assert(wire_is_fenced(result) == fenced);
    tercet_assert(answer->reason.code[0] != '\0' && answer->reason.text[0] != '\0');
    judge_words(&answer->reason);
}

static void run_failure(struct tercet_bytes source, enum tercet_phase phase)
{
    struct answer answer = {.phase = phase};
    const uint8_t byte = build_take(&source);
    struct buffer text = {0};
    buffer_append(&text, source.data, source.size);
    buffer_append_u8(&text, 0); /* status messages end with their first NUL */
    const struct rpc_result result = {.status = (enum tercet_status)(1 + (byte & 0x7fU) % 20U),
                                      .text = (const char *)text.data,
                                      .sent_maybe = (byte & 0x80U) != 0};
    wire_answer(&answer, &result);
    judge_failure(&answer, &result);

    struct reason reason;
    words_copy_code(reason.code, result.text);
    words_copy_text(reason.text, result.text, result.text);
    judge_words(&reason);
    buffer_deinit(&text);
}

/* ---- Describe ---------------------------------------------------------------------------------- */

static bool is_higher(const Tercet__V1__DescribeReply *reply, const struct wire_identity *identity)
{
    for (size_t i = 0; i < reply->n_stores; i++) {
        const Tercet__V1__StoreDescription *store = reply->stores[i];
        if (store->incarnation > identity->incarnation ||
            (store->incarnation == identity->incarnation && store->epoch > identity->epoch)) {
            return true;
        }
    }
    return false;
}

static bool has_store(const struct description *description, const struct store_seen *store)
{
    for (uint32_t i = 0; i < description->store_count; i++) {
        const struct store_seen *other = &description->stores[i];
        /* A mark of a later life may pass less than one of the life before. */
        const bool later_life = store->reach.incarnation < other->mark.incarnation;
        if (memcmp(other->id, store->id, sizeof store->id) == 0 &&
            branch_number_compare(other->mark, store->mark) >= 0 &&
            (later_life || branch_number_compare(other->reach, store->reach) >= 0)) {
            return true;
        }
    }
    return false;
}

static void judge_description(const struct acquaintance *before, const struct description *now,
                              enum finding finding, const struct tercet_error *text)
{
    tercet_assert(now->store_count <= STORE_COUNT_MAX);
    if (finding != FINDING_SAME) {
        tercet_assert(judge_is_range(text->text, 1, sizeof text->text - 1, ' ', '~'));
        return;
    }
    const struct branch_number lowest = describe_lowest_mark(now);
    for (uint32_t i = 0; i < now->store_count; i++) {
        tercet_assert(branch_number_compare(lowest, now->stores[i].mark) <= 0);
        tercet_assert(now->stores[i].mark.number >= 0 && now->stores[i].reach.number >= 0);
    }
    for (uint32_t i = 0; now->store_count > 0 && i < before->told.store_count; i++) {
        tercet_assert(has_store(now, &before->told.stores[i]));
    }
}

static void run_describe(struct tercet_bytes source, bool build)
{
    struct acquaintance known = {0};
    const struct wire_identity identity = {.incarnation = 3, .epoch = 5};
    while (source.size > 0) {
        const struct known_before before = {known.told, {.mark = {3, build_take(&source)}}};
        struct tercet_error text = {0};
        ProtobufCMessage *message =
            take_message(&source, &tercet__v1__describe_reply__descriptor, build);
        if (message == NULL) {
            continue;
        }
        const Tercet__V1__DescribeReply *reply = (const Tercet__V1__DescribeReply *)message;
        struct description description;
        describe_read(reply, &description);
        const enum finding finding = acquaintance_judge(&known, &before, &description, &text);
        tercet_assert(describe_is_fencing(reply, &identity, &text) == is_higher(reply, &identity));
        judge_description(&known, &description, finding, &text);
        if (finding == FINDING_SAME && description.store_count > 0) {
            acquaintance_note(&known, &description);
        }
        rpc_codec_free(message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tercet_bytes source = tercet_bytes_of(data, size);
    const uint8_t which = build_take(&source);
    const bool build = (which & 0x80U) != 0;
    const enum tercet_phase phase = (enum tercet_phase)(1U + (which >> 2U & 0xfU) % 3U);
    switch ((which & 3U) % 3U) {
    case 0:
        run_reply(&source, build, phase);
        break;
    case 1:
        run_failure(source, phase);
        break;
    case 2:
        run_describe(source, build);
        break;
    }
    return 0;
}

// What the end of a call means.
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <map>

#include "unit/edge/edge_world.h"

namespace
{

using Clock = std::chrono::steady_clock;

int64_t MsSince(Clock::time_point start)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

// Asks once; the participant answers by `answer`.
Told Ask(const std::function<void(struct rpc_unary *)> &answer,
         enum tercet_phase phase = TERCET_PHASE_TRY)
{
    FakeParticipant participant(
        "127.0.0.1:0",
        [&](struct rpc_unary *call, const Tercet__V1__BranchRequest *) { answer(call); });
    EdgeWorld world(participant.Address());
    return world.SendAndWait(phase);
}

Told AskFilled(const std::function<void(Tercet__V1__BranchReply *)> &fill,
               enum tercet_phase phase = TERCET_PHASE_TRY)
{
    return Ask([&](struct rpc_unary *call) { Reply(call, fill); }, phase);
}

Told AskBytes(const std::string &bytes)
{
    return Ask([&](struct rpc_unary *call) {
        rpc_unary_reply_bytes(call, tercet_bytes_of(bytes.data(), bytes.size()));
    });
}

TEST(EdgeAnswer, ADoneCarriesHowAndResult)
{
    const Told told = AskFilled([](Tercet__V1__BranchReply *reply) {
        static uint8_t result[] = {0, 1, 255};
        reply->how = TERCET__V1__HOW__HOW_REPEATED;
        reply->result = {sizeof result, result};
    });
    EXPECT_EQ(told.kind, EVENT_ANSWER);
    EXPECT_EQ(told.answer, ANSWER_REPLY);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(told.how, 2U);
    EXPECT_EQ(told.result, std::string("\x00\x01\xff", 3));
    EXPECT_EQ(told.text, "");
}

TEST(EdgeAnswer, ARefusalCarriesItsReason)
{
    const Told told = AskFilled([](Tercet__V1__BranchReply *reply) {
        static Tercet__V1__Reason reason = TERCET__V1__REASON__INIT;
        static char code[] = "BALANCE_TOO_LOW";
        static char text[] = "balance is 3.00";
        reason.code = code;
        reason.text = text;
        reply->verdict = TERCET__V1__VERDICT__VERDICT_REFUSED;
        reply->reason = &reason;
    });
    EXPECT_EQ(told.verdict, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(told.code, "BALANCE_TOO_LOW");
    EXPECT_EQ(told.text, "balance is 3.00");
}

TEST(EdgeAnswer, ALaterCarriesItsTimeAndAConflictItsKind)
{
    const Told later = AskFilled([](Tercet__V1__BranchReply *reply) {
        reply->verdict = TERCET__V1__VERDICT__VERDICT_LATER;
        reply->after_ms = 1234;
    });
    EXPECT_EQ(later.verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(later.after_ms, 1234U);
    const Told conflict = AskFilled(
        [](Tercet__V1__BranchReply *reply) {
            reply->verdict = TERCET__V1__VERDICT__VERDICT_CONFLICT;
            reply->conflict = TERCET__V1__CONFLICT_KIND__CONFLICT_KIND_FORGOTTEN;
        },
        TERCET_PHASE_CONFIRM);
    EXPECT_EQ(conflict.verdict, TERCET_VERDICT_CONFLICT);
    EXPECT_EQ(conflict.conflict, 5U);
}

TEST(EdgeAnswer, AVerdictThatIsNotKnownIsNoVerdict)
{
    for (const int verdict : {-1, 5, 9, 1000}) {
        const Told told = AskFilled([&](Tercet__V1__BranchReply *reply) {
            reply->verdict = static_cast<Tercet__V1__Verdict>(verdict);
        });
        EXPECT_EQ(told.answer, ANSWER_REPLY);
        EXPECT_EQ(told.verdict, TERCET_VERDICT_UNSPECIFIED) << verdict;
        EXPECT_EQ(told.code, "TERCET_BAD_REPLY");
        EXPECT_EQ(told.text,
                  "verdict " + std::to_string(verdict) + " is not one that is known here");
    }
}

TEST(EdgeAnswer, AHowOrAConflictThatIsNotKnownIsNotTold)
{
    const Told done = AskFilled(
        [](Tercet__V1__BranchReply *reply) { reply->how = static_cast<Tercet__V1__How>(17); });
    EXPECT_EQ(done.verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(done.how, 0U);
    const Told conflict = AskFilled([](Tercet__V1__BranchReply *reply) {
        reply->verdict = TERCET__V1__VERDICT__VERDICT_CONFLICT;
        reply->conflict = static_cast<Tercet__V1__ConflictKind>(17);
    });
    EXPECT_EQ(conflict.verdict, TERCET_VERDICT_CONFLICT);
    EXPECT_EQ(conflict.conflict, 0U);
}

TEST(EdgeAnswer, AnEmptyReplyIsNotASuccess)
{
    const Told told = AskBytes("");
    EXPECT_EQ(told.answer, ANSWER_REPLY);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_UNSPECIFIED);
}

TEST(EdgeAnswer, GarbageIsUnknown)
{
    for (const std::string &bytes :
         {std::string("\xff\xff\xff\xff\xff\xff"), std::string("\x0a\x7f"), std::string(2000, '\0'),
          std::string("<html>502 Bad Gateway</html>")}) {
        const Told told = AskBytes(bytes);
        EXPECT_EQ(told.answer, ANSWER_UNKNOWN);
        EXPECT_EQ(told.code, "TERCET_NO_ANSWER");
        EXPECT_NE(told.text, "");
    }
}

TEST(EdgeAnswer, AResultThatIsTooLongIsGarbageAndOneOfFullLengthIsNot)
{
    static uint8_t result[TERCET_RESULT_BYTES_MAX + 1];
    const Told full = AskFilled([](Tercet__V1__BranchReply *reply) {
        reply->result = {TERCET_RESULT_BYTES_MAX, result};
    });
    EXPECT_EQ(full.verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(full.result.size(), size_t{TERCET_RESULT_BYTES_MAX});
    const Told told = AskFilled([](Tercet__V1__BranchReply *reply) {
        reply->result = {sizeof result, result};
    });
    EXPECT_EQ(told.answer, ANSWER_UNKNOWN);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_UNSPECIFIED);
    EXPECT_EQ(told.result, "");
    EXPECT_EQ(told.code, "TERCET_BAD_REPLY");
    EXPECT_EQ(told.text, "the result of its try has 1025 bytes; 1024 are allowed");
}

TEST(EdgeAnswer, AResultOfAConfirmIsNotReadHoweverLong)
{
    static uint8_t result[5000];
    const Told told = AskFilled(
        [](Tercet__V1__BranchReply *reply) {
            reply->result = {sizeof result, result};
        },
        TERCET_PHASE_CONFIRM);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(told.result, "");
}

TEST(EdgeAnswer, AReplyOverTheMessageLimitIsUnknown)
{
    static std::vector<uint8_t> result((1 << 20) + 1);
    const Told told = AskFilled([](Tercet__V1__BranchReply *reply) {
        reply->result = {result.size(), result.data()};
    });
    EXPECT_EQ(told.answer, ANSWER_UNKNOWN);
    EXPECT_EQ(told.text.rfind("RESOURCE_EXHAUSTED: ", 0), 0U) << told.text;
}

TEST(EdgeAnswer, EveryStatusMeansWhatTheTableSays)
{
    const std::map<int, enum answer_kind> meanings = {
        {TERCET_CALL_CANCELLED, ANSWER_UNKNOWN},
        {TERCET_UNKNOWN, ANSWER_UNKNOWN},
        {TERCET_INVALID_ARGUMENT, ANSWER_NOT_SERVED},
        {TERCET_DEADLINE_EXCEEDED, ANSWER_UNKNOWN},
        {TERCET_NOT_FOUND, ANSWER_UNKNOWN},
        {TERCET_ALREADY_EXISTS, ANSWER_UNKNOWN},
        {TERCET_PERMISSION_DENIED, ANSWER_UNKNOWN},
        {TERCET_RESOURCE_EXHAUSTED, ANSWER_UNKNOWN},
        {TERCET_FAILED_PRECONDITION, ANSWER_NOT_SERVED},
        {TERCET_ABORTED, ANSWER_UNKNOWN},
        {TERCET_OUT_OF_RANGE, ANSWER_UNKNOWN},
        {TERCET_UNIMPLEMENTED, ANSWER_NOT_SERVED},
        {TERCET_INTERNAL, ANSWER_UNKNOWN},
        {TERCET_UNAVAILABLE, ANSWER_UNKNOWN},
        {TERCET_DATA_LOSS, ANSWER_UNKNOWN},
        {TERCET_UNAUTHENTICATED, ANSWER_UNKNOWN},
    };
    ASSERT_EQ(meanings.size(), 16U);
    std::atomic<int> status{0};
    FakeParticipant participant(
        "127.0.0.1:0", [&](struct rpc_unary *call, const Tercet__V1__BranchRequest *) {
            rpc_unary_fail(call, static_cast<enum tercet_status>(status.load()), "its own words",
                           nullptr);
        });
    EdgeWorld world(participant.Address());
    for (const auto &[number, kind] : meanings) {
        status = number;
        for (const auto phase : {TERCET_PHASE_TRY, TERCET_PHASE_CANCEL}) {
            const Told told = world.SendAndWait(phase);
            EXPECT_EQ(told.answer, kind) << number;
            EXPECT_EQ(told.verdict, TERCET_VERDICT_UNSPECIFIED);
            EXPECT_EQ(told.text,
                      std::string(tercet_status_name(static_cast<enum tercet_status>(number))) +
                          ": its own words");
            EXPECT_EQ(told.code, kind == ANSWER_UNREACHABLE  ? "TERCET_UNREACHABLE"
                                 : kind == ANSWER_NOT_SERVED ? "TERCET_NOT_SERVED"
                                                             : "TERCET_NO_ANSWER");
        }
    }
}

TEST(EdgeAnswer, AnOldEpochIsFencedAndNotMerelyUnserved)
{
    const Told told = Ask([](struct rpc_unary *call) {
        rpc_unary_fail(call, TERCET_FAILED_PRECONDITION, "TERCET_OLD_EPOCH: seen 4", nullptr);
    });
    EXPECT_EQ(told.answer, ANSWER_FENCED);
    const Told other = Ask([](struct rpc_unary *call) {
        rpc_unary_fail(call, TERCET_FAILED_PRECONDITION, "not TERCET_OLD_EPOCH", nullptr);
    });
    EXPECT_EQ(other.answer, ANSWER_NOT_SERVED);
    const Told status = Ask([](struct rpc_unary *call) {
        rpc_unary_fail(call, TERCET_ABORTED, "TERCET_OLD_EPOCH: seen 4", nullptr);
    });
    EXPECT_EQ(status.answer, ANSWER_UNKNOWN);
}

TEST(EdgeAnswer, NoAnswerInTimeIsUnknownOnceAndALateOneIsNotHeard)
{
    std::mutex mutex;
    std::vector<struct rpc_unary *> held;
    FakeParticipant participant("127.0.0.1:0",
                                [&](struct rpc_unary *call, const Tercet__V1__BranchRequest *) {
                                    std::lock_guard<std::mutex> lock(mutex);
                                    held.push_back(call);
                                });
    EdgeWorld world(participant.Address());
    const auto start = Clock::now();
    const Told told = world.SendAndWait(TERCET_PHASE_CONFIRM, 200);
    EXPECT_GE(MsSince(start), 190);
    EXPECT_LE(MsSince(start), 3000);
    EXPECT_EQ(told.answer, ANSWER_UNKNOWN);
    EXPECT_EQ(told.text.rfind("DEADLINE_EXCEEDED", 0), 0U) << told.text;
    {
        std::lock_guard<std::mutex> lock(mutex);
        ASSERT_EQ(held.size(), 1U);
        ReplyDone(held[0]);
    }
    EXPECT_TRUE(world.Take(200).empty());
}

TEST(EdgeAnswer, WhereNobodyListensItIsUnreachableAtOnce)
{
    for (const std::string &address : {FreeTcpAddress(), FreeUnixAddress()}) {
        EdgeWorld world(address);
        const auto start = Clock::now();
        const Told told = world.SendAndWait();
        EXPECT_LE(MsSince(start), 2000);
        EXPECT_EQ(told.answer, ANSWER_UNREACHABLE) << address;
        EXPECT_EQ(told.code, "TERCET_UNREACHABLE");
        EXPECT_EQ(told.text.rfind("UNAVAILABLE", 0), 0U) << told.text;
    }
}

} // namespace

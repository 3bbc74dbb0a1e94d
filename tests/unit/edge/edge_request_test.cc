// What a participant is sent.
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <utility>

#include "unit/edge/edge_world.h"

#include "rpc/rpc_codec.h"
#include "support/widest.h"

namespace
{

std::string Text(const ProtobufCBinaryData &data)
{
    return std::string(reinterpret_cast<const char *>(data.data), data.len);
}

TEST(EdgeRequest, CarriesAllThatTheParticipantNeeds)
{
    std::atomic<int> checked{0};
    FakeParticipant participant(
        "127.0.0.1:0", [&](struct rpc_unary *call, const Tercet__V1__BranchRequest *request) {
            EXPECT_STREQ(request->gid, "pay-0042");
            EXPECT_EQ(request->branch, 2U);
            EXPECT_EQ(request->phase, TERCET__V1__PHASE__PHASE_TRY);
            EXPECT_STREQ(request->action, "debit");
            EXPECT_EQ(Text(request->payload), std::string("\x00pay\xff", 5));
            EXPECT_EQ(Text(request->digest), std::string(16, '\xd1'));
            ASSERT_NE(request->number, nullptr);
            EXPECT_EQ(request->number->incarnation, EdgeWorld::kIncarnation - 5);
            EXPECT_EQ(request->number->number, 77);
            EXPECT_EQ(request->attempt, 4U);
            EXPECT_EQ(request->timeout_ms, 5000U);
            EXPECT_EQ(request->expires_unix_ms, 1700000123456);
            EXPECT_STREQ(request->traceparent, "00-trace-01");
            ASSERT_NE(request->context, nullptr);
            EXPECT_STREQ(request->context->participant, "account");
            ASSERT_EQ(request->context->origin.len, 20U);
            EXPECT_EQ(request->context->origin.data[19], 19);
            EXPECT_EQ(request->context->incarnation, EdgeWorld::kIncarnation);
            EXPECT_EQ(request->context->epoch, EdgeWorld::kEpoch);
            EXPECT_EQ(request->context->mark, nullptr);
            /* gRPC rounds a deadline up on the wire. */
            EXPECT_LE(rpc_unary_timeout_ms(call), 5250U);
            EXPECT_GE(rpc_unary_timeout_ms(call), 3000U);
            checked++;
            ReplyDone(call);
        });
    EdgeWorld world(participant.Address());
    EXPECT_EQ(world.SendAndWait().verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(checked, 1);
}

/* Goal: what is encoded without being counted has room, whatever is in it. */
TEST(EdgeRequest, TakesNoMoreThanItsBound)
{
    struct wire_request wire;
    tercet__v1__branch_request__init(&wire.message);
    tercet__v1__branch_number__init(&wire.number);
    Tercet__V1__BranchRequest *requests[] = {&wire.message};
    Tercet__V1__WorkBatch batch = TERCET__V1__WORK_BATCH__INIT;
    batch.n_requests = 1;
    batch.requests = requests;
    EXPECT_LE(rpc_codec_size(&batch.base), wire_request_bytes_max(&wire));

    std::string text(300, 'x'); /* their sizes take two bytes */
    std::string payload(TERCET_PAYLOAD_BYTES_MAX, 'x');
    MakeWidest(&wire.message.base, 7);
    MakeWidest(&wire.number.base, 0);
    wire.message.gid = text.data();
    wire.message.action = text.data();
    wire.message.traceparent = text.data();
    wire.message.payload = {payload.size(), reinterpret_cast<uint8_t *>(payload.data())};
    wire.message.digest = {text.size(), reinterpret_cast<uint8_t *>(text.data())};
    wire.message.number = &wire.number;
    EXPECT_LE(rpc_codec_size(&batch.base), wire_request_bytes_max(&wire));
}

TEST(EdgeRequest, EachPhaseGoesToItsMethodAndOnlyATryTellsWhenItExpires)
{
    std::atomic<int> seen{0};
    FakeParticipant participant("127.0.0.1:0", [&](struct rpc_unary *call,
                                                   const Tercet__V1__BranchRequest *request) {
        EXPECT_EQ(request->expires_unix_ms != 0, request->phase == TERCET__V1__PHASE__PHASE_TRY);
        seen |= 1 << request->phase;
        ReplyDone(call);
    });
    EdgeWorld world(participant.Address());
    for (const auto phase : {TERCET_PHASE_TRY, TERCET_PHASE_CONFIRM, TERCET_PHASE_CANCEL}) {
        EXPECT_EQ(world.SendAndWait(phase).phase, phase);
    }
    EXPECT_EQ(seen, 0xe);
    EXPECT_STREQ(wire_method(TERCET_PHASE_CONFIRM), "/tercet.v1.Participant/Confirm");
    EXPECT_STREQ(wire_method(TERCET_PHASE_CANCEL), "/tercet.v1.Participant/Cancel");
}

// A participant that acknowledges what it is told, when `acknowledges`.
class MarkTest : public testing::Test
{
  protected:
    MarkTest()
        : participant_("127.0.0.1:0",
                       [this](struct rpc_unary *call, const Tercet__V1__BranchRequest *request) {
                           const Tercet__V1__Mark *mark = request->context->mark;
                           told_lsn_ = mark == nullptr ? 0 : mark->as_of_lsn;
                           told_open_ = mark == nullptr ? 0 : static_cast<int>(mark->n_open);
                           if (mark != nullptr) {
                               EXPECT_EQ(mark->low->number, 50);
                               EXPECT_EQ(mark->as_of_incarnation, EdgeWorld::kIncarnation);
                               for (size_t i = 0; i < mark->n_open; i++) {
                                   EXPECT_EQ(mark->open[i]->number, static_cast<int64_t>(i + 1));
                               }
                           }
                           Reply(call, [&](Tercet__V1__BranchReply *reply) {
                               reply->mark_incarnation = answers_incarnation_;
                               reply->mark_lsn = answers_lsn_;
                           });
                       }),
          world_(participant_.Address())
    {
        world_.mark.low = {EdgeWorld::kIncarnation, 50};
        world_.mark.open_count = MARK_OPEN_MAX;
        for (int i = 0; i < MARK_OPEN_MAX; i++) {
            world_.mark.open[i] = {EdgeWorld::kIncarnation, i + 1};
        }
        SetMark(100);
    }

    void SetMark(int64_t lsn)
    {
        world_.mark.as_of = {EdgeWorld::kIncarnation, lsn};
    }
    // The LSN of the mark that one request carries; the reply acknowledges this one.
    int64_t Ask(int64_t acknowledges, int64_t incarnation = EdgeWorld::kIncarnation)
    {
        answers_lsn_ = acknowledges;
        answers_incarnation_ = incarnation;
        EXPECT_EQ(world_.SendAndWait().answer, ANSWER_REPLY);
        return told_lsn_;
    }

    std::atomic<int64_t> told_lsn_{0};
    std::atomic<int> told_open_{0};
    std::atomic<int64_t> answers_lsn_{0};
    std::atomic<int64_t> answers_incarnation_{0};
    FakeParticipant participant_;
    EdgeWorld world_;
};

TEST_F(MarkTest, IsToldUntilItIsAcknowledgedAndNotAfterwards)
{
    EXPECT_EQ(Ask(0, 0), 100);
    EXPECT_EQ(told_open_, MARK_OPEN_MAX);
    EXPECT_EQ(Ask(99), 100);
    EXPECT_EQ(Ask(100), 100);
    EXPECT_EQ(Ask(100), 0);
    SetMark(101);
    EXPECT_EQ(Ask(100), 101);
    EXPECT_EQ(Ask(101), 101);
    EXPECT_EQ(Ask(101), 0);
}

TEST_F(MarkTest, AnOlderAcknowledgementTakesNothingBack)
{
    EXPECT_EQ(Ask(100), 100);
    EXPECT_EQ(Ask(7), 0);
    EXPECT_EQ(Ask(100), 0);
}

TEST_F(MarkTest, AMarkOfAnotherIncarnationAcknowledgesNothing)
{
    EXPECT_EQ(Ask(1000, EdgeWorld::kIncarnation - 1), 100);
    EXPECT_EQ(Ask(1000, EdgeWorld::kIncarnation + 1), 100);
    EXPECT_EQ(Ask(-5), 100);
    EXPECT_EQ(Ask(0), 100);
}

// Holds what it is asked until the test answers.
class HeldMarkTest : public testing::Test
{
  protected:
    HeldMarkTest()
        : participant_("127.0.0.1:0",
                       [this](struct rpc_unary *call, const Tercet__V1__BranchRequest *request) {
                           std::lock_guard<std::mutex> lock(mutex_);
                           held_.push_back(call);
                           marks_ += request->context->mark == nullptr ? 0 : 1;
                           come_.notify_all();
                       }),
          world_(participant_.Address())
    {
        world_.mark.as_of = {EdgeWorld::kIncarnation, 100};
        world_.mark.low = {EdgeWorld::kIncarnation, 50};
    }

    // How many of so many calls, which are all out together, tell a mark.
    int MarksOf(size_t count)
    {
        for (size_t i = 0; i < count; i++) {
            world_.Send(world_.Branch(TERCET_PHASE_TRY), TERCET_PHASE_TRY);
        }
        std::unique_lock<std::mutex> lock(mutex_);
        EXPECT_TRUE(
            come_.wait_for(lock, std::chrono::seconds(10), [&] { return held_.size() == count; }));
        return std::exchange(marks_, 0);
    }

    void End(const std::function<void(struct rpc_unary *)> &answer)
    {
        std::vector<struct rpc_unary *> calls;
        {
            std::lock_guard<std::mutex> lock(mutex_);
            calls.swap(held_);
        }
        for (struct rpc_unary *call : calls) {
            answer(call);
            world_.Next();
        }
    }

    std::mutex mutex_;
    std::condition_variable come_;
    std::vector<struct rpc_unary *> held_;
    int marks_ = 0;
    FakeParticipant participant_;
    EdgeWorld world_;
};

TEST_F(HeldMarkTest, OneCallAtATimeTellsAMarkHoweverTheLastOneEnded)
{
    EXPECT_EQ(MarksOf(3), 1);
    End(ReplyDone);
    EXPECT_EQ(MarksOf(3), 1) << "nobody has acknowledged it";
    End([](struct rpc_unary *call) { rpc_unary_fail(call, TERCET_INTERNAL, "", nullptr); });
    EXPECT_EQ(MarksOf(3), 1) << "what told it has failed";
    End(ReplyDone);
}

} // namespace

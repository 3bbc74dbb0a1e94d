// Work from the coordinator's side: what goes on the stream, and how it gathers.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "unit/edge/edge_stream_fixture.h"

namespace
{

TEST_F(EdgeStream, CarriesTheRequestAndItsAnswer)
{
    FakeWork &work = Make(1000);
    Start(&work);
    AwaitOpen(&work);
    const int unary = unary_;
    for (enum tercet_phase phase : {TERCET_PHASE_TRY, TERCET_PHASE_CONFIRM, TERCET_PHASE_CANCEL}) {
        const size_t before = work.AskedCount();
        world_->mark = {};
        world_->mark.as_of = {EdgeWorld::kIncarnation, 7 + phase};
        world_->mark.low = {EdgeWorld::kIncarnation, 3};
        Ask(phase, 1234);
        const FakeWork::Asked asked = work.Await(before + 1).back();
        EXPECT_EQ(asked.phase, phase);
        EXPECT_EQ(asked.gid, "pay-0042");
        EXPECT_EQ(asked.branch, 2U);
        EXPECT_EQ(asked.action, "debit");
        EXPECT_EQ(asked.payload, std::string("\x00pay\xff", 5));
        EXPECT_EQ(asked.attempt, 4U);
        EXPECT_EQ(asked.timeout_ms, 1234U);
        EXPECT_EQ(work.Participant(), "account");
        EXPECT_EQ(work.MarkLsn(), 7 + phase);
        work.Answer({asked.call}, [](Tercet__V1__BranchReply *reply) {
            static uint8_t result[] = {'o', 'k'};
            reply->how = TERCET__V1__HOW__HOW_REPEATED;
            reply->result = {sizeof result, result};
        });
        const Told told = world_->Next();
        EXPECT_EQ(told.phase, phase);
        EXPECT_EQ(told.answer, ANSWER_REPLY);
        EXPECT_EQ(told.verdict, TERCET_VERDICT_DONE);
        EXPECT_EQ(told.how, 2U);
        EXPECT_EQ(told.result, phase == TERCET_PHASE_TRY ? "ok" : "");
    }
    EXPECT_EQ(unary_, unary);
}

TEST_F(EdgeStream, ToldThatAMarkIsStoredItStopsTelling)
{
    FakeWork &work = Make(1000);
    Start(&work);
    AwaitOpen(&work);
    world_->mark.as_of = {EdgeWorld::kIncarnation, 9};
    world_->mark.low = {EdgeWorld::kIncarnation, 3};
    size_t asked = work.AskedCount();
    for (int round = 0; round < 2; round++) {
        Ask();
        const int64_t call = work.Await(++asked).back().call;
        EXPECT_EQ(work.MarkLsn(), 9);
        work.Answer({call}, [round](Tercet__V1__BranchReply *reply) {
            reply->mark_incarnation = EdgeWorld::kIncarnation;
            reply->mark_lsn = round == 0 ? 8 : 9;
        });
        (void)world_->Next();
    }
    Ask();
    const int64_t call = work.Await(++asked).back().call;
    EXPECT_EQ(work.MarkLsn(), 0);
    work.Answer({call});
    (void)world_->Next();
}

TEST_F(EdgeStream, AStatusInAReplyMeansWhatItMeansOfAUnaryCall)
{
    FakeWork &work = Make(1000);
    Start(&work);
    AwaitOpen(&work);
    const struct {
        uint32_t status;
        const char *text;
        enum answer_kind kind;
    } rows[] = {
        {TERCET_INVALID_ARGUMENT, "gid: bad", ANSWER_NOT_SERVED},
        {TERCET_FAILED_PRECONDITION, "no such action", ANSWER_NOT_SERVED},
        {TERCET_UNIMPLEMENTED, "phase", ANSWER_NOT_SERVED},
        {TERCET_FAILED_PRECONDITION, "TERCET_OLD_EPOCH: 1/2", ANSWER_FENCED},
        {TERCET_UNAVAILABLE, "busy", ANSWER_UNKNOWN},
        {TERCET_RESOURCE_EXHAUSTED, "full", ANSWER_UNKNOWN},
        {17, "who knows", ANSWER_UNKNOWN},
    };
    size_t asked = work.AskedCount();
    for (const auto &row : rows) {
        Ask();
        Tercet__V1__Reason reason = TERCET__V1__REASON__INIT;
        reason.text = const_cast<char *>(row.text);
        work.Answer({work.Await(++asked).back().call}, [&](Tercet__V1__BranchReply *reply) {
            reply->verdict = TERCET__V1__VERDICT__VERDICT_UNSPECIFIED;
            reply->status = row.status;
            reply->reason = &reason;
        });
        const Told told = world_->Next();
        EXPECT_EQ(told.answer, row.kind) << row.text;
        EXPECT_NE(told.text.find(row.text), std::string::npos) << told.text;
    }
}

// Goal: what comes while a message is being written leaves with the next.
TEST_F(EdgeStream, GathersWhileOneMessageIsBeingWritten)
{
    FakeWork &work = Make(1000);
    Start(&work);
    AwaitOpen(&work);
    const size_t asked = work.AskedCount();
    const size_t batches = work.BatchCount();
    for (int i = 0; i < 600; i++) {
        struct order order = {};
        order.kind = ORDER_SEND;
        order.branch = branch_ref(world_->Branch(TERCET_PHASE_TRY));
        order.phase = TERCET_PHASE_TRY;
        order.timeout_ms = 30000;
        edge_carry_out(world_->edge, &order, &world_->mark, clock_boot_ms()); // one turn's orders
    }
    world_->Tick();
    std::vector<int64_t> calls;
    for (const FakeWork::Asked &each : work.Await(asked + 600)) {
        calls.push_back(each.call);
    }
    // Two at most: the message before them may only now have been written.
    EXPECT_LE(work.BatchCount(), batches + 2) << "the orders of a turn leave together";
    calls.erase(calls.begin(), calls.begin() + static_cast<long>(asked));
    EXPECT_EQ(std::set<int64_t>(calls.begin(), calls.end()).size(), 600U);
    std::reverse(calls.begin(), calls.end()); // answers come in any order
    work.Answer(calls);
    size_t answered = 0;
    while (answered < 600) {
        const std::vector<Told> told = world_->Take(10000);
        ASSERT_FALSE(told.empty());
        answered += told.size();
    }
}

TEST_F(EdgeStream, NeverExceedsTheWindowItWasTold)
{
    FakeWork &work = Make(3);
    Start(&work);
    AwaitOpen(&work);
    const size_t before = work.AskedCount();
    for (int i = 0; i < 10; i++) {
        Ask();
    }
    std::vector<FakeWork::Asked> asked = work.Await(before + 3);
    EXPECT_TRUE(world_->Take(100).empty());
    EXPECT_EQ(work.AskedCount(), before + 3);
    work.Answer({asked[before].call});
    (void)world_->Next();
    asked = work.Await(before + 4);
    work.Answer({asked[before + 1].call}, {}, 5); // one less, two more
    (void)world_->Next();
    asked = work.Await(before + 7);
    EXPECT_TRUE(world_->Take(100).empty());
    EXPECT_EQ(work.AskedCount(), before + 7);
    for (size_t i = before + 2; i < before + 10; i++) {
        work.Answer({work.Await(i + 1)[i].call});
        (void)world_->Next();
    }
}

TEST_F(EdgeStream, UsesUnaryCallsUntilTheParticipantHasSpoken)
{
    FakeWork &work = Make(0);
    Start(&work);
    EXPECT_EQ(world_->SendAndWait().answer, ANSWER_REPLY);
    ASSERT_TRUE(work.AwaitStreams(1));
    EXPECT_EQ(world_->SendAndWait().answer, ANSWER_REPLY);
    EXPECT_EQ(unary_, 2);
    work.Answer({}); // without a window: 64
    AwaitOpen(&work);
}

TEST_F(EdgeStream, AParticipantWithoutItIsAskedByUnaryCallsAndTriedAgainAfterAProbe)
{
    Start(nullptr);
    for (int i = 0; i < 20; i++) {
        EXPECT_EQ(world_->SendAndWait().verdict, TERCET_VERDICT_DONE);
    }
    EXPECT_EQ(unary_, 20);
    participant_.reset(); // and comes back as one that serves it
    FakeWork &work = Make(1000);
    Start(&work);
    EXPECT_TRUE(world_->ProbeAndWait(5000).reachable);
    AwaitOpen(&work);
}

// That there was no Work may be heard after the answer of a participant that has it.
TEST_F(EdgeStream, AnEndFromBeforeAProbeRefusesNothing)
{
    FakeWork &work = Make(0);
    Start(&work);
    EXPECT_EQ(world_->SendAndWait().answer, ANSWER_REPLY);
    ASSERT_TRUE(work.AwaitStreams(1));
    EXPECT_TRUE(world_->ProbeAndWait(5000).reachable);
    work.End(TERCET_UNIMPLEMENTED, "");
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (work.StreamCount() < 2 && std::chrono::steady_clock::now() < until) {
        EXPECT_EQ(world_->SendAndWait().answer, ANSWER_REPLY);
    }
    EXPECT_EQ(work.StreamCount(), 2U);
}

TEST_F(EdgeStream, IsNotTriedWhenItIsSwitchedOff)
{
    FakeWork &work = Make(1000);
    Start(&work, false);
    for (int i = 0; i < 20; i++) {
        EXPECT_EQ(world_->SendAndWait().verdict, TERCET_VERDICT_DONE);
    }
    EXPECT_EQ(work.StreamCount(), 0U);
}

} // namespace

// Work from the coordinator's side: what goes on the stream, how it gathers, and every way it ends.
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "unit/edge/edge_work.h"

namespace
{

using Clock = std::chrono::steady_clock;

// A participant with Work; its unary methods count and answer DONE.
class EdgeStream : public ::testing::Test
{
  protected:
    FakeWork &Make(uint32_t window)
    {
        works_.push_back(std::make_unique<FakeWork>(window));
        return *works_.back();
    }

    void Start(FakeWork *work, bool streams = true)
    {
        FakeParticipant::WorkHandler handler;
        if (work != nullptr) {
            handler = [work](struct rpc_duplex *duplex) { work->Serve(duplex); };
        }
        participant_ = std::make_unique<FakeParticipant>(
            address_,
            [this](struct rpc_unary *call, const Tercet__V1__BranchRequest *) {
                unary_++;
                ReplyDone(call);
            },
            [](struct rpc_unary *call, const Tercet__V1__DescribeRequest *) {
                Tercet__V1__DescribeReply reply = TERCET__V1__DESCRIBE_REPLY__INIT;
                rpc_unary_reply(call, &reply.base);
            },
            handler);
        if (world_ == nullptr) {
            world_ = std::make_unique<EdgeWorld>(participant_->Address(), 4096, streams);
        }
    }

    // Orders go by unary calls until the stream is open: asks until one does not.
    void AwaitOpen(FakeWork *work)
    {
        const size_t before = work->AskedCount();
        const auto until = Clock::now() + std::chrono::seconds(10);
        for (;;) {
            const int unary = unary_;
            Ask();
            if (unary_ == unary && world_->Take(20).empty() && work->AskedCount() > before) {
                work->Answer({work->Await(before + 1).back().call});
                (void)world_->Next();
                return;
            }
            ASSERT_LT(Clock::now(), until);
        }
    }

    void Ask(enum tercet_phase phase = TERCET_PHASE_TRY, uint32_t timeout_ms = 30000)
    {
        world_->Send(world_->Branch(phase), phase, timeout_ms);
    }

    // Turns of the loop until something has come.
    Told NextWhileTicking()
    {
        for (int i = 0; i < 1000; i++) {
            if (world_->Comes(10)) {
                return world_->Next();
            }
            world_->Tick();
        }
        ADD_FAILURE() << "nothing came";
        return {};
    }

    void TearDown() override
    {
        world_.reset();
        participant_.reset();
    }

    std::vector<std::unique_ptr<FakeWork>> works_; // outlive the participant
    std::string address_ = FreeTcpAddress();
    std::atomic<int> unary_{0};
    std::unique_ptr<FakeParticipant> participant_;
    std::unique_ptr<EdgeWorld> world_;
};

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
        edge_carry_out(world_->edge, &order, &world_->mark); // one turn's orders
    }
    world_->Tick();
    std::vector<int64_t> calls;
    for (const FakeWork::Asked &each : work.Await(asked + 600)) {
        calls.push_back(each.call);
    }
    EXPECT_EQ(work.BatchCount(), batches + 1) << "the orders of a turn leave together";
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

TEST_F(EdgeStream, IsNotTriedWhenItIsSwitchedOff)
{
    FakeWork &work = Make(1000);
    Start(&work, false);
    for (int i = 0; i < 20; i++) {
        EXPECT_EQ(world_->SendAndWait().verdict, TERCET_VERDICT_DONE);
    }
    EXPECT_EQ(work.StreamCount(), 0U);
}

TEST_F(EdgeStream, WhatIsUnansweredWhenItBreaksIsUnknownAndItOpensAgain)
{
    FakeWork &work = Make(5);
    Start(&work);
    AwaitOpen(&work);
    const size_t before = work.AskedCount();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 8; i++) { // five leave, three wait
            Ask();
        }
        (void)work.Await(before + 5);
        // None of these is a word about the calls, however the stream ends.
        const enum tercet_status ends[] = {TERCET_OK, TERCET_FAILED_PRECONDITION,
                                           TERCET_UNIMPLEMENTED};
        work.End(ends[round], "TERCET_OLD_EPOCH, or not");
        for (int i = 0; i < 8; i++) {
            const Told told = world_->Next();
            EXPECT_EQ(told.answer, ANSWER_UNKNOWN);
            EXPECT_EQ(told.text.rfind("UNAVAILABLE: the stream ended", 0), 0U) << told.text;
        }
        AwaitOpen(&work);
    }
    EXPECT_EQ(work.StreamCount(), 4U);
}

TEST_F(EdgeStream, AParticipantThatDiesLeavesItsCallsUnknown)
{
    FakeWork &work = Make(1000);
    Start(&work);
    AwaitOpen(&work);
    const size_t before = work.AskedCount();
    for (int i = 0; i < 10; i++) {
        Ask();
    }
    (void)work.Await(before + 10);
    participant_.reset();
    for (int i = 0; i < 10; i++) {
        EXPECT_EQ(world_->Next().answer, ANSWER_UNKNOWN);
    }
    Told told = world_->SendAndWait();
    for (int i = 0; i < 100 && told.answer == ANSWER_UNKNOWN; i++) {
        told = world_->SendAndWait();
    }
    EXPECT_EQ(told.answer, ANSWER_UNREACHABLE) << "unary calls find out that nobody is there";
    Start(&work);
    while (world_->SendAndWait().answer != ANSWER_REPLY) {
        EXPECT_TRUE(world_->ProbeAndWait(5000).reachable);
    }
    AwaitOpen(&work);
}

TEST_F(EdgeStream, ACallThatIsNotAnsweredInTimeIsUnknownAndItsLateAnswerNobodys)
{
    FakeWork &work = Make(4);
    Start(&work);
    AwaitOpen(&work);
    size_t before = work.AskedCount();
    Ask(TERCET_PHASE_TRY, 50);
    Ask(TERCET_PHASE_TRY, 30000);
    std::vector<FakeWork::Asked> asked = work.Await(before + 2);
    std::this_thread::sleep_for(std::chrono::milliseconds(2)); // later than the calls
    work.Answer({}, {}, 4);                                    // not silent: the stream stays
    const Told told = NextWhileTicking();
    EXPECT_EQ(told.answer, ANSWER_UNKNOWN);
    EXPECT_EQ(told.text.rfind("DEADLINE_EXCEEDED: ", 0), 0U) << told.text;
    work.Answer({asked[before].call, 999999, asked[before + 1].call, asked[before + 1].call});
    EXPECT_EQ(world_->Next().answer, ANSWER_REPLY);
    EXPECT_TRUE(world_->Take(50).empty());
    // The window is whole again.
    before += 2;
    for (int i = 0; i < 4; i++) {
        Ask();
    }
    for (const FakeWork::Asked &each : work.Await(before + 4)) {
        work.Answer({each.call});
    }
    EXPECT_EQ(work.StreamCount(), 1U);
    for (int i = 0; i < 4; i++) {
        (void)world_->Next();
    }
}

TEST_F(EdgeStream, ACallThatWaitsForTheWindowEndsInTimeToo)
{
    FakeWork &work = Make(1);
    Start(&work);
    AwaitOpen(&work);
    const size_t before = work.AskedCount();
    Ask(TERCET_PHASE_TRY, 30000);
    const int64_t call = work.Await(before + 1).back().call;
    Ask(TERCET_PHASE_TRY, 50);
    std::this_thread::sleep_for(std::chrono::milliseconds(2)); // later than the calls
    work.Answer({}, {}, 1);
    EXPECT_EQ(NextWhileTicking().answer, ANSWER_UNKNOWN);
    work.Answer({call});
    EXPECT_EQ(world_->Next().answer, ANSWER_REPLY);
    EXPECT_TRUE(world_->Take(50).empty());
    EXPECT_EQ(work.AskedCount(), before + 1) << "it was never sent";
}

TEST_F(EdgeStream, ASilentStreamIsBrokenOffAndUnaryCallsGoOn)
{
    FakeWork &work = Make(1000);
    Start(&work);
    AwaitOpen(&work);
    std::this_thread::sleep_for(std::chrono::milliseconds(2)); // later than the last answer
    Ask(TERCET_PHASE_TRY, 50);
    Ask(TERCET_PHASE_TRY, 30000);
    const std::set<std::string> texts = {NextWhileTicking().text, world_->Next().text};
    EXPECT_EQ(texts.begin()->rfind("DEADLINE_EXCEEDED: ", 0), 0U);
    EXPECT_EQ(texts.rbegin()->rfind("UNAVAILABLE: the stream ended", 0), 0U);
    AwaitOpen(&work);
    EXPECT_EQ(work.StreamCount(), 2U);
}

// Goal: a participant that does not read holds no more than dispatch's window, and no thread.
TEST_F(EdgeStream, AParticipantThatNeverReadsLosesItsStreamNotTheOthers)
{
    FakeWork &work = Make(1000);
    Start(&work);
    AwaitOpen(&work);
    work.StopReading();
    constexpr int kCount = 3000;
    for (int i = 0; i < kCount; i++) {
        Ask(TERCET_PHASE_TRY, 200);
    }
    size_t ended = 0;
    for (int i = 0; i < 1000 && ended < kCount; i++) {
        world_->Tick();
        ended += world_->Take(10).size();
    }
    EXPECT_EQ(ended, static_cast<size_t>(kCount));
    work.ReadOn();
    AwaitOpen(&work);
}

TEST_F(EdgeStream, EndsAtGarbageWithEverythingUnknown)
{
    FakeWork &work = Make(1000);
    Start(&work);
    AwaitOpen(&work);
    const size_t before = work.AskedCount();
    Ask();
    (void)work.Await(before + 1);
    work.SayBytes("\x0a\x7f no such length");
    EXPECT_EQ(world_->Next().answer, ANSWER_UNKNOWN);
    AwaitOpen(&work);
}

TEST_F(EdgeStream, StoppingEndsWhatIsOnIt)
{
    FakeWork &work = Make(2);
    Start(&work);
    AwaitOpen(&work);
    const size_t before = work.AskedCount();
    for (int i = 0; i < 5; i++) {
        Ask();
    }
    (void)work.Await(before + 2);
    inbox_close(&world_->inbox);
    struct list_node events;
    list_init(&events);
    inbox_take_all(&world_->inbox, 0, &events);
    edge_stop(world_->edge);
    edge_destroy(world_->edge); // with the events that nobody takes
    world_->edge = nullptr;
}

} // namespace

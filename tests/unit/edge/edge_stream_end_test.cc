// Work from the coordinator's side: every way in which calls on it end.
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "support/relay.h"
#include "unit/edge/edge_stream_fixture.h"

namespace
{

class EdgeStreamEnd : public EdgeStream
{
};

TEST_F(EdgeStreamEnd, WhatIsUnansweredWhenItBreaksIsUnknownAndItOpensAgain)
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

TEST_F(EdgeStreamEnd, AParticipantThatDiesLeavesItsCallsUnknown)
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

TEST_F(EdgeStreamEnd, ACallThatIsNotAnsweredInTimeIsUnknownAndItsLateAnswerNobodys)
{
    FakeWork &work = Make(4);
    Start(&work);
    AwaitOpen(&work);
    size_t before = work.AskedCount();
    Ask(TERCET_PHASE_TRY, 500);
    Ask(TERCET_PHASE_TRY, 30000);
    std::vector<FakeWork::Asked> asked = work.Await(before + 2);
    AwaitNextMillisecond();
    work.Answer({}, {}, 4); // not silent: the stream stays
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

TEST_F(EdgeStreamEnd, ACallThatWaitsForTheWindowEndsInTimeToo)
{
    FakeWork &work = Make(1);
    Start(&work);
    AwaitOpen(&work);
    const size_t before = work.AskedCount();
    Ask(TERCET_PHASE_TRY, 30000);
    const int64_t call = work.Await(before + 1).back().call;
    Ask(TERCET_PHASE_TRY, 500);
    AwaitNextMillisecond();
    work.Answer({}, {}, 1);
    EXPECT_EQ(NextWhileTicking().answer, ANSWER_UNKNOWN);
    work.Answer({call});
    EXPECT_EQ(world_->Next().answer, ANSWER_REPLY);
    EXPECT_TRUE(world_->Take(50).empty());
    EXPECT_EQ(work.AskedCount(), before + 1) << "it was never sent";
}

TEST_F(EdgeStreamEnd, ASilentStreamIsBrokenOffAndUnaryCallsGoOn)
{
    FakeWork &work = Make(1000);
    Start(&work);
    AwaitOpen(&work);
    AwaitNextMillisecond();
    Ask(TERCET_PHASE_TRY, 5000);
    Ask(TERCET_PHASE_TRY, 30000);
    const std::set<std::string> texts = {NextWhileTicking().text, world_->Next().text};
    EXPECT_EQ(texts.begin()->rfind("DEADLINE_EXCEEDED: ", 0), 0U);
    EXPECT_EQ(texts.rbegin()->rfind("UNAVAILABLE: the stream ended", 0), 0U);
    AwaitOpen(&work);
    EXPECT_EQ(work.StreamCount(), 2U);
}

// Timeouts are initiators': one of 50 ms says nothing about what others wait for.
TEST_F(EdgeStreamEnd, AShortTimeoutOfOneCallLeavesTheStreamToTheOthers)
{
    FakeWork &work = Make(1000);
    Start(&work);
    AwaitOpen(&work);
    AwaitNextMillisecond();
    const size_t before = work.AskedCount();
    Ask(TERCET_PHASE_TRY, 30000);
    const int64_t call = work.Await(before + 1).back().call;
    Ask(TERCET_PHASE_TRY, 50);
    const Told told = NextWhileTicking();
    EXPECT_EQ(told.text.rfind("DEADLINE_EXCEEDED: ", 0), 0U) << told.text;
    work.Answer({call});
    EXPECT_EQ(world_->Next().answer, ANSWER_REPLY);
    EXPECT_EQ(work.StreamCount(), 1U);
}

TEST_F(EdgeStreamEnd, WhatWaitsWhenItsParticipantIsHeldNeverLeaves)
{
    FakeWork &work = Make(1);
    Start(&work);
    AwaitOpen(&work);
    const size_t before = work.AskedCount();
    Ask();
    const int64_t call = work.Await(before + 1).back().call;
    Ask(); // no credit: it waits
    edge_hold(world_->edge, 0);
    work.Answer({call}, {}, 1000);
    EXPECT_EQ(world_->Next().answer, ANSWER_REPLY) << "what is out is still answered";
    EXPECT_TRUE(world_->Take(50).empty());
    work.End(TERCET_OK, "");
    EXPECT_EQ(world_->Next().answer, ANSWER_UNKNOWN);
    EXPECT_EQ(work.AskedCount(), before + 1);
}

// A peer may give up its connection and let the stream on it live: the next one leads who knows where,
// is described first, and no branch passes it by on the old one.
TEST_F(EdgeStreamEnd, AStreamThatOutlivesItsConnectionIsAskedNothingMore)
{
    Relay relay(address_);
    world_ = std::make_unique<EdgeWorld>(relay.Address(), 4096, true);
    FakeWork &work = Make(1000);
    Start(&work);
    AwaitOpen(&work);
    size_t seen = work.AskedCount();
    Ask();
    const int64_t out = work.Await(++seen).back().call;
    relay.GoAway();
    Told told;
    do { // an order that leaves before the channel has noticed is one of the stream's
        Ask();
        while (!world_->Comes(5)) {
            for (const size_t count = work.AskedCount(); seen < count; seen++) {
                work.Answer({work.Await(seen + 1)[seen].call});
            }
        }
        told = world_->Next();
    } while (told.answer == ANSWER_REPLY);
    EXPECT_EQ(told.answer, ANSWER_UNREACHABLE);
    EXPECT_TRUE(work.AwaitHalfClosed(1));

    EXPECT_TRUE(world_->ProbeAndWait(5000).reachable) << "there is another connection";
    const int unary = unary_;
    EXPECT_EQ(world_->SendAndWait().answer, ANSWER_REPLY);
    EXPECT_EQ(unary_, unary + 1);
    EXPECT_EQ(work.AskedCount(), seen);
    work.Answer({out});
    EXPECT_EQ(world_->Next().answer, ANSWER_REPLY) << "what was out is still answered";
    work.End(TERCET_OK, "");
    AwaitOpen(&work);
    EXPECT_EQ(work.StreamCount(), 2U);
}

// It would be asked by unary calls for as long as it lives.
TEST_F(EdgeStreamEnd, APeerThatDoesNotEndAStreamThatWeHaveLeftIsCutOff)
{
    FakeWork &work = Make(1000);
    Start(&work);
    AwaitOpen(&work);
    edge_hold(world_->edge, 0);
    ASSERT_TRUE(work.AwaitHalfClosed(1));
    EXPECT_EQ(world_->SendAndWait().answer, ANSWER_REPLY);
    EXPECT_EQ(work.StreamCount(), 1U);
    AwaitOpen(&work);
    EXPECT_EQ(work.StreamCount(), 2U);
    EXPECT_TRUE(work.AwaitGone());
}

TEST_F(EdgeStreamEnd, AStreamThatIsOpeningWhenItsParticipantIsHeldNeverOpens)
{
    FakeWork &silent = Make(0);
    Start(&silent);
    EXPECT_EQ(world_->SendAndWait().answer, ANSWER_REPLY);
    ASSERT_TRUE(silent.AwaitStreams(1));
    edge_hold(world_->edge, 0);
    EXPECT_TRUE(silent.AwaitGone());
    EXPECT_EQ(world_->SendAndWait().answer, ANSWER_REPLY) << "held or not is the engine's to know";
    EXPECT_EQ(silent.AskedCount(), 0U);
}

// Goal: a participant that does not read holds no more than dispatch's window, and no thread.
TEST_F(EdgeStreamEnd, AParticipantThatNeverReadsLosesItsStreamNotTheOthers)
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

TEST_F(EdgeStreamEnd, EndsAtGarbageWithEverythingUnknown)
{
    FakeWork &work = Make(1000);
    Start(&work);
    AwaitOpen(&work);
    const size_t before = work.AskedCount();
    Ask();
    (void)work.Await(before + 1);
    work.SayBytes("\x0a\x7f no such length");
    EXPECT_EQ(world_->Next().answer, ANSWER_UNKNOWN);
    // Once is enough: only its own call suffers from a reply that nobody can read.
    EXPECT_EQ(world_->SendAndWait().answer, ANSWER_REPLY);
    EXPECT_EQ(work.StreamCount(), 1U);
    EXPECT_TRUE(world_->ProbeAndWait(5000).reachable);
    AwaitOpen(&work);
}

TEST_F(EdgeStreamEnd, StoppingEndsWhatIsOnIt)
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

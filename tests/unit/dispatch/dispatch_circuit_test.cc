// What a participant's failures do to it, and to nobody else.
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/dispatch/dispatch_world.h"

namespace
{

constexpr auto kTry = TERCET_PHASE_TRY;
constexpr auto kConfirm = TERCET_PHASE_CONFIRM;
using Branches = std::vector<struct branch *>;

TEST(DispatchCircuit, AtStartItSendsAtOnceAndProbesOnce)
{
    World world;
    struct branch *branch = world.Call(kTry);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{branch});
    EXPECT_EQ(world.Count(ORDER_PROBE), 1U);
    EXPECT_EQ(world.Count(ORDER_REACHABLE), 0U);
    world.Probed(true);
    world.Advance(100000);
    world.Step();
    EXPECT_TRUE(world.orders.empty());
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_CLOSED);
}

TEST(DispatchCircuit, AFailedFirstProbeOpensIt)
{
    World world;
    world.Open();
    EXPECT_EQ(world.Count(ORDER_UNREACHABLE), 1U);
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_OPEN);
}

TEST(DispatchCircuit, AFailedFirstProbeCountsLessThanABranchThatWasAnswered)
{
    World world;
    world.Call(kTry);
    world.Step();
    world.AnswerAll(ANSWER_REPLY);
    world.Probed(false);
    world.Step();
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_CLOSED);
    EXPECT_TRUE(world.orders.empty());
}

TEST(DispatchCircuit, ALaterProbeThatIsNotAnsweredOpensNothing)
{
    World world;
    world.Call(kTry);
    world.Step();
    world.AnswerAll(ANSWER_REPLY);
    world.Probed(false);
    for (int i = 0; i < 3; i++) { // it is probed on until it is described
        (void)world.RunToProbe();
        world.Probed(false);
        world.Step();
        EXPECT_EQ(world.Stats().circuit, CIRCUIT_CLOSED);
    }
}

TEST(DispatchCircuit, WhoIsHeldTwiceIsLetGoOnceAndWhoWasNeverHeldGoesOn)
{
    World world;
    world.Step();
    world.Probed(true);
    dispatch_hold(world.dispatch, 0, false, world.now);
    struct branch *first = world.Call(kTry);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{first}) << "nothing had held it";
    dispatch_hold(world.dispatch, 0, true, world.now);
    dispatch_hold(world.dispatch, 0, true, world.now);
    world.Call(kTry);
    world.Step();
    EXPECT_TRUE(world.Sent().empty());
    EXPECT_EQ(world.Count(ORDER_UNREACHABLE), 0U);
    dispatch_hold(world.dispatch, 0, false, world.now);
    world.Step();
    EXPECT_EQ(world.Count(ORDER_UNREACHABLE), 1U) << "it is found anew first";
}

TEST(DispatchCircuit, OneUnreachableCallOpensItAndNothingIsSentWhileItIsOpen)
{
    World world;
    struct branch *branch = world.Call(kConfirm);
    world.Step();
    world.Probed(true);
    world.Answer(branch, kConfirm, ANSWER_UNREACHABLE);
    world.CallAgain(branch);
    world.Step();
    EXPECT_EQ(world.Count(ORDER_UNREACHABLE), 1U);
    EXPECT_TRUE(world.Sent().empty());
    for (int i = 0; i < 40; i++) {
        world.Advance(1);
        world.Call(kConfirm);
        world.Step();
        EXPECT_TRUE(world.orders.empty());
    }
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_OPEN);
    EXPECT_EQ(world.Stats().queued_phase_two, 41U);
    EXPECT_EQ(world.Stats().delayed, 0U) << "they wait without timers";
}

TEST(DispatchCircuit, WhileItIsHeldNothingIsSentAndAfterwardsItIsProbedFirst)
{
    World world;
    world.Step();
    world.Probed(true);
    dispatch_hold(world.dispatch, 0, true, world.now);
    struct branch *branch = world.Call(kConfirm);
    world.Step();
    EXPECT_TRUE(world.Sent().empty());
    EXPECT_EQ(dispatch_wake_at_boot_ms(world.dispatch), INT64_MAX);
    dispatch_hold(world.dispatch, 0, false, world.now);
    world.orders.clear();
    world.Advance(100);
    world.Step();
    EXPECT_TRUE(world.Sent().empty());
    EXPECT_EQ(world.Count(ORDER_PROBE), 1U);
    world.Probed(true);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{branch});
}

TEST(DispatchCircuit, WhileItIsOpenItWakesForTheProbeAlone)
{
    World world;
    world.Open();
    const int64_t probe_in = world.WakeIn();
    EXPECT_GE(probe_in, 50);
    EXPECT_LE(probe_in, 100);
    world.Call(kConfirm, 0, world.now.boot_ms + 1);
    world.Step();
    EXPECT_EQ(world.WakeIn(), probe_in);
    world.Advance(probe_in);
    world.Step();
    EXPECT_EQ(world.Count(ORDER_PROBE), 1U);
    EXPECT_EQ(world.WakeIn(), INT64_MAX) << "one probe at a time";
    world.Advance(60000);
    world.Step();
    EXPECT_EQ(world.Count(ORDER_PROBE), 0U);
}

TEST(DispatchCircuit, ItOpensWhileTheFirstProbeIsOutAndWaitsForThatOne)
{
    World world;
    struct branch *branch = world.Call(kConfirm);
    world.Step();
    EXPECT_EQ(world.Count(ORDER_PROBE), 1U);
    world.Answer(branch, kConfirm, ANSWER_UNREACHABLE);
    for (int i = 0; i < 1000; i++) {
        world.Call(kConfirm);
        world.Step();
        EXPECT_EQ(world.Count(ORDER_PROBE), 0U);
        world.Advance(1);
    }
    EXPECT_EQ(world.WakeIn(), INT64_MAX);
    world.Probed(false);
    EXPECT_GE(world.RunToProbe(), 0);
}

TEST(DispatchCircuit, ProbesBackOffToHalfASecondAndStayAboveHalfOfIt)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        World world({{"a", 16, true}}, seed);
        world.Open();
        int64_t cap = 100;
        for (int i = 0; i < 10; i++) {
            const int64_t waited = world.RunToProbe();
            EXPECT_GE(waited, cap / 2) << "seed " << seed << " probe " << i;
            EXPECT_LE(waited, cap) << "seed " << seed << " probe " << i;
            world.Probed(false);
            cap = std::min<int64_t>(2 * cap, 500);
        }
    }
}

TEST(DispatchCircuit, ManyCallsInARowWithoutAnAnswerOpenIt)
{
    World world;
    for (int i = 0; i < 8; i++) {
        EXPECT_EQ(world.Stats().circuit, CIRCUIT_CLOSED);
        world.Call(kTry);
        world.Step();
        world.AnswerAll(ANSWER_UNKNOWN);
    }
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_OPEN);
}

TEST(DispatchCircuit, AnyReplyBetweenThemKeepsItClosed)
{
    World world;
    const enum tercet_verdict verdicts[] = {TERCET_VERDICT_DONE, TERCET_VERDICT_REFUSED,
                                            TERCET_VERDICT_LATER, TERCET_VERDICT_CONFLICT,
                                            TERCET_VERDICT_UNSPECIFIED};
    for (int i = 0; i < 70; i++) {
        world.Call(kTry);
        world.Step();
        if (i % 7 == 6) {
            world.AnswerAll(ANSWER_REPLY, verdicts[(i / 7) % 5]);
        } else {
            world.AnswerAll(ANSWER_UNKNOWN);
        }
    }
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_CLOSED);
}

TEST(DispatchCircuit, ItReturnsThroughASmallWindowThatDoublesWithEveryWindowOfReplies)
{
    World world({{"a", 100, true}});
    world.Open();
    for (int i = 0; i < 1000; i++) {
        world.Call(kConfirm);
    }
    world.RunToProbe();
    world.Probed(true);
    const size_t expected[] = {8, 16, 32, 64, 100, 100};
    for (size_t i = 0; i < 6; i++) {
        world.Step();
        EXPECT_EQ(world.Count(ORDER_REACHABLE), i == 0 ? 1U : 0U);
        EXPECT_EQ(world.Sent().size(), expected[i]);
        EXPECT_EQ(world.Stats().circuit, i < 4 ? CIRCUIT_HALF_OPEN : CIRCUIT_CLOSED);
        world.AnswerAll(ANSWER_REPLY);
    }
}

TEST(DispatchCircuit, AWindowSmallerThanTheFirstStaysWhatItIs)
{
    World world({{"a", 2, true}});
    world.Open();
    for (int i = 0; i < 10; i++) {
        world.Call(kConfirm);
    }
    world.RunToProbe();
    world.Probed(true);
    world.Step();
    EXPECT_EQ(world.Sent().size(), 2U);
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_HALF_OPEN);
    world.AnswerAll(ANSWER_REPLY);
    world.Step();
    EXPECT_EQ(world.Sent().size(), 2U);
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_CLOSED);
}

TEST(DispatchCircuit, UnreachableAgainWhileHalfOpenOpensItAgain)
{
    World world;
    world.Open();
    world.Call(kConfirm);
    world.RunToProbe();
    world.Probed(true);
    world.Step();
    ASSERT_EQ(world.Sent().size(), 1U);
    world.AnswerAll(ANSWER_UNREACHABLE);
    world.Step();
    EXPECT_EQ(world.Count(ORDER_UNREACHABLE), 1U);
    EXPECT_EQ(world.Stats().openings, 2U);
}

// A probe that says yes while every call fails: the calls are as rare as the probes.
TEST(DispatchCircuit, ALyingProbeMakesNoHotLoop)
{
    World world;
    world.Open();
    Branches branches;
    for (int i = 0; i < 100; i++) {
        branches.push_back(world.Call(kConfirm));
    }
    size_t sent = 0;
    size_t probes = 0;
    for (int i = 0; i < 60000; i++) {
        world.Advance(1);
        world.Step();
        for (const struct order &order : world.orders) {
            if (order.kind == ORDER_PROBE) {
                probes++;
                world.Probed(true);
            } else if (order.kind == ORDER_SEND) {
                sent++;
                world.Answer(order.branch, order.phase, ANSWER_UNREACHABLE);
                world.CallAgain(order.branch);
            }
        }
    }
    EXPECT_LE(probes, 250U);
    EXPECT_GE(probes, 100U);
    EXPECT_LE(sent, 8 * probes);
}

TEST(DispatchCircuit, OnlyAReplyToABranchStartsTheBackOffAnew)
{
    World world;
    world.Open();
    for (int i = 0; i < 5; i++) {
        world.RunToProbe();
        world.Probed(false);
    }
    world.RunToProbe();
    world.Probed(true);
    struct branch *branch = world.Call(kConfirm);
    world.Step();
    world.Answer(branch, kConfirm, ANSWER_UNREACHABLE);
    world.CallAgain(branch);
    EXPECT_GE(world.RunToProbe(), 250) << "the probe's yes does not count";
    world.Probed(true);
    world.Step();
    world.Answer(branch, kConfirm, ANSWER_REPLY, TERCET_VERDICT_LATER);
    world.CallAgain(branch);
    world.Step();
    world.Answer(branch, kConfirm, ANSWER_UNREACHABLE);
    EXPECT_LE(world.RunToProbe(), 100) << "a reply does";
}

TEST(DispatchCircuit, CallsThatLeftBeforeItOpenedDoNotOpenItAgain)
{
    World world;
    Branches old;
    for (int i = 0; i < 16; i++) {
        old.push_back(world.Call(kTry));
    }
    world.Step();
    world.Probed(true);
    world.Answer(old[0], kTry, ANSWER_UNREACHABLE);
    world.RunToProbe();
    world.Probed(true);
    world.Step();
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_HALF_OPEN);
    for (size_t i = 1; i < old.size(); i++) {
        world.Answer(old[i], kTry, i % 2 == 0 ? ANSWER_UNREACHABLE : ANSWER_UNKNOWN);
    }
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_HALF_OPEN);
    EXPECT_EQ(world.Stats().openings, 1U);
}

TEST(DispatchCircuit, WhatIsStillInFlightCountsAgainstTheSmallWindow)
{
    World world({{"a", 64, true}});
    Branches old;
    for (int i = 0; i < 64; i++) {
        old.push_back(world.Call(kTry));
    }
    world.Step();
    world.Probed(true);
    world.Answer(old[0], kTry, ANSWER_UNREACHABLE);
    world.RunToProbe();
    world.Probed(true);
    world.Call(kConfirm);
    world.Step();
    EXPECT_TRUE(world.Sent().empty());
    for (size_t i = 1; i < 57; i++) {
        world.Answer(old[i], kTry, ANSWER_UNKNOWN);
    }
    world.Step();
    EXPECT_EQ(world.Sent().size(), 1U);
}

TEST(DispatchCircuit, ReachabilityIsToldOnChangesOnly)
{
    World world;
    world.Open();
    EXPECT_EQ(world.orders.size(), 1U);
    for (int i = 0; i < 3; i++) {
        world.RunToProbe();
        EXPECT_EQ(world.orders.size(), 1U);
        world.Probed(false);
    }
    world.RunToProbe();
    world.Probed(true);
    world.Step();
    EXPECT_EQ(world.Count(ORDER_REACHABLE), 1U);
    world.Step();
    EXPECT_TRUE(world.orders.empty());
}

} // namespace

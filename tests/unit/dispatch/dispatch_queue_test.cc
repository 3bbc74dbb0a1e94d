// Who is sent, in which order, and who is not.
#include <gtest/gtest.h>

#include <chrono>
#include <ctime>

#include "unit/dispatch/dispatch_world.h"

namespace
{

constexpr auto kTry = TERCET_PHASE_TRY;
constexpr auto kConfirm = TERCET_PHASE_CONFIRM;
constexpr auto kCancel = TERCET_PHASE_CANCEL;
using Branches = std::vector<struct branch *>;

TEST(DispatchQueue, WhatIsCalledIsSentOnceWithItsPhaseAttemptAndTimeout)
{
    World world;
    struct branch *branch = world.Call(kTry);
    world.Step();
    ASSERT_EQ(world.Sends().size(), 1U);
    const struct order order = world.Sends()[0];
    EXPECT_EQ(order.branch, branch);
    EXPECT_EQ(order.phase, kTry);
    EXPECT_EQ(order.attempt, 1U);
    EXPECT_EQ(order.timeout_ms, 5000U);
    EXPECT_EQ(branch->handed, 1U << kTry);
    EXPECT_EQ(branch->attempts, 1U);
    world.Step();
    EXPECT_TRUE(world.orders.empty());
}

TEST(DispatchQueue, ABranchsOwnTimeoutCounts)
{
    World world;
    struct branch *branch = world.Branch(kTry);
    branch_rare_make(branch)->call_timeout_ms = 77;
    world.CallAgain(branch);
    world.Step();
    EXPECT_EQ(world.Sends().at(0).timeout_ms, 77U);
}

TEST(DispatchQueue, PhaseTwoGoesBeforeTriesAndEachInTheOrderOfItsCalls)
{
    World world({{"a", 4, true}});
    Branches fill;
    for (int i = 0; i < 4; i++) {
        fill.push_back(world.Call(kTry));
    }
    world.Step();
    ASSERT_EQ(world.Sent(), fill);
    struct branch *try1 = world.Call(kTry);
    struct branch *try2 = world.Call(kTry);
    struct branch *cancel = world.Call(kCancel);
    struct branch *confirm = world.Call(kConfirm);
    world.Step();
    EXPECT_TRUE(world.Sent().empty()) << "the window is full";
    for (struct branch *branch : fill) {
        world.Answer(branch, kTry, ANSWER_REPLY);
    }
    world.Step();
    EXPECT_EQ(world.Sent(), (Branches{cancel, confirm, try1, try2}));
}

TEST(DispatchQueue, TheWindowIsNeverExceededAndNothingWaitsWhileItHasRoom)
{
    World world({{"a", 3, true}});
    for (int i = 0; i < 10; i++) {
        world.Call(i % 2 == 0 ? kTry : kConfirm);
    }
    size_t sent = 0;
    for (int i = 0; i < 4; i++) {
        world.Step();
        EXPECT_LE(world.Stats().in_flight, 3U);
        sent += world.Sent().size();
        world.AnswerAll(ANSWER_REPLY);
    }
    EXPECT_EQ(sent, 10U);
}

TEST(DispatchQueue, ABranchThatIsNoLongerAskedIsDroppedWhereItWaits)
{
    World world({{"a", 1, true}});
    struct branch *first = world.Call(kTry);
    world.Step();
    struct branch *ended = world.Call(kTry);
    struct branch *closed = world.Call(kTry);
    struct branch *last = world.Call(kTry);
    World::Ask(ended, 0);
    World::Close(closed);
    world.Answer(first, kTry, ANSWER_REPLY);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{last});
    EXPECT_EQ(ended->handed, 0U);
    EXPECT_EQ(ended->refs, 1U) << "its reference was dropped";
    EXPECT_EQ(closed->refs, 1U);
}

TEST(DispatchQueue, ADelayedBranchThatIsNoLongerAskedIsDroppedWhenItsTimeComes)
{
    World world;
    struct branch *branch = world.Call(kTry, 0, world.now.boot_ms + 10);
    world.Step();
    World::Ask(branch, 0);
    world.Advance(10);
    world.Step();
    EXPECT_TRUE(world.Sent().empty());
    EXPECT_EQ(branch->refs, 1U);
}

// The engine asks for a cancel while its DECIDE is not on disk yet; until the CALL behind it comes,
// neither the queued try nor the cancel may leave.
TEST(DispatchQueue, AQueuedTryIsNeverSentAsTheCancelThatIsAskedMeanwhile)
{
    World world;
    struct branch *branch = world.Call(kTry);
    World::Ask(branch, kCancel);
    world.Step();
    EXPECT_TRUE(world.Sent().empty());
    world.CallAgain(branch);
    world.Step();
    ASSERT_EQ(world.Sends().size(), 1U);
    EXPECT_EQ(world.Sends()[0].phase, kCancel);
}

TEST(DispatchQueue, ADelayedTryIsNeverSentAsTheCancelThatIsAskedMeanwhile)
{
    World world;
    struct branch *branch = world.Call(kTry, 0, world.now.boot_ms + 5);
    world.Step();
    World::Ask(branch, kCancel);
    world.Advance(5);
    world.Step();
    EXPECT_TRUE(world.Sent().empty());
}

TEST(DispatchQueue, ACallThatWasOvertakenByADecisionIsIgnored)
{
    World world;
    struct branch *branch = world.Branch(kCancel);
    dispatch_call(world.dispatch, branch_ref(branch), kTry, 0, world.now);
    world.Step();
    EXPECT_TRUE(world.Sent().empty());
    EXPECT_EQ(branch->refs, 1U);
}

TEST(DispatchQueue, ACallThatWasOvertakenDoesNotTakeThePlaceOfTheOneThatOvertookIt)
{
    World world({{"a", 1, true}});
    world.Call(kTry);
    world.Step();
    struct branch *branch = world.Call(kCancel);
    dispatch_call(world.dispatch, branch_ref(branch), kTry, 0, world.now);
    EXPECT_EQ(world.Stats().queued_phase_two, 1U);
    world.AnswerAll(ANSWER_REPLY);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{branch});
}

TEST(DispatchQueue, AQueuedTryMovesToPhaseTwoWhenItsCancelIsCalled)
{
    World world({{"a", 1, true}});
    struct branch *first = world.Call(kTry);
    world.Step();
    struct branch *other = world.Call(kTry);
    struct branch *branch = world.Call(kTry);
    EXPECT_EQ(world.Stats().queued_tries, 2U);
    World::Ask(branch, kCancel);
    world.CallAgain(branch);
    EXPECT_EQ(world.Stats().queued_tries, 1U);
    EXPECT_EQ(world.Stats().queued_phase_two, 1U);
    world.Answer(first, kTry, ANSWER_REPLY);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{branch});
    world.Answer(branch, kCancel, ANSWER_REPLY);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{other});
}

TEST(DispatchQueue, ACancelLeavesWhileItsTryIsInFlight)
{
    World world;
    struct branch *branch = world.Call(kTry);
    world.Step();
    World::Ask(branch, kCancel);
    world.CallAgain(branch);
    world.Step();
    ASSERT_EQ(world.Sends().size(), 1U);
    EXPECT_EQ(world.Sends()[0].phase, kCancel);
    EXPECT_EQ(world.Stats().in_flight, 2U);
    world.Answer(branch, kCancel, ANSWER_REPLY);
    world.Answer(branch, kTry, ANSWER_UNKNOWN);
    EXPECT_EQ(world.Stats().in_flight, 0U);
    EXPECT_EQ(branch->refs, 1U);
}

TEST(DispatchQueue, TheSamePhaseIsNotSentTwiceAtOnceButAfterwards)
{
    World world;
    struct branch *branch = world.Call(kConfirm);
    world.Step();
    world.CallAgain(branch);
    world.Step();
    EXPECT_TRUE(world.Sent().empty());
    world.Answer(branch, kConfirm, ANSWER_REPLY, TERCET_VERDICT_LATER);
    world.CallAgain(branch, world.now.boot_ms + 1000);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{branch});
}

TEST(DispatchQueue, WhatWaitsForItsTimeIsSentThenAndNotBefore)
{
    World world;
    world.Step();
    world.Probed(true);
    world.Step();
    EXPECT_EQ(world.WakeIn(), INT64_MAX);
    struct branch *late = world.Call(kConfirm, 0, world.now.boot_ms + 30);
    world.Step();
    EXPECT_EQ(world.WakeIn(), 30);
    struct branch *soon = world.Call(kConfirm, 0, world.now.boot_ms + 20);
    EXPECT_EQ(world.WakeIn(), 0);
    world.Step();
    EXPECT_EQ(world.Stats().delayed, 2U);
    EXPECT_EQ(world.WakeIn(), 20);
    world.Advance(19);
    world.Step();
    EXPECT_TRUE(world.Sent().empty());
    world.Advance(1);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{soon});
    EXPECT_EQ(world.WakeIn(), 10);
    world.Advance(10);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{late});
    EXPECT_EQ(world.WakeIn(), INT64_MAX);
}

TEST(DispatchQueue, OfTwoMomentsTheEarlierCounts)
{
    World world;
    struct branch *branch = world.Call(kConfirm, 0, world.now.boot_ms + 1000);
    world.CallAgain(branch, world.now.boot_ms + 2000);
    world.CallAgain(branch, world.now.boot_ms + 10);
    world.Advance(10);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{branch});
    world.Answer(branch, kConfirm, ANSWER_REPLY);
    world.Advance(5000);
    world.Step();
    EXPECT_TRUE(world.Sent().empty());
}

TEST(DispatchQueue, WithAFullWindowItDoesNotWakeForWhatCannotBeSent)
{
    World world({{"a", 1, true}});
    struct branch *first = world.Call(kConfirm);
    world.Step();
    world.Probed(true);
    struct branch *second = world.Call(kConfirm, 0, world.now.boot_ms + 5);
    world.Step();
    EXPECT_EQ(world.WakeIn(), INT64_MAX);
    world.Advance(50);
    world.Answer(first, kConfirm, ANSWER_REPLY);
    EXPECT_EQ(world.WakeIn(), 0);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{second});
}

TEST(DispatchQueue, AParticipantThatIsNotConfiguredIsNeverSentToNorProbed)
{
    World world({{"a", 4, true}, {"gone", 4, false}});
    world.Call(kConfirm, 1);
    world.Call(kConfirm, 1, world.now.boot_ms + 5);
    world.Step();
    EXPECT_TRUE(world.Sent().empty());
    EXPECT_EQ(world.Count(ORDER_PROBE), 1U) << "that of a";
    world.Advance(10000);
    world.Step();
    EXPECT_TRUE(world.orders.empty());
    EXPECT_EQ(world.Stats(1).queued_phase_two + world.Stats(1).delayed, 2U);
}

TEST(DispatchQueue, ACallThatComesAfterItsTransactionIsClosedIsDropped)
{
    World world;
    struct branch *branch = world.Branch(kTry);
    World::Close(branch);
    world.CallAgain(branch);
    world.Step();
    EXPECT_TRUE(world.Sent().empty());
}

// A try was asked for again while it is in flight, and then its transaction is cancelled.
TEST(DispatchQueue, ACancelTakesThePlaceOfATryThatIsHeld)
{
    World world;
    struct branch *branch = world.Call(kTry);
    world.Step();
    world.CallAgain(branch);
    world.Step();
    EXPECT_TRUE(world.Sent().empty()) << "the same is in flight";
    World::Ask(branch, kCancel);
    world.CallAgain(branch);
    world.Step();
    ASSERT_EQ(world.Sends().size(), 1U);
    EXPECT_EQ(world.Sends()[0].phase, kCancel);
    world.Answer(branch, kTry, ANSWER_REPLY);
    world.Step();
    EXPECT_TRUE(world.Sent().empty()) << "nobody asks for the try any more";
}

// Tries that ended at their deadline while nothing could be sent must not pile up.
TEST(DispatchQueue, BranchesThatEndWhileTheCircuitIsOpenDoNotGatherInMemory)
{
    World world;
    world.Open();
    for (int i = 0; i < 100000; i++) {
        struct branch *branch = world.Call(kTry);
        World::Ask(branch, 0);
        World::Close(branch);
    }
    EXPECT_LE(world.Stats().queued_tries, 1024U);
}

// What this thread has worked, whoever else is on the machine.
std::chrono::nanoseconds Worked()
{
    timespec time{};
    EXPECT_EQ(0, clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time));
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// It took minutes for a million once: each drop looked for the next one from the start.
TEST(DispatchQueue, TheEndTakesAsLongAsThereIsToDropNotItsSquare)
{
    const auto before = Worked();
    {
        World world;
        for (int i = 0; i < 200000; i++) {
            world.Call(kConfirm);
        }
    }
    EXPECT_LT(Worked() - before, std::chrono::seconds(4));
}

TEST(DispatchQueue, TheEndDropsEveryReferenceWhereverItWaits)
{
    World world({{"a", 1, true}});
    world.Call(kTry);
    world.Step();
    world.Call(kTry);
    world.Call(kConfirm);
    world.Call(kConfirm, 0, world.now.boot_ms + 100);
    // The world's destructor frees dispatch first; a reference that is left is a leak, one too few
    // an assertion.
}

} // namespace

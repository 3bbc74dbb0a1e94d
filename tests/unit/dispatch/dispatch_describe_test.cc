// Until a participant has described itself it is asked again, and nothing else changes by that.
#include <gtest/gtest.h>

#include "unit/dispatch/dispatch_world.h"

namespace
{

constexpr auto kTry = TERCET_PHASE_TRY;
constexpr auto kConfirm = TERCET_PHASE_CONFIRM;
using Branches = std::vector<struct branch *>;

// Its branches are answered, and the probe beside them ends like this.
void AnswerBranchesAndProbe(World *world, enum probe_end end)
{
    world->Call(kTry);
    world->Step();
    ASSERT_EQ(world->Count(ORDER_PROBE), 1U);
    world->AnswerAll(ANSWER_REPLY);
    world->Probed(end);
    world->Step();
}

// Whoever counts millions of rows for it needs longer than a second, and would never be sent a branch.
TEST(DispatchDescribe, EachProbeMayTakeLongerUpToACall)
{
    World world;
    for (const uint32_t timeout_ms : {1000U, 1000U, 2000U, 4000U, 5000U, 5000U}) {
        ASSERT_GE(world.RunToProbe(), 0);
        EXPECT_EQ(world.orders.back().timeout_ms, timeout_ms);
        world.Probed(PROBE_UNANSWERED);
    }
}

TEST(DispatchDescribe, AProbeThatWasNotAnsweredBesideAnsweredBranchesIsFollowedByAnother)
{
    World world;
    AnswerBranchesAndProbe(&world, PROBE_UNANSWERED);
    for (int i = 0; i < 20; i++) {
        EXPECT_LE(world.WakeIn(), 500) << "nobody wakes it for the next probe";
        const int64_t waited = world.RunToProbe();
        ASSERT_GE(waited, 50);
        EXPECT_LE(waited, 500);
        world.Probed(PROBE_UNANSWERED);
    }
    ASSERT_GE(world.RunToProbe(), 0);
    world.Probed(PROBE_DESCRIBED);
    world.Step();
    EXPECT_EQ(world.WakeIn(), INT64_MAX);
    world.Advance(100000);
    world.Step();
    EXPECT_TRUE(world.orders.empty()) << "described once is enough";
}

TEST(DispatchDescribe, ProbesBesideCallsAreOneAtATime)
{
    World world;
    AnswerBranchesAndProbe(&world, PROBE_UNANSWERED);
    ASSERT_GE(world.RunToProbe(), 0);
    world.Advance(60000);
    world.Step();
    EXPECT_EQ(world.Count(ORDER_PROBE), 0U);
    EXPECT_EQ(world.WakeIn(), INT64_MAX);
}

TEST(DispatchDescribe, ProbesBesideCallsOpenNothingHoweverManyAreNotAnswered)
{
    World world;
    AnswerBranchesAndProbe(&world, PROBE_UNANSWERED);
    for (int i = 0; i < 20; i++) {
        ASSERT_GE(world.RunToProbe(), 0);
        world.Probed(PROBE_UNANSWERED);
        world.Step();
        EXPECT_EQ(world.Count(ORDER_UNREACHABLE), 0U);
        struct branch *branch = world.Call(kConfirm);
        world.Step();
        EXPECT_EQ(world.Sent(), Branches{branch});
        world.AnswerAll(ANSWER_REPLY);
    }
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_CLOSED);
    EXPECT_EQ(world.Stats().openings, 0U);
}

TEST(DispatchDescribe, AnsweredBranchesDoNotHurryTheProbesBesideThem)
{
    World world;
    AnswerBranchesAndProbe(&world, PROBE_ALIVE);
    for (int i = 0; i < 10; i++) {
        const int64_t waited = world.RunToProbe();
        ASSERT_GE(waited, 50);
        if (i >= 3) {
            EXPECT_GE(waited, 250) << "probe " << i;
        }
        world.Call(kTry);
        world.Step();
        world.AnswerAll(ANSWER_REPLY);
        world.Probed(PROBE_ALIVE);
    }
}

TEST(DispatchDescribe, AnAnswerWithoutADescriptionClosesTheCircuitAndIsAskedAgain)
{
    World world;
    world.Open();
    struct branch *branch = world.Call(kConfirm);
    ASSERT_GE(world.RunToProbe(), 0);
    world.Probed(PROBE_ALIVE);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{branch});
    ASSERT_GE(world.RunToProbe(), 0);
    world.Probed(PROBE_DESCRIBED);
    world.Step();
    EXPECT_EQ(world.WakeIn(), INT64_MAX);
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_HALF_OPEN);
}

TEST(DispatchDescribe, OneThatHasNoDescribeIsAskedOncePerConnection)
{
    World world;
    struct branch *branch = world.Call(kTry);
    world.Step();
    world.Probed(PROBE_NOT_SERVED);
    world.Step();
    EXPECT_EQ(world.WakeIn(), INT64_MAX);
    world.Answer(branch, kTry, ANSWER_UNREACHABLE);
    ASSERT_GE(world.RunToProbe(), 0);
    world.Probed(PROBE_NOT_SERVED);
    world.Step();
    EXPECT_EQ(world.WakeIn(), INT64_MAX);
}

TEST(DispatchDescribe, ADescriptionFromBeforeTheCircuitOpenedIsNotOneOfTheNextConnection)
{
    World world;
    struct branch *branch = world.Call(kTry);
    world.Step();
    ASSERT_EQ(world.Count(ORDER_PROBE), 1U);
    world.Answer(branch, kTry, ANSWER_UNREACHABLE);
    world.Probed(PROBE_DESCRIBED);
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_HALF_OPEN);
    ASSERT_GE(world.RunToProbe(), 0);
    world.Probed(PROBE_DESCRIBED);
    world.Step();
    EXPECT_EQ(world.WakeIn(), INT64_MAX);
}

TEST(DispatchDescribe, WhoWasDescribedIsDescribedAgainAfterTheCircuitOpened)
{
    World world;
    struct branch *branch = world.Call(kTry);
    world.Step();
    world.Probed(PROBE_DESCRIBED);
    world.Answer(branch, kTry, ANSWER_UNREACHABLE);
    ASSERT_GE(world.RunToProbe(), 0);
    world.Probed(PROBE_ALIVE);
    ASSERT_GE(world.RunToProbe(), 0) << "what was behind the last connection does not count";
}

TEST(DispatchDescribe, ItWakesForTheProbeOrTheBranchWhicheverIsFirst)
{
    World world;
    AnswerBranchesAndProbe(&world, PROBE_UNANSWERED);
    const int64_t probe_in = world.WakeIn();
    world.Call(kConfirm, 0, world.now.boot_ms + 10000);
    world.Step();
    EXPECT_EQ(world.WakeIn(), probe_in);
    world.Call(kConfirm, 0, world.now.boot_ms + 1);
    world.Step();
    EXPECT_EQ(world.WakeIn(), 1);
}

} // namespace

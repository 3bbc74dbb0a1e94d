// What participants are told that they may forget.
#include <gtest/gtest.h>

#include "support/engine_world.h"

namespace tercet
{
namespace
{

bool IsOpen(const mark *told, branch_number number)
{
    for (uint32_t i = 0; i < told->open_count; i++) {
        if (branch_number_compare(told->open[i], number) == 0) {
            return true;
        }
    }
    return false;
}

TEST(Mark, BeforeAnythingIsDurableThereIsNone)
{
    EngineWorld world;
    EXPECT_EQ(0, engine_mark(world.engine, 0)->as_of.number);
    world.Execute("g", {{0}});
    EXPECT_EQ(0, engine_mark(world.engine, 0)->as_of.number);
}

TEST(Mark, AnUndecidedBranchIsNeverPassed)
{
    EngineWorld world;
    world.Execute("old", {{0}});
    world.Execute("new", {{0}});
    world.HandAll();
    world.Sync();
    branch_number old_number = world.FindBranch("old", 1)->number;
    world.Answer("new", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.RunToEnd();
    world.Sync();
    const mark *told = engine_mark(world.engine, 0);
    EXPECT_EQ(0, branch_number_compare(told->low, old_number));
    EXPECT_EQ(0U, told->open_count);
}

TEST(Mark, ADecidedBranchThatHasNotEndedStandsInTheOpenList)
{
    EngineWorld world;
    world.Execute("stuck", {{0}});
    world.HandAll();
    world.Answer("stuck", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.HandAll();
    world.Execute("next", {{0}});
    world.HandAll();
    world.Sync();
    const mark *told = engine_mark(world.engine, 0);
    EXPECT_TRUE(IsOpen(told, world.FindBranch("stuck", 1)->number));
    EXPECT_EQ(0, branch_number_compare(told->low, world.FindBranch("next", 1)->number));
}

// A decision, or an end, that is not on disk may be forgotten by a crash: it must not count.
TEST(Mark, OnlyWhatIsDurableCounts)
{
    EngineWorld world;
    world.Execute("g", {{0}});
    world.HandAll();
    world.Sync();
    branch_number number = world.FindBranch("g", 1)->number;
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    EXPECT_EQ(0, branch_number_compare(engine_mark(world.engine, 0)->low, number));
    world.Sync();
    EXPECT_TRUE(IsOpen(engine_mark(world.engine, 0), number));
    world.RunToEnd();
    EXPECT_TRUE(IsOpen(engine_mark(world.engine, 0), number)) << "its END is not durable";
    world.Sync();
    const mark *told = engine_mark(world.engine, 0);
    EXPECT_FALSE(IsOpen(told, number));
    EXPECT_LT(branch_number_compare(number, told->low), 0);
}

// After a crash these numbers are given out again, to others.
TEST(Mark, NumbersThatTheDiskHasNotSeenAreNeverPassed)
{
    EngineWorld world;
    world.Execute("g", {{0}});
    world.HandAll();
    world.RunToEnd();
    world.Sync();
    int64_t durable = engine_next_number(world.engine);
    world.Ask(REQUEST_CANCEL, "unknown-1"); // takes a number, not synced
    world.Execute("h", {{0}});              // above it
    world.HandAll();
    engine_durable(world.engine, world.lsn - 1, durable); // an older head than the engine's
    EXPECT_LE(engine_mark(world.engine, 0)->low.number, durable);
    EXPECT_LE(engine_mark(world.engine, 1)->low.number, durable) << "nothing is open there";
}

TEST(Mark, AFullOpenListStopsIt)
{
    engine_limits limits = EngineWorld::DefaultLimits();
    EngineWorld world(2, limits);
    for (uint32_t i = 0; i < world.names.count; i++) {
        world.names.entries[i].open_transaction_max = 10000;
    }
    for (int i = 0; i < MARK_OPEN_MAX + 10; i++) {
        std::string gid = "g" + std::to_string(i);
        world.Execute(gid, {{0}});
        world.HandAll();
        world.Answer(gid, 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
        world.HandAll();
    }
    world.Sync();
    const mark *told = engine_mark(world.engine, 0);
    EXPECT_EQ(static_cast<uint32_t>(MARK_OPEN_MAX), told->open_count);
    std::string first_not_in = "g" + std::to_string(MARK_OPEN_MAX);
    EXPECT_EQ(0, branch_number_compare(told->low, world.FindBranch(first_not_in, 1)->number));
}

TEST(Mark, EachParticipantHasItsOwn)
{
    EngineWorld world;
    world.Execute("a", {{0}});
    world.Execute("b", {{1}});
    world.HandAll();
    world.Answer("b", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.RunToEnd();
    world.Sync();
    EXPECT_LT(
        branch_number_compare(engine_mark(world.engine, 0)->low, engine_mark(world.engine, 1)->low),
        0);
}

TEST(Mark, ItsAgeChangesOnlyWithWhatItSays)
{
    EngineWorld world;
    world.Execute("a", {{0}});
    world.HandAll();
    world.Sync();
    branch_number age = engine_mark(world.engine, 0)->as_of;
    world.Execute("b", {{1}});
    world.HandAll();
    world.Sync();
    EXPECT_EQ(0, branch_number_compare(age, engine_mark(world.engine, 0)->as_of));
    world.Answer("a", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Sync();
    EXPECT_LT(branch_number_compare(age, engine_mark(world.engine, 0)->as_of), 0);
}

} // namespace
} // namespace tercet

// A journal was restored, and an initiator repeats what was begun after the backup and has ended since.
#include <gtest/gtest.h>

#include "unit/engine/restored_world.h"

namespace tercet
{
namespace
{

TEST(RestoredRepeat, ALostTransactionThatWasSettledIsToldToItsInitiatorWhoRepeatsIt)
{
    RestoredWorld world;
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "lost", 60, CONFIRMED)});
    world.Inspected(1, {world.RowAt(1, "lost", 61, TRIED)});
    const Reply &settled = world.LastReply(world.Resolve("lost", 2, RESOLUTION_SETTLE));
    ASSERT_EQ(TERCET_OK, settled.status);
    ASSERT_EQ(TXN_CONFIRMED, settled.told->state);
    ASSERT_EQ(1, world.CountRecords("lost", RECORD_END));
    world.outcomes["lost"] = settled.told;
    world.Sync();
    ASSERT_EQ(nullptr, world.Find("lost"));
    const Reply &again = world.LastReply(world.Execute("lost", {{0}, {1}}));
    EXPECT_EQ(TERCET_OK, again.status)
        << again.code << ": " << again.text << (again.refused ? " (tercet-refused)" : "");
}

// The same for an initiator that goes step by step: its first branch was begun after the backup.
TEST(RestoredRepeat, ALostTransactionByStepsIsJoinedByItsBegin)
{
    RestoredWorld world;
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "lost", 60, CONFIRMED)});
    world.Inspected(1, {world.RowAt(1, "lost", 61, TRIED)});
    EXPECT_EQ(TERCET_OK, world.LastReply(world.Begin("lost")).status)
        << "before its payload is there it joins";
    world.Try("lost", 1, {0});
    world.Try("lost", 2, {1});
    world.RunToEnd();
    const Reply again =
        world.LastReply(world.EngineWorld::Ask(REQUEST_GET, "lost", WAIT_MODE_BEGIN));
    EXPECT_EQ(TERCET_OK, again.status);
    world.outcomes["lost"] = again.told;
    world.Sync();
    const Reply &begin = world.LastReply(world.Begin("lost"));
    EXPECT_EQ(TERCET_OK, begin.status)
        << begin.code << ": " << begin.text << (begin.refused ? " (tercet-refused)" : "");
}

TEST(RestoredRepeat, OtherContentIsRefusedAllTheSame)
{
    RestoredWorld world;
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "lost", 60, CONFIRMED)});
    world.Inspected(1, {world.RowAt(1, "lost", 61, TRIED)});
    const Reply &settled = world.LastReply(world.Resolve("lost", 2, RESOLUTION_SETTLE));
    ASSERT_EQ(TERCET_OK, settled.status);
    world.outcomes["lost"] = settled.told;
    world.Sync();
    BranchPlan other{1};
    other.payload = "other";
    EXPECT_EQ("TERCET_OTHER_CONTENT", world.LastReply(world.Execute("lost", {{0}, other})).code);
    EXPECT_EQ("TERCET_OTHER_CONTENT", world.LastReply(world.Execute("lost", {{0}})).code);
}

} // namespace
} // namespace tercet

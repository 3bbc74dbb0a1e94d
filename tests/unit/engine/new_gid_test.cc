// new_gid_test.cc -- a gid behind all that have ended is new; any other is looked up.
#include <gtest/gtest.h>

#include "support/engine_world.h"

namespace tercet
{
namespace
{

const BranchPlan kBranch = {0, "act", "payload", 0, false, false};

class NewGidWorld : public EngineWorld
{
  public:
    explicit NewGidWorld(const char *greatest)
    {
        greatest_ended_gid = greatest;
        StartOver("boot-1", now, 1);
        Resume(0);
        hold_lookups = true;
    }

    void End(const std::string &gid)
    {
        Execute(gid, {kBranch});
        FindAll();
        RunToEnd();
        Sync();
        ASSERT_EQ(nullptr, Find(gid)) << "it is in the journal only";
        lookups.clear();
    }

    bool IsAskedFor(const std::string &gid)
    {
        const size_t before = lookups.size();
        Ask(REQUEST_GET, gid);
        return lookups.size() > before;
    }
};

TEST(NewGid, BeginsAtOnceWhenNothingHasEnded)
{
    NewGidWorld world("");
    world.Execute("a", {kBranch});
    EXPECT_TRUE(world.lookups.empty());
    EXPECT_NE(nullptr, world.Find("a"));
}

TEST(NewGid, IsAskedForUpToTheGreatestThatHasEnded)
{
    NewGidWorld world("");
    world.End("g5");
    EXPECT_TRUE(world.IsAskedFor("g4"));
    EXPECT_TRUE(world.IsAskedFor("g5"));
    EXPECT_FALSE(world.IsAskedFor("g50"));
    EXPECT_FALSE(world.IsAskedFor("g6"));
    world.End("g40");
    EXPECT_TRUE(world.IsAskedFor("g5")) << "the greatest, not the newest";
    EXPECT_FALSE(world.IsAskedFor("g50"));
}

TEST(NewGid, IsAskedForUpToWhatTheJournalTellsAtTheStart)
{
    NewGidWorld world("g5");
    EXPECT_TRUE(world.IsAskedFor("g5"));
    EXPECT_FALSE(world.IsAskedFor("g5.1"));
}

TEST(NewGid, OneThatIsOpenHasNotEnded)
{
    NewGidWorld world("");
    world.Execute("g5", {kBranch});
    world.Execute("g4", {kBranch});
    EXPECT_TRUE(world.lookups.empty()) << "several initiators need not be in order";
    EXPECT_NE(nullptr, world.Find("g4"));
}

// Its outcome is on its way to the disk; a look-up would not find it yet, and memory does.
TEST(NewGid, EndsWithItsRecordAndNotWhenThatIsDurable)
{
    NewGidWorld world("");
    world.Execute("g5", {kBranch});
    world.RunToEnd();
    EXPECT_TRUE(world.IsAskedFor("g4"));
}

TEST(NewGid, CancelledBeforeItWasBegunHasEnded)
{
    NewGidWorld world("");
    world.Ask(REQUEST_CANCEL, "g5");
    world.Sync();
    EXPECT_TRUE(world.lookups.empty());
    ASSERT_EQ(nullptr, world.Find("g5"));
    EXPECT_TRUE(world.IsAskedFor("g5"));
}

TEST(NewGid, OfNothingIsToldAtOnceThatThereIsNone)
{
    NewGidWorld world("");
    const uintptr_t asked = world.Ask(REQUEST_GET, "g5");
    EXPECT_EQ(TERCET_NOT_FOUND, world.LastReply(asked).status);
}

} // namespace
} // namespace tercet

// An outcome is copied into its day and synced before its removal is queued.  The thread that moves
// is stopped or killed at each step, while the other goes on writing whatever is queued.
#include "unit/journal/outcomes_fixture.h"

namespace tercet
{
namespace
{

#ifdef TERCET_FAILPOINTS

class JournalMove : public Outcomes
{
  protected:
    void TearDown() override
    {
        unsetenv("TERCET_FAILPOINTS");
        Outcomes::TearDown();
    }

    // A process that moves what it writes, with this failpoint.
    Child Start(const std::string &failpoint)
    {
        setenv("TERCET_FAILPOINTS", failpoint.c_str(), 1);
        Child child = StartChild("move", Path());
        unsetenv("TERCET_FAILPOINTS");
        EXPECT_EQ(child.ReadLine(), "open");
        return child;
    }

    void ReadUntilItEnds(Child *child)
    {
        for (std::string line = child->ReadLine(); !line.empty(); line = child->ReadLine()) {
            acknowledged_.push_back("gid" + line);
        }
        EXPECT_EQ(child->Wait(), -SIGKILL);
    }

    // The thread that moves stands still behind `passed` passes of that point; many batches later,
    // when all that was queued is durable, the process is killed.
    void KillWhileItStandsAt(const std::string &point, int passed)
    {
        Child child =
            Start(point + "=" + std::to_string(passed) + "*off->pause:" + temp_ / "never");
        for (int i = 0; i < 300; i++) {
            acknowledged_.push_back("gid" + child.ReadLine());
        }
        kill(child.pid, SIGKILL);
        ReadUntilItEnds(&child);
    }

    void KillAt(const std::string &point, int passed)
    {
        Child child = Start(point + "=" + std::to_string(passed) + "*off->kill");
        ReadUntilItEnds(&child);
    }

    void ExpectEachOnce(const std::string &what)
    {
        struct journal *journal = OpenIt(3650 * kDay);
        ASSERT_NE(journal, nullptr) << what;
        for (int settled = 0; settled < 2; settled++) {
            std::map<std::string, int> told;
            for (const std::string &gid : ListOutcomes(journal)) {
                told[gid]++;
                ASSERT_EQ(told[gid], 1) << what << ": " << gid;
            }
            for (const std::string &gid : acknowledged_) {
                ASSERT_EQ(told.count(gid), 1U) << what << ": " << gid;
                ASSERT_EQ(FindOutcome(journal, gid), gid) << what;
            }
            Settle(journal, kNow + 3600 * 1000); // moves the rest, and counts the day again
        }
        EXPECT_EQ(Head(journal).live_count, 1) << what; // the day
        Close();
    }

    std::vector<std::string> acknowledged_;
};

constexpr int kPassed[] = {1, 2, 7};

TEST_F(JournalMove, AKillBeforeTheCopyIsSyncedLosesAndDoublesNothing)
{
    for (int passed : kPassed) {
        KillWhileItStandsAt("upkeep.before_copy", passed);
        ExpectEachOnce("before the copy, " + std::to_string(passed));
        KillAt("upkeep.before_copy", passed);
        ExpectEachOnce("killed before the copy, " + std::to_string(passed));
    }
}

TEST_F(JournalMove, AKillBetweenTheCopyAndItsRemovalLosesAndDoublesNothing)
{
    for (int passed : kPassed) {
        KillWhileItStandsAt("upkeep.after_copy", passed);
        ExpectEachOnce("behind the copy, " + std::to_string(passed));
        KillAt("upkeep.after_copy", passed);
        ExpectEachOnce("killed behind the copy, " + std::to_string(passed));
    }
}

TEST_F(JournalMove, AKillWhileTheRemovalIsQueuedOrJustWrittenLosesAndDoublesNothing)
{
    for (int passed : kPassed) {
        KillAt("upkeep.after_queued", passed);
        ExpectEachOnce("killed when queued, " + std::to_string(passed));
        KillWhileItStandsAt("upkeep.after_queued", passed);
        ExpectEachOnce("removed, " + std::to_string(passed));
        KillAt("journal.before_witness", 3 * passed);
        ExpectEachOnce("killed when written, " + std::to_string(passed));
    }
}

#else

TEST(JournalMove, IsKilledAtItsSteps)
{
    GTEST_SKIP() << "this needs a build with -DTERCET_FAILPOINTS=ON";
}

#endif

} // namespace
} // namespace tercet

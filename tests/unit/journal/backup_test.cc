// A copy of a running journal, made a few milliseconds at a time between its upkeep.
#include "unit/journal/outcomes_fixture.h"
#include "unit/journal/tools_fixture.h"

namespace tercet
{
namespace
{

class Backups : public Outcomes
{
  protected:
    std::string Backup()
    {
        return temp_ / "backup";
    }
    tercet_status Begin(const std::string &path)
    {
        tercet_error error = {};
        return journal_leveldb_backup(journal_, path.c_str(), &error);
    }
};

TEST_F(Backups, ThatCannotBeWrittenAreGivenUpAndTheJournalGoesOn)
{
    OpenIt();
    Batch batch;
    PutOutcome(&batch, "old", kNow - kDay);
    batch.Write(journal_);
    Settle(journal_, kNow);
    EXPECT_EQ(Begin(temp_ / "no/such/place"), TERCET_UNAVAILABLE);
    ASSERT_EQ(Begin(Backup()), TERCET_OK);
    std::filesystem::remove_all(Backup() + ".new");
    Settle(journal_, kNow);
    EXPECT_FALSE(std::filesystem::exists(Backup()));
    EXPECT_EQ(FindOutcome(journal_, "old"), "old");
}

// The live store is copied as it was when the day's record was there; without the day no tool took it.
TEST_F(Backups, BegunWhileADayExpiresHaveIt)
{
    OpenIt(3 * kDay);
    Batch batch;
    PutOutcome(&batch, "old", kNow - 2 * kDay);
    PutOutcome(&batch, "new", kNow);
    batch.Write(journal_);
    Settle(journal_, kNow);
    ASSERT_EQ(Days(Path()).size(), 2U);
    const int64_t now = kNow + 3 * kDay;
    ASSERT_TRUE(journal_maintain(journal_, now)); // its removal waits for a write
    ASSERT_TRUE(Head(journal_).upkeep_waits);
    ASSERT_EQ(Begin(Backup()), TERCET_OK);
    Settle(journal_, now);
    EXPECT_EQ(Days(Path()).size(), 1U);
    Close();
    const Told verified = Verify(Backup());
    EXPECT_EQ(verified.status, TERCET_OK) << verified.text;
    const Told restored = Restore(Backup(), temp_ / "n");
    ASSERT_EQ(restored.status, TERCET_OK) << restored.error;
    EXPECT_EQ(Days(temp_ / "n").size(), 2U);
}

} // namespace
} // namespace tercet

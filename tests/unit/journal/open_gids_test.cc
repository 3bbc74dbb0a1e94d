// No gid is open and ended at once: found at the start and by `verify`, settled by a new life.
#include <set>

#include "unit/journal/outcomes_fixture.h"
#include "unit/journal/record_fixture.h"
#include "unit/journal/tools_fixture.h"

extern "C" {
#include "journal/open_gids.h"
}

namespace tercet
{
namespace
{

// Those of `gids` that have an outcome as well; the others must all be behind them.
std::vector<std::string> Ended(struct journal *journal, const std::vector<std::string> &gids)
{
    open_gids open = {};
    tercet_error error = {};
    for (size_t i = 0; i < gids.size(); i++) {
        open_gids_add(&open, gids[i].c_str(), static_cast<int64_t>(i));
    }
    EXPECT_EQ(open_gids_keep_ended(&open, journal, &error), TERCET_OK) << error.text;
    std::vector<std::string> ended;
    std::set<int64_t> told;
    for (size_t i = 0; i < gids.size(); i++) {
        EXPECT_EQ(open.items[i].gid, gids[static_cast<size_t>(open.items[i].sequence)]);
        told.insert(open.items[i].sequence);
        if (i < open.count) {
            ended.push_back(open.items[i].gid);
        }
    }
    EXPECT_EQ(told.size(), gids.size()) << "none is lost: somebody has to free them";
    open_gids_deinit(&open);
    return ended;
}

using Strings = std::vector<std::string>;

class OpenGids : public Outcomes
{
  protected:
    // In the live store; and, when settled, in yesterday's.
    void PutEnded(const std::string &gid)
    {
        Batch batch;
        PutOutcome(&batch, gid, kNow - kDay);
        batch.Write(journal_);
    }

    // One that is open, and its outcome.
    std::string MakeBoth()
    {
        Batch batch;
        OpenIt();
        const std::string gid = transactions_.Begin(101, batch.get())->gid;
        transactions_.Begin(102, batch.get());
        batch.Write(journal_);
        PutEnded(gid);
        Settle(journal_, kNow);
        Close();
        return gid;
    }

    Transactions transactions_{7};
};

TEST_F(OpenGids, OneThatHasEndedIsFoundWhereverItsOutcomeIs)
{
    OpenIt();
    PutEnded("b");
    PutEnded("d");
    EXPECT_EQ(Ended(journal_, {"e", "d", "c", "b", "a"}), (Strings{"b", "d"}));
    Settle(journal_, kNow);
    OpenIt();
    ASSERT_EQ(Days(Path()), (Strings{"2027-01-14"}));
    EXPECT_EQ(Ended(journal_, {"e", "d", "c", "b", "a"}), (Strings{"b", "d"}));
    PutEnded("c");
    EXPECT_EQ(Ended(journal_, {"a", "b", "c", "d"}), (Strings{"b", "c", "d"}));
    EXPECT_EQ(Ended(journal_, {}), Strings());
}

TEST_F(OpenGids, TheJournalInMemoryFindsThemAsWell)
{
    struct journal *memory = journal_memory_create(kNow, 7 * kDay);
    Batch batch;
    PutOutcome(&batch, "b", kNow);
    batch.Write(memory);
    EXPECT_EQ(Ended(memory, {"c", "b", "a"}), Strings{"b"});
    journal_close(memory);
}

TEST_F(OpenGids, AStartRefusesWhatIsOpenAndHasEnded)
{
    OpenIt();
    PutEnded("b");
    open_gids open = {};
    tercet_error error = {};
    open_gids_add(&open, "a", 1);
    EXPECT_EQ(open_gids_refuse_ended(&open, journal_, &error), TERCET_OK) << error.text;
    open_gids_add(&open, "b", 2);
    EXPECT_EQ(open_gids_refuse_ended(&open, journal_, &error), TERCET_DATA_LOSS);
    EXPECT_NE(std::string(error.text).find("transaction 2 "), std::string::npos) << error.text;
    open_gids_deinit(&open);
}

// Nothing is served yet, so what cannot be read is told and does not end the process.
TEST_F(OpenGids, ADayThatCannotBeReadIsTold)
{
    OpenIt();
    PutEnded("a");
    Settle(journal_, kNow);
    OpenIt();
    std::filesystem::resize_file(Path() + "/outcomes/2027-01-14/CURRENT", 0);
    open_gids open = {};
    tercet_error error = {};
    open_gids_add(&open, "z", 1);
    EXPECT_EQ(open_gids_refuse_ended(&open, journal_, &error), TERCET_DATA_LOSS);
    EXPECT_STRNE(error.text, "");
    open_gids_deinit(&open);
}

TEST_F(OpenGids, VerifyRefusesAJournalInWhichOneIsOpenAndHasEnded)
{
    const std::string gid = MakeBoth();
    const Told told = Verify(Path());
    EXPECT_EQ(told.status, TERCET_DATA_LOSS);
    EXPECT_NE(told.text.find("transaction 101 makes no sense"), std::string::npos) << told.text;
    EXPECT_NE(told.text.find(gid.substr(0, 60)), std::string::npos) << told.text;
}

TEST_F(OpenGids, ANewLifeTakesTheOutcome)
{
    const std::string gid = MakeBoth();
    const Told told = Restore(Path(), temp_ / "n");
    ASSERT_EQ(told.status, TERCET_OK) << told.error;
    EXPECT_NE(told.text.find("ended as well"), std::string::npos) << told.text;
    EXPECT_NE(told.text.find("\n  " + gid), std::string::npos) << told.text;
    EXPECT_NE(told.text.find("1 open transactions"), std::string::npos) << told.text;
    EXPECT_EQ(Verify(temp_ / "n").status, TERCET_OK);
    Opened opened = Open(temp_ / "n");
    ASSERT_EQ(opened.status, TERCET_OK) << opened.text;
    EXPECT_EQ(FindOutcome(opened.journal, gid), gid);
    for (const auto &pair : Load(opened.journal)) {
        EXPECT_NE(pair.first.substr(0, 10), TxnKey(101).substr(0, 10));
    }
    EXPECT_FALSE(Load(opened.journal).empty()) << "the other is still open";
    journal_close(opened.journal);
}

TEST_F(OpenGids, RecoverMakesNothingOfOneUnlessTheLossIsAccepted)
{
    const std::string gid = MakeBoth();
    Told told = Recover(Path(), temp_ / "n", false);
    EXPECT_EQ(told.status, TERCET_DATA_LOSS);
    EXPECT_NE(told.text.find("1 transactions that have ended and are open"), std::string::npos)
        << told.text;
    told = Recover(Path(), temp_ / "n", true);
    EXPECT_EQ(told.status, TERCET_OK) << told.error;
    EXPECT_NE(told.text.find("\n  " + gid), std::string::npos) << told.text;
    EXPECT_EQ(Verify(temp_ / "n").status, TERCET_OK);
}

// Its live store is copied first.  What ended meanwhile stands in its days.
TEST_F(OpenGids, ABackupMayHoldBothAndIsRestoredWithTheOutcome)
{
    Batch batch;
    OpenIt();
    PutEnded("before");
    Settle(journal_, kNow);
    OpenIt();
    const std::string gid = transactions_.Begin(101, batch.get())->gid;
    batch.Write(journal_);
    tercet_error error = {};
    const std::string backup = temp_ / "backup";
    ASSERT_EQ(journal_leveldb_backup(journal_, backup.c_str(), &error), TERCET_OK) << error.text;
    for (const auto &pair : Load(journal_)) { // END
        batch.Delete(pair.first, digest128_of_pair(Bytes(pair.first), Bytes(pair.second)));
    }
    PutOutcome(&batch, gid, kNow - kDay);
    batch.Write(journal_);
    Settle(journal_, kNow);
    Close();
    EXPECT_EQ(Verify(Path()).status, TERCET_OK);

    const Told verified = Verify(backup);
    EXPECT_EQ(verified.status, TERCET_OK) << verified.error;
    const Told told = Restore(backup, temp_ / "n");
    ASSERT_EQ(told.status, TERCET_OK) << told.error;
    EXPECT_NE(told.text.find("\n  " + gid), std::string::npos) << told.text;
    EXPECT_EQ(Verify(temp_ / "n").status, TERCET_OK);
}

} // namespace
} // namespace tercet

// The greatest gid that has ended: whatever lies behind it is begun without a look-up, so no way an
// outcome may take leads past it.
#include "unit/journal/outcomes_fixture.h"
#include "unit/journal/tools_fixture.h"

extern "C" {
#include "journal/journal_day_open.h"
#include "journal/journal_days.h"
#include "journal/journal_head.h"
#include "journal/record_key.h"
}

namespace tercet
{
namespace
{

class GreatestGid : public Outcomes
{
  protected:
    void Put(const std::string &gid, int64_t ended_unix_ms = kNow)
    {
        Batch batch;
        PutOutcome(&batch, gid, ended_unix_ms);
        batch.Write(journal_);
    }
    std::string Greatest(const std::string &directory)
    {
        Opened opened = Open(directory);
        EXPECT_EQ(opened.status, TERCET_OK) << opened.text;
        const std::string gid = Head(opened.journal).greatest_ended_gid;
        journal_close(opened.journal);
        return gid;
    }
};

// Else every merge of tables would write all older outcomes again (record_key.h).
TEST(OutcomeKey, StandsInFrontOfAllOthers)
{
    uint8_t key[RECORD_OUTCOME_KEY_BYTES_MAX];
    const std::string longest(TERCET_GID_BYTES_MAX, '~');
    const size_t size = record_key_outcome(longest.c_str(), key);
    ASSERT_EQ(size, sizeof key);
    for (const char *other : {JOURNAL_HEAD_KEY, DAY_TOTALS_KEY, DAY_KEY_PREFIX, "p/", "t/"}) {
        EXPECT_LT(bytes_compare(tercet_bytes_of(key, size), Bytes(other)), 0) << other;
    }
}

TEST(GreatestGidOfKeys, OnlyOutcomesRaiseIt)
{
    char gid[TERCET_GID_BYTES_MAX + 1] = "";
    record_key_raise_by_key(gid, Bytes(TxnKey(1)));
    record_key_raise_by_key(gid, Bytes("a/"));
    record_key_raise_by_key(gid, Bytes("z"));
    EXPECT_STREQ(gid, "");
    record_key_raise_by_key(gid, Bytes("a/g5"));
    EXPECT_STREQ(gid, "g5");
    record_key_raise_by_key(gid, Bytes("a/g49"));
    record_key_raise(gid, "g");
    record_key_raise(gid, "");
    EXPECT_STREQ(gid, "g5");
    record_key_raise(gid, "g50");
    EXPECT_STREQ(gid, "g50");
    const std::string longest(TERCET_GID_BYTES_MAX, '~');
    record_key_raise_by_key(gid, Bytes("a/" + longest));
    EXPECT_EQ(gid, longest);
    record_key_raise_by_key(gid, Bytes("a/~"));
    record_key_raise_by_key(gid, Bytes("t/" + longest));
    EXPECT_EQ(gid, longest);
}

TEST_F(GreatestGid, IsTheGreatestAndNotTheNewestAndOutlivesAStartAndTheMoveIntoADay)
{
    OpenIt();
    EXPECT_STREQ(Head(journal_).greatest_ended_gid, "");
    Put("g5", kNow - kDay);
    Put("g40", kNow - kDay);
    EXPECT_STREQ(Head(journal_).greatest_ended_gid, "g5");
    Settle(journal_, kNow);
    EXPECT_EQ(Days(Path()).size(), 1U);
    Close();
    EXPECT_EQ(Greatest(Path()), "g5");
}

TEST_F(GreatestGid, AnOutcomeBehindItIsRefusedAtTheStartAndRecovered)
{
    OpenIt();
    Put("g5");
    Batch batch;
    batch.Put("a/g6", "anything"); // not as records are written
    batch.Write(journal_);
    Close();
    Opened opened = Open(Path());
    EXPECT_EQ(opened.status, TERCET_DATA_LOSS);
    EXPECT_NE(opened.text.find("takes for unused"), std::string::npos) << opened.text;
    EXPECT_EQ(Verify(Path()).status, TERCET_DATA_LOSS);
    const Told told = Recover(Path(), temp_ / "n", true);
    ASSERT_EQ(told.status, TERCET_OK) << told.error;
    EXPECT_EQ(Greatest(temp_ / "n"), "g5");
}

// As journals had outcomes that were made before 0.1.0.
TEST_F(GreatestGid, AKeyThatNobodyKnowsIsRefusedAtTheStart)
{
    for (const std::string &key : {std::string("z/g5"), "a/" + std::string(200, 'g')}) {
        const std::string path = temp_ / ("of-" + key.substr(0, 1));
        ASSERT_EQ(Init(path), TERCET_OK);
        Opened opened = Open(path);
        ASSERT_EQ(opened.status, TERCET_OK);
        Batch batch;
        batch.Put(key, "anything");
        batch.Write(opened.journal);
        journal_close(opened.journal);
        opened = Open(path);
        EXPECT_EQ(opened.status, TERCET_DATA_LOSS);
        EXPECT_NE(opened.text.find("does not know: use the version that wrote it"),
                  std::string::npos)
            << opened.text;
    }
}

TEST_F(GreatestGid, DaysWithoutOneAreRefusedAtTheStart)
{
    OpenIt();
    Batch batch;
    PutOutcome(&batch, "g5", kNow - kDay);
    batch.get()->greatest_ended_gid[0] = '\0'; // as a version wrote that did not know it
    batch.Write(journal_);
    Settle(journal_, kNow);
    Close();
    Opened opened = Open(Path());
    EXPECT_EQ(opened.status, TERCET_DATA_LOSS);
    EXPECT_NE(opened.text.find("takes all gids for unused"), std::string::npos) << opened.text;
    EXPECT_EQ(Verify(Path()).status, TERCET_DATA_LOSS);
    const Told told = Recover(Path(), temp_ / "n", true);
    EXPECT_EQ(told.status, TERCET_OK) << told.error;
    EXPECT_EQ(Greatest(temp_ / "n"), "g5");
}

// A day is opened when it is needed: the start cannot ask each one for its greatest.
TEST_F(GreatestGid, ADayThatHoldsAGreaterOneIsRefusedByVerify)
{
    OpenIt();
    Batch batch;
    PutOutcome(&batch, "g5", kNow - kDay);
    batch.get()->greatest_ended_gid[0] = '\0'; // as no version has written it
    batch.Write(journal_);
    Put("g1", kNow - kDay);
    Settle(journal_, kNow);
    Close();
    const Told told = Verify(Path());
    EXPECT_EQ(told.status, TERCET_DATA_LOSS) << told.text;
    EXPECT_NE(told.text.find("of a gid that its head takes for unused"), std::string::npos)
        << told.text;

    const Told lost = Recover(Path(), temp_ / "n", false);
    EXPECT_EQ(lost.status, TERCET_DATA_LOSS) << lost.text;
    EXPECT_NE(lost.text.find("sound but for one thing: it holds"), std::string::npos) << lost.text;
    const Told made = Recover(Path(), temp_ / "n", true);
    ASSERT_EQ(made.status, TERCET_OK) << made.error;
    EXPECT_EQ(Greatest(temp_ / "n"), "g5");
    EXPECT_EQ(Verify(temp_ / "n").status, TERCET_OK);
}

// Its live store, and with it the head, is copied first; its days are younger.
TEST_F(GreatestGid, ABackupsDaysMayHoldAGreaterOne)
{
    OpenIt();
    Put("g1", kNow - kDay);
    Settle(journal_, kNow);
    OpenIt();
    Put("g5");
    tercet_error error = {};
    const std::string backup = temp_ / "backup";
    ASSERT_EQ(journal_leveldb_backup(journal_, backup.c_str(), &error), TERCET_OK) << error.text;
    Put("g9", kNow - kDay);
    Settle(journal_, kNow);
    Close();
    EXPECT_EQ(Verify(backup).status, TERCET_OK);
    EXPECT_EQ(Recover(backup, temp_ / "n", false).status, TERCET_OK) << "it needs no recovery";
    const Told told = Restore(backup, temp_ / "n");
    ASSERT_EQ(told.status, TERCET_OK) << told.error;
    Opened opened = Open(temp_ / "n");
    ASSERT_EQ(opened.status, TERCET_OK) << opened.text;
    EXPECT_EQ(FindOutcome(opened.journal, "g9"), "g9") << "or this tests nothing";
    EXPECT_STREQ(Head(opened.journal).greatest_ended_gid, "g9");
    journal_close(opened.journal);
}

TEST(GreatestGidInMemory, IsThatOfTheOutcomesThatAreThere)
{
    struct journal *journal = journal_memory_create(kNow, 7 * kDay);
    Batch batch;
    PutOutcome(&batch, "g5", kNow);
    batch.Write(journal);
    journal_memory_back_up(journal);
    journal_memory_hold(journal, true);
    PutOutcome(&batch, "g6", kNow);
    journal_head head = Head(journal);
    batch.get()->lsn = head.lsn + 1;
    batch.get()->next_number = head.next_number;
    journal_write(journal, batch.get());
    journal_memory_crash(journal);
    EXPECT_STREQ(Head(journal).greatest_ended_gid, "g5");
    journal_memory_hold(journal, false);
    journal_batch_clear(batch.get());
    PutOutcome(&batch, "g7", kNow);
    batch.Write(journal);
    EXPECT_STREQ(Head(journal).greatest_ended_gid, "g7");
    journal_memory_restore(journal, kNow + kDay);
    EXPECT_STREQ(Head(journal).greatest_ended_gid, "g5");
    journal_close(journal);
}

} // namespace
} // namespace tercet

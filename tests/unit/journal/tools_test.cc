// The offline tools: they never write into what they are given, and what they make opens.
#include <fstream>

#include "unit/journal/record_fixture.h"
#include "unit/journal/tools_fixture.h"

namespace tercet
{
namespace
{

namespace fs = std::filesystem;

std::string ReadFile(const fs::path &path)
{
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

void WriteFile(const fs::path &path, const std::string &bytes)
{
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Every file's bytes and time.
std::map<std::string, std::pair<std::string, fs::file_time_type>> Snapshot(const fs::path &root)
{
    std::map<std::string, std::pair<std::string, fs::file_time_type>> files;
    for (const auto &entry : fs::recursive_directory_iterator(root)) {
        files[entry.path()] = {entry.is_directory() ? "" : ReadFile(entry.path()),
                               entry.last_write_time()};
    }
    return files;
}

// A journal with outcomes in two days and in the live store.
class Tools : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        ASSERT_EQ(Init(journal_), TERCET_OK);
        Opened opened = Open(journal_);
        ASSERT_EQ(opened.status, TERCET_OK);
        Batch batch;
        for (int i = 0; i < 20; i++) {
            PutOutcome(&batch, "old-" + std::to_string(i), kNow - 2 * kDay);
            PutOutcome(&batch, "day-" + std::to_string(i), kNow - kDay);
        }
        batch.Write(opened.journal);
        while (journal_maintain(opened.journal, kNow)) {
            batch.Write(opened.journal);
        }
        batch.Write(opened.journal);
        for (int i = 0; i < 20; i++) {
            PutOutcome(&batch, "new-" + std::to_string(i), kNow);
            batch.Write(opened.journal);
        }
        before_ = Head(opened.journal);
        journal_close(opened.journal);
    }

    void ExpectNewLife(const std::string &directory, size_t outcome_count)
    {
        Opened opened = Open(directory);
        ASSERT_EQ(opened.status, TERCET_OK) << opened.text;
        const journal_head head = Head(opened.journal);
        EXPECT_EQ(memcmp(head.origin, before_.origin, sizeof head.origin), 0);
        EXPECT_GT(head.incarnation, before_.incarnation);
        EXPECT_GT(head.epoch, before_.epoch + 1) << "to open it has begun one, too";
        EXPECT_GE(head.next_number, before_.next_number);
        EXPECT_EQ(head.lost_incarnation, before_.incarnation);
        EXPECT_EQ(head.lost_number, head.next_number) << "what follows may have been given out";
        EXPECT_GT(head.horizon_unix_ms, kNow - 100 * 365 * kDay);
        EXPECT_GE(head.horizon_unix_ms, before_.horizon_unix_ms);
        EXPECT_EQ(ListOutcomes(opened.journal).size(), outcome_count);
        journal_close(opened.journal);
    }

    fs::path FileIn(const std::string &directory, const std::string &ending)
    {
        for (const auto &entry : fs::directory_iterator(directory)) {
            if (entry.path().filename().string().find(ending) != std::string::npos) {
                return entry.path();
            }
        }
        return {};
    }

    TempDirectory temp_;
    std::string journal_ = temp_ / "j";
    journal_head before_ = {};
};

TEST_F(Tools, VerifySaysWhatIsInASoundJournalAndChangesNothing)
{
    const auto before = Snapshot(journal_);
    const Told told = Verify(journal_);
    EXPECT_EQ(told.status, TERCET_OK) << told.error;
    EXPECT_NE(told.text.find("is sound"), std::string::npos) << told.text;
    EXPECT_NE(told.text.find("60, in the live store and 2 days"), std::string::npos) << told.text;
    const Told json = Verify(journal_, true);
    EXPECT_NE(json.text.find("\"sound\": true"), std::string::npos) << json.text;
    EXPECT_NE(json.text.find("\"outcomes\": 60"), std::string::npos) << json.text;
    EXPECT_TRUE(Snapshot(journal_) == before);
    EXPECT_EQ(std::distance(fs::directory_iterator(fs::path(journal_).parent_path()), {}), 1)
        << "a scratch was left behind";
}

TEST_F(Tools, VerifyFindsDamageToAnyPartAndChangesNothing)
{
    const std::string day = journal_ + "/outcomes/2027-01-14";
    for (const fs::path &file :
         {FileIn(journal_ + "/live", ".log"), FileIn(journal_ + "/live", "MANIFEST"),
          FileIn(day, ".log"), fs::path(journal_ + "/witness")}) {
        const std::string bytes = ReadFile(file);
        WriteFile(file, bytes.substr(0, bytes.size() / 3));
        if (file.filename() == "witness") {
            WriteFile(file, std::string(bytes.size(), 'x'));
        }
        const auto before = Snapshot(journal_);
        const Told told = Verify(journal_, true);
        EXPECT_EQ(told.status, TERCET_DATA_LOSS) << file << told.error;
        EXPECT_NE(told.text.find("\"sound\": false, \"damage\": \""), std::string::npos);
        EXPECT_TRUE(Snapshot(journal_) == before) << file;
        WriteFile(file, bytes);
    }
    EXPECT_EQ(Verify(journal_).status, TERCET_OK);
}

TEST_F(Tools, NoneWorksOnAJournalInUseOrOnNone)
{
    Opened opened = Open(journal_);
    EXPECT_EQ(Verify(journal_).status, TERCET_UNAVAILABLE);
    EXPECT_EQ(Restore(journal_, temp_ / "n").status, TERCET_UNAVAILABLE);
    EXPECT_EQ(Recover(journal_, temp_ / "n", true).status, TERCET_UNAVAILABLE);
    journal_close(opened.journal);
    EXPECT_EQ(Verify(temp_ / "none").status, TERCET_NOT_FOUND);
    fs::create_directory(temp_ / "empty");
    EXPECT_EQ(Verify(temp_ / "empty").status, TERCET_NOT_FOUND);
    EXPECT_FALSE(fs::exists(temp_ / "n"));
}

TEST_F(Tools, RestoreMakesANewLifeAndLeavesTheOldAsItWas)
{
    const auto before = Snapshot(journal_);
    const Told told = Restore(journal_, temp_ / "n");
    EXPECT_EQ(told.status, TERCET_OK) << told.error;
    EXPECT_TRUE(Snapshot(journal_) == before);
    ExpectNewLife(temp_ / "n", 60);
    EXPECT_EQ(Restore(journal_, temp_ / "n").status, TERCET_ALREADY_EXISTS);
    EXPECT_EQ(Restore(journal_, temp_ / "no/parent").status, TERCET_PERMISSION_DENIED);
}

TEST_F(Tools, RestoreRefusesADamagedOneAndMakesNothing)
{
    const fs::path log = FileIn(journal_ + "/live", ".log");
    fs::resize_file(log, fs::file_size(log) - 100);
    EXPECT_EQ(Restore(journal_, temp_ / "n").status, TERCET_DATA_LOSS);
    EXPECT_FALSE(fs::exists(temp_ / "n"));
}

TEST_F(Tools, ABackupOfARunningJournalIsRestoredAndCannotBeRun)
{
    Opened opened = Open(journal_);
    Batch batch;
    PutOutcome(&batch, "last", kNow);
    batch.Write(opened.journal);
    tercet_error error = {};
    const std::string path = temp_ / "backup";
    ASSERT_EQ(journal_leveldb_backup(opened.journal, path.c_str(), &error), TERCET_OK)
        << error.text;
    EXPECT_EQ(journal_leveldb_backup(opened.journal, (temp_ / "b2").c_str(), &error),
              TERCET_FAILED_PRECONDITION);
    int late = 0;
    while (journal_maintain(opened.journal, kNow)) { // it goes on being written meanwhile
        PutOutcome(&batch, "late-" + std::to_string(late++), kNow);
        batch.Write(opened.journal);
    }
    EXPECT_GT(late, 2);
    journal_close(opened.journal);

    EXPECT_EQ(Verify(path).status, TERCET_OK);
    Opened run = Open(path);
    EXPECT_EQ(run.status, TERCET_NOT_FOUND);
    EXPECT_NE(run.text.find("tercetd restore"), std::string::npos) << run.text;
    const Told told = Restore(path, temp_ / "n");
    EXPECT_EQ(told.status, TERCET_OK) << told.error;
    ExpectNewLife(temp_ / "n", 61);
}

TEST_F(Tools, ALifeThatBeganNothingPassesOnWhereTheLossBegan)
{
    ASSERT_EQ(Restore(journal_, temp_ / "two").status, TERCET_OK);
    ASSERT_EQ(Restore(temp_ / "two", temp_ / "three").status, TERCET_OK);
    Opened opened = Open(temp_ / "three");
    EXPECT_EQ(Head(opened.journal).lost_incarnation, before_.incarnation);
    EXPECT_EQ(Head(opened.journal).lost_number, before_.next_number);
    Batch batch;
    PutOutcome(&batch, "begun", kNow);
    const int64_t third = Head(opened.journal).incarnation;
    batch.Write(opened.journal);
    journal_close(opened.journal);
    ASSERT_EQ(Restore(temp_ / "three", temp_ / "four").status, TERCET_OK);
    opened = Open(temp_ / "four");
    EXPECT_EQ(Head(opened.journal).lost_incarnation, third);
    journal_close(opened.journal);
}

TEST_F(Tools, RecoverMakesNothingUnlessTheLossIsAccepted)
{
    const fs::path log = FileIn(journal_ + "/live", ".log");
    fs::resize_file(log, fs::file_size(log) - 100);
    const auto before = Snapshot(journal_);
    const Told told = Recover(journal_, temp_ / "n", false);
    EXPECT_EQ(told.status, TERCET_DATA_LOSS);
    EXPECT_NE(told.text.find("are not there"), std::string::npos) << told.text;
    EXPECT_NE(told.error.find("--accept-loss"), std::string::npos) << told.error;
    EXPECT_FALSE(fs::exists(temp_ / "n"));
    EXPECT_TRUE(Snapshot(journal_) == before);

    const Told made = Recover(journal_, temp_ / "n", true);
    EXPECT_EQ(made.status, TERCET_OK) << made.error << made.text;
    EXPECT_TRUE(Snapshot(journal_) == before);
    ExpectNewLife(temp_ / "n", 59);
    EXPECT_EQ(Recover(journal_, temp_ / "n", true).status, TERCET_ALREADY_EXISTS);
}

TEST_F(Tools, RecoverLeavesOutADamagedDayAndKeepsTheRest)
{
    const fs::path log = FileIn(journal_ + "/outcomes/2027-01-14", ".log");
    fs::resize_file(log, fs::file_size(log) / 3);
    const Told made = Recover(journal_, temp_ / "n", true);
    EXPECT_EQ(made.status, TERCET_OK) << made.error << made.text;
    EXPECT_NE(made.text.find("all outcomes of 2027-01-14 are left out"), std::string::npos)
        << made.text;
    ExpectNewLife(temp_ / "n", 40);
}

TEST_F(Tools, RecoverKeepsWholeTransactionsAndLeavesOutOneThatMakesNoSense)
{
    Opened opened = Open(journal_);
    Transactions transactions(7);
    Batch batch;
    for (int64_t sequence = 101; sequence <= 110; sequence++) {
        transactions.Begin(sequence, batch.get());
    }
    batch.Put(TxnKey(111), "no record");
    batch.Write(opened.journal);
    const size_t pair_count = Load(opened.journal).size();
    const std::map<std::string, std::string> pairs = Load(opened.journal);
    journal_close(opened.journal);

    const Told verified = Verify(journal_);
    EXPECT_EQ(verified.status, TERCET_DATA_LOSS);
    EXPECT_NE(verified.text.find("transaction 111"), std::string::npos) << verified.text;
    const Told made = Recover(journal_, temp_ / "n", true);
    ASSERT_EQ(made.status, TERCET_OK) << made.error << made.text;
    EXPECT_NE(made.text.find("number 111, is left out"), std::string::npos) << made.text;
    EXPECT_NE(made.text.find("vouched for: 10 open transactions, 60 outcomes"), std::string::npos)
        << made.text;
    Opened again = Open(temp_ / "n");
    ASSERT_EQ(again.status, TERCET_OK) << again.text;
    std::map<std::string, std::string> expected = pairs;
    expected.erase(TxnKey(111));
    EXPECT_TRUE(Load(again.journal) == expected);
    EXPECT_EQ(expected.size() + 1, pair_count);
    EXPECT_GT(Head(again.journal).next_number, 110);
    journal_close(again.journal);
}

TEST_F(Tools, RecoverLeavesOutAnOutcomeUnderAKeyThatIsNotItsOwn)
{
    for (const std::string &gid : {std::string("new-5x"), std::string(200, 'g')}) {
        const std::string made = temp_ / ("n" + gid.substr(0, 3));
        const std::string from = made + "-from";
        fs::copy(journal_, from, fs::copy_options::recursive);
        Opened opened = Open(from);
        buffer value;
        buffer_init(&value);
        ASSERT_EQ(journal_find_outcome(opened.journal, "new-5", &value), TERCET_OK);
        Batch batch;
        batch.Put("a/" + gid, Text(buffer_bytes(&value)));
        buffer_deinit(&value);
        batch.Write(opened.journal);
        journal_close(opened.journal);

        EXPECT_EQ(Verify(from).status, TERCET_DATA_LOSS);
        const Told told = Recover(from, made, true);
        ASSERT_EQ(told.status, TERCET_OK) << told.error << told.text;
        EXPECT_NE(told.text.find("of " + gid.substr(0, 128) + " is left out"), std::string::npos)
            << told.text;
        ExpectNewLife(made, 60);
    }
}

TEST_F(Tools, RestoreNamesWhatIsUndecidedInTheBackup)
{
    Opened opened = Open(journal_);
    Transactions transactions(9);
    Batch batch;
    const std::string gid = transactions.Begin(101, batch.get())->gid;
    batch.Write(opened.journal);
    journal_close(opened.journal);
    const Told told = Restore(journal_, temp_ / "n");
    ASSERT_EQ(told.status, TERCET_OK) << told.error;
    EXPECT_NE(told.text.find(gid), std::string::npos) << told.text;
    EXPECT_NE(told.text.find("1 open transactions (1 undecided)"), std::string::npos) << told.text;
}

TEST_F(Tools, RecoverNeverTakesALogRecordWhoseChecksumIsWrong)
{
    const fs::path log = FileIn(journal_ + "/live", ".log");
    const std::string bytes = ReadFile(log);
    for (size_t at = 3; at < bytes.size(); at += bytes.size() / 9) {
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ 4);
        WriteFile(log, damaged);
        fs::remove_all(temp_ / "n");
        const Told made = Recover(journal_, temp_ / "n", true);
        ASSERT_EQ(made.status, TERCET_OK) << at << made.error << made.text;
        Opened opened = Open(temp_ / "n");
        ASSERT_EQ(opened.status, TERCET_OK) << opened.text;
        for (const std::string &gid : ListOutcomes(opened.journal)) {
            EXPECT_TRUE(gid.rfind("new-", 0) == 0 || gid.rfind("day-", 0) == 0 ||
                        gid.rfind("old-", 0) == 0)
                << gid;
        }
        journal_close(opened.journal);
    }
}

// As a whole it makes sense: nothing but its checksum says that it was never written.
TEST_F(Tools, RecoverNeverTakesALogRecordThatMakesSenseAndWasNotWritten)
{
    const fs::path log = FileIn(journal_ + "/live", ".log");
    std::string bytes = ReadFile(log);
    for (size_t at = bytes.find("new-5"); at != std::string::npos; at = bytes.find("new-5", at)) {
        bytes[at + 4] = 'x';
    }
    WriteFile(log, bytes);
    const Told made = Recover(journal_, temp_ / "n", true);
    ASSERT_EQ(made.status, TERCET_OK) << made.error << made.text;
    Opened opened = Open(temp_ / "n");
    ASSERT_EQ(opened.status, TERCET_OK) << opened.text;
    EXPECT_EQ(FindOutcome(opened.journal, "new-x"), "");
    journal_close(opened.journal);
}

// The log of the last start is gone, and with it the epoch that it began.
TEST_F(Tools, RecoverGoesBeyondWhatOnlyTheWitnessHasSeen)
{
    for (int start = 0; start < 3; start++) {
        Opened opened = Open(journal_);
        ASSERT_EQ(opened.status, TERCET_OK);
        before_ = Head(opened.journal);
        journal_close(opened.journal);
    }
    WriteFile(FileIn(journal_ + "/live", ".log"), "");
    const Told made = Recover(journal_, temp_ / "n", true);
    ASSERT_EQ(made.status, TERCET_OK) << made.error << made.text;
    EXPECT_NE(made.text.find("are not there"), std::string::npos) << made.text;
    ExpectNewLife(temp_ / "n", 60);
}

// A log that LevelDB has long made a table of, and that lies there again.
TEST_F(Tools, RecoverPutsNoOldLogOnTop)
{
    const std::string old = ReadFile(FileIn(journal_ + "/live", ".log"));
    Opened opened = Open(journal_);
    Batch batch;
    while (journal_maintain(opened.journal, kNow + kDay)) { // the newest go into their day
        batch.Write(opened.journal);
    }
    batch.Write(opened.journal);
    journal_close(opened.journal);
    journal_close(Open(journal_).journal); // all of that is in tables now
    WriteFile(journal_ + "/live/000001.log", old);
    WriteFile(journal_ + "/witness", "");
    const Told made = Recover(journal_, temp_ / "n", true);
    ASSERT_EQ(made.status, TERCET_OK) << made.error << made.text;
    EXPECT_NE(made.text.find("0 open transactions, 60 outcomes"), std::string::npos) << made.text;
    ExpectNewLife(temp_ / "n", 60);
}

} // namespace
} // namespace tercet

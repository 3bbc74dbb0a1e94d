#include "unit/journal/journal_fixture.h"

#include <fcntl.h>

#include <fstream>

namespace tercet
{
namespace
{

namespace fs = std::filesystem;

void WriteFile(const std::string &path, const std::string &text)
{
    std::ofstream(path, std::ios::binary) << text;
}

TEST(JournalOpen, EpochRisesWithEveryOpenAndNothingIsLost)
{
    TempDirectory temp;
    ASSERT_EQ(Init(temp / "j"), TERCET_OK);
    int64_t lsn = 0;
    journal_head first;
    for (int epoch = 1; epoch <= 5; epoch++) {
        Opened opened = Open(temp / "j");
        ASSERT_EQ(opened.status, TERCET_OK) << opened.text;
        journal_head head = Head(opened.journal);
        if (epoch == 1) {
            first = head;
        }
        EXPECT_EQ(head.epoch, epoch);
        EXPECT_GT(head.lsn, lsn);
        EXPECT_EQ(head.incarnation, kNow);
        EXPECT_EQ(memcmp(head.origin, first.origin, sizeof head.origin), 0);
        EXPECT_EQ(Load(opened.journal).size(), static_cast<size_t>(epoch - 1));
        Batch batch;
        batch.Put("t/" + std::to_string(epoch), "value");
        batch.Write(opened.journal);
        lsn = Head(opened.journal).lsn;
        EXPECT_EQ(lsn, head.lsn + 1);
        journal_close(opened.journal);
    }
}

TEST(JournalOpen, TwoJournalsHaveDifferentOrigins)
{
    TempDirectory temp;
    ASSERT_EQ(Init(temp / "a"), TERCET_OK);
    ASSERT_EQ(Init(temp / "b"), TERCET_OK);
    Opened a = Open(temp / "a");
    Opened b = Open(temp / "b");
    ASSERT_EQ(a.status, TERCET_OK);
    ASSERT_EQ(b.status, TERCET_OK);
    EXPECT_NE(memcmp(Head(a.journal).origin, Head(b.journal).origin, 16), 0);
    EXPECT_EQ(memcmp(Head(a.journal).origin + 16, "\0\0\0\0", 4), 0);
    journal_close(a.journal);
    journal_close(b.journal);
}

TEST(JournalOpen, DeletedAndReplacedPairsDoNotComeBack)
{
    TempDirectory temp;
    ASSERT_EQ(Init(temp / "j"), TERCET_OK);
    Opened opened = Open(temp / "j");
    ASSERT_EQ(opened.status, TERCET_OK);
    Batch batch;
    digest128 one = batch.Put("t/1", "one");
    digest128 two = batch.Put("t/2", "two");
    batch.Write(opened.journal);
    batch.Delete("t/1", one);
    batch.Put("t/2", "deux", two);
    batch.Write(opened.journal);
    journal_close(opened.journal);
    opened = Open(temp / "j");
    ASSERT_EQ(opened.status, TERCET_OK) << opened.text;
    EXPECT_EQ(Load(opened.journal), (std::map<std::string, std::string>{{"t/2", "deux"}}));
    journal_close(opened.journal);
}

TEST(JournalOpen, LoadTellsInTheOrderOfKeysAndStopsWhenTold)
{
    TempDirectory temp;
    ASSERT_EQ(Init(temp / "j"), TERCET_OK);
    Opened opened = Open(temp / "j");
    ASSERT_EQ(opened.status, TERCET_OK);
    Batch batch;
    for (uint64_t sequence : {300, 2, 70000, 1}) {
        batch.Put(TxnKey(sequence), std::to_string(sequence));
    }
    PutOutcome(&batch, "not-told", kNow);
    batch.Write(opened.journal);
    std::string seen;
    tercet_error error = {};
    EXPECT_EQ(journal_load(
                  opened.journal,
                  [](tercet_bytes, tercet_bytes value, digest128, void *context) {
                      *static_cast<std::string *>(context) += Text(value) + " ";
                      return Text(value) == "300" ? TERCET_ABORTED : TERCET_OK;
                  },
                  &seen, &error),
              TERCET_ABORTED);
    EXPECT_EQ(seen, "1 2 300 ");
    journal_close(opened.journal);
}

TEST(JournalOpen, InitRefusesADirectoryThatIsNotEmpty)
{
    TempDirectory temp;
    std::string text;
    fs::create_directory(temp / "full");
    WriteFile(temp / "full/somebody's", "file");
    EXPECT_EQ(Init(temp / "full", &text), TERCET_ALREADY_EXISTS);
    EXPECT_NE(text.find("not empty"), std::string::npos) << text;
    ASSERT_EQ(Init(temp / "j"), TERCET_OK);
    EXPECT_EQ(Init(temp / "j", &text), TERCET_ALREADY_EXISTS);
    EXPECT_NE(text.find("already"), std::string::npos) << text;
    EXPECT_EQ(Init(temp / "no/parent", &text), TERCET_PERMISSION_DENIED);
    EXPECT_NE(text.find("No such file"), std::string::npos) << text;
    Opened opened = Open(temp / "j");
    EXPECT_EQ(opened.status, TERCET_OK) << opened.text;
    journal_close(opened.journal);
}

TEST(JournalOpen, InitTakesAnEmptyDirectoryAndWhatABrokenInitHasLeft)
{
    TempDirectory temp;
    fs::create_directory(temp / "j");
    fs::create_directories(temp / "j/.new/live");
    WriteFile(temp / "j/.new/live/000001.log", "half");
    WriteFile(temp / "j/.new/witness", "half");
    EXPECT_EQ(Open(temp / "j").status, TERCET_NOT_FOUND);
    std::string text;
    ASSERT_EQ(Init(temp / "j", &text), TERCET_OK) << text;
    EXPECT_FALSE(fs::exists(temp / "j/.new"));
    Opened opened = Open(temp / "j");
    EXPECT_EQ(opened.status, TERCET_OK) << opened.text;
    journal_close(opened.journal);
}

// Between two of the renames that put it into place.
TEST(JournalOpen, InitTakesWhatItWasInterruptedInMovingIntoPlace)
{
    const std::vector<std::string> parts = {"live", "outcomes", "safety", "witness", "FORMAT"};
    for (size_t placed = 0; placed < parts.size(); placed++) {
        TempDirectory temp;
        ASSERT_EQ(Init(temp / "j"), TERCET_OK);
        fs::create_directory(temp / "j/.new");
        for (size_t i = placed; i < parts.size(); i++) {
            fs::rename(temp / ("j/" + parts[i]), temp / ("j/.new/" + parts[i]));
        }
        EXPECT_EQ(Open(temp / "j").status, TERCET_NOT_FOUND) << placed;
        std::string text;
        ASSERT_EQ(Init(temp / "j", &text), TERCET_OK) << placed << ": " << text;
        EXPECT_FALSE(fs::exists(temp / "j/.new"));
        Opened opened = Open(temp / "j");
        EXPECT_EQ(opened.status, TERCET_OK) << opened.text;
        journal_close(opened.journal);
    }
}

// FORMAT is lost, and nothing says that init was at work: somebody's journal.
TEST(JournalOpen, InitTakesNothingThatMayBeAJournal)
{
    TempDirectory temp;
    ASSERT_EQ(Init(temp / "j"), TERCET_OK);
    fs::create_directory(temp / "j/.new");
    fs::remove(temp / "j/FORMAT");
    EXPECT_EQ(Init(temp / "j"), TERCET_ALREADY_EXISTS);
    EXPECT_TRUE(fs::exists(temp / "j/live/CURRENT"));
}

TEST(JournalOpen, WhatIsNoJournalIsNotFoundAndSaysHowToMakeOne)
{
    TempDirectory temp;
    fs::create_directory(temp / "empty");
    fs::create_directory(temp / "other");
    WriteFile(temp / "other/data", "x");
    WriteFile(temp / "file", "x");
    for (const char *name : {"missing", "empty", "other", "file"}) {
        Opened opened = Open(temp / name);
        EXPECT_EQ(opened.status, TERCET_NOT_FOUND) << name;
        EXPECT_NE(opened.text.find("tercetd init"), std::string::npos) << opened.text;
    }
    EXPECT_TRUE(fs::is_empty(temp / "empty"));
}

TEST(JournalOpen, ANewerFormatIsRefusedUntouched)
{
    TempDirectory temp;
    ASSERT_EQ(Init(temp / "j"), TERCET_OK);
    WriteFile(temp / "j/FORMAT", "tercet journal 2\n");
    Opened opened = Open(temp / "j");
    EXPECT_EQ(opened.status, TERCET_FAILED_PRECONDITION);
    EXPECT_NE(opened.text.find("newer"), std::string::npos) << opened.text;
    EXPECT_TRUE(fs::is_empty(temp / "j/safety"));
    for (const char *text : {"", "tercet journal", "tercet journal 1", "tercet journal x\n"}) {
        WriteFile(temp / "j/FORMAT", text);
        EXPECT_EQ(Open(temp / "j").status, TERCET_DATA_LOSS) << text;
    }
}

TEST(JournalOpen, ASecondOpenIsRefusedAlsoAfterTheLockFileWasRemoved)
{
    TempDirectory temp;
    ASSERT_EQ(Init(temp / "j"), TERCET_OK);
    Opened first = Open(temp / "j");
    ASSERT_EQ(first.status, TERCET_OK);
    for (int removed = 0; removed < 2; removed++) {
        Opened second = Open(temp / "j");
        EXPECT_EQ(second.status, TERCET_FAILED_PRECONDITION);
        EXPECT_NE(second.text.find("open elsewhere"), std::string::npos) << second.text;
        EXPECT_NE(second.text.find("j"), std::string::npos);
        Child child = StartChild("open", temp / "j");
        EXPECT_EQ(child.ReadLine(), "FAILED_PRECONDITION");
        EXPECT_EQ(child.Wait(), 0);
        fs::remove(temp / "j/live/LOCK");
    }
    journal_close(first.journal);
    Opened again = Open(temp / "j");
    EXPECT_EQ(again.status, TERCET_OK) << again.text;
    journal_close(again.journal);
}

TEST(JournalOpen, AnotherProcessHoldsItUntilItDies)
{
    TempDirectory temp;
    ASSERT_EQ(Init(temp / "j"), TERCET_OK);
    Child child = StartChild("open", temp / "j");
    EXPECT_EQ(child.ReadLine(), "OK");
    EXPECT_EQ(Open(temp / "j").status, TERCET_FAILED_PRECONDITION);
    kill(child.pid, SIGKILL);
    EXPECT_EQ(child.Wait(), -SIGKILL);
    Opened opened = Open(temp / "j");
    EXPECT_EQ(opened.status, TERCET_OK) << opened.text;
    EXPECT_EQ(Head(opened.journal).epoch, 2);
    journal_close(opened.journal);
}

// Waits until the child, which writes for ever, has left by itself.
void ExpectLeaves(Child *child)
{
    while (!child->ReadLine().empty()) {
    }
    EXPECT_EQ(child->Wait(), 74);
}

TEST(JournalOpen, AWriterWhoseLockWasRemovedLeaves)
{
    TempDirectory temp;
    ASSERT_EQ(Init(temp / "j"), TERCET_OK);
    Child child = StartChild("write", temp / "j");
    EXPECT_EQ(child.ReadLine(), "open");
    fs::remove(temp / "j/live/LOCK");
    ExpectLeaves(&child);
}

TEST(JournalOpen, AWriterWhoseDirectoryWasReplacedLeaves)
{
    TempDirectory temp;
    ASSERT_EQ(Init(temp / "j"), TERCET_OK);
    Child child = StartChild("write", temp / "j");
    EXPECT_EQ(child.ReadLine(), "open");
    fs::rename(temp / "j", temp / "moved");
    ExpectLeaves(&child);
    Opened opened = Open(temp / "moved");
    EXPECT_EQ(opened.status, TERCET_OK) << opened.text;
    journal_close(opened.journal);
}

TEST(JournalOpen, SafetyKeepsThreeCopiesAndAFailedOpenPushesNoneOut)
{
    TempDirectory temp;
    ASSERT_EQ(Init(temp / "j"), TERCET_OK);
    for (int i = 0; i < 6; i++) {
        Opened opened = Open(temp / "j");
        ASSERT_EQ(opened.status, TERCET_OK) << opened.text;
        Batch batch;
        batch.Put("t/" + std::to_string(i), "value");
        batch.Write(opened.journal);
        journal_close(opened.journal);
    }
    auto copies = [&] {
        std::vector<std::string> names;
        for (const auto &entry : fs::directory_iterator(temp / "j/safety")) {
            names.push_back(entry.path().filename());
        }
        std::sort(names.begin(), names.end());
        return names;
    };
    const std::vector<std::string> three = {"live-0000000004", "live-0000000005",
                                            "live-0000000006"};
    EXPECT_EQ(copies(), three);
    for (const auto &entry : fs::directory_iterator(temp / "j/live")) {
        if (entry.path().filename().string().rfind("MANIFEST", 0) == 0) {
            fs::resize_file(entry.path(), 0);
        }
    }
    for (int i = 0; i < 4; i++) {
        EXPECT_EQ(Open(temp / "j").status, TERCET_DATA_LOSS);
        if (i == 0) {
            WriteFile(temp / "j/safety/live.pending/mark", "of the first");
        }
    }
    EXPECT_TRUE(fs::exists(temp / "j/safety/live.pending/mark"));
    std::vector<std::string> with_pending = three;
    with_pending.push_back("live.pending");
    EXPECT_EQ(copies(), with_pending);
}

TEST(JournalOpen, ASafetyCopyIsACompleteJournal)
{
    TempDirectory temp;
    ASSERT_EQ(Init(temp / "j"), TERCET_OK);
    for (int i = 0; i < 2; i++) {
        Opened opened = Open(temp / "j");
        ASSERT_EQ(opened.status, TERCET_OK) << opened.text;
        Batch batch;
        batch.Put("t/" + std::to_string(i), "value");
        batch.Write(opened.journal);
        journal_close(opened.journal);
    }
    fs::remove_all(temp / "j/live");
    fs::rename(temp / "j/safety/live-0000000002", temp / "j/live");
    fs::rename(temp / "j/live/witness", temp / "j/witness");
    Opened opened = Open(temp / "j");
    ASSERT_EQ(opened.status, TERCET_OK) << opened.text;
    EXPECT_EQ(Load(opened.journal).size(), 1U);
    journal_close(opened.journal);
}

} // namespace
} // namespace tercet

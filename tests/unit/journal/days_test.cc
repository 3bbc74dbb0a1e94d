// Days: opened at once, counted again in the background, and all of them kept open.
#include "unit/journal/outcomes_fixture.h"

#include <fstream>

extern "C" {
#include "journal/journal_store.h"
}

namespace tercet
{
namespace
{

namespace fs = std::filesystem;

constexpr int kMany = 6000; // more than one slice counts

class JournalDays : public Outcomes
{
  protected:
    // `count` outcomes in the day of that moment, moved and closed.
    void Fill(int count, int64_t ended_unix_ms)
    {
        struct journal *journal = OpenIt();
        Batch batch;
        for (int i = 0; i < count; i++) {
            PutOutcome(&batch, "gid" + std::to_string(i), ended_unix_ms);
        }
        batch.Write(journal);
        Settle(journal, kNow);
        Close();
    }

    // Removes an outcome behind the journal's back, with good checksums.
    void RemoveFromDay(const std::string &date, const std::string &gid)
    {
        const std::string path = Path() + "/outcomes/" + date;
        store_options options = {};
        options.path = path.c_str();
        options.write_buffer_bytes = 1 << 20;
        options.file_bytes = 1 << 20;
        options.cache_bytes = 1 << 20;
        options.open_file_count_max = 100;
        store *opened = nullptr;
        tercet_error error = {};
        ASSERT_EQ(store_open(&options, &opened, &error), TERCET_OK) << error.text;
        leveldb_writebatch_t *writes = leveldb_writebatch_create();
        const std::string key = "a/" + gid;
        leveldb_writebatch_delete(writes, key.data(), key.size());
        ASSERT_EQ(store_write(opened, writes, &error), TERCET_OK) << error.text;
        leveldb_writebatch_destroy(writes);
        store_close(opened);
    }

    // Each open of a LevelDB begins a manifest with another number.
    std::string Manifests()
    {
        std::string all;
        for (const std::string &date : tercet::Days(Path())) {
            std::ifstream file(Path() + "/outcomes/" + date + "/CURRENT");
            std::string line;
            std::getline(file, line);
            all += date + " " + line + "\n";
        }
        return all;
    }

    bool IsPending(const std::string &date)
    {
        return fs::exists(Path() + "/safety/" + date + ".pending");
    }
};

TEST_F(JournalDays, WhatIsThereIsToldAtOnceAndWhatIsNotWhenAllDaysAreCounted)
{
    Fill(3, kNow - kDay);
    RemoveFromDay("2027-01-14", "gid1");
    EXPECT_EQ(FindOutcome(OpenIt(), "gid0"), "gid0");
    for (const char *gid : {"gid1", "never"}) {
        EXPECT_EXIT(FindOutcome(OpenIt(), gid), ::testing::ExitedWithCode(74),
                    "outcomes of 2027-01-14 do not add up: counted 2, written 3")
            << gid;
    }
}

TEST_F(JournalDays, ADayThatDoesNotAddUpEndsTheProcessInTheBackground)
{
    Fill(3, kNow - kDay);
    RemoveFromDay("2027-01-14", "gid1");
    EXPECT_EXIT(Settle(OpenIt(), kNow), ::testing::ExitedWithCode(74),
                "outcomes of 2027-01-14 do not add up: counted 2, written 3");
}

TEST_F(JournalDays, ABigDayThatDoesNotAddUpEndsTheProcessInTheBackground)
{
    Fill(kMany, kNow - kDay);
    RemoveFromDay("2027-01-14", "gid77");
    EXPECT_EXIT(Settle(OpenIt(), kNow), ::testing::ExitedWithCode(74),
                "outcomes of 2027-01-14 do not add up: counted 5999, written 6000");
}

TEST_F(JournalDays, AreCountedInSlicesBetweenWhichLookUpsAreAnswered)
{
    Fill(kMany, kNow - kDay);
    struct journal *journal = OpenIt();
    int slices = 0;
    while (journal_maintain(journal, kNow)) {
        slices++;
        ASSERT_LT(slices, 10000);
        const std::string gid = "gid" + std::to_string(slices % kMany);
        ASSERT_EQ(FindOutcome(journal, gid), gid);
    }
    EXPECT_GE(slices, 3);
    EXPECT_FALSE(journal_maintain(journal, kNow)); // counted once
}

TEST_F(JournalDays, MayBeWrittenToWhileTheyAreCounted)
{
    Fill(kMany, kNow - kDay);
    struct journal *journal = OpenIt();
    Batch batch;
    int64_t now = kNow;
    int rounds = 0;
    while (journal_maintain(journal, now)) {
        rounds++;
        ASSERT_LT(rounds, 10000);
        if (rounds <= 50) {
            now += 60000; // a new pass
            PutOutcome(&batch, "later" + std::to_string(rounds), kNow - kDay);
        }
        batch.Write(journal);
    }
    EXPECT_GT(rounds, 50);
    EXPECT_FALSE(IsPending("2027-01-14"));
    EXPECT_EQ(ListOutcomes(journal).size(), static_cast<size_t>(kMany + 50));
    Settle(OpenIt(), now); // and they add up the next time
}

TEST_F(JournalDays, MayBeDroppedAndClosedWhileTheyAreCounted)
{
    Fill(kMany, kNow - kDay);
    struct journal *journal = OpenIt(3 * kDay);
    EXPECT_TRUE(journal_maintain(journal, kNow));
    EXPECT_TRUE(IsPending("2027-01-14"));
    Settle(journal, kNow + 9 * kDay);
    EXPECT_TRUE(tercet::Days(Path()).empty());
    EXPECT_FALSE(IsPending("2027-01-14"));
    Close();
    Fill(kMany, kNow - kDay);
    EXPECT_TRUE(journal_maintain(OpenIt(), kNow));
    Close(); // in the middle of it
    EXPECT_TRUE(IsPending("2027-01-14"));
    Settle(OpenIt(), kNow);
    EXPECT_FALSE(IsPending("2027-01-14"));
}

TEST_F(JournalDays, TheLinksOfADaysFilesStayUntilItIsCounted)
{
    Fill(3, kNow - kDay);
    struct journal *journal = OpenIt();
    EXPECT_EQ(FindOutcome(journal, "gid0"), "gid0");
    EXPECT_TRUE(IsPending("2027-01-14"));
    Settle(journal, kNow);
    EXPECT_FALSE(IsPending("2027-01-14"));
}

TEST_F(JournalDays, TwentyKeptDaysStayOpenWhileUnknownGidsAreLookedUp)
{
    struct journal *journal = OpenIt(30 * kDay);
    Batch batch;
    for (int day = 1; day <= 20; day++) {
        PutOutcome(&batch, "day" + std::to_string(day), kNow - day * kDay);
    }
    batch.Write(journal);
    Settle(journal, kNow);
    ASSERT_EQ(tercet::Days(Path()).size(), 20U);
    journal = OpenIt(30 * kDay);
    const std::string closed = Manifests();
    EXPECT_EQ(FindOutcome(journal, "unknown"), "");
    const std::string opened = Manifests();
    EXPECT_NE(opened, closed);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(FindOutcome(journal, "unknown"), "");
    }
    EXPECT_EQ(Manifests(), opened);
}

TEST_F(JournalDays, MoreThanMayBeOpenAreAllFoundAndCounted)
{
    constexpr int kDays = 66;
    struct journal *journal = OpenIt(400 * kDay);
    Batch batch;
    for (int day = 1; day <= kDays; day++) {
        PutOutcome(&batch, "day" + std::to_string(day), kNow - day * kDay);
    }
    batch.Write(journal);
    Settle(journal, kNow);
    journal = OpenIt(400 * kDay);
    int rounds = 0;
    while (journal_maintain(journal, kNow)) {
        rounds++;
        ASSERT_LT(rounds, 1000);
        if (rounds % 32 == 0) { // opens and closes most of them, not the one that is counted
            const std::string gid = "day" + std::to_string(kDays - rounds / 32);
            ASSERT_EQ(FindOutcome(journal, gid), gid);
        }
    }
    EXPECT_GE(rounds, kDays);
}

} // namespace
} // namespace tercet

#include "unit/journal/outcomes_fixture.h"

#include <atomic>
#include <thread>

namespace tercet
{
namespace
{

namespace fs = std::filesystem;

TEST_F(Outcomes, AreFoundInTheLiveStoreInTheirDayAndAfterAReopen)
{
    struct journal *journal = OpenIt();
    Batch batch;
    PutOutcome(&batch, "old", kNow - kDay);
    batch.Write(journal);
    EXPECT_EQ(FindOutcome(journal, "old"), "old");
    const int64_t live_before = Head(journal).live_count;
    Settle(journal, kNow);
    EXPECT_EQ(Days(Path()), std::vector<std::string>{"2027-01-14"});
    EXPECT_EQ(Head(journal).live_count, live_before); // one outcome less, one day more
    PutOutcome(&batch, "new", kNow);
    batch.Write(journal);
    EXPECT_EQ(FindOutcome(journal, "old"), "old");
    EXPECT_EQ(FindOutcome(journal, "new"), "new");
    EXPECT_EQ(FindOutcome(journal, "ol"), "");
    EXPECT_EQ(FindOutcome(journal, "older"), "");
    journal = OpenIt();
    EXPECT_EQ(FindOutcome(journal, "old"), "old");
    EXPECT_EQ(FindOutcome(journal, "new"), "new");
    EXPECT_EQ(FindOutcome(journal, "none"), "");
}

TEST_F(Outcomes, ThatWereCopiedButNotRemovedAreMovedOnceMore)
{
    struct journal *journal = OpenIt();
    Batch batch;
    PutOutcome(&batch, "first", kNow - kDay);
    batch.Write(journal);
    Settle(journal, kNow);
    PutOutcome(&batch, "second", kNow - kDay);
    PutOutcome(&batch, "third", kNow - 2 * kDay);
    batch.Write(journal);
    EXPECT_TRUE(journal_maintain(journal, kNow + 60000)); // copied; the removals are never written
    journal = OpenIt();
    EXPECT_EQ(ListOutcomes(journal).size(), 3U);
    for (const char *gid : {"first", "second", "third"}) {
        EXPECT_EQ(FindOutcome(journal, gid), gid);
    }
    Settle(journal, kNow + 60000);
    EXPECT_EQ(Head(journal).live_count, 2); // the two days
    journal = OpenIt();
    for (const char *gid : {"first", "second", "third"}) {
        EXPECT_EQ(FindOutcome(journal, gid), gid);
    }
    EXPECT_EQ(ListOutcomes(journal), (std::vector<std::string>{"first", "second", "third"}));
}

TEST_F(Outcomes, AreMovedHalfAMinuteAfterTheLastOnesWere)
{
    struct journal *journal = OpenIt();
    Batch batch;
    Settle(journal, kNow);
    PutOutcome(&batch, "gid", kNow - kDay);
    batch.Write(journal);
    EXPECT_FALSE(journal_maintain(journal, kNow + 29999));
    EXPECT_TRUE(Days(Path()).empty());
    EXPECT_TRUE(journal_maintain(journal, kNow + 30000));
    EXPECT_EQ(Days(Path()).size(), 1U);
}

TEST_F(Outcomes, AreMovedAtOnceWhenThereAreMany)
{
    struct journal *journal = OpenIt();
    Batch batch;
    Settle(journal, kNow);
    for (int i = 0; i < 4095; i++) {
        PutOutcome(&batch, "gid" + std::to_string(i), kNow);
    }
    batch.Write(journal);
    EXPECT_FALSE(journal_maintain(journal, kNow));
    PutOutcome(&batch, "gid", kNow);
    batch.Write(journal);
    Settle(journal, kNow);
    EXPECT_EQ(Head(journal).live_count, 1); // the day
    PutOutcome(&batch, "later", kNow);
    batch.Write(journal);
    EXPECT_FALSE(journal_maintain(journal, kNow)); // they are counted from there on
}

// A clock that was set back keeps no outcome for longer than it takes to get there again.
TEST_F(Outcomes, AreLookedAtWhenTheClockWasSetBack)
{
    struct journal *journal = OpenIt();
    Batch batch;
    Settle(journal, kNow);
    PutOutcome(&batch, "gid", kNow - 2 * kDay);
    batch.Write(journal);
    EXPECT_FALSE(journal_maintain(journal, kNow + 1));
    EXPECT_TRUE(journal_maintain(journal, kNow - kDay));
    Settle(journal, kNow - kDay);
    EXPECT_EQ(Head(journal).live_count, 1); // the day
}

TEST_F(Outcomes, AreListedNewestDayFirstAndEachOnceAcrossPages)
{
    struct journal *journal = OpenIt();
    Batch batch;
    std::vector<std::string> expected = {"live1", "live2"};
    for (int day = 1; day <= 4; day++) {
        for (int i = 0; i < 5; i++) {
            const std::string gid = "day" + std::to_string(day) + "-" + std::to_string(i);
            PutOutcome(&batch, gid, kNow - day * kDay);
            expected.push_back(gid);
        }
    }
    batch.Write(journal);
    Settle(journal, kNow);
    EXPECT_EQ(Days(Path()).size(), 4U);
    PutOutcome(&batch, "live1", kNow);
    PutOutcome(&batch, "live2", kNow);
    batch.Write(journal);
    for (size_t page : {1, 2, 3, 7, 1000}) {
        EXPECT_EQ(ListOutcomes(journal, page), expected) << page;
    }
}

TEST_F(Outcomes, BothInTheLiveStoreAndInADayAreListedOnce)
{
    struct journal *journal = OpenIt();
    Batch batch;
    PutOutcome(&batch, "one", kNow - kDay);
    batch.Write(journal);
    EXPECT_TRUE(journal_maintain(journal, kNow));
    EXPECT_EQ(ListOutcomes(journal), std::vector<std::string>{"one"});
    batch.Write(journal);
    EXPECT_EQ(ListOutcomes(journal), std::vector<std::string>{"one"});
}

TEST_F(Outcomes, ACursorThatIsNotOursIsRefused)
{
    struct journal *journal = OpenIt();
    auto never = [](tercet_bytes, const char *, void *) {
        ADD_FAILURE();
        return false;
    };
    const std::string long_gid = "live/" + std::string(129, 'x');
    for (const char *cursor : {"x", "live", "live/", "/gid", "2027-01-14", "2027-02-30/gid",
                               "2027-1-14/gid", "live/a b", "yesterday/gid", long_gid.c_str()}) {
        EXPECT_EQ(journal_list_outcomes(journal, cursor, never, nullptr), TERCET_INVALID_ARGUMENT)
            << cursor;
    }
    EXPECT_EQ(journal_list_outcomes(journal, "2001-01-01/gone", never, nullptr), TERCET_OK);
}

TEST_F(Outcomes, AJournalThatIsOpenedTellsWhenTheNewestEnded)
{
    struct journal *journal = OpenIt();
    EXPECT_EQ(journal_newest_end_unix_ms(journal), 0);
    Batch batch;
    PutOutcome(&batch, "b", kNow + 5);
    PutOutcome(&batch, "a", kNow - 3 * kDay);
    batch.Write(journal);
    journal = OpenIt();
    EXPECT_EQ(journal_newest_end_unix_ms(journal), kNow + 5);
    Settle(journal, kNow);
    journal = OpenIt();
    EXPECT_EQ(journal_newest_end_unix_ms(journal), kNow / kDay * kDay) << "the day's beginning";
}

// An initiator's clock that is ahead makes a day that is to come; today would have gone for it, and the
// horizon would have been tonight.
TEST_F(Outcomes, ADayThatIsNotOverNeverGoesForItsSize)
{
    struct journal *journal = OpenIt(0, 1);
    Batch batch;
    PutOutcome(&batch, "yesterday", kNow - kDay);
    PutOutcome(&batch, "today", kNow);
    PutOutcome(&batch, "ahead", kNow + kDay);
    batch.Write(journal);
    Settle(journal, kNow);
    EXPECT_LE(Head(journal).horizon_unix_ms, kNow);
    EXPECT_EQ(FindOutcome(journal, "yesterday"), "");
    EXPECT_EQ(FindOutcome(journal, "today"), "today");
    EXPECT_EQ(FindOutcome(journal, "ahead"), "ahead");
}

TEST_F(Outcomes, ExpiryByAgeRaisesTheHorizonBeforeADayIsDropped)
{
    struct journal *journal = OpenIt(3 * kDay);
    Batch batch;
    for (int day = 0; day < 6; day++) {
        PutOutcome(&batch, "day" + std::to_string(day), kNow + day * kDay);
    }
    batch.Write(journal);
    const int64_t now = kNow + 6 * kDay;
    bool horizon_rose = false;
    const int64_t before = Head(journal).horizon_unix_ms;
    for (int i = 0; i < 20; i++) {
        const bool more = journal_maintain(journal, now);
        if (Head(journal).horizon_unix_ms == before) {
            EXPECT_EQ(FindOutcome(journal, "day0"), "day0");
        } else {
            horizon_rose = true;
        }
        if (!more) {
            break;
        }
        batch.Write(journal);
    }
    EXPECT_TRUE(horizon_rose);
    Settle(journal, now);
    // 2027-01-21 08:00 less three days: 15th, 16th and 17th are over by then.
    EXPECT_EQ(Days(Path()), (std::vector<std::string>{"2027-01-18", "2027-01-19", "2027-01-20"}));
    EXPECT_EQ(Head(journal).horizon_unix_ms, kNow / kDay * kDay + 3 * kDay);
    EXPECT_FALSE(Head(journal).upkeep_waits) << "an idle coordinator would write for ever";
    EXPECT_EQ(FindOutcome(journal, "day2"), "");
    EXPECT_EQ(FindOutcome(journal, "day3"), "day3");
    const int64_t horizon = Head(journal).horizon_unix_ms;
    journal = OpenIt(3 * kDay);
    EXPECT_EQ(Head(journal).horizon_unix_ms, horizon);
    EXPECT_EQ(FindOutcome(journal, "day3"), "day3");
}

TEST_F(Outcomes, ExpiryByBytesDropsTheOldestAndNeverTheNewest)
{
    struct journal *journal = OpenIt(0, 1);
    Batch batch;
    for (int day = 1; day <= 3; day++) {
        PutOutcome(&batch, "day" + std::to_string(day), kNow - day * kDay);
    }
    batch.Write(journal);
    Settle(journal, kNow);
    Settle(journal, kNow + 61000);
    EXPECT_EQ(Days(Path()), std::vector<std::string>{"2027-01-14"});
    EXPECT_EQ(FindOutcome(journal, "day1"), "day1");
    EXPECT_EQ(FindOutcome(journal, "day2"), "");
}

TEST_F(Outcomes, ADayWhoseRecordIsGoneIsRemovedAtTheNextOpen)
{
    struct journal *journal = OpenIt(3 * kDay);
    Batch batch;
    PutOutcome(&batch, "old", kNow);
    batch.Write(journal);
    Settle(journal, kNow + 70000);
    ASSERT_EQ(Days(Path()).size(), 1U);
    const int64_t now = kNow + 9 * kDay;
    EXPECT_TRUE(journal_maintain(journal, now));
    batch.Write(
        journal); // the horizon has risen and the day's record is gone, its directory is not
    EXPECT_EQ(FindOutcome(journal, "old"), "old");
    ASSERT_EQ(Days(Path()).size(), 1U);
    fs::create_directory(Path() + "/outcomes/lost+found");
    journal = OpenIt(3 * kDay);
    EXPECT_EQ(Days(Path()), std::vector<std::string>{"lost+found"}); // not ours, not touched
    EXPECT_GT(Head(journal).horizon_unix_ms, kNow);
}

TEST_F(Outcomes, AnOlderCopyOfADayEndsTheProcess)
{
    struct journal *journal = OpenIt();
    Batch batch;
    PutOutcome(&batch, "one", kNow - kDay);
    batch.Write(journal);
    Settle(journal, kNow);
    Close();
    fs::copy(Path() + "/outcomes/2027-01-14", temp_ / "older");
    journal = OpenIt();
    PutOutcome(&batch, "two", kNow - kDay);
    batch.Write(journal);
    Settle(journal, kNow + 60000);
    Close();
    fs::remove_all(Path() + "/outcomes/2027-01-14");
    fs::rename(temp_ / "older", Path() + "/outcomes/2027-01-14");
    EXPECT_EXIT(
        {
            struct journal *again = OpenIt();
            FindOutcome(again, "two");
        },
        ::testing::ExitedWithCode(74), "outcomes of 2027-01-14 are missing");
}

TEST_F(Outcomes, AnotherDayInItsPlaceEndsTheProcess)
{
    struct journal *journal = OpenIt();
    Batch batch;
    PutOutcome(&batch, "one", kNow - kDay);
    PutOutcome(&batch, "two", kNow - 2 * kDay);
    batch.Write(journal);
    Settle(journal, kNow);
    Close();
    fs::rename(Path() + "/outcomes/2027-01-14", temp_ / "swap");
    fs::rename(Path() + "/outcomes/2027-01-13", Path() + "/outcomes/2027-01-14");
    fs::rename(temp_ / "swap", Path() + "/outcomes/2027-01-13");
    EXPECT_EXIT(
        {
            struct journal *again = OpenIt();
            FindOutcome(again, "one");
        },
        ::testing::ExitedWithCode(74), "is those of 2027-01-13");
}

TEST_F(Outcomes, ManyDaysAreAllSearchedAndListed)
{
    struct journal *journal = OpenIt(400 * kDay);
    Batch batch;
    for (int day = 1; day <= 25; day++) {
        PutOutcome(&batch, "day" + std::to_string(day), kNow - day * kDay);
    }
    batch.Write(journal);
    Settle(journal, kNow);
    ASSERT_EQ(Days(Path()).size(), 25U);
    journal = OpenIt(400 * kDay);
    for (int day = 25; day >= 1; day--) {
        EXPECT_EQ(FindOutcome(journal, "day" + std::to_string(day)), "day" + std::to_string(day));
    }
    EXPECT_EQ(ListOutcomes(journal, 4).size(), 25U);
}

// The journal thread writes and removes while the reader moves and looks up: nothing that was
// acknowledged is ever invisible.
TEST_F(Outcomes, AreNeverInvisibleWhileTheyAreMoved)
{
    struct journal *journal = OpenIt(3650 * kDay);
    constexpr int kCount = 3000;
    std::atomic<int> acknowledged = 0;
    std::atomic<int> looked_up = 0;
    std::atomic<bool> stop = false;
    std::thread writer([&] {
        Batch batch;
        for (int i = 0; i < kCount; i++) {
            PutOutcome(&batch, "gid" + std::to_string(i), kNow - (i % 3) * kDay - kDay);
            if (i % 10 == 9) {
                batch.Write(journal);
                acknowledged = i + 1;
                while (looked_up < i / 2) {
                    std::this_thread::yield(); // or all is written before anybody has looked
                }
            }
        }
        while (!stop) {
            batch.Write(journal); // carries the removals
        }
    });
    int64_t now = kNow;
    int missing = 0;
    while (acknowledged < kCount || Head(journal).live_count > 3) {
        now += 30000; // so that every call may begin a pass
        journal_maintain(journal, now);
        const int count = acknowledged;
        for (int i = 0; i < 20 && count > 0; i++) {
            const int at = (looked_up * 7919) % count;
            looked_up++;
            missing += FindOutcome(journal, "gid" + std::to_string(at)).empty() ? 1 : 0;
        }
        if (looked_up > 2000000) {
            break;
        }
    }
    stop = true;
    writer.join();
    EXPECT_EQ(missing, 0);
    EXPECT_GT(looked_up, 1000);
    EXPECT_EQ(Head(journal).live_count, 3);
    EXPECT_EQ(ListOutcomes(journal).size(), static_cast<size_t>(kCount));
    journal = OpenIt();
    for (int i = 0; i < kCount; i += 17) {
        EXPECT_EQ(FindOutcome(journal, "gid" + std::to_string(i)), "gid" + std::to_string(i));
    }
}

} // namespace
} // namespace tercet

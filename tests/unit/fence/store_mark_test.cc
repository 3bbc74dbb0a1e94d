// Marks through every store: what a sweep takes, what it keeps, and what it does not touch.
#include <set>

#include "store_fixture.h"

namespace fence_test
{
namespace
{

using Marks = EveryStore;

void Settle(Harness &harness, const std::string &gid, int64_t number, uint8_t origin = 1,
            const std::string &participant = "account")
{
    Ask ask = Try(gid, number);
    ask.origin = origin;
    ask.participant = participant;
    EXPECT_EQ(harness.Run(ask).verdict, TERCET_VERDICT_DONE);
    ask.phase = number % 2 == 0 ? TERCET_PHASE_CONFIRM : TERCET_PHASE_CANCEL;
    EXPECT_EQ(harness.Run(ask).verdict, TERCET_VERDICT_DONE);
}

TEST_P(Marks, SweepTakesEndedRowsKeepsTriedOnesAndReportsThem)
{
    for (int i = 1; i <= 6; i++) {
        Settle(*harness, "g-" + std::to_string(i), i);
    }
    EXPECT_EQ(harness->Run(Try("tried", 7)).verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness->Run(Cancel("suspended", 8)).how, TERCET_HOW_EMPTY);
    Settle(*harness, "at", 9);
    ASSERT_EQ(harness->Apply(100, {10, 9}, {{10, 2}, {10, 5}}), TERCET_OK) << harness->error.text;
    EXPECT_FALSE(harness->sweep.stale);
    EXPECT_TRUE(harness->sweep.finished);
    EXPECT_EQ(harness->sweep.removed, 5u);
    EXPECT_EQ(harness->sweep.kept, 1u);
    EXPECT_EQ(harness->kept, std::vector<std::string>{"tried"});
    EXPECT_EQ(harness->List({0, 0}, {0, 0}, 100),
              (std::vector<std::string>{"g-2", "g-5", "tried", "at"}));
    EXPECT_EQ(harness->State("g-1"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness->State("suspended"), TERCET_FENCE_NONE);
    const auto description = harness->Describe();
    EXPECT_EQ(description.rows, 4);
    EXPECT_EQ(description.mark.as_of_lsn, 100);
    EXPECT_EQ(description.mark.low.number, 9);
    ASSERT_EQ(description.mark.open_count, 2u);
    EXPECT_EQ(description.mark.open[1].number, 5);
}

// Anomaly 3: the try that arrives a year late, again and again.
TEST_P(Marks, WhatIsBelowTheMarkIsRefusedForEverAndLeavesNothing)
{
    Settle(*harness, "g", 1);
    ASSERT_EQ(harness->Apply(5, {10, 3}), TERCET_OK);
    for (int i = 0; i < 3; i++) {
        group_answer answer = harness->Run(Try("g", 1));
        EXPECT_EQ(answer.verdict, TERCET_VERDICT_REFUSED);
        EXPECT_STREQ(answer.code, TERCET_CODE_FORGOTTEN);
        EXPECT_EQ(answer.mark_incarnation, 10);
        EXPECT_EQ(answer.mark_lsn, 5);
        answer = harness->Run(Cancel("g", 1));
        EXPECT_EQ(answer.verdict, TERCET_VERDICT_CONFLICT);
        EXPECT_EQ(answer.conflict, TERCET_CONFLICT_FORGOTTEN);
        EXPECT_EQ(answer.found, TERCET_FENCE_NONE);
        EXPECT_EQ(harness->Run(Confirm("g", 1)).conflict, TERCET_CONFLICT_FORGOTTEN);
        Ask only = Confirm("g", 1);
        only.confirm_only = true;
        EXPECT_EQ(harness->Run(only).conflict, TERCET_CONFLICT_FORGOTTEN);
    }
    EXPECT_EQ(harness->Describe().rows, 0);
    EXPECT_EQ(harness->Run(Try("new", 3)).verdict, TERCET_VERDICT_DONE) << "at the mark";
}

TEST_P(Marks, OpenBranchBelowTheMarkIsServedAsIfAboveIt)
{
    ASSERT_EQ(harness->Apply(5, {10, 100}, {{10, 7}, {10, 8}}), TERCET_OK);
    EXPECT_EQ(harness->Run(Cancel("late-cancel", 7)).how, TERCET_HOW_EMPTY);
    Ask only = Confirm("message", 8);
    only.confirm_only = true;
    EXPECT_EQ(harness->Run(only).how, TERCET_HOW_RAN);
    EXPECT_EQ(harness->Run(Try("closed", 9)).verdict, TERCET_VERDICT_REFUSED);
    ASSERT_EQ(harness->Apply(6, {10, 100}), TERCET_OK);
    EXPECT_EQ(harness->sweep.removed, 2u);
    EXPECT_EQ(harness->Run(Try("late-cancel", 7)).verdict, TERCET_VERDICT_REFUSED);
}

TEST_P(Marks, OlderMarkIsIgnoredAsAWhole)
{
    Settle(*harness, "g", 5);
    ASSERT_EQ(harness->Apply(10, {10, 3}), TERCET_OK);
    ASSERT_EQ(harness->Apply(9, {10, 50}, {{10, 4}}), TERCET_OK);
    EXPECT_TRUE(harness->sweep.stale);
    EXPECT_TRUE(harness->sweep.finished);
    EXPECT_EQ(harness->sweep.removed, 0u);
    EXPECT_NE(harness->State("g"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness->Describe().mark.low.number, 3);
    EXPECT_EQ(harness->Describe().mark.open_count, 0u);
    EXPECT_EQ(harness->Run(Try("h", 40)).verdict, TERCET_VERDICT_DONE);
}

TEST_P(Marks, OtherOriginsAndParticipantsKeepRowsAndMarks)
{
    Settle(*harness, "ours", 1);
    Settle(*harness, "theirs", 1, 2);
    Settle(*harness, "beside", 2, 1, "coupons");
    ASSERT_EQ(harness->Apply(5, {10, 100}), TERCET_OK);
    EXPECT_EQ(harness->sweep.removed, 1u);
    EXPECT_EQ(harness->State("ours"), TERCET_FENCE_NONE);
    EXPECT_NE(harness->State("theirs"), TERCET_FENCE_NONE);
    EXPECT_NE(harness->State("beside"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness->Describe(2).mark.as_of_lsn, 0);
    EXPECT_EQ(harness->Describe(1, "coupons").mark.as_of_lsn, 0);
    Ask ask = Try("new", 5);
    ask.origin = 2;
    EXPECT_EQ(harness->Run(ask).verdict, TERCET_VERDICT_DONE);
}

TEST_P(Marks, SweepGoesInSlicesAndEndsWhateverLiesInItsWay)
{
    std::set<std::string> stay;
    std::vector<tercet_branch_number> open;
    for (int i = 1; i <= 40; i++) {
        const std::string gid = "g-" + std::to_string(i);
        if (i % 10 == 0) {
            EXPECT_EQ(harness->Run(Try(gid, i)).verdict, TERCET_VERDICT_DONE);
            stay.insert(gid);
        } else {
            Settle(*harness, gid, i);
        }
        if (i % 7 == 0) {
            open.push_back({10, i});
            stay.insert(gid);
        }
    }
    harness->sweep.row_count_max = 3;
    harness->sweep.from = {0, 0};
    uint32_t removed = 0, kept = 0, slices = 0;
    do {
        ASSERT_EQ(harness->Apply(5, {10, 41}, open), TERCET_OK);
        EXPECT_LE(harness->sweep.removed + harness->sweep.kept, 3u);
        removed += harness->sweep.removed;
        kept += harness->sweep.kept;
        slices++;
        ASSERT_LE(slices, 20u);
    } while (!harness->sweep.finished);
    EXPECT_GE(slices, 13u);
    EXPECT_EQ(removed, 40 - stay.size());
    EXPECT_EQ(kept, 4u);
    const auto left = harness->List({0, 0}, {0, 0}, 100);
    EXPECT_EQ(std::set<std::string>(left.begin(), left.end()), stay);
}

TEST_P(Marks, ANewerMarkEndsTheSweepOfAnOlderOne)
{
    for (int i = 1; i <= 6; i++) {
        Settle(*harness, "g-" + std::to_string(i), i);
    }
    harness->sweep.row_count_max = 2;
    ASSERT_EQ(harness->Apply(5, {10, 7}), TERCET_OK);
    EXPECT_FALSE(harness->sweep.finished);
    const tercet_branch_number went_on_at = harness->sweep.from;
    harness->sweep.from = {0, 0};
    ASSERT_EQ(harness->Apply(6, {10, 7}, {{10, 6}}), TERCET_OK);
    harness->sweep.from = went_on_at;
    ASSERT_EQ(harness->Apply(5, {10, 7}), TERCET_OK);
    EXPECT_TRUE(harness->sweep.stale);
    EXPECT_TRUE(harness->sweep.finished);
    EXPECT_NE(harness->State("g-6"), TERCET_FENCE_NONE);
}

TEST_P(Marks, MarkOfAnOldEpochIsRefusedAndOneOfANewEpochRaisesIt)
{
    Settle(*harness, "g", 1);
    ASSERT_EQ(harness->Apply(5, {10, 1}, {}, 1, 7), TERCET_OK);
    EXPECT_EQ(harness->Describe().epoch.epoch, 7);
    EXPECT_EQ(harness->Apply(6, {10, 100}, {}, 1, 6), TERCET_FAILED_PRECONDITION);
    EXPECT_EQ(std::string(harness->error.text).rfind("TERCET_OLD_EPOCH", 0), 0u);
    EXPECT_NE(harness->State("g"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness->Describe().mark.as_of_lsn, 5);
    EXPECT_EQ(harness->Run(Try("h", 2)).status, TERCET_FAILED_PRECONDITION);
}

TEST_P(Marks, AnOlderMarkOfANewerEpochRaisesTheEpochAndNothingElse)
{
    Settle(*harness, "g", 1);
    ASSERT_EQ(harness->Apply(10, {10, 1}), TERCET_OK);
    ASSERT_EQ(harness->Apply(9, {10, 100}, {}, 1, 2), TERCET_OK);
    EXPECT_TRUE(harness->sweep.stale);
    EXPECT_EQ(harness->Describe().epoch.epoch, 2);
    EXPECT_EQ(harness->Describe().mark.as_of_lsn, 10);
    EXPECT_NE(harness->State("g"), TERCET_FENCE_NONE);
    ASSERT_EQ(harness->Apply(10, {10, 1}, {}, 1, 2), TERCET_OK) << "the same again";
    EXPECT_FALSE(harness->sweep.stale);
    EXPECT_EQ(harness->Run(Try("h", 2)).status, TERCET_FAILED_PRECONDITION);
}

TEST_P(Marks, WhatIsKeptIsCountedThoughNobodyWantsToHearOfIt)
{
    EXPECT_EQ(harness->Run(Try("tried", 1)).verdict, TERCET_VERDICT_DONE);
    harness->tells_kept = false;
    ASSERT_EQ(harness->Apply(5, {10, 2}), TERCET_OK);
    EXPECT_EQ(harness->sweep.kept, 1u);
    EXPECT_TRUE(harness->kept.empty());
    EXPECT_EQ(harness->State("tried"), TERCET_FENCE_TRIED);
}

TEST_P(Marks, AListEndsWhenItsReaderHasHadEnough)
{
    for (int i = 1; i <= 5; i++) {
        EXPECT_EQ(harness->Run(Try("g-" + std::to_string(i), i)).verdict, TERCET_VERDICT_DONE);
    }
    tercet_fence_range range = {};
    range.participant = "account";
    memset(range.origin, 1, sizeof range.origin);
    range.row_count_max = 100;
    int told = 0;
    const auto two = [](const tercet_fence_key *, const tercet_fence_row *, void *context) {
        return ++*static_cast<int *>(context) < 2;
    };
    ASSERT_EQ(
        harness->group.ops->list(harness->group.connection, &range, two, &told, &harness->error),
        TERCET_OK);
    EXPECT_EQ(told, 2);
}

TEST_P(Marks, AnEpochThatIsNotHigherLeavesTheStoredOne)
{
    Ask ask = Try("g", 1);
    ask.epoch = 7;
    EXPECT_EQ(harness->Run(ask).verdict, TERCET_VERDICT_DONE);
    tercet_fence_caller older = {};
    older.participant = "account";
    memset(older.origin, 1, sizeof older.origin);
    older.epoch = {10, 6};
    const tercet_store_ops *ops = harness->group.ops;
    void *connection = harness->group.connection;
    ASSERT_EQ(ops->begin(connection, &harness->error), TERCET_OK);
    EXPECT_EQ(ops->raise_epoch(connection, &older, &harness->error), TERCET_OK);
    ASSERT_EQ(ops->commit(connection, &harness->error), TERCET_OK);
    EXPECT_EQ(harness->Describe().epoch.epoch, 7);
}

TEST_P(Marks, MarkOutlivesTheProcessAndStillRefuses)
{
    if (!survives()) {
        GTEST_SKIP() << "memory is forgotten";
    }
    Settle(*harness, "g", 1);
    ASSERT_EQ(harness->Apply(5, {10, 9}, {{10, 4}}), TERCET_OK);
    Reopen();
    EXPECT_EQ(harness->Run(Try("g", 1)).verdict, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(harness->Run(Cancel("open", 4)).how, TERCET_HOW_EMPTY);
    EXPECT_EQ(harness->Describe().mark.open_count, 1u);
}

TEST_P(Marks, RangeIsReadInPagesInTheOrderOfNumbers)
{
    std::vector<std::string> all;
    for (int i = 1; i <= 25; i++) {
        // Names that sort otherwise than their numbers.
        all.push_back("g-" + std::to_string(1000 - i * 37 % 1000));
        EXPECT_EQ(harness->Run(Try(all.back(), i)).verdict, TERCET_VERDICT_DONE);
    }
    EXPECT_EQ(harness->List({0, 0}, {0, 0}, 100), all);
    std::vector<std::string> paged;
    tercet_branch_number from = {0, 0};
    for (auto page = harness->List(from, {0, 0}, 7); !page.empty();
         page = harness->List(from, {0, 0}, 7)) {
        paged.insert(paged.end(), page.begin(), page.end());
        from = harness->Row(page.back()).identity.number;
        from.number++;
    }
    EXPECT_EQ(paged, all);
    EXPECT_EQ(harness->List({10, 5}, {10, 8}, 100),
              std::vector<std::string>(all.begin() + 4, all.begin() + 7));
    EXPECT_TRUE(harness->List({11, 1}, {0, 0}, 100).empty());
    EXPECT_TRUE(harness->List({0, 0}, {0, 0}, 100, 2).empty());
}

INSTANTIATE_TEST_SUITE_P(Stores, Marks, testing::ValuesIn(AllKinds()), StoreName);

} // namespace
} // namespace fence_test

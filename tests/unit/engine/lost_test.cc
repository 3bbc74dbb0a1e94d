// Transactions that were begun after the backup: the journal does not know them, participants do.
#include <gtest/gtest.h>

#include "unit/engine/restored_world.h"

namespace tercet
{
namespace
{

TEST(Lost, ALostTransactionIsCancelledWhereItsInitiatorBringsItsPayload)
{
    RestoredWorld world;
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "lost", 60, TRIED)});
    world.Inspected(1, {world.RowAt(1, "lost", 61, SUSPENDED)});
    ASSERT_NE(nullptr, world.Find("lost"));
    EXPECT_EQ(TXN_CANCELLING, world.Find("lost")->state);
    EXPECT_EQ(1, world.CountRecords("lost", RECORD_BEGIN));
    EXPECT_EQ(1, world.CountRecords("lost", RECORD_DECIDE));
    EXPECT_TRUE(world.calls.empty()) << "nobody may be asked with a payload that is not the same";
    EXPECT_NE(std::string::npos, world.AttentionOf("lost").find("payload was lost"));

    BranchPlan other{0};
    other.payload = "another";
    EXPECT_EQ("TERCET_OTHER_CONTENT", world.LastReply(world.Execute("lost", {other, {1}})).code);
    EXPECT_TRUE(world.calls.empty());
    world.Execute("lost", {{0}, {1}});
    EXPECT_EQ(2, world.CountRecords("lost", RECORD_BEGIN)) << "now with its payloads";
    ASSERT_EQ(1U, world.calls.size());
    EXPECT_EQ(TERCET_PHASE_CANCEL, world.calls[0].phase);
    EXPECT_EQ(7U, world.calls[0].branch->payload_size);
    EXPECT_EQ(TERCET_OK, world.LastReply(world.Execute("lost", {{0}, {1}})).status) << "it joins";
    world.RunToEnd();
    EXPECT_EQ(1, world.CountRecords("lost", RECORD_END));
    EXPECT_EQ(TXN_CANCELLED, world.Find("lost")->state);
}

TEST(Lost, ALostTransactionThatOneHasConfirmedIsConfirmed)
{
    RestoredWorld world;
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "lost", 60, CONFIRMED)});
    world.Inspected(1, {world.RowAt(1, "lost", 61, TRIED)});
    ASSERT_NE(nullptr, world.Find("lost"));
    EXPECT_EQ(TXN_CONFIRMING, world.Find("lost")->state);
    EXPECT_EQ(BRANCH_CONFIRMED, world.Find("lost")->branches[0]->state);
    world.Execute("lost", {{0}, {1}});
    ASSERT_EQ(1U, world.calls.size());
    EXPECT_EQ(TERCET_PHASE_CONFIRM, world.calls[0].phase);
    world.RunToEnd();
    EXPECT_EQ(1, world.CountRecords("lost", RECORD_END));
}

TEST(Lost, ALostReservationMayBeSettledByAnOperator)
{
    RestoredWorld world;
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "lost", 60, TRIED)});
    world.Inspected(1, {});
    EXPECT_EQ(TERCET_OK, world.LastReply(world.Resolve("lost", 1, RESOLUTION_SETTLE)).status);
    EXPECT_EQ(1, world.CountRecords("lost", RECORD_END));
}

TEST(Lost, WhatWasSettledIsNotWrittenOnceMoreWhenItsInitiatorComes)
{
    RestoredWorld world;
    world.Adopt("steps", 10, TXN_MODE_STEPS, {{0}});
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "lost", 60, TRIED)});
    world.Inspected(1, {world.RowAt(1, "steps", 61, CANCELLED)});
    world.Resolve("lost", 1, RESOLUTION_SETTLE);
    EXPECT_EQ(1, world.CountRecords("lost", RECORD_END));
    world.Execute("lost", {{0}, {1}});
    EXPECT_EQ(1, world.CountRecords("lost", RECORD_BEGIN)) << "it would stand behind the end";
    world.Resolve("steps", 2, RESOLUTION_SETTLE);
    world.Try("steps", 2, {1});
    EXPECT_EQ(1, world.CountRecords("steps", RECORD_ADD_BRANCH));
}

TEST(Lost, ALostTransactionWithoutAReservationHasNothingToFinish)
{
    RestoredWorld world;
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "done", 60, CONFIRMED)});
    world.Inspected(1, {world.RowAt(1, "undone", 61, SUSPENDED)});
    EXPECT_EQ(nullptr, world.Find("done"));
    EXPECT_EQ(nullptr, world.Find("undone"));
}

TEST(Lost, ABranchThatWasAddedAfterTheBackupIsFound)
{
    RestoredWorld world;
    world.Adopt("steps", 10, TXN_MODE_STEPS, {{0}});
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "steps", 10, TRIED)});
    world.Inspected(1, {world.RowAt(1, "steps", 60, TRIED)});
    ASSERT_EQ(2U, world.Find("steps")->branch_count);
    EXPECT_EQ(1, world.CountRecords("steps", RECORD_ADD_BRANCH));
    EXPECT_NE(TERCET_OK, world.LastReply(world.EngineWorld::Ask(REQUEST_CONFIRM, "steps")).status)
        << "it cannot be confirmed without the branch that is lost";
    world.Try("steps", 2, {1});
    EXPECT_EQ(2, world.CountRecords("steps", RECORD_ADD_BRANCH)) << "now with its payload";
    world.HandAll();
    world.Answer("steps", 2, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    EXPECT_EQ(BRANCH_TRIED, world.FindBranch("steps", 2)->state);
}

TEST(Lost, MarksPassNothingThatWasAdopted)
{
    RestoredWorld world;
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "lost", 60, TRIED)});
    world.Inspected(1, {});
    world.Sync();
    const mark *told = engine_mark(world.engine, 0);
    ASSERT_EQ(1U, told->open_count);
    EXPECT_EQ(60, told->open[0].number);
    EXPECT_EQ(OLD_LIFE, told->open[0].incarnation);
}

} // namespace
} // namespace tercet

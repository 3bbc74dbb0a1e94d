// Begin, Try, Confirm, Cancel, one by one.
#include <gtest/gtest.h>

#include "support/engine_world.h"

namespace tercet
{
namespace
{

TEST(Steps, FromBeginToEnd)
{
    EngineWorld world;
    EXPECT_EQ(TXN_TRYING, world.LastReply(world.Begin("g")).told->state);
    uintptr_t attempt = world.Try("g", 1, {0});
    EXPECT_EQ(1, world.CountRecords("g", RECORD_ADD_BRANCH));
    EXPECT_FALSE(world.HasReply(attempt));
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE, 1, "r");
    EXPECT_EQ(TERCET_VERDICT_DONE, world.LastReply(attempt).verdict);
    EXPECT_EQ(0, world.CountRecords("g", RECORD_DECIDE));
    uintptr_t confirm = world.Ask(REQUEST_CONFIRM, "g");
    EXPECT_EQ(TXN_CONFIRMING, world.LastReply(confirm).told->state);
    world.RunToEnd();
    EXPECT_EQ(1, world.CountRecords("g", RECORD_END));
}

TEST(Steps, ConfirmBeforeEveryBranchIsTriedNamesTheOneThatIsNot)
{
    EngineWorld world;
    world.Begin("g");
    world.Try("g", 3, {2});
    const Reply &reply = world.LastReply(world.Ask(REQUEST_CONFIRM, "g"));
    EXPECT_EQ(TERCET_FAILED_PRECONDITION, reply.status);
    EXPECT_EQ("TERCET_NOT_TRIED", reply.code);
    EXPECT_NE(std::string::npos, reply.text.find("branch 3 (p2)"));
    EXPECT_EQ(TXN_TRYING, world.Find("g")->state);
}

TEST(Steps, TheSameTryAgainJoinsAndIsAnsweredTheSame)
{
    EngineWorld world;
    world.Begin("g");
    uintptr_t first = world.Try("g", 1, {0});
    uintptr_t second = world.Try("g", 1, {0});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    uintptr_t third = world.Try("g", 1, {0});
    for (uintptr_t token : {first, second, third}) {
        EXPECT_EQ(TERCET_VERDICT_DONE, world.LastReply(token).verdict);
    }
    EXPECT_EQ(1, world.CountRecords("g", RECORD_ADD_BRANCH));
}

TEST(Steps, TheSameNumberWithOtherContentIsRefused)
{
    EngineWorld world;
    world.Begin("g");
    world.Try("g", 1, {0});
    EXPECT_EQ(TERCET_ALREADY_EXISTS, world.LastReply(world.Try("g", 1, {1})).status);
}

// Anomaly 32.
TEST(Steps, ABranchAfterTheDecisionIsRefused)
{
    EngineWorld world;
    world.Begin("g");
    world.Ask(REQUEST_CANCEL, "g");
    const Reply &reply = world.LastReply(world.Try("g", 1, {0}));
    EXPECT_EQ(TERCET_FAILED_PRECONDITION, reply.status);
    EXPECT_TRUE(reply.refused);
    EXPECT_EQ(0, world.CountRecords("g", RECORD_ADD_BRANCH));
}

// Anomaly 31.
TEST(Steps, AnInitiatorThatDiesIsCancelledAtTheDeadline)
{
    EngineWorld world;
    world.Begin("g", 5000);
    world.Try("g", 1, {0});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Advance(5000);
    EXPECT_EQ(TXN_CANCELLING, world.Find("g")->state);
    EXPECT_EQ(TXN_CAUSE_TIMEOUT, world.Find("g")->cause);
    world.RunToEnd();
    EXPECT_EQ(BRANCH_CANCELLED, world.FindBranch("g", 1)->state);
}

TEST(Steps, ARefusedBranchDoomsTheTransaction)
{
    EngineWorld world;
    world.Begin("g");
    world.Try("g", 1, {0});
    uintptr_t second = world.Try("g", 2, {1});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(TXN_CANCELLING, world.Find("g")->state);
    EXPECT_EQ(TERCET_VERDICT_REFUSED, world.LastReply(second).verdict);
    uintptr_t confirm = world.Ask(REQUEST_CONFIRM, "g");
    EXPECT_EQ(TXN_CANCELLING, world.LastReply(confirm).told->state);
}

TEST(Steps, AnOptionalRefusalIsToldAndDoomsNothing)
{
    EngineWorld world;
    world.Begin("g");
    uintptr_t attempt = world.Try("g", 1, {0, "a", "x", 0, false, true});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(TERCET_VERDICT_REFUSED, world.LastReply(attempt).verdict);
    uintptr_t confirm = world.Ask(REQUEST_CONFIRM, "g");
    EXPECT_EQ(TXN_CONFIRMING, world.LastReply(confirm).told->state);
    EXPECT_EQ(1, world.CountCalls("g", TERCET_PHASE_CANCEL));
}

TEST(Steps, AConfirmOnlyBranchIsDoneWhenItIsStored)
{
    EngineWorld world;
    world.Begin("g");
    uintptr_t attempt = world.Try("g", 1, {0, "notify", "x", 0, true});
    EXPECT_EQ(TERCET_VERDICT_DONE, world.LastReply(attempt).verdict);
    EXPECT_EQ(1, world.CountRecords("g", RECORD_ADD_BRANCH));
}

TEST(Steps, ConfirmOfATransactionWithoutBranchesEndsIt)
{
    EngineWorld world;
    world.Begin("g");
    uintptr_t confirm = world.Ask(REQUEST_CONFIRM, "g", WAIT_MODE_END);
    EXPECT_EQ(TXN_CONFIRMED, world.LastReply(confirm).told->state);
}

// Anomaly 15.
TEST(Steps, ConfirmAndCancelAtOnceGiveOneDecisionAndBothAreToldIt)
{
    for (bool confirm_first : {true, false}) {
        EngineWorld world;
        world.Begin("g");
        world.Try("g", 1, {0});
        world.HandAll();
        world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
        uintptr_t a = world.Ask(confirm_first ? REQUEST_CONFIRM : REQUEST_CANCEL, "g");
        uintptr_t b = world.Ask(confirm_first ? REQUEST_CANCEL : REQUEST_CONFIRM, "g");
        EXPECT_EQ(1, world.CountRecords("g", RECORD_DECIDE));
        EXPECT_EQ(world.LastReply(a).told->state, world.LastReply(b).told->state);
        EXPECT_EQ(confirm_first ? TXN_CONFIRMING : TXN_CANCELLING, world.LastReply(b).told->state);
    }
}

TEST(Steps, ExecuteAndStepsOfOneGidAreNotTheSame)
{
    EngineWorld world;
    world.Begin("g");
    EXPECT_EQ(TERCET_ALREADY_EXISTS, world.LastReply(world.Execute("g", {{0}})).status);
    world.Execute("h", {{0}});
    EXPECT_EQ(TERCET_ALREADY_EXISTS, world.LastReply(world.Begin("h")).status);
    EXPECT_EQ(TERCET_FAILED_PRECONDITION, world.LastReply(world.Try("h", 2, {1})).status);
    EXPECT_EQ(TERCET_FAILED_PRECONDITION, world.LastReply(world.Ask(REQUEST_CONFIRM, "h")).status);
}

TEST(Steps, ConfirmOfADecidedExecuteIsToldTheDecision)
{
    EngineWorld world;
    world.Execute("g", {{0}});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    EXPECT_EQ(TXN_CONFIRMING, world.LastReply(world.Ask(REQUEST_CONFIRM, "g")).told->state);
}

TEST(Steps, ATryAfterTheEndOfAnExecuteIsRefused)
{
    EngineWorld world;
    const uintptr_t execute = world.Execute("g", {{0}}, WAIT_MODE_END);
    world.RunToEnd();
    world.outcomes["g"] = world.LastReply(execute).told;
    world.Sync();
    ASSERT_EQ(nullptr, world.Find("g"));
    EXPECT_EQ(TERCET_FAILED_PRECONDITION, world.LastReply(world.Try("g", 1, {0})).status);
}

TEST(Steps, WithoutBeginThereIsNothing)
{
    EngineWorld world;
    EXPECT_EQ(TERCET_NOT_FOUND, world.LastReply(world.Try("g", 1, {0})).status);
    EXPECT_EQ(TERCET_NOT_FOUND, world.LastReply(world.Ask(REQUEST_CONFIRM, "g")).status);
    EXPECT_TRUE(world.records.empty());
}

TEST(Steps, AfterTheEndATryIsAnsweredFromTheOutcome)
{
    EngineWorld world;
    world.Begin("g");
    world.Try("g", 1, {0});
    world.RunToEnd();
    uintptr_t confirm = world.Ask(REQUEST_CONFIRM, "g", WAIT_MODE_END);
    world.RunToEnd();
    world.outcomes["g"] = world.LastReply(confirm).told;
    world.Sync();
    ASSERT_EQ(nullptr, world.Find("g"));
    EXPECT_EQ(TERCET_VERDICT_DONE, world.LastReply(world.Try("g", 1, {0})).verdict);
    EXPECT_EQ(TERCET_ALREADY_EXISTS, world.LastReply(world.Try("g", 1, {1})).status);
    EXPECT_EQ(TERCET_FAILED_PRECONDITION, world.LastReply(world.Try("g", 2, {1})).status);
}

} // namespace
} // namespace tercet

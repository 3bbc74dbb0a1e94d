// Execute from request to end, and everything that may come between.
#include <gtest/gtest.h>

#include "support/engine_world.h"

namespace tercet
{
namespace
{

const std::vector<BranchPlan> two = {{0}, {1}};

TEST(Execute, BeginIsRecordedBeforeAnyTryAndDecideBeforeAnyConfirm)
{
    EngineWorld world;
    uintptr_t token = world.Execute("g", two);
    ASSERT_EQ(1U, world.records.size());
    EXPECT_EQ(RECORD_BEGIN, world.records[0].kind);
    EXPECT_EQ(2, world.CountCalls("g", TERCET_PHASE_TRY));
    EXPECT_FALSE(world.HasReply(token));

    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    EXPECT_EQ(0, world.CountCalls("g", TERCET_PHASE_CONFIRM));
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_DONE, 1, "receipt");
    ASSERT_EQ(1, world.CountRecords("g", RECORD_DECIDE));
    EXPECT_EQ(2, world.CountCalls("g", TERCET_PHASE_CONFIRM));
    ASSERT_TRUE(world.HasReply(token));
    const Reply &reply = world.LastReply(token);
    EXPECT_EQ(TXN_CONFIRMING, reply.told->state);
    EXPECT_EQ(0, memcmp("receipt", reply.told->branches[1].result.data, 7));

    world.RunToEnd();
    EXPECT_EQ(1, world.CountRecords("g", RECORD_END));
    EXPECT_EQ(1U, world.replies[token].size());
}

TEST(Execute, WaitingForTheEndIsAnsweredAtTheEnd)
{
    EngineWorld world;
    uintptr_t token = world.Execute("g", two, WAIT_MODE_END);
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    EXPECT_FALSE(world.HasReply(token));
    world.RunToEnd();
    EXPECT_EQ(TXN_CONFIRMED, world.LastReply(token).told->state);
}

TEST(Execute, WaitingForTheBeginIsAnsweredUndecided)
{
    EngineWorld world;
    uintptr_t token = world.Execute("g", two, WAIT_MODE_BEGIN);
    EXPECT_EQ(TXN_TRYING, world.LastReply(token).told->state);
    EXPECT_TRUE(world.LastReply(token).last);
}

TEST(Execute, AWaitThatIsOverIsAnsweredAsThingsStandAndTheTransactionGoesOn)
{
    EngineWorld world;
    uintptr_t token = world.Execute("g", two, WAIT_MODE_DECISION, 100);
    world.HandAll();
    world.Advance(99);
    EXPECT_FALSE(world.HasReply(token));
    world.Advance(1);
    EXPECT_EQ(TERCET_OK, world.LastReply(token).status);
    EXPECT_EQ(TXN_TRYING, world.LastReply(token).told->state);
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    EXPECT_EQ(TXN_CONFIRMING, world.Find("g")->state);
    EXPECT_EQ(1U, world.replies[token].size());
}

TEST(Execute, ARefusalCancelsEveryBranchWhoseTryMayHaveLeftTheRefusedOneToo)
{
    EngineWorld world;
    uintptr_t token = world.Execute("g", two);
    world.HandAll();
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(TXN_CANCELLING, world.Find("g")->state);
    EXPECT_EQ(2, world.CountCalls("g", TERCET_PHASE_CANCEL));
    const view *told = world.LastReply(token).told.get();
    EXPECT_EQ(TXN_CAUSE_REFUSED, told->cause);
    EXPECT_EQ(2U, told->refused_branch);
    EXPECT_STREQ("CODE", told->reason_code);
    world.RunToEnd();
    EXPECT_EQ(BRANCH_CANCELLED, world.FindBranch("g", 1)->state);
    EXPECT_EQ(BRANCH_CANCELLED, world.FindBranch("g", 2)->state);
}

TEST(Execute, ATryThatWasNeverHandedToATransportNeedsNoCancel)
{
    EngineWorld world;
    world.Execute("g", two);
    branch *second = world.FindBranch("g", 2);
    branch_note_handed(world.FindBranch("g", 1)); /* only the first leaves */
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(BRANCH_CANCELLED, second->state);
    EXPECT_EQ(1, world.CountCalls("g", TERCET_PHASE_CANCEL));
}

TEST(Execute, AWithdrawnTryIsNoLongerAskedFor)
{
    EngineWorld world;
    world.Execute("g", two);
    branch_note_handed(world.FindBranch("g", 1));
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(0, world.FindBranch("g", 2)->asked);
}

TEST(Execute, TheDeadlineCancelsAndSaysWhoWasWaitedFor)
{
    EngineWorld world;
    uintptr_t token = world.Execute("g", two);
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Advance(29999);
    EXPECT_EQ(TXN_TRYING, world.Find("g")->state);
    world.Advance(1);
    EXPECT_EQ(TXN_CANCELLING, world.Find("g")->state);
    const view *told = world.LastReply(token).told.get();
    EXPECT_EQ(TXN_CAUSE_TIMEOUT, told->cause);
    EXPECT_NE(nullptr, strstr(told->reason_text, "branch 2 (p1)"));
}

// Anomaly 15.
TEST(Execute, TheLastAnswerAndTheDeadlineInOneTickGiveOneDecision)
{
    for (bool answer_first : {true, false}) {
        EngineWorld world;
        uintptr_t token = world.Execute("g", {{0}});
        world.HandAll();
        world.now.boot_ms += 30000;
        if (answer_first) {
            world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
            world.Tick();
        } else {
            world.Tick();
            world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
        }
        EXPECT_EQ(1, world.CountRecords("g", RECORD_DECIDE));
        EXPECT_EQ(answer_first ? TXN_CONFIRMING : TXN_CANCELLING, world.Find("g")->state);
        EXPECT_EQ(1U, world.replies[token].size());
    }
}

TEST(Execute, StagesAreTriedOneAfterTheOther)
{
    EngineWorld world;
    world.Execute("g", {{0, "a", "x", 1}, {1, "a", "x", 0}, {2, "a", "x", 3}});
    EXPECT_EQ(1, world.CountCalls("g", TERCET_PHASE_TRY));
    EXPECT_EQ(nullptr, world.FindBranch("g", 1));
    world.HandAll();
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    EXPECT_EQ(BRANCH_TRYING, world.FindBranch("g", 1)->state);
    EXPECT_EQ(nullptr, world.FindBranch("g", 3));
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    EXPECT_EQ(BRANCH_TRYING, world.FindBranch("g", 3)->state);
    world.HandAll();
    world.Answer("g", 3, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    EXPECT_EQ(TXN_CONFIRMING, world.Find("g")->state);
}

TEST(Execute, ABranchOfALaterStageThatWasNeverAskedIsSkipped)
{
    EngineWorld world;
    world.Execute("g", {{0, "a", "x", 0}, {1, "a", "x", 1}});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(BRANCH_SKIPPED, txn_branch(world.Find("g"), 2)->state);
    EXPECT_EQ(1, world.CountCalls("g", TERCET_PHASE_CANCEL));
}

TEST(Execute, AConfirmOnlyBranchIsAskedOnlyToConfirm)
{
    EngineWorld world;
    world.Execute("g", {{0}, {1, "notify", "x", 0, true}});
    EXPECT_EQ(1, world.CountCalls("g", TERCET_PHASE_TRY));
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    EXPECT_EQ(2, world.CountCalls("g", TERCET_PHASE_CONFIRM));
}

TEST(Execute, AConfirmOnlyBranchOfACancelledTransactionIsNeverAsked)
{
    EngineWorld world;
    world.Execute("g", {{0}, {1, "notify", "x", 0, true}});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(BRANCH_SKIPPED, txn_branch(world.Find("g"), 2)->state);
}

TEST(Execute, OnlyConfirmOnlyBranchesAreDecidedAtOnce)
{
    EngineWorld world;
    uintptr_t token = world.Execute("g", {{0, "notify", "x", 0, true}});
    EXPECT_EQ(1, world.CountRecords("g", RECORD_BEGIN));
    EXPECT_EQ(1, world.CountRecords("g", RECORD_DECIDE));
    EXPECT_EQ(TXN_CONFIRMING, world.LastReply(token).told->state);
}

TEST(Execute, AnOptionalBranchThatRefusesIsLeftOutAndToldToCancel)
{
    EngineWorld world;
    uintptr_t token = world.Execute("g", {{0}, {1, "a", "x", 0, false, true}}, WAIT_MODE_END);
    world.HandAll();
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(TXN_TRYING, world.Find("g")->state);
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    EXPECT_EQ(1, world.CountCalls("g", TERCET_PHASE_CONFIRM));
    EXPECT_EQ(1, world.CountCalls("g", TERCET_PHASE_CANCEL));
    world.RunToEnd();
    const view *told = world.LastReply(token).told.get();
    EXPECT_EQ(TXN_CONFIRMED, told->state);
    EXPECT_EQ(BRANCH_CONFIRMED, told->branches[0].state);
    EXPECT_EQ(BRANCH_CANCELLED, told->branches[1].state);
}

// Anomaly 30.
TEST(Execute, TheSameAgainJoinsInEveryState)
{
    EngineWorld world;
    uintptr_t first = world.Execute("g", two, WAIT_MODE_END);
    uintptr_t second = world.Execute("g", two, WAIT_MODE_END);
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    uintptr_t third = world.Execute("g", two);
    EXPECT_EQ(TXN_CONFIRMING, world.LastReply(third).told->state);
    world.RunToEnd();
    uintptr_t fourth = world.Execute("g", two, WAIT_MODE_END);
    for (uintptr_t token : {first, second, fourth}) {
        EXPECT_EQ(TXN_CONFIRMED, world.LastReply(token).told->state);
    }
    EXPECT_EQ(1, world.CountRecords("g", RECORD_BEGIN));
    EXPECT_EQ(1, world.CountRecords("g", RECORD_DECIDE));
}

TEST(Execute, AfterTheEndIsDurableTheOutcomeComesFromTheJournal)
{
    EngineWorld world;
    uintptr_t first = world.Execute("g", two, WAIT_MODE_END);
    world.RunToEnd();
    world.outcomes["g"] = world.LastReply(first).told;
    world.Sync();
    EXPECT_EQ(nullptr, world.Find("g"));
    uintptr_t again = world.Execute("g", two);
    EXPECT_EQ(TXN_CONFIRMED, world.LastReply(again).told->state);
    EXPECT_EQ(1, world.CountRecords("g", RECORD_BEGIN));
}

// Anomaly 23.
TEST(Execute, TheSameGidWithOtherContentIsRefusedInEveryState)
{
    EngineWorld world;
    uintptr_t first = world.Execute("g", two, WAIT_MODE_END);
    for (const auto &other :
         std::vector<std::vector<BranchPlan>>{{{0}},
                                              {{0}, {2}},
                                              {{1}, {0}},
                                              {{0, "other"}, {1}},
                                              {{0, "act", "other"}, {1}},
                                              {{0, "act", "payload", 1}, {1}},
                                              {{0, "act", "payload", 0, false, true}, {1}}}) {
        const Reply &reply = world.LastReply(world.Execute("g", other));
        EXPECT_EQ(TERCET_ALREADY_EXISTS, reply.status);
        EXPECT_TRUE(reply.refused);
    }
    world.RunToEnd();
    world.outcomes["g"] = world.LastReply(first).told;
    world.Sync();
    EXPECT_EQ(TERCET_ALREADY_EXISTS, world.LastReply(world.Execute("g", {{0}})).status);
    EXPECT_EQ(TERCET_ALREADY_EXISTS, world.LastReply(world.Begin("g")).status);
}

TEST(Execute, AGidThatIsThePrefixOfAnotherIsAnother)
{
    EngineWorld world;
    world.Execute("x-1", {{0}});
    world.Execute("x-10", {{1}});
    EXPECT_NE(world.Find("x-1"), world.Find("x-10"));
    world.HandAll();
    world.Answer("x-1", 1, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(TXN_CANCELLING, world.Find("x-1")->state);
    EXPECT_EQ(TXN_TRYING, world.Find("x-10")->state);
}

// Anomaly 32.
TEST(Execute, DelayedPastItsCancelItJoinsACancelledTransaction)
{
    EngineWorld world;
    uintptr_t cancel = world.Ask(REQUEST_CANCEL, "g");
    EXPECT_EQ(TXN_CANCELLED, world.LastReply(cancel).told->state);
    EXPECT_EQ(1, world.CountRecords("g", RECORD_TOMBSTONE));
    uintptr_t late = world.Execute("g", two);
    EXPECT_EQ(TERCET_OK, world.LastReply(late).status);
    EXPECT_EQ(TXN_CANCELLED, world.LastReply(late).told->state);
    world.outcomes["g"] = world.LastReply(cancel).told;
    world.Sync();
    EXPECT_EQ(nullptr, world.Find("g"));
    EXPECT_EQ(TXN_CANCELLED, world.LastReply(world.Execute("g", two)).told->state);
    EXPECT_EQ(TXN_CANCELLED, world.LastReply(world.Begin("g")).told->state);
    EXPECT_EQ(0, world.CountRecords("g", RECORD_BEGIN));
}

TEST(Execute, CancelWhileTryingDecidesOnceAndRepeatsTheAnswer)
{
    EngineWorld world;
    uintptr_t execute = world.Execute("g", two);
    world.HandAll();
    uintptr_t cancel = world.Ask(REQUEST_CANCEL, "g");
    EXPECT_EQ(TXN_CAUSE_INITIATOR, world.LastReply(cancel).told->cause);
    EXPECT_EQ(TXN_CANCELLING, world.LastReply(execute).told->state);
    world.Ask(REQUEST_CANCEL, "g");
    EXPECT_EQ(1, world.CountRecords("g", RECORD_DECIDE));
}

TEST(Execute, CancelAfterTheDecisionToConfirmIsToldConfirming)
{
    EngineWorld world;
    world.Execute("g", {{0}});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    uintptr_t cancel = world.Ask(REQUEST_CANCEL, "g");
    EXPECT_EQ(TXN_CONFIRMING, world.LastReply(cancel).told->state);
}

// Anomaly 24.
TEST(Execute, AskedAgainWhileConfirmingFailsItIsTheSameTransactionAndNotDone)
{
    EngineWorld world;
    world.Execute("g", {{0}});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_LATER);
    uintptr_t again = world.Execute("g", {{0}}, WAIT_MODE_END);
    EXPECT_FALSE(world.HasReply(again));
    EXPECT_EQ(TXN_CONFIRMING, world.Find("g")->state);
    EXPECT_EQ(0, world.CountRecords("g", RECORD_END));
    world.RunToEnd();
    EXPECT_EQ(TXN_CONFIRMED, world.LastReply(again).told->state);
}

TEST(Watch, TellsEveryChangeAndIsLastAtTheEnd)
{
    EngineWorld world;
    world.Execute("g", two);
    uintptr_t watch = world.Ask(REQUEST_WATCH, "g");
    EXPECT_FALSE(world.LastReply(watch).last);
    world.RunToEnd();
    ASSERT_GT(world.replies[watch].size(), 3U);
    for (size_t i = 0; i + 1 < world.replies[watch].size(); i++) {
        EXPECT_FALSE(world.replies[watch][i].last) << i;
    }
    EXPECT_TRUE(world.LastReply(watch).last);
    EXPECT_EQ(TXN_CONFIRMED, world.LastReply(watch).told->state);
}

TEST(Watch, ForgottenItIsToldOnceMoreAndNeverAgain)
{
    EngineWorld world;
    world.Execute("g", two);
    uintptr_t watch = world.Ask(REQUEST_WATCH, "g");
    event *forget = event_create(EVENT_FORGET);
    forget->u.forget.token = reinterpret_cast<void *>(watch);
    world.Step(forget);
    size_t told = world.replies[watch].size();
    EXPECT_TRUE(world.LastReply(watch).last);
    world.RunToEnd();
    EXPECT_EQ(told, world.replies[watch].size());
}

TEST(Get, OfAnUnknownGidIsNotFound)
{
    EngineWorld world;
    EXPECT_EQ(TERCET_NOT_FOUND, world.LastReply(world.Ask(REQUEST_GET, "nobody")).status);
    EXPECT_TRUE(world.records.empty());
}

TEST(Stop, WhoeverWaitsIsAnsweredAsThingsStand)
{
    EngineWorld world;
    uintptr_t token = world.Execute("g", two);
    world.Step(event_create(EVENT_STOP));
    EXPECT_EQ(TXN_TRYING, world.LastReply(token).told->state);
    EXPECT_TRUE(world.LastReply(token).last);
    uintptr_t later = world.Ask(REQUEST_WATCH, "g");
    EXPECT_TRUE(world.LastReply(later).last);
}

// Its look-up may wait until all days are counted.
TEST(Stop, WhoWaitsForALookUpIsRefused)
{
    EngineWorld world;
    world.hold_lookups = true;
    const std::vector<uintptr_t> tokens{world.Execute("g", two), world.Ask(REQUEST_GET, "g"),
                                        world.Ask(REQUEST_CANCEL, "other")};
    world.Step(event_create(EVENT_STOP));
    for (const uintptr_t token : tokens) {
        EXPECT_EQ(TERCET_UNAVAILABLE, world.LastReply(token).status);
        EXPECT_EQ("TERCET_STOPPING", world.LastReply(token).code);
        EXPECT_TRUE(world.LastReply(token).refused);
    }
    engine_stats stats{};
    engine_read_stats(world.engine, &stats);
    EXPECT_EQ(0U, stats.looking_up);
    world.FindAll();
    EXPECT_EQ(TERCET_UNAVAILABLE, world.LastReply(world.Ask(REQUEST_GET, "g")).status);
    EXPECT_TRUE(world.records.empty());
}

} // namespace
} // namespace tercet

// What participants may say, sense and nonsense.
#include <gtest/gtest.h>

#include "support/engine_world.h"

namespace tercet
{
namespace
{

enum { EMPTY = 3, OTHER_TRANSACTION = 1, NOT_TRIED = 2, CONFIRMED = 3, FORGOTTEN = 5 };

// A transaction whose first branch is asked to confirm (cancel), handed.
void Decide(EngineWorld &world, bool confirm)
{
    world.Execute("g", {{0}});
    world.HandAll();
    if (confirm) {
        world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    } else {
        world.Ask(REQUEST_CANCEL, "g");
    }
    world.HandAll();
}

TEST(Answer, NothingButDoneEverCountsAsSuccessOfATry)
{
    for (int verdict : {0, 2, 3, 4}) {
        EngineWorld world;
        world.Execute("g", {{0}});
        world.HandAll();
        world.Answer("g", 1, TERCET_PHASE_TRY, static_cast<tercet_verdict>(verdict));
        EXPECT_NE(BRANCH_TRIED, world.FindBranch("g", 1)->state) << verdict;
        EXPECT_NE(TXN_OUTCOME_CONFIRMED, txn_state_outcome(world.Find("g")->state)) << verdict;
    }
    for (answer_kind kind : {ANSWER_UNREACHABLE, ANSWER_NOT_SERVED, ANSWER_UNKNOWN}) {
        EngineWorld world;
        world.Execute("g", {{0}});
        world.HandAll();
        world.Fail("g", 1, TERCET_PHASE_TRY, kind);
        EXPECT_NE(BRANCH_TRIED, world.FindBranch("g", 1)->state) << kind;
    }
}

TEST(Answer, NothingButDoneEndsAConfirmOrACancel)
{
    for (bool confirm : {true, false}) {
        tercet_phase phase = confirm ? TERCET_PHASE_CONFIRM : TERCET_PHASE_CANCEL;
        for (int verdict : {0, 2, 3, 4}) {
            EngineWorld world;
            Decide(world, confirm);
            world.Answer("g", 1, phase, static_cast<tercet_verdict>(verdict));
            EXPECT_FALSE(branch_state_is_ended(world.FindBranch("g", 1)->state)) << verdict;
            EXPECT_EQ(1, world.CountCalls("g", phase)) << "it must be asked again";
        }
        for (answer_kind kind : {ANSWER_UNREACHABLE, ANSWER_NOT_SERVED, ANSWER_UNKNOWN}) {
            EngineWorld world;
            Decide(world, confirm);
            world.Fail("g", 1, phase, kind);
            EXPECT_FALSE(branch_state_is_ended(world.FindBranch("g", 1)->state)) << kind;
            EXPECT_EQ(1, world.CountCalls("g", phase)) << kind;
        }
    }
}

TEST(Answer, LaterIsAskedAgainNotBeforeItSaid)
{
    EngineWorld world;
    Decide(world, true);
    event *later = event_create(EVENT_ANSWER);
    later->u.answer.branch = branch_ref(world.FindBranch("g", 1));
    later->u.answer.phase = TERCET_PHASE_CONFIRM;
    later->u.answer.verdict = TERCET_VERDICT_LATER;
    later->u.answer.after_ms = 7777;
    world.Step(later);
    ASSERT_EQ(1U, world.calls.size());
    EXPECT_EQ(world.now.boot_ms + 7777, world.calls[0].not_before_boot_ms);
}

TEST(Answer, LaterCannotPutItOffForMoreThanAMinute)
{
    EngineWorld world;
    Decide(world, true);
    event *later = event_create(EVENT_ANSWER);
    later->u.answer.branch = branch_ref(world.FindBranch("g", 1));
    later->u.answer.phase = TERCET_PHASE_CONFIRM;
    later->u.answer.verdict = TERCET_VERDICT_LATER;
    later->u.answer.after_ms = UINT32_MAX;
    world.Step(later);
    EXPECT_EQ(world.now.boot_ms + 60000, world.calls[0].not_before_boot_ms);
}

TEST(Answer, AnUnreachableParticipantIsAskedAsSoonAsItIsBack)
{
    EngineWorld world;
    Decide(world, true);
    world.Fail("g", 1, TERCET_PHASE_CONFIRM, ANSWER_UNREACHABLE);
    ASSERT_EQ(1U, world.calls.size());
    EXPECT_EQ(0, world.calls[0].not_before_boot_ms);
}

TEST(Answer, ATryThatIsNotServedCancelsAndNeedsNoUndoing)
{
    EngineWorld world;
    uintptr_t token = world.Execute("g", {{0}, {1}}, WAIT_MODE_END);
    world.HandAll();
    world.Fail("g", 1, TERCET_PHASE_TRY, ANSWER_NOT_SERVED);
    EXPECT_EQ(BRANCH_CANCELLED, world.FindBranch("g", 1)->state);
    EXPECT_EQ(1, world.CountCalls("g", TERCET_PHASE_CANCEL));
    world.RunToEnd();
    EXPECT_EQ(TXN_CANCELLED, world.LastReply(token).told->state);
}

TEST(Answer, ATryThatIsNotServedTheSecondTimeIsUndoneAllTheSame)
{
    EngineWorld world;
    world.Execute("g", {{0}});
    world.HandAll();
    world.Fail("g", 1, TERCET_PHASE_TRY, ANSWER_UNKNOWN);
    world.HandAll();
    world.Fail("g", 1, TERCET_PHASE_TRY, ANSWER_NOT_SERVED);
    EXPECT_EQ(BRANCH_CANCELLING, world.FindBranch("g", 1)->state);
}

TEST(Answer, ARowOfAnotherTransactionDecidesCancelAndIsLeftAlone)
{
    for (uint32_t kind : {OTHER_TRANSACTION, FORGOTTEN}) {
        EngineWorld world;
        world.Execute("g", {{0}, {1}});
        world.HandAll();
        world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_CONFLICT, 0, "", kind);
        EXPECT_EQ(TXN_CANCELLING, world.Find("g")->state);
        EXPECT_EQ(BRANCH_SKIPPED, world.FindBranch("g", 1)->state);
        EXPECT_EQ(BRANCH_CANCELLING, world.FindBranch("g", 2)->state);
    }
}

// Anomaly 5.
TEST(Answer, AConflictAfterTheDecisionIsAttentionAndNeverSilence)
{
    for (bool confirm : {true, false}) {
        EngineWorld world;
        Decide(world, confirm);
        tercet_phase phase = confirm ? TERCET_PHASE_CONFIRM : TERCET_PHASE_CANCEL;
        world.Answer("g", 1, phase, TERCET_VERDICT_CONFLICT, 0, "", CONFIRMED);
        engine_stats stats{};
        engine_read_stats(world.engine, &stats);
        EXPECT_EQ(1U, stats.attention);
        uintptr_t get = world.Ask(REQUEST_GET, "g", WAIT_MODE_BEGIN);
        EXPECT_STRNE("", world.LastReply(get).told->attention);
        EXPECT_EQ(static_cast<uint32_t>(CONFIRMED),
                  world.LastReply(get).told->branches[0].conflict);
        EXPECT_GE(world.CountRecords("g", RECORD_PROGRESS), 1);
        EXPECT_EQ(1, world.CountCalls("g", phase));
    }
}

TEST(Answer, AnEmptyRollbackOfABranchThatHadReservedIsAConflict)
{
    EngineWorld world;
    world.Execute("g", {{0}, {1}});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Ask(REQUEST_CANCEL, "g");
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_CANCEL, TERCET_VERDICT_DONE, EMPTY);
    EXPECT_EQ(BRANCH_CANCELLING, world.FindBranch("g", 1)->state);
    EXPECT_EQ(static_cast<uint32_t>(NOT_TRIED), branch_rare(world.FindBranch("g", 1))->conflict);
    world.Answer("g", 2, TERCET_PHASE_CANCEL, TERCET_VERDICT_DONE, EMPTY);
    EXPECT_EQ(BRANCH_CANCELLED, world.FindBranch("g", 2)->state);
}

TEST(Answer, AnEmptyRollbackAfterALateDoneToTheTryIsAConflictToo)
{
    EngineWorld world;
    world.Execute("g", {{0}});
    world.HandAll();
    world.Ask(REQUEST_CANCEL, "g");
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Answer("g", 1, TERCET_PHASE_CANCEL, TERCET_VERDICT_DONE, EMPTY);
    EXPECT_EQ(BRANCH_CANCELLING, world.FindBranch("g", 1)->state);
}

TEST(Answer, AnEmptyConfirmIsNoSuccess)
{
    EngineWorld world;
    Decide(world, true);
    world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_DONE, EMPTY);
    EXPECT_EQ(BRANCH_CONFIRMING, world.FindBranch("g", 1)->state);
}

TEST(Answer, AnEmptyConfirmOfAConfirmOnlyBranchIsNoSuccessEither)
{
    EngineWorld world;
    BranchPlan plan;
    plan.confirm_only = true;
    world.Execute("g", {plan});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_DONE, EMPTY);
    EXPECT_EQ(BRANCH_CONFIRMING, world.FindBranch("g", 1)->state);
}

// Anomaly 11.
TEST(Answer, LateDoubleAndForeignAnswersAreNotRead)
{
    EngineWorld world;
    world.Execute("g", {{0}, {1}});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(TXN_TRYING, world.Find("g")->state);
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.RunToEnd();
    EXPECT_EQ(1, world.CountRecords("g", RECORD_END));
    world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_CONFLICT, 0, "", CONFIRMED);
    world.Sync();
    world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_CONFLICT, 0, "", CONFIRMED);
    EXPECT_EQ(1, world.CountRecords("g", RECORD_END));
    EXPECT_TRUE(world.calls.empty());
}

// The participant may not refuse what it has reserved; it is put off, and an operator knows at once.
TEST(Answer, ARefusalOfAConfirmIsAttentionAtOnceUntilItIsDone)
{
    for (bool confirm : {true, false}) {
        EngineWorld world;
        Decide(world, confirm);
        tercet_phase phase = confirm ? TERCET_PHASE_CONFIRM : TERCET_PHASE_CANCEL;
        engine_stats stats{};
        for (int i = 0; i < 2; i++) { // it is one branch, however often it refuses
            world.Answer("g", 1, phase, TERCET_VERDICT_REFUSED);
            engine_read_stats(world.engine, &stats);
            EXPECT_EQ(1U, stats.attention);
            EXPECT_EQ(1, world.CountCalls("g", phase)) << "it goes on being asked";
            world.HandAll();
        }
        uintptr_t get = world.Ask(REQUEST_GET, "g", WAIT_MODE_BEGIN);
        EXPECT_STRNE("", world.LastReply(get).told->attention);
        EXPECT_EQ(0U, world.LastReply(get).told->branches[0].conflict);
        EXPECT_EQ(1, world.CountRecords("g", RECORD_PROGRESS)) << "news are recorded once";
        world.Answer("g", 1, phase, TERCET_VERDICT_DONE, 1);
        engine_read_stats(world.engine, &stats);
        EXPECT_EQ(0U, stats.attention);
        EXPECT_TRUE(txn_state_is_ended(world.Find("g")->state));
    }
}

TEST(Answer, AttentionThatBecomesAConflictIsCountedOnce)
{
    EngineWorld world;
    Decide(world, true);
    engine_stats stats{};
    for (tercet_verdict verdict :
         {TERCET_VERDICT_REFUSED, TERCET_VERDICT_CONFLICT, TERCET_VERDICT_REFUSED}) {
        world.Answer("g", 1, TERCET_PHASE_CONFIRM, verdict, 0, "", NOT_TRIED);
        world.HandAll();
        engine_read_stats(world.engine, &stats);
        EXPECT_EQ(1U, stats.attention);
    }
    world.Resolve("g", 1, RESOLUTION_SETTLE);
    engine_read_stats(world.engine, &stats);
    EXPECT_EQ(0U, stats.attention);
}

// A PROGRESS before the decision would tell what the decision then contradicts.
TEST(Answer, HoweverOftenATryIsAskedNothingIsRecordedOfIt)
{
    EngineWorld world;
    world.Execute("g", {{0}});
    for (int i = 0; i < 40; i++) {
        world.HandAll();
        if (i % 2 == 0) {
            world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_LATER);
        } else {
            world.Fail("g", 1, TERCET_PHASE_TRY, ANSWER_UNKNOWN);
        }
    }
    EXPECT_EQ(40U, world.FindBranch("g", 1)->attempts);
    EXPECT_EQ(1U, world.records.size()) << "BEGIN";
}

TEST(Answer, AttentionIsRaisedAfterTenAttempts)
{
    EngineWorld world;
    Decide(world, true);
    for (int i = 1; i <= 10; i++) {
        uintptr_t get = world.Ask(REQUEST_GET, "g", WAIT_MODE_BEGIN);
        EXPECT_EQ(i == 10, world.LastReply(get).told->attention[0] != '\0') << i;
        world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_LATER);
        world.HandAll();
    }
    EXPECT_EQ(11U, world.FindBranch("g", 1)->attempts);
    EXPECT_EQ(1, world.CountRecords("g", RECORD_PROGRESS)) << "at the eighth";
}

TEST(Answer, AttentionIsRaisedAfterFiveMinutes)
{
    EngineWorld world;
    Decide(world, true);
    world.Advance(5 * 60 * 1000 - 1);
    EXPECT_STREQ("", world.LastReply(world.Ask(REQUEST_GET, "g", WAIT_MODE_BEGIN)).told->attention);
    world.Advance(1);
    EXPECT_STRNE("", world.LastReply(world.Ask(REQUEST_GET, "g", WAIT_MODE_BEGIN)).told->attention);
}

TEST(Resolve, SettledEndsABranchInConflictAndIsRecordedWithItsReason)
{
    EngineWorld world;
    Decide(world, true);
    world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_CONFLICT, 0, "", NOT_TRIED);
    uintptr_t token = world.Resolve("g", 1, RESOLUTION_SETTLE);
    const view *told = world.LastReply(token).told.get();
    ASSERT_NE(nullptr, told);
    EXPECT_EQ(TXN_CONFIRMED, told->state);
    EXPECT_STREQ("settled by hand", told->branches[0].resolved);
    EXPECT_EQ(1, world.CountRecords("g", RECORD_END));
    EXPECT_GE(world.CountRecords("g", RECORD_PROGRESS), 2);
}

TEST(Resolve, SettledWhileCancellingItIsCancelled)
{
    EngineWorld world;
    Decide(world, false);
    world.Answer("g", 1, TERCET_PHASE_CANCEL, TERCET_VERDICT_CONFLICT, 0, "", NOT_TRIED);
    world.Resolve("g", 1, RESOLUTION_SETTLE);
    EXPECT_EQ(1, world.CountRecords("g", RECORD_END));
    EXPECT_EQ(BRANCH_CANCELLED, world.FindBranch("g", 1)->state);
}

TEST(Resolve, WithoutAConflictItIsRefused)
{
    EngineWorld world;
    Decide(world, true);
    EXPECT_EQ(TERCET_FAILED_PRECONDITION,
              world.LastReply(world.Resolve("g", 1, RESOLUTION_SETTLE)).status);
    EXPECT_EQ(TERCET_FAILED_PRECONDITION,
              world.LastReply(world.Resolve("g", 2, RESOLUTION_SETTLE)).status);
    EXPECT_EQ(TERCET_NOT_FOUND,
              world.LastReply(world.Resolve("nobody", 1, RESOLUTION_SETTLE)).status);
    EXPECT_EQ(BRANCH_CONFIRMING, world.FindBranch("g", 1)->state);
}

// Its action was retired, or its service: without this it would be asked for ever.
TEST(Resolve, WhatNobodyWillEverAnswerMayBeSettled)
{
    const std::vector<std::function<void(EngineWorld &)>> ways{
        [](EngineWorld &world) {
            world.Fail("g", 1, TERCET_PHASE_CONFIRM, ANSWER_NOT_SERVED, "no such action");
        },
        [](EngineWorld &world) {
            world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_REFUSED);
        },
        [](EngineWorld &world) { world.names.entries[0].target_count = 0; }};
    for (const auto &way : ways) {
        EngineWorld world;
        Decide(world, true);
        way(world);
        EXPECT_EQ(TERCET_OK, world.LastReply(world.Resolve("g", 1, RESOLUTION_SETTLE)).status);
        EXPECT_EQ(BRANCH_CONFIRMED, world.FindBranch("g", 1)->state);
        EXPECT_EQ(1, world.CountRecords("g", RECORD_END));
        world.names.entries[0].target_count = 1; // so that it is freed
    }
}

TEST(Resolve, AskAgainAsksNow)
{
    EngineWorld world;
    Decide(world, true);
    world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_CONFLICT, 0, "", NOT_TRIED);
    world.HandAll();
    world.Resolve("g", 1, RESOLUTION_ASK);
    ASSERT_EQ(1U, world.calls.size());
    EXPECT_EQ(0, world.calls[0].not_before_boot_ms);
    EXPECT_EQ(0U, branch_rare(world.FindBranch("g", 1))->conflict);
}

} // namespace
} // namespace tercet

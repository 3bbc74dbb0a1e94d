// What rows that participants tell mean for a restored journal: the odd ones.
#include <gtest/gtest.h>

#include "unit/engine/restored_world.h"

namespace tercet
{
namespace
{

BranchPlan Optional(uint32_t participant)
{
    BranchPlan plan{participant};
    plan.optional = true;
    return plan;
}

BranchPlan ConfirmOnly(uint32_t participant)
{
    BranchPlan plan{participant};
    plan.confirm_only = true;
    return plan;
}

inspected_row Row(RestoredWorld &world, const std::string &gid, uint32_t index, int64_t number,
                  uint32_t state, const BranchPlan &plan)
{
    return RestoredWorld::Row(gid, index, number, state, plan, world.names);
}

TEST(Evidence, ARowOfAnotherBranchOrParticipantIsNobodysWord)
{
    RestoredWorld world;
    world.Adopt("g", 10);
    world.Ask();
    world.Inspected(0, {Row(world, "g", 2, 10, CONFIRMED, {0})}); // of branch 1's number
    world.Inspected(1, {Row(world, "g", 1, 10, CONFIRMED, {1})}); // of branch 1, told by the other
    EXPECT_EQ(TXN_TRYING, world.Find("g")->state);
    EXPECT_EQ("", world.AttentionOf("g"));
}

TEST(Evidence, RowsThatContradictEachOtherLeaveTheOutcomeToAnOperator)
{
    RestoredWorld world;
    world.Adopt("g", 10);
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "g", 10, CONFIRMED)});
    world.Inspected(1, {world.RowAt(1, "g", 11, CANCELLED)});
    EXPECT_EQ(TXN_TRYING, world.Find("g")->state);
    EXPECT_NE("", world.AttentionOf("g"));
    EXPECT_TRUE(world.calls.empty());
    EXPECT_EQ(TERCET_OK, world.LastReply(world.ResolveAs("g", RESOLUTION_WAS_CANCELLED)).status);
    EXPECT_EQ(TXN_CANCELLING, world.Find("g")->state);
    EXPECT_EQ(1, world.CountCalls("g", TERCET_PHASE_CANCEL)) << "the second repeats what it did";
}

// One participant went back to the same backup as the journal, the other has swept its row.
TEST(Evidence, AReservationBesideAForgottenRowIsStillUndoneWhenTheOperatorSaysCancelled)
{
    RestoredWorld world;
    world.Adopt("g", 10);
    world.Ask(LOST_FROM + 10);
    world.Inspected(0, {world.RowAt(0, "g", 10, TRIED)});
    world.Inspected(1, {});
    EXPECT_EQ(0U, branch_rare(world.Find("g")->branches[0])->conflict);
    EXPECT_EQ(FORGOTTEN, branch_rare(world.Find("g")->branches[1])->conflict);
    EXPECT_EQ(TERCET_OK, world.LastReply(world.ResolveAs("g", RESOLUTION_WAS_CANCELLED)).status);
    ASSERT_EQ(1, world.CountCalls("g", TERCET_PHASE_CANCEL));
    EXPECT_EQ(1U, world.calls[0].branch->spec.index);
    EXPECT_EQ(BRANCH_CANCELLED, world.Find("g")->branches[1]->state) << "by the operator's word";
    world.RunToEnd();
    EXPECT_EQ(1, world.CountRecords("g", RECORD_END));
}

TEST(Evidence, AForgottenBranchThatMayHaveBeenLeftOutEndsWithTheOperatorsWord)
{
    for (bool confirmed : {true, false}) {
        RestoredWorld world;
        world.Adopt("g", 10, TXN_MODE_EXECUTE, {{0}, Optional(1)});
        world.Ask(LOST_FROM + 10);
        world.Inspected(0, {});
        world.Inspected(1, {});
        const resolution what = confirmed ? RESOLUTION_WAS_CONFIRMED : RESOLUTION_WAS_CANCELLED;
        EXPECT_EQ(TERCET_OK, world.LastReply(world.ResolveAs("g", what)).status);
        EXPECT_EQ(confirmed ? TXN_CONFIRMED : TXN_CANCELLED, world.Find("g")->state);
        EXPECT_EQ(BRANCH_CANCELLED, world.Find("g")->branches[1]->state);
        EXPECT_STREQ("settled by hand", branch_rare(world.Find("g")->branches[1])->resolved);
    }
}

// Found by the simulator, seed 82493: it had been confirmed.
TEST(Evidence, WhetherAForgottenBranchWasLeftOutIsNotToldToItsInitiator)
{
    for (const bool by_row : {false, true}) {
        RestoredWorld world;
        world.Adopt("g", 10, TXN_MODE_STEPS, {{0}, Optional(1)});
        world.Ask(LOST_FROM + 10);
        world.Inspected(0, by_row ? std::vector<inspected_row>{world.RowAt(0, "g", 10, CONFIRMED)}
                                  : std::vector<inspected_row>{});
        world.Inspected(1, {});
        if (!by_row) {
            world.ResolveAs("g", RESOLUTION_WAS_CONFIRMED);
        }
        EXPECT_EQ(TXN_OUTCOME_CONFIRMED, txn_state_outcome(world.Find("g")->state));
        const Reply &told = world.LastReply(world.Try("g", 2, Optional(1)));
        EXPECT_EQ(TERCET_OK, told.status);
        EXPECT_EQ(TERCET_VERDICT_UNSPECIFIED, told.verdict) << by_row;
        EXPECT_EQ(TERCET_VERDICT_DONE, world.LastReply(world.Try("g", 1, {0})).verdict);
    }
}

// Found by the simulator, seed 124505: the others had been confirmed, and their rows were gone.
TEST(Evidence, AnUndoneRowOfABranchThatIsLostMayBeOfOneThatWasLeftOut)
{
    for (const bool gone : {true, false}) {
        RestoredWorld world;
        world.Adopt("g", 10, TXN_MODE_STEPS, {{0}});
        world.Ask(gone ? LOST_FROM : 0);
        world.Inspected(0, {});
        world.Inspected(1, {Row(world, "g", 2, LOST_FROM + 5, SUSPENDED, {1})});
        EXPECT_EQ(gone ? TXN_TRYING : TXN_CANCELLING, world.Find("g")->state);
        EXPECT_EQ(gone, world.AttentionOf("g").find("its row is gone") != std::string::npos);
    }
}

// Found by the simulator, seed 4000014798: the journal knows an optional branch, which was left out; the
// others were added after the backup, and when the transaction had ended all their rows were forgotten.
TEST(Evidence, AnUndoneOptionalBranchByItselfDoesNotSayThatItsTransactionWasCancelled)
{
    struct Case {
        int64_t passed; // by the participants' marks
        txn_mode mode;
        uint32_t state; // of its row
        bool unknown;
    };
    for (const Case &now : {Case{LOST_FROM + 10, TXN_MODE_STEPS, CANCELLED, true},
                            Case{LOST_FROM + 10, TXN_MODE_STEPS, SUSPENDED, true},
                            Case{LOST_FROM + 10, TXN_MODE_STEPS, TRIED, false},
                            Case{LOST_FROM + 10, TXN_MODE_EXECUTE, CANCELLED, false},
                            Case{LOST_FROM, TXN_MODE_STEPS, CANCELLED, false}}) {
        RestoredWorld world;
        world.Adopt("g", LOST_FROM - 1, now.mode, {Optional(0)});
        world.Ask(now.passed);
        world.Inspected(0, {Row(world, "g", 1, LOST_FROM - 1, now.state, Optional(0))});
        world.Inspected(1, {});
        const bool told = world.AttentionOf("g").find("its row is gone") != std::string::npos;
        EXPECT_EQ(now.unknown, told) << now.passed << " " << now.state;
        world.Advance(60000);
        EXPECT_EQ(now.unknown ? 0 : 1, world.CountRecords("g", RECORD_DECIDE))
            << "by its deadline, unless it may have been confirmed";
        if (now.unknown) {
            world.ResolveAs("g", RESOLUTION_WAS_CONFIRMED);
            EXPECT_EQ(TXN_CONFIRMED, world.Find("g")->state);
        }
    }
}

// Its transaction has not ended, or that row would not be there: so no row of it is gone.
TEST(Evidence, ATriedBranchBesideAnUndoneOneSaysThatNothingIsForgotten)
{
    for (const uint32_t state : {TRIED, CANCELLED}) {
        RestoredWorld world;
        world.Adopt("g", LOST_FROM - 2, TXN_MODE_STEPS, {Optional(0), {1}});
        world.Ask(LOST_FROM + 10);
        world.Inspected(0, {Row(world, "g", 1, LOST_FROM - 2, CANCELLED, Optional(0))});
        world.Inspected(1, {Row(world, "g", 2, LOST_FROM - 1, state, {1})});
        EXPECT_EQ("", world.AttentionOf("g"));
        EXPECT_EQ(state == TRIED ? TXN_TRYING : TXN_CANCELLING, world.Find("g")->state);
    }
}

// Found by the simulator, seed 255889: it was told as done, and asked to be confirmed.
TEST(Evidence, AnUndoneBranchThatIsLostWasLeftOutOfWhatTheOperatorSaysWasConfirmed)
{
    for (const uint32_t state : {SUSPENDED, CANCELLED, TRIED}) {
        RestoredWorld world;
        world.Adopt("g", 10, TXN_MODE_STEPS, {{0}});
        world.Ask(LOST_FROM);
        world.Inspected(0, {});
        world.Inspected(1, {Row(world, "g", 2, LOST_FROM + 5, state, {1})});
        world.ResolveAs("g", RESOLUTION_WAS_CONFIRMED);
        const bool tried = state == TRIED;
        EXPECT_EQ(tried ? TXN_CONFIRMING : TXN_CONFIRMED, world.Find("g")->state);
        EXPECT_EQ(tried ? BRANCH_CONFIRMING : BRANCH_CANCELLED,
                  world.Find("g")->branches[1]->state);
        EXPECT_EQ(tried ? TERCET_VERDICT_DONE : TERCET_VERDICT_REFUSED,
                  world.LastReply(world.Try("g", 2, {1})).verdict);
        EXPECT_EQ(0, world.CountCalls("g", TERCET_PHASE_CANCEL)) << "it is undone already";
    }
}

// Nobody knows whether it was optional, but if it was not, no other would have been confirmed.
TEST(Evidence, AnUndoneBranchThatIsLostWasLeftOutWhereAnotherIsConfirmed)
{
    for (const bool known : {true, false}) {
        RestoredWorld world;
        if (known) {
            world.Adopt("g", 10, TXN_MODE_STEPS, {{0}});
        }
        world.Ask();
        world.Inspected(0, {Row(world, "g", 1, known ? 10 : LOST_FROM + 4, CONFIRMED, {0}),
                            Row(world, "g", 3, LOST_FROM + 6, TRIED, {0})});
        world.Inspected(1, {Row(world, "g", 2, LOST_FROM + 5, SUSPENDED, {1})});
        const txn *found = world.Find("g");
        ASSERT_NE(nullptr, found);
        EXPECT_EQ(TXN_CONFIRMING, found->state);
        EXPECT_EQ(BRANCH_CANCELLED, found->branches[1]->state);
        EXPECT_EQ(BRANCH_CONFIRMING, found->branches[2]->state) << "it waits for its payload";
        EXPECT_EQ(1, world.CountRecords("g", RECORD_DECIDE));
    }
}

TEST(Evidence, ABranchThatNobodyHadTriedWasLeftOutAndThatIsTold)
{
    RestoredWorld world;
    world.Adopt("g", 10, TXN_MODE_STEPS, {{0}, Optional(1)});
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "g", 10, CONFIRMED)});
    world.Inspected(1, {});
    EXPECT_EQ(TERCET_VERDICT_REFUSED, world.LastReply(world.Try("g", 2, Optional(1))).verdict);
}

TEST(Evidence, AConfirmOnlyBranchHasNothingToCancelThoughItsRowIsGone)
{
    RestoredWorld world;
    world.Adopt("g", 10, TXN_MODE_EXECUTE, {{0}, ConfirmOnly(1)});
    world.Ask(LOST_FROM + 10);
    world.Inspected(0, {});
    world.Inspected(1, {});
    EXPECT_EQ(TERCET_OK, world.LastReply(world.ResolveAs("g", RESOLUTION_WAS_CANCELLED)).status);
    EXPECT_EQ(BRANCH_SKIPPED, world.Find("g")->branches[1]->state);
    EXPECT_EQ(TXN_CANCELLED, world.Find("g")->state);
    engine_stats stats{};
    engine_read_stats(world.engine, &stats);
    EXPECT_EQ(0U, stats.attention);
}

TEST(Evidence, WhatWasConfirmedIsConfirmedWithItsMessageAndWithoutWhatWasLeftOut)
{
    RestoredWorld world;
    txn *made = world.Adopt("g", 10, TXN_MODE_EXECUTE,
                            {{0}, ConfirmOnly(1), Optional(1), Optional(1), Optional(1)});
    made->branches[2]->state = BRANCH_REFUSED; // as its PROGRESS says
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "g", 10, CONFIRMED)});
    world.Inspected(1, {Row(world, "g", 4, 13, TRIED, Optional(1))});
    EXPECT_EQ(TXN_CONFIRMING, world.Find("g")->state);
    EXPECT_EQ(BRANCH_CONFIRMING, made->branches[1]->state);
    EXPECT_EQ(BRANCH_CANCELLING, made->branches[2]->state);
    EXPECT_EQ(BRANCH_CONFIRMING, made->branches[3]->state) << "its reservation is there";
    EXPECT_EQ(BRANCH_CANCELLING, made->branches[4]->state) << "of this one there is no row";
}

TEST(Evidence, OnlyStepByStepABranchMayHaveBeenAddedAndOnlyOnce)
{
    for (txn_mode mode : {TXN_MODE_EXECUTE, TXN_MODE_STEPS}) {
        RestoredWorld world;
        world.Adopt("g", LOST_FROM - 1, mode); // its second branch has the first lost number
        world.Ask();
        world.Inspected(0, {world.RowAt(0, "g", LOST_FROM - 1, TRIED)});
        world.Inspected(1, {world.RowAt(1, "g", LOST_FROM, TRIED),
                            Row(world, "g", 3, LOST_FROM + 1, TRIED, {1})});
        EXPECT_EQ(mode == TXN_MODE_STEPS ? 3U : 2U, world.Find("g")->branch_count);
        EXPECT_EQ(mode == TXN_MODE_STEPS ? 1 : 0, world.CountRecords("g", RECORD_ADD_BRANCH));
    }
}

TEST(Evidence, AnOldRowIsOnlyHeardWhereItsTransactionIsInDoubt)
{
    RestoredWorld world;
    world.Adopt("b", 10);
    world.Adopt("z", 12);
    txn *decided = world.Adopt("decided", 14);
    decided->state = TXN_CANCELLING;
    for (uint32_t i = 0; i < 2; i++) {
        decided->branches[i]->state = BRANCH_CANCELLING;
        decided->branches[i]->asked = TERCET_PHASE_CANCEL;
    }
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "a", 5, TRIED),        // of a transaction that has ended
                        world.RowAt(0, "decided", 14, TRIED), // nobody doubts it
                        world.RowAt(0, "c", 60, TRIED)});
    world.Inspected(1, {});
    EXPECT_EQ(nullptr, world.Find("a"));
    EXPECT_NE(nullptr, world.Find("c"));
    EXPECT_EQ(TXN_CANCELLING, world.Find("decided")->state);
    EXPECT_EQ(TXN_TRYING, world.Find("b")->state);
    EXPECT_EQ(TXN_TRYING, world.Find("z")->state);
}

TEST(Evidence, TwoRowsOfOneLostBranchAreOneBranch)
{
    RestoredWorld world;
    world.Ask();
    world.Inspected(0, {Row(world, "lost", 1, 60, TRIED, {0})});
    world.Inspected(1, {Row(world, "lost", 1, 61, TRIED, {1})});
    ASSERT_NE(nullptr, world.Find("lost"));
    EXPECT_EQ(1U, world.Find("lost")->branch_count);
    EXPECT_EQ(TXN_CANCELLING, world.Find("lost")->state);
}

TEST(Evidence, HoweverManyRowsAreToldEachIsHeard)
{
    RestoredWorld world;
    world.Ask();
    std::vector<inspected_row> rows;
    for (int i = 0; i < 200; i++) {
        rows.push_back(world.RowAt(0, "lost-" + std::to_string(i), LOST_FROM + i, TRIED));
    }
    world.Inspected(0, rows);
    world.Inspected(1, {});
    for (int i = 0; i < 200; i++) {
        EXPECT_NE(nullptr, world.Find("lost-" + std::to_string(i))) << i;
    }
}

// Its initiator cannot know that the journal holds it as an Execute.
TEST(Evidence, ALostTransactionTakesItsPayloadsStepByStepToo)
{
    RestoredWorld world;
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "lost", 60, TRIED)});
    world.Inspected(1, {world.RowAt(1, "lost", 61, TRIED)});
    EXPECT_TRUE(world.calls.empty());
    BranchPlan other{0};
    other.payload = "another";
    EXPECT_EQ("TERCET_NOT_BY_STEPS", world.LastReply(world.Try("lost", 1, other)).code);
    EXPECT_TRUE(world.calls.empty());
    world.Try("lost", 1, {0});
    EXPECT_EQ(1, world.CountCalls("lost", TERCET_PHASE_CANCEL));
    EXPECT_EQ(2, world.CountRecords("lost", RECORD_BEGIN));
    EXPECT_EQ("TERCET_NOT_BY_STEPS", world.LastReply(world.Try("lost", 3, {0})).code);
    const txn *lost = world.Find("lost");
    world.HandAll();
    world.Answer("lost", 1, TERCET_PHASE_CANCEL, TERCET_VERDICT_LATER);
    EXPECT_TRUE(branch_has_payload(lost->branches[0])) << "it is to be written with the other's";
    world.Try("lost", 2, {1});
    world.HandAll();
    world.Answer("lost", 1, TERCET_PHASE_CANCEL, TERCET_VERDICT_LATER);
    EXPECT_FALSE(branch_has_payload(lost->branches[0])) << "the disk has it";
    world.Answer("lost", 2, TERCET_PHASE_CANCEL, TERCET_VERDICT_LATER);
    world.RunToEnd();
    EXPECT_EQ(1, world.CountRecords("lost", RECORD_END));
}

TEST(Evidence, AnEmptyPayloadIsBroughtLikeAnyOther)
{
    RestoredWorld world;
    world.Ask();
    BranchPlan empty{0};
    empty.payload = "";
    world.Inspected(0, {Row(world, "lost", 1, 60, TRIED, empty)});
    world.Inspected(1, {});
    EXPECT_TRUE(world.calls.empty());
    world.Execute("lost", {empty});
    EXPECT_EQ(1, world.CountCalls("lost", TERCET_PHASE_CANCEL));
    EXPECT_EQ("", world.AttentionOf("lost"));
}

TEST(Evidence, WhoBringsNoPayloadThatIsMissingOnlyJoins)
{
    RestoredWorld world;
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "lost", 60, TRIED)});
    world.Inspected(1, {world.RowAt(1, "lost", 61, TRIED)});
    world.Execute("lost", {{0}});
    EXPECT_EQ(2, world.CountRecords("lost", RECORD_BEGIN));
    EXPECT_EQ(TERCET_OK, world.LastReply(world.Execute("lost", {{0}})).status);
    EXPECT_EQ(2, world.CountRecords("lost", RECORD_BEGIN)) << "there is nothing new to keep";
    EXPECT_EQ(1, world.CountCalls("lost", TERCET_PHASE_CANCEL));
    world.Execute("lost", {{0}, {1}});
    EXPECT_EQ(2, world.CountCalls("lost", TERCET_PHASE_CANCEL));
    EXPECT_EQ(3, world.CountRecords("lost", RECORD_BEGIN));
}

TEST(Evidence, AnExecuteWithMoreBranchesThanWereFoundBringsThePayloadsOfThoseThatWere)
{
    RestoredWorld world;
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "lost", 60, TRIED)});
    world.Inspected(1, {});
    EXPECT_EQ(TERCET_OK, world.LastReply(world.Execute("lost", {{0}, {1}})).status);
    EXPECT_EQ(1, world.CountCalls("lost", TERCET_PHASE_CANCEL));
    EXPECT_EQ(1U, world.Find("lost")->branch_count);
}

} // namespace
} // namespace tercet

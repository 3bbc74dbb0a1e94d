// What a lost life had ended: the participants' marks still know it, and nobody is asked for it again.
#include <gtest/gtest.h>

#include "unit/engine/restored_world.h"

namespace tercet
{
namespace
{

// "g" as a backup holds it that was made when it was decided.
txn *AdoptConfirming(RestoredWorld &world)
{
    txn *made = world.Adopt("g", 10);
    made->state = TXN_CONFIRMING;
    for (uint32_t i = 0; i < 2; i++) {
        made->branches[i]->state = BRANCH_CONFIRMING;
        made->branches[i]->asked = TERCET_PHASE_CONFIRM;
    }
    return made;
}

TEST(Closed, WhatTheirMarksHadClosedIsNotAskedASecondTime)
{
    RestoredWorld world;
    world.Adopt("g", 10);
    world.Resume(100);
    world.DescribeClosed(0, 0);
    world.DescribeClosed(1, 12);
    world.Inspected(0, {world.RowAt(0, "g", 10, CONFIRMED)});
    world.Inspected(1, {});
    EXPECT_EQ(BRANCH_CONFIRMED, world.FindBranch("g", 2)->state);
    EXPECT_EQ(1, world.CountRecords("g", RECORD_PROGRESS)) << "the next start must know it, too";
    EXPECT_EQ(TERCET_PHASE_CONFIRM, world.FindBranch("g", 1)->asked);
    EXPECT_EQ(0, world.FindBranch("g", 2)->asked) << "whatever was asked for is dropped";
    EXPECT_EQ("", world.AttentionOf("g"));
    world.RunToEnd();
    EXPECT_EQ(1, world.CountRecords("g", RECORD_END));
}

TEST(Closed, WhatTheirMarksListAsOpenIsAsked)
{
    RestoredWorld world;
    world.Adopt("g", 10);
    world.Resume(100);
    world.DescribeClosed(0, 0);
    world.DescribeClosed(1, 12, 11);
    world.Inspected(0, {world.RowAt(0, "g", 10, CONFIRMED)});
    world.Inspected(1, {});
    EXPECT_EQ(BRANCH_CONFIRMING, world.FindBranch("g", 2)->state);
    EXPECT_EQ(2U, world.calls.size());
}

TEST(Closed, WhatTheBackupHoldsAsDecidedEndsWhereItHadEnded)
{
    RestoredWorld world;
    AdoptConfirming(world);
    world.Resume(100);
    world.DescribeClosed(0, 12);
    world.DescribeClosed(1, 12);
    world.Inspected(0, {});
    world.Inspected(1, {});
    EXPECT_EQ(1, world.CountRecords("g", RECORD_END));
    EXPECT_EQ(TXN_CONFIRMED, world.Find("g")->state);
}

// Whether an optional branch was left out is only unknown where its row was looked for and it is cancelled.
TEST(Closed, AnOptionalBranchEndsAsItWasDecided)
{
    BranchPlan optional{1};
    optional.optional = true;
    for (const bool left_out : {true, false}) {
        RestoredWorld world;
        txn *made = world.Adopt("g", 10, TXN_MODE_EXECUTE, {{0}, optional});
        branch_set_conflict(made->branches[1], left_out ? uint32_t{0} : uint32_t{FORGOTTEN});
        made->state = TXN_CONFIRMING;
        made->branches[0]->state = BRANCH_CONFIRMED;
        made->branches[1]->state = left_out ? BRANCH_CANCELLING : BRANCH_CONFIRMING;
        made->branches[1]->asked = left_out ? TERCET_PHASE_CANCEL : TERCET_PHASE_CONFIRM;
        world.Resume(100);
        world.DescribeClosed(0, 12);
        world.DescribeClosed(1, 12);
        world.Inspected(0, {});
        world.Inspected(1, {});
        EXPECT_EQ(left_out ? BRANCH_CANCELLED : BRANCH_CONFIRMED, made->branches[1]->state);
        EXPECT_EQ(0U, branch_rare(made->branches[1])->conflict);
    }
}

TEST(Closed, WhatIsNotBelowTheirMarkIsAskedWhateverItListsAsOpen)
{
    RestoredWorld world;
    const txn *made = AdoptConfirming(world);
    world.Resume(100);
    world.DescribeClosed(0, 5, 3);
    world.DescribeClosed(1, 5, 3);
    world.Inspected(0, {});
    world.Inspected(1, {});
    EXPECT_EQ(BRANCH_CONFIRMING, made->branches[0]->state);
    EXPECT_EQ(BRANCH_CONFIRMING, made->branches[1]->state);
}

TEST(Closed, WhatHadEndedBeforeTheBackupIsNotEndedAgain)
{
    RestoredWorld world;
    txn *made = world.Adopt("g", 10);
    made->state = TXN_CONFIRMING;
    made->branches[0]->state = BRANCH_CONFIRMED;
    made->branches[1]->state = BRANCH_CONFIRMING;
    made->branches[1]->asked = TERCET_PHASE_CONFIRM;
    world.Resume(100);
    world.DescribeClosed(0, 12);
    world.DescribeClosed(1, 0);
    world.Inspected(0, {});
    world.Inspected(1, {});
    EXPECT_EQ(BRANCH_CONFIRMED, made->branches[0]->state);
    EXPECT_EQ(BRANCH_CONFIRMING, made->branches[1]->state);
    EXPECT_EQ(0, world.CountRecords("g", RECORD_PROGRESS)) << "nothing is new";
}

TEST(Closed, ATransactionThatTheBackupHoldsWithoutABranchIsUnknown)
{
    RestoredWorld world;
    world.Adopt("steps", 10, TXN_MODE_STEPS, {});
    world.Ask(70);
    world.Inspected(0, {});
    world.Inspected(1, {});
    EXPECT_EQ("TERCET_UNKNOWN_OUTCOME", world.LastReply(world.Try("steps", 1, {0})).code);
    EXPECT_NE(std::string::npos, world.AttentionOf("steps").find("outcome is not known"));
    world.Advance(60000);
    EXPECT_EQ(0, world.CountRecords("steps", RECORD_DECIDE)) << "it may have been confirmed";
    world.ResolveAs("steps", RESOLUTION_WAS_CONFIRMED);
    EXPECT_EQ(1, world.CountRecords("steps", RECORD_END));
    EXPECT_EQ(TXN_CONFIRMED, world.Find("steps")->state);
}

} // namespace
} // namespace tercet

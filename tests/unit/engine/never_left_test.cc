// What became of a try that found nobody: it never left, and counts for nothing.
#include <gtest/gtest.h>

#include "support/engine_world.h"

namespace tercet
{
namespace
{

TEST(NeverLeft, AnActionThatDoesNotExistEndsThoughTheFirstAttemptFoundNobody)
{
    EngineWorld world;
    BranchPlan typo{0};
    typo.action = "debti";
    uintptr_t token = world.Execute("g", {typo});
    world.HandAll();
    // The edge: no connection over which it was described (answer_unmet): nothing was given to gRPC.
    world.FindNobody("g", 1, TERCET_PHASE_TRY);
    world.HandAll();
    world.Fail("g", 1, TERCET_PHASE_TRY, ANSWER_NOT_SERVED);
    EXPECT_EQ(TXN_OUTCOME_CANCELLED, txn_state_outcome(world.LastReply(token).told->state));
    int asked = 0;
    while (!txn_state_is_ended(world.Find("g")->state) && asked < 2000) {
        world.HandAll();
        world.Advance(60000);
        world.Fail("g", 1, TERCET_PHASE_CANCEL,
                   ANSWER_NOT_SERVED); // "a cancel would be answered the same"
        asked++;
    }
    EXPECT_EQ(0, asked) << "asked to cancel so often, for " << asked / 60
                        << " hours, and still open";
}

// The same where the branch is optional: the transaction is confirmed, and never ends.
TEST(NeverLeft, AnOptionalBranchOfAnActionThatIsNotServedYetEndsThoughTheFirstAttemptFoundNobody)
{
    EngineWorld world;
    BranchPlan soon{1};
    soon.action = "not-deployed-yet";
    soon.optional = true;
    world.Execute("g", {{0}, soon});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.FindNobody("g", 2, TERCET_PHASE_TRY);
    world.HandAll();
    world.Fail("g", 2, TERCET_PHASE_TRY, ANSWER_NOT_SERVED);
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_DONE);
    EXPECT_EQ(TXN_CONFIRMED, world.Find("g")->state)
        << txn_state_name(world.Find("g")->state) << ", waits for a cancel";
}

// A try that only ever found nobody there: nothing of it has left.
TEST(NeverLeft, ABranchThatNeverFoundAnybodyIsCancelledWithoutACall)
{
    EngineWorld world;
    world.Execute("g", {{0}});
    for (int i = 0; i < 3; i++) {
        world.HandAll();
        world.FindNobody("g", 1, TERCET_PHASE_TRY);
    }
    world.Advance(31000); // it waits in dispatch, whose circuit is open
    EXPECT_EQ(TXN_CANCELLED, world.Find("g")->state) << txn_state_name(world.Find("g")->state);
}

} // namespace
} // namespace tercet

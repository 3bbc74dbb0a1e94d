// judge_test.cc -- the judge bites: for each of its checks a history that it must not let pass; what is on disk and what leaves.
#include "simulation/judge_fixture.h"

namespace simulation
{
namespace
{

TEST_F(JudgeTest, LetsARightHistoryPass)
{
    Begin();
    judge.Sent(ACT, 1, TERCET_PHASE_TRY);
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    judge.Sent(ACT, 1, TERCET_PHASE_CONFIRM);
    Ask(REQUEST_EXECUTE, Attempt::EXECUTE);
    Tell(TXN_CONFIRMING, "g7", REQUEST_EXECUTE);
    FinishAll(TERCET_PHASE_CONFIRM);
    End(TXN_OUTCOME_CONFIRMED);
    judge.RowSwept(ACT, 1);
    Account paid = AccountAtFirst();
    Account got = AccountAtFirst();
    Apply(paid, PayloadOf(1), TERCET_PHASE_TRY);
    Apply(paid, PayloadOf(1), TERCET_PHASE_CONFIRM);
    Apply(got, PayloadOf(2), TERCET_PHASE_TRY);
    Apply(got, PayloadOf(2), TERCET_PHASE_CONFIRM);
    judge.AccountIs(0, 0, paid);
    judge.Final({paid, got});
    EXPECT_EQ("", judge.fault());
    EXPECT_EQ(1U, tally.confirmed);
}

// ---- The journal --------------------------------------------------------------------------------

TEST_F(JudgeTest, TwoBatchesAtATime)
{
    journal_batch batch{};
    judge.Submitted(&batch);
    judge.Submitted(&batch);
    Expect("two batches");
}

TEST_F(JudgeTest, ABatchThatCannotBeRead)
{
    journal_batch batch;
    digest128 hash{};
    journal_batch_init(&batch);
    journal_batch_put(&batch, tercet_bytes_of_text("a/g7"), tercet_bytes_of_text("\x01nonsense"),
                      &hash);
    judge.Submitted(&batch);
    journal_batch_deinit(&batch);
    Expect("cannot be read");
}

TEST_F(JudgeTest, ADecisionOfWhatWasNeverBegun)
{
    journal_batch batch;
    digest128 hash{};
    journal_batch_init(&batch);
    const char key[] = {'t', '/', 0, 0, 0, 0, 0, 0, 0, 9, 0x30};
    const char value[] = {1, 8, 1}; /* outcome: CONFIRMED */
    journal_batch_put(&batch, tercet_bytes_of(key, sizeof key),
                      tercet_bytes_of(value, sizeof value), &hash);
    judge.Submitted(&batch);
    journal_batch_deinit(&batch);
    Expect("never begun");
}

TEST_F(JudgeTest, ASecondBegin)
{
    Begin();
    Begin();
    Expect("begun a second time");
}

TEST_F(JudgeTest, ABeginThatNobodyAskedFor)
{
    Write(FactOf(Fact::BEGIN));
    Expect("every request for it was refused");
}

TEST_F(JudgeTest, AConfirmDecidedBeforeAllHaveReserved)
{
    Begin();
    Effect(1, TERCET_PHASE_TRY);
    Decide(TXN_OUTCOME_CONFIRMED);
    Expect("has not reserved");
}

TEST_F(JudgeTest, ADecisionThatChanges)
{
    Begin();
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    Decide(TXN_OUTCOME_CANCELLED);
    Expect("changes its decision");
}

TEST_F(JudgeTest, ABranchAfterTheDecision)
{
    Begin();
    Decide(TXN_OUTCOME_CANCELLED);
    Write(FactOf(Fact::ADD_BRANCH));
    Expect("gets another branch");
}

TEST_F(JudgeTest, ATombstoneOverATransaction)
{
    Begin();
    Write(FactOf(Fact::TOMBSTONE, TXN_OUTCOME_CANCELLED));
    Expect("is buried and was begun");
}

TEST_F(JudgeTest, AnEndOtherThanTheDecision)
{
    Begin();
    Decide(TXN_OUTCOME_CANCELLED);
    End(TXN_OUTCOME_CONFIRMED);
    Expect("ends otherwise");
}

// ---- What leaves the coordinator ----------------------------------------------------------------

TEST_F(JudgeTest, ATryOfWhatIsNotOnDisk)
{
    judge.Sent(ACT, 1, TERCET_PHASE_TRY);
    Expect("not on disk");
}

TEST_F(JudgeTest, AConfirmBeforeItsDecision)
{
    Begin();
    TryAll();
    judge.Note(FactOf(Fact::DECIDE, TXN_OUTCOME_CONFIRMED)); /* submitted, not synced */
    judge.Sent(ACT, 1, TERCET_PHASE_CONFIRM);
    Expect("a confirm of g7/1 leaves");
}

TEST_F(JudgeTest, ACancelBeforeItsDecision)
{
    Begin();
    judge.Sent(ACT, 2, TERCET_PHASE_CANCEL);
    Expect("a cancel of g7/2 leaves");
}

TEST_F(JudgeTest, AMarkAboveWhatTheDiskHasSeen)
{
    mark told{};
    told.as_of = {1, 1};
    told.low = {1, 101};
    Begin();
    judge.MarkTold(0, told);
    Expect("the disk has seen");
}

TEST_F(JudgeTest, AMarkThatPassesAnOpenBranch)
{
    mark told{};
    told.low = {1, 50};
    Begin();
    judge.MarkTold(0, told);
    Expect("passes branch 11");
}

TEST_F(JudgeTest, AMarkThatListsAnUndecidedBranch)
{
    mark told{};
    told.low = {1, 50};
    told.open_count = 1;
    told.open[0] = {1, 11};
    Begin();
    judge.MarkTold(0, told);
    Expect("passes branch 11");
}

// ---- Participants -------------------------------------------------------------------------------

TEST_F(JudgeTest, AnEffectOfWhatWasNeverRegistered)
{
    Effect(1, TERCET_PHASE_TRY);
    Expect("never registered");
}

TEST_F(JudgeTest, AnEffectAfterTheEnd)
{
    Begin();
    Decide(TXN_OUTCOME_CANCELLED);
    End(TXN_OUTCOME_CANCELLED);
    Effect(1, TERCET_PHASE_TRY);
    Expect("took effect after its end");
}

TEST_F(JudgeTest, APhaseTwice)
{
    Begin();
    Effect(1, TERCET_PHASE_TRY);
    Effect(1, TERCET_PHASE_TRY);
    Expect("took effect twice");
}

TEST_F(JudgeTest, ACancelWithoutATry)
{
    Begin();
    Decide(TXN_OUTCOME_CANCELLED);
    Effect(1, TERCET_PHASE_CANCEL);
    Expect("had not reserved");
}

TEST_F(JudgeTest, AConfirmThatWasNotDecided)
{
    Begin();
    TryAll();
    Effect(1, TERCET_PHASE_CONFIRM);
    Expect("is confirmed and that was not decided");
}

TEST_F(JudgeTest, ACancelThatWasNotDecided)
{
    Begin();
    TryAll();
    Effect(1, TERCET_PHASE_CANCEL);
    Expect("is cancelled and that was not decided");
}

TEST_F(JudgeTest, AConfirmOfWhatWasToldAsRefused)
{
    Begin();
    TryAll();
    Ask(REQUEST_TRY);
    Tell(TXN_TRYING, "g7", REQUEST_TRY, TERCET_VERDICT_REFUSED);
    Decide(TXN_OUTCOME_CONFIRMED);
    Effect(1, TERCET_PHASE_CONFIRM);
    Expect("was told that it is not");
}

TEST_F(JudgeTest, OneConfirmedAndAnotherCancelled)
{
    Begin();
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    Effect(1, TERCET_PHASE_CONFIRM);
    Effect(2, TERCET_PHASE_CANCEL);
    Expect("one branch confirmed and another cancelled");
}

TEST_F(JudgeTest, AnAccountThatDoesNotAddUp)
{
    Account account = AccountAtFirst();
    account.free++;
    judge.AccountIs(0, 0, account);
    Expect("does not add up");
}

TEST_F(JudgeTest, AnAccountWithoutItsLine)
{
    Account account = AccountAtFirst();
    account.free--;
    account.reserved++;
    judge.AccountIs(0, 0, account);
    Expect("is not what its branches did");
}

TEST_F(JudgeTest, ARowSweptBeforeTheEnd)
{
    Begin();
    judge.RowSwept(ACT, 1);
    Expect("gone before its end");
}

TEST_F(JudgeTest, ARowWrittenAfterTheEnd)
{
    Begin();
    Decide(TXN_OUTCOME_CANCELLED);
    End(TXN_OUTCOME_CANCELLED);
    judge.RowWritten(ACT, 1);
    Expect("written after its end");
}

TEST_F(JudgeTest, AnEndWithSomethingReserved)
{
    Begin();
    TryAll();
    Decide(TXN_OUTCOME_CANCELLED);
    Effect(1, TERCET_PHASE_CANCEL);
    End(TXN_OUTCOME_CANCELLED);
    Expect("branch 2 is still reserved");
}

TEST_F(JudgeTest, AConfirmedEndOfACancelledBranch)
{
    Begin();
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    FinishAll(TERCET_PHASE_CANCEL);
    End(TXN_OUTCOME_CONFIRMED);
    Expect("ended as confirmed, and branch 1 is not");
}

TEST_F(JudgeTest, AnEpochThatIsForgotten)
{
    judge.Remembers(0, {1, 4}, {1, 100});
    judge.Remembers(0, {1, 3}, {1, 100});
    Expect("asked by a newer coordinator");
}

TEST_F(JudgeTest, AMarkThatGoesBack)
{
    judge.Remembers(0, {1, 4}, {1, 100});
    judge.Remembers(0, {1, 4}, {1, 99});
    Expect("goes back");
}

TEST_F(JudgeTest, ACallOfAnOlderCoordinator)
{
    judge.Remembers(0, {1, 4}, {1, 100});
    judge.Serves(0, {1, 4});
    EXPECT_FALSE(judge.failed());
    judge.Serves(0, {1, 3});
    Expect("serves a call of an older coordinator");
}

} // namespace
} // namespace simulation

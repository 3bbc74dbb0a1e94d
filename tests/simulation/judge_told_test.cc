// judge_told_test.cc -- the judge bites: for each of its checks a history that it must not let pass; what is told, and the end.
#include "simulation/judge_fixture.h"

namespace simulation
{
namespace
{

// ---- What is told -------------------------------------------------------------------------------

TEST_F(JudgeTest, AnAnswerAfterTheLast)
{
    Begin();
    Ask(REQUEST_GET);
    Tell(TXN_TRYING);
    Tell(TXN_TRYING);
    Expect("after its last answer");
}

TEST_F(JudgeTest, AnAnswerThatGoesOn)
{
    Begin();
    Ask(REQUEST_GET);
    Tell(TXN_TRYING, "g7", REQUEST_GET, TERCET_VERDICT_UNSPECIFIED, false);
    Expect("not the last");
}

TEST_F(JudgeTest, AnAnswerThatSaysNothing)
{
    Ask(REQUEST_GET);
    TellNo(TERCET_OK, "", false);
    Expect("says nothing");
}

TEST_F(JudgeTest, SaidToBeUnknownWhileItIsOnDisk)
{
    Begin();
    Ask(REQUEST_GET);
    TellNo(TERCET_NOT_FOUND, "TERCET_NO_SUCH_TRANSACTION", true);
    Expect("said to be unknown");
}

TEST_F(JudgeTest, RefusedAndBegunAllTheSame)
{
    Begin();
    Ask(REQUEST_EXECUTE, Attempt::EXECUTE);
    TellNo(TERCET_UNAVAILABLE, "TERCET_PARTICIPANT_BUSY", true);
    Expect("every request for it was refused");
}

TEST_F(JudgeTest, AResultThatItsTryDidNotGive)
{
    Begin();
    TryAll();
    Ask(REQUEST_GET);
    TellResult(ACT); /* it was ACT + 1 */
    Expect("another result");
}

TEST_F(JudgeTest, SomebodyElsesContentIsTold)
{
    Begin();
    Ask(REQUEST_EXECUTE, Attempt::EXECUTE_OTHER);
    Tell(TXN_TRYING, "g7", REQUEST_EXECUTE);
    Expect("asked for something else");
}

TEST_F(JudgeTest, AnotherTransactionIsTold)
{
    Begin();
    Ask(REQUEST_GET);
    Tell(TXN_TRYING, "g77");
    Expect("\"g77\" is told");
}

TEST_F(JudgeTest, WhatIsNotOnDiskIsTold)
{
    Ask(REQUEST_GET);
    Tell(TXN_TRYING);
    Expect("told and is not on disk");
}

TEST_F(JudgeTest, ADecisionIsToldBeforeItIsOnDisk)
{
    Begin();
    TryAll();
    judge.Note(FactOf(Fact::DECIDE, TXN_OUTCOME_CONFIRMED));
    Ask(REQUEST_GET);
    Tell(TXN_CONFIRMING);
    Expect("that is not what is on disk");
}

TEST_F(JudgeTest, ATryIsToldAsDoneThatReservedNothing)
{
    Begin();
    Ask(REQUEST_TRY);
    Tell(TXN_TRYING, "g7", REQUEST_TRY, TERCET_VERDICT_DONE);
    Expect("reserved nothing");
}

TEST_F(JudgeTest, ATryIsToldAsRefusedThatIsConfirmed)
{
    Begin();
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    FinishAll(TERCET_PHASE_CONFIRM);
    Ask(REQUEST_TRY);
    Tell(TXN_CONFIRMING, "g7", REQUEST_TRY, TERCET_VERDICT_REFUSED);
    Expect("told as refused, and it is confirmed");
}

// ---- The end ------------------------------------------------------------------------------------

TEST_F(JudgeTest, SomethingStaysOpen)
{
    Begin();
    judge.Final({});
    Expect("still open");
}

TEST_F(JudgeTest, SomethingStaysReserved)
{
    Account account = AccountAtFirst();
    account.free -= 5;
    account.reserved += 5;
    judge.Final({account});
    Expect("reserved when all is over");
}

TEST_F(JudgeTest, MoneyIsGone)
{
    Account account = AccountAtFirst();
    account.free -= 5;
    account.out += 5;
    judge.Final({account});
    Expect("0 was to leave and 5 has");
}

TEST_F(JudgeTest, SomebodyIsNeverAnswered)
{
    Ask(REQUEST_GET);
    judge.Final({});
    Expect("never answered");
}

// ---- Lost is lost -------------------------------------------------------------------------------

TEST_F(JudgeTest, WhatACrashHasTakenMayBeDoneOtherwise)
{
    Begin();
    TryAll();
    judge.Note(FactOf(Fact::DECIDE, TXN_OUTCOME_CONFIRMED));
    judge.Lost();
    Decide(TXN_OUTCOME_CANCELLED);
    EXPECT_EQ("", judge.fault());
    EXPECT_EQ(1U, tally.marks[static_cast<size_t>(Mark::DECIDED_OTHERWISE_AFTER_LOSS)]);
}

} // namespace
} // namespace simulation

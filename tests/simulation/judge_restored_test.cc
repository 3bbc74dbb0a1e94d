// judge_restored_test.cc -- where a database was put back, is it excused there and nowhere else?
#include "simulation/judge_fixture.h"

namespace simulation
{
namespace
{

class JudgeRestored : public JudgeTest
{
  protected:
    // The database of the first branch's participant is as it was before anything was tried there.
    void PutBackEmpty(int64_t reach = 0)
    {
        judge.PutBack(0);
        judge.IsBack(0, reach);
    }
    Fact PeerFact(bool held)
    {
        Fact fact = FactOf(Fact::PEER);
        fact.participant = 0;
        fact.held = held;
        fact.peer = {40, 11, 12};
        return fact;
    }
};

TEST_F(JudgeRestored, WhatItHasForgottenIsExcused)
{
    Begin();
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    PutBackEmpty();
    Effect(2, TERCET_PHASE_CONFIRM);
    Settle(1);
    Fact end = FactOf(Fact::END, TXN_OUTCOME_CONFIRMED);
    end.settled = 1U << 1;
    Write(end);
    EXPECT_EQ("", judge.fault());
}

TEST_F(JudgeRestored, SeesWhatAnotherHasNotDone)
{
    Begin();
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    PutBackEmpty();
    End(TXN_OUTCOME_CONFIRMED);
    Expect("branch 2 is still reserved");
}

TEST_F(JudgeRestored, SeesASettledBranchOfOneThatHasLostNothing)
{
    Begin();
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    PutBackEmpty();
    Settle(2);
    Expect("has lost nothing");
}

TEST_F(JudgeRestored, SeesAnEffectThatWasNotDecidedAlsoWhereItIsExcused)
{
    Begin();
    TryAll();
    Decide(TXN_OUTCOME_CANCELLED);
    PutBackEmpty();
    Line line{};
    line.payload = PayloadOf(1);
    line.tries = 1;
    judge.LineIs(0, ACT, 1, line);
    EXPECT_EQ("", judge.fault());
    line.confirms = 1;
    judge.LineIs(0, ACT, 1, line);
    Expect("is confirmed and that was not decided");
}

TEST_F(JudgeRestored, SeesABeginningAtOneThatIsHeld)
{
    Write(PeerFact(true));
    Begin();
    Expect("begins at p0, which is held");
}

TEST_F(JudgeRestored, SeesAConfirmByTheWordOfOneThatIsHeldBeforeThatIsDurable)
{
    Begin();
    TryAll();
    judge.Note(PeerFact(true));
    judge.Note(FactOf(Fact::DECIDE, TXN_OUTCOME_CONFIRMED));
    Expect("by the word of p0");
}

TEST_F(JudgeRestored, AHoldThatWasLostHoldsNobody)
{
    Begin();
    TryAll();
    judge.Note(PeerFact(true));
    judge.Lost();
    Decide(TXN_OUTCOME_CONFIRMED);
    EXPECT_EQ("", judge.fault());
}

TEST_F(JudgeRestored, SeesACallToOneThatIsHeld)
{
    Begin();
    judge.Holds(0, true);
    judge.Sent(ACT, 1, TERCET_PHASE_TRY);
    Expect("asked for at p0, which is held");
}

TEST_F(JudgeRestored, MustBeNoticedWhereTheDiskKnowsMoreThanTheBackup)
{
    PutBackEmpty();
    EXPECT_FALSE(judge.MustHold(0)) << "nothing is known of it";
    Write(PeerFact(false));
    PutBackEmpty(12);
    EXPECT_TRUE(judge.MustHold(0)) << "its mark is gone";
    judge.Remembers(0, {1, 1}, {1, 40});
    judge.IsBack(0, 12);
    EXPECT_FALSE(judge.MustHold(0)) << "all is there";
    judge.IsBack(0, 11);
    EXPECT_TRUE(judge.MustHold(0)) << "number 11 had answered";
    judge.Holds(0, true);
    EXPECT_FALSE(judge.MustHold(0)) << "it was noticed";
}

TEST_F(JudgeRestored, WhatIsLeftReservedForEverIsCounted)
{
    Begin();
    TryAll();
    EXPECT_EQ(1U, judge.OpenAt(0));
    judge.PutBack(0);
    Line line{};
    line.payload = PayloadOf(1);
    line.tries = 1;
    judge.LineWas(0, ACT, 1, line);
    EXPECT_EQ(1U, judge.LeftBehind(0));
    EXPECT_EQ(0U, judge.LeftBehind(1)) << "of the other nothing is excused";
}

} // namespace
} // namespace simulation

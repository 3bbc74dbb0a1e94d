// judge_new_life_test.cc -- where the journal was put back: what is excused, and what is not.
#include "simulation/judge_fixture.h"

namespace simulation
{
namespace
{

class JudgeNewLife : public JudgeTest
{
  protected:
    // As rows tell of it: branches without payloads.
    static Fact Adoption(int64_t number = 11)
    {
        Fact fact = FactOf(Fact::BEGIN);
        fact.branch_count = 1;
        fact.branches[0].payload.branch = 1;
        fact.branches[0].number = {1, number};
        fact.branches[0].lost = true;
        return fact;
    }
    void Adopt(int64_t number = 11)
    {
        Write(Adoption(number));
    }
};

TEST_F(JudgeNewLife, WhatTheJournalHasForgottenMayBeDecidedAgain)
{
    Begin();
    judge.JournalIsBackedUp();
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    judge.JournalIsPutBack();
    EXPECT_FALSE(judge.IsEnded(ACT));
    EXPECT_EQ(TXN_UNDECIDED, judge.DecidedAs(ACT));
    Decide(TXN_OUTCOME_CANCELLED); // nobody had heard of the other
    FinishAll(TERCET_PHASE_CANCEL);
    End(TXN_OUTCOME_CANCELLED);
    EXPECT_EQ("", judge.fault());
}

TEST_F(JudgeNewLife, SeesACancelOfWhatAParticipantHasConfirmed)
{
    Begin();
    judge.JournalIsBackedUp();
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    Effect(1, TERCET_PHASE_CONFIRM);
    judge.JournalIsPutBack();
    EXPECT_EQ(TXN_OUTCOME_CONFIRMED, judge.BooksSay(ACT));
    Decide(TXN_OUTCOME_CANCELLED);
    Expect("decided to be cancelled, and branch 1 is confirmed");
}

TEST_F(JudgeNewLife, SeesAConfirmOfWhatAParticipantHasCancelled)
{
    Begin();
    judge.JournalIsBackedUp();
    TryAll();
    Decide(TXN_OUTCOME_CANCELLED);
    Effect(1, TERCET_PHASE_CANCEL);
    judge.JournalIsPutBack();
    EXPECT_EQ(TXN_OUTCOME_CANCELLED, judge.BooksSay(ACT));
    Decide(TXN_OUTCOME_CONFIRMED);
    Expect("decided to be confirmed and has not reserved");
}

TEST_F(JudgeNewLife, ACallOfTheLostLifeMayDoWhatThatOneHadDecided)
{
    Begin();
    judge.JournalIsBackedUp();
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    judge.JournalIsPutBack();
    Effect(1, TERCET_PHASE_CONFIRM);
    EXPECT_EQ("", judge.fault());
}

TEST_F(JudgeNewLife, SeesACallOfTheLostLifeThatContradictsTheNewOne)
{
    Begin();
    judge.JournalIsBackedUp();
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    judge.JournalIsPutBack();
    Decide(TXN_OUTCOME_CANCELLED);
    Effect(1, TERCET_PHASE_CONFIRM);
    Expect("confirmed and that was not decided");
}

TEST_F(JudgeNewLife, SeesACancelThatNoLifeHasDecided)
{
    Begin();
    judge.JournalIsBackedUp();
    TryAll();
    judge.JournalIsPutBack();
    Effect(1, TERCET_PHASE_CANCEL);
    Expect("cancelled and that was not decided");
}

TEST_F(JudgeNewLife, SeesWhatIsBegunAgain)
{
    judge.JournalIsBackedUp();
    Begin();
    judge.JournalIsPutBack();
    Begin();
    Expect("begun again");
}

TEST_F(JudgeNewLife, SeesWhatIsBuriedAndWasBegun)
{
    judge.JournalIsBackedUp();
    Begin();
    judge.JournalIsPutBack();
    Write(FactOf(Fact::TOMBSTONE, TXN_OUTCOME_CANCELLED));
    Expect("buried");
}

TEST_F(JudgeNewLife, WhatIsAdoptedIsSettledByAnOperator)
{
    judge.JournalIsBackedUp();
    Begin();
    Effect(1, TERCET_PHASE_TRY);
    judge.JournalIsPutBack();
    Adopt();
    EXPECT_EQ(1U, judge.OpenAdopted());
    Decide(TXN_OUTCOME_CANCELLED);
    Settle(1);
    Fact end = FactOf(Fact::END, TXN_OUTCOME_CANCELLED);
    end.settled = 1U << 1;
    Write(end);
    EXPECT_EQ(1U, judge.LeftBehind(0));
    EXPECT_EQ("", judge.fault());
}

TEST_F(JudgeNewLife, WhatIsAdoptedIsSettledByAnOperatorInTheSameBatch)
{
    judge.JournalIsBackedUp();
    Begin();
    Effect(1, TERCET_PHASE_TRY);
    judge.JournalIsPutBack();
    judge.Note(Adoption());
    judge.Note(FactOf(Fact::DECIDE, TXN_OUTCOME_CANCELLED));
    Settle(1);
    EXPECT_EQ("", judge.fault());
}

TEST_F(JudgeNewLife, SeesAnAdoptedBranchThatNobodyHad)
{
    judge.JournalIsBackedUp();
    Begin();
    judge.JournalIsPutBack();
    Adopt(17);
    Expect("no lost life had it");
}

TEST_F(JudgeNewLife, SeesASettledBranchWhoseRowIsThere)
{
    Begin();
    judge.JournalIsBackedUp();
    TryAll();
    judge.JournalIsPutBack();
    Decide(TXN_OUTCOME_CONFIRMED);
    Settle(1);
    Expect("has lost nothing");
}

TEST_F(JudgeNewLife, SeesAReservationThatNobodyHasFound)
{
    judge.JournalIsBackedUp();
    Begin();
    Effect(1, TERCET_PHASE_TRY);
    judge.JournalIsPutBack();
    judge.Final({});
    Expect("reserved when all is over");
}

TEST_F(JudgeNewLife, SeesWhatALostLifeHasConfirmedByHalf)
{
    judge.JournalIsBackedUp();
    Begin();
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    Effect(1, TERCET_PHASE_CONFIRM);
    judge.JournalIsPutBack();
    judge.Final({});
    Expect("was confirmed by a lost life, and branch 2 is not");
}

TEST_F(JudgeNewLife, SeesACallOfAnOlderLife)
{
    judge.Remembers(0, {2, 1}, {1, 100});
    judge.Serves(0, {1, 9});
    Expect("serves a call of an older coordinator");
}

} // namespace
} // namespace simulation

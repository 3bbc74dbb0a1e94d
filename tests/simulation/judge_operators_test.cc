// judge_operators_test.cc -- does the judge see what operators must not be told, and must not do?
#include "simulation/judge_fixture.h"

namespace simulation
{
namespace
{

class JudgeOperators : public JudgeTest
{
  protected:
    static std::shared_ptr<OperatorAsk> PageOf(uint32_t size)
    {
        auto ask = std::make_shared<OperatorAsk>();
        ask->page_size = size;
        return ask;
    }
    void AskList(std::shared_ptr<OperatorAsk> ask)
    {
        judge.AskedByOperator(1, REQUEST_LIST, 0, 0, std::move(ask));
    }
    void AskResolve(resolution what, uint32_t branch = 1, uint32_t participant = NOBODY)
    {
        auto ask = std::make_shared<OperatorAsk>();
        ask->what = what;
        ask->participant = participant;
        judge.AskedByOperator(1, REQUEST_RESOLVE, ACT, branch, ask);
    }
    static view ViewOf(txn_state state, int64_t sequence = 1)
    {
        view told{};
        told.gid = "g7";
        told.sequence = sequence;
        told.state = state;
        told.attention = "";
        return told;
    }
    void TellPage(std::vector<view> told, int64_t next_sequence = 0)
    {
        std::vector<view *> list;
        list.reserve(told.size());
        for (view &one : told) {
            list.push_back(&one);
        }
        effect_reply reply{};
        reply.token = reinterpret_cast<void *>(uintptr_t{1});
        reply.to = REQUEST_LIST;
        reply.last = true;
        reply.list = list.data();
        reply.list_count = static_cast<uint32_t>(list.size());
        reply.list_next_sequence = next_sequence;
        judge.Told(reply);
    }
    void Hold(bool held)
    {
        Fact fact = FactOf(Fact::PEER);
        fact.participant = 1;
        fact.held = held;
        Write(fact);
    }
    Fact Settled(Fact::Kind kind, uint32_t branches)
    {
        Fact fact = FactOf(kind, TXN_OUTCOME_CONFIRMED);
        fact.settled = branches;
        return fact;
    }
};

TEST_F(JudgeOperators, AWholeListOfWhatIsOpenIsFine)
{
    Begin();
    AskList(PageOf(10));
    TellPage({ViewOf(TXN_TRYING)});
    EXPECT_EQ("", judge.fault());
}

TEST_F(JudgeOperators, WhatBeganOrEndedMeanwhileMayStandOnThePageOrNot)
{
    AskList(PageOf(10));
    Begin();
    TellPage({});
    AskList(PageOf(10));
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    FinishAll(TERCET_PHASE_CONFIRM);
    End(TXN_OUTCOME_CONFIRMED);
    TellPage({ViewOf(TXN_TRYING)});
    EXPECT_EQ("", judge.fault());
}

TEST_F(JudgeOperators, SeesThatOneIsNotListed)
{
    Begin();
    AskList(PageOf(10));
    TellPage({});
    Expect("g7 is open and not listed");
}

TEST_F(JudgeOperators, SeesThatOneIsNotListedThoughThePageGoesOnBehindIt)
{
    Begin();
    AskList(PageOf(10));
    TellPage({}, 1);
    Expect("g7 is open and not listed");
}

TEST_F(JudgeOperators, SeesOneListedThatIsNotOnDisk)
{
    AskList(PageOf(10));
    TellPage({ViewOf(TXN_TRYING)});
    Expect("listed and is not on disk");
}

TEST_F(JudgeOperators, SeesOneListedThatHadEnded)
{
    Begin();
    Decide(TXN_OUTCOME_CANCELLED);
    End(TXN_OUTCOME_CANCELLED);
    AskList(PageOf(10));
    TellPage({ViewOf(TXN_CANCELLING)});
    Expect("listed as open and had ended");
}

TEST_F(JudgeOperators, SeesOneListedInAStateThatItHadLeft)
{
    Begin();
    Decide(TXN_OUTCOME_CANCELLED);
    AskList(PageOf(10));
    TellPage({ViewOf(TXN_TRYING)});
    Expect("listed as undecided and was decided");
}

TEST_F(JudgeOperators, SeesAPageOutOfOrder)
{
    Begin();
    auto ask = PageOf(10);
    ask->after_sequence = 1;
    AskList(ask);
    TellPage({ViewOf(TXN_TRYING)});
    Expect("listed as number 1 behind 1");
}

TEST_F(JudgeOperators, SeesAPageThatIsTooLong)
{
    Begin();
    AskList(PageOf(1));
    TellPage({ViewOf(TXN_TRYING), ViewOf(TXN_TRYING, 2)});
    Expect("a page of 1 was asked for");
}

TEST_F(JudgeOperators, SeesWhatWasNotAskedFor)
{
    Begin();
    auto ask = PageOf(10);
    ask->attention_only = true;
    AskList(ask);
    TellPage({ViewOf(TXN_TRYING)});
    Expect("listed and was not asked for");
}

TEST_F(JudgeOperators, SeesAnOutcomeThatIsNone)
{
    Begin();
    judge.ToldOutcome(ViewOf(TXN_CONFIRMED));
    Expect("listed as ended and is not");
}

TEST_F(JudgeOperators, SeesAnOutcomeThatIsAnother)
{
    Begin();
    Decide(TXN_OUTCOME_CANCELLED);
    End(TXN_OUTCOME_CANCELLED);
    judge.ToldOutcome(ViewOf(TXN_CONFIRMED));
    Expect("not what is on disk");
}

TEST_F(JudgeOperators, SeesThatOneIsOnNoPageAtAll)
{
    Begin();
    std::vector<bool> listed(ACT + 1);
    judge.Walked(judge.moment() - 1, listed);
    EXPECT_EQ("", judge.fault()) << "it came later";
    judge.Walked(judge.moment(), listed);
    Expect("on none of its pages");
}

TEST_F(JudgeOperators, SeesThatNothingIsToBeResolvedWhereABranchWaits)
{
    Begin();
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    AskResolve(RESOLUTION_ASK);
    TellNo(TERCET_FAILED_PRECONDITION, "TERCET_NOTHING_TO_RESOLVE", true);
    Expect("waits for its confirm");
}

TEST_F(JudgeOperators, SeesThatAnOpenOneIsSaidToHaveEnded)
{
    Begin();
    AskResolve(RESOLUTION_ASK);
    TellNo(TERCET_FAILED_PRECONDITION, "TERCET_ENDED", true);
    Expect("told that it has ended");
}

TEST_F(JudgeOperators, SeesThatAnOpenOneIsSaidToBeUnknown)
{
    Begin();
    AskResolve(RESOLUTION_ASK);
    TellNo(TERCET_NOT_FOUND, "TERCET_NO_SUCH_TRANSACTION", true);
    Expect("said to be unknown");
}

TEST_F(JudgeOperators, SeesABranchResolvedThatIsNotDecided)
{
    Begin();
    AskResolve(RESOLUTION_ASK);
    Tell(TXN_TRYING, "g7", REQUEST_RESOLVE);
    Expect("is not decided");
}

TEST_F(JudgeOperators, SeesAHeldParticipantSaidNotToBe)
{
    Hold(true);
    AskResolve(RESOLUTION_ASK, 0, 1);
    TellNo(TERCET_FAILED_PRECONDITION, "TERCET_NOTHING_TO_RESOLVE", true);
    Expect("p1 is held");
}

TEST_F(JudgeOperators, SeesABranchSettledThatNobodyHasSettled)
{
    Begin();
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    AskResolve(RESOLUTION_SETTLE, 2);
    Write(Settled(Fact::PROGRESS, 1U << 1));
    Expect("no operator has said so");
}

TEST_F(JudgeOperators, SeesAnOperatorsWordForgotten)
{
    Begin();
    TryAll();
    Decide(TXN_OUTCOME_CONFIRMED);
    judge.PutBack(1); /* so that there is something to settle */
    Effect(1, TERCET_PHASE_CONFIRM);
    AskResolve(RESOLUTION_SETTLE, 2);
    Write(Settled(Fact::PROGRESS, 1U << 2));
    EXPECT_EQ("", judge.fault());
    End(TXN_OUTCOME_CONFIRMED);
    Expect("that is forgotten");
}

} // namespace
} // namespace simulation

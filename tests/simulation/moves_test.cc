// moves_test.cc -- moves that the model does not make are found, whoever made them.
#include <gtest/gtest.h>

#include "simulation/moves.h"

namespace simulation
{
namespace
{

class MovesTest : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        branch_spec spec{};
        spec.index = 1;
        spec.action = "a";
        one = txn_create("g0", "", "");
        txn_add_branch_take(one, branch_create(&spec));
    }
    void TearDown() override
    {
        txn_destroy(one);
    }
    void Move(branch_state to)
    {
        const Moves::Watch watch(moves);
        branch_move(one->branches[0], to);
    }
    void Move(txn_state to)
    {
        const Moves::Watch watch(moves);
        txn_move(one, to, clock_now{});
    }

    spec::Relation relation{"txn 0 1\ntxn 1 3\nbranch 0 1\nbranch 1 2\nbranch 2 7\n"};
    Tally tally;
    Judge judge{tally};
    Moves moves{relation, judge, tally};
    txn *one = nullptr;
};

TEST_F(MovesTest, WhatTheModelMakesIsCounted)
{
    Move(TXN_TRYING);
    Move(BRANCH_WAITING);
    Move(BRANCH_TRYING);
    Move(TXN_CANCELLING);
    Move(BRANCH_CANCELLING);
    EXPECT_EQ("", judge.fault());
    EXPECT_EQ(1U, tally.moves[spec::PairOf(spec::Kind::TXN, TXN_TRYING, TXN_CANCELLING)]);
    EXPECT_EQ(1U, tally.moves[spec::PairOf(spec::Kind::BRANCH, BRANCH_WAITING, BRANCH_TRYING)]);
}

TEST_F(MovesTest, AMoveOfABranchThatTheModelDoesNotMakeIsFound)
{
    Move(BRANCH_WAITING);
    Move(BRANCH_CONFIRMING);
    EXPECT_EQ("MODEL: g0: branch WAITING to CONFIRMING is no move of the model", judge.fault());
}

TEST_F(MovesTest, AMoveOfATransactionThatTheModelDoesNotMakeIsFound)
{
    Move(TXN_TRYING);
    Move(TXN_CONFIRMING);
    EXPECT_EQ("MODEL: g0: txn TRYING to CONFIRMING is no move of the model", judge.fault());
}

TEST_F(MovesTest, AStateThatWasChangedWithoutAMoveIsFoundAtTheNextOne)
{
    Move(BRANCH_WAITING);
    one->branches[0]->state = BRANCH_TRYING;
    Move(BRANCH_CANCELLING);
    EXPECT_EQ("MODEL: g0: branch TRYING to CANCELLING, but its last move did not end there",
              judge.fault());
}

TEST_F(MovesTest, AndWithTheNextMoveOfItsTransaction)
{
    Move(TXN_TRYING);
    Move(BRANCH_WAITING);
    one->branches[0]->state = BRANCH_CONFIRMED;
    Move(TXN_CANCELLING);
    EXPECT_EQ("MODEL: g0: branch 1 is CONFIRMED without a move", judge.fault());
}

TEST_F(MovesTest, WhatWasAdoptedGoesOnFromWhereTheJournalLeftIt)
{
    one->state = TXN_TRYING;
    one->branches[0]->state = BRANCH_TRYING;
    moves.Adopted(one);
    Move(TXN_CANCELLING);
    Move(BRANCH_CANCELLING);
    EXPECT_EQ("", judge.fault());
}

TEST_F(MovesTest, WhatIsNotWatchedIsNotCounted)
{
    txn_move(one, TXN_TRYING, clock_now{});
    EXPECT_EQ(0U, tally.moves[spec::PairOf(spec::Kind::TXN, TXN_NONE, TXN_TRYING)]);
}

} // namespace
} // namespace simulation

// relation_test.cc -- the product's tables against the model's moves, in both directions.
//
// The model was written from the protocol and the tables from the model's states, by hand; SPIN has
// searched only the model.  So every move that a table allows must be one the model makes, and every
// move the model makes must be one the table allows.  There are no exceptions: a move of one side
// alone is an error in that side.
#include <gtest/gtest.h>

#include "spec/relation.h"
#include "tercet/fence.h"

extern "C" {
#include "engine/branch_state.h"
#include "engine/txn_state.h"
}

namespace spec
{
namespace
{

constexpr int STATES = static_cast<int>(STATES_MAX);

template <typename May> void Compare(Kind kind, May may)
{
    int moves = 0;
    for (int from = 0; from < STATES; from++) {
        for (int to = 0; to < STATES; to++) {
            moves += may(from, to) ? 1 : 0;
            EXPECT_EQ(Relation::Model().Allows(kind, from, to), may(from, to))
                << TextOf({kind, from, to})
                << ": expected is the model, actual the product's table";
        }
    }
    EXPECT_GT(moves, 0) << "nothing was compared";
}

// What the truth table of the fence does to a row, whatever else it is told.
bool RowMay(int from, int to)
{
    bool may = false;
    for (int phase = TERCET_PHASE_TRY; phase <= TERCET_PHASE_CANCEL; phase++) {
        for (int mark = TERCET_MARK_ABOVE; mark <= TERCET_MARK_BELOW; mark++) {
            for (int bits = 0; bits < 4 && from <= TERCET_FENCE_SUSPENDED; bits++) {
                const tercet_fence_facts facts = {
                    static_cast<tercet_fence_state>(from), static_cast<tercet_phase>(phase),
                    (bits & 1) != 0, static_cast<tercet_mark_relation>(mark), (bits & 2) != 0};
                const int becomes = static_cast<int>(tercet_fence_decide(&facts).becomes);
                may = may || (becomes == to && becomes != from);
            }
        }
    }
    return may;
}

TEST(Relation, ATransactionMayBecomeExactlyWhatTheModelSays)
{
    Compare(Kind::TXN, [](int from, int to) {
        return txn_state_may(static_cast<txn_state>(from), static_cast<txn_state>(to));
    });
}

TEST(Relation, ABranchMayBecomeExactlyWhatTheModelSays)
{
    Compare(Kind::BRANCH, [](int from, int to) {
        return branch_state_may(static_cast<branch_state>(from), static_cast<branch_state>(to));
    });
}

TEST(Relation, ARowBecomesExactlyWhatTheModelSays)
{
    Compare(Kind::ROW, RowMay);
}

TEST(Relation, WhatIsNotInTheFileIsNotAllowed)
{
    const Relation relation("# a remark\n\nbranch 1 2\ntxn 0 1\n");
    EXPECT_EQ("", relation.fault());
    EXPECT_EQ(2U, relation.moves().size());
    EXPECT_TRUE(relation.Allows(Kind::BRANCH, 1, 2));
    EXPECT_FALSE(relation.Allows(Kind::BRANCH, 2, 1));
    EXPECT_FALSE(relation.Allows(Kind::TXN, 1, 2));
    EXPECT_FALSE(relation.Allows(Kind::BRANCH, -1, 2));
    EXPECT_FALSE(relation.Allows(Kind::BRANCH, 1, STATES));
}

TEST(Relation, ALineThatSaysNothingIsNamed)
{
    for (const char *line : {"stage 0 1", "branch 0", "branch 0 1 2", "branch 0 16", "branch -1 0",
                             "branch a b", "txn 3 5"}) {
        const Relation relation(std::string("txn 3 5\n") + line + "\ntxn 0 1\n");
        EXPECT_EQ(line, relation.fault());
    }
}

TEST(Relation, AMoveIsNamedAsTheProductNamesIt)
{
    EXPECT_EQ("txn TRYING to CONFIRMING", TextOf({Kind::TXN, 1, 2}));
    EXPECT_EQ("branch WAITING to CANCELLING", TextOf({Kind::BRANCH, 1, 7}));
    EXPECT_EQ("row NONE to SUSPENDED", TextOf({Kind::ROW, 0, 4}));
}

} // namespace
} // namespace spec

// Every pair of states of both machines, against tables written a second time by hand.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

#include "support/engine_world.h"

namespace
{

using Pair = std::pair<int, int>;

const std::set<Pair> branch_moves = {
    {BRANCH_NONE, BRANCH_WAITING},         {BRANCH_WAITING, BRANCH_TRYING},
    {BRANCH_WAITING, BRANCH_CONFIRMING},   {BRANCH_WAITING, BRANCH_CANCELLING},
    {BRANCH_WAITING, BRANCH_SKIPPED},      {BRANCH_TRYING, BRANCH_TRIED},
    {BRANCH_TRYING, BRANCH_REFUSED},       {BRANCH_TRYING, BRANCH_CANCELLING},
    {BRANCH_TRYING, BRANCH_CANCELLED},     {BRANCH_TRYING, BRANCH_SKIPPED},
    {BRANCH_TRIED, BRANCH_CONFIRMING},     {BRANCH_TRIED, BRANCH_CANCELLING},
    {BRANCH_REFUSED, BRANCH_CANCELLING},   {BRANCH_REFUSED, BRANCH_CANCELLED},
    {BRANCH_CONFIRMING, BRANCH_CONFIRMED}, {BRANCH_CANCELLING, BRANCH_CANCELLED},
};

const std::set<Pair> txn_moves = {
    {TXN_NONE, TXN_TRYING},       {TXN_NONE, TXN_CANCELLED},       {TXN_TRYING, TXN_CONFIRMING},
    {TXN_TRYING, TXN_CANCELLING}, {TXN_CONFIRMING, TXN_CONFIRMED}, {TXN_CANCELLING, TXN_CANCELLED},
};

TEST(BranchState, EveryPairIsAllowedExactlyIfTheTableSaysSo)
{
    for (int from = -1; from <= BRANCH_STATE_COUNT; from++) {
        for (int to = -1; to <= BRANCH_STATE_COUNT; to++) {
            bool want = branch_moves.count({from, to}) != 0;
            EXPECT_EQ(want, branch_state_may(static_cast<branch_state>(from),
                                             static_cast<branch_state>(to)))
                << from << " to " << to;
        }
    }
}

TEST(BranchState, NothingLeadsOutOfAnEndedState)
{
    for (int from = 0; from < BRANCH_STATE_COUNT; from++) {
        bool leaves = false;
        for (int to = 0; to < BRANCH_STATE_COUNT; to++) {
            leaves = leaves || branch_state_may(static_cast<branch_state>(from),
                                                static_cast<branch_state>(to));
        }
        EXPECT_EQ(!leaves, branch_state_is_ended(static_cast<branch_state>(from))) << from;
    }
}

TEST(BranchState, OnlyTheThreeAskingStatesAskForAnything)
{
    EXPECT_EQ(TERCET_PHASE_TRY, branch_state_asks(BRANCH_TRYING));
    EXPECT_EQ(TERCET_PHASE_CONFIRM, branch_state_asks(BRANCH_CONFIRMING));
    EXPECT_EQ(TERCET_PHASE_CANCEL, branch_state_asks(BRANCH_CANCELLING));
    for (int state = -1; state <= BRANCH_STATE_COUNT; state++) {
        if (state != BRANCH_TRYING && state != BRANCH_CONFIRMING && state != BRANCH_CANCELLING) {
            EXPECT_EQ(0, branch_state_asks(static_cast<branch_state>(state))) << state;
        }
    }
}

TEST(BranchStateDeathTest, AForbiddenMoveEndsTheProcess)
{
    tercet::EngineWorld world;
    branch *made = tercet::MakeBranch(1, {}, world.names);
    EXPECT_DEATH(branch_move(made, BRANCH_CONFIRMED), "branch_state_may");
    branch_unref(made);
}

TEST(TxnState, EveryPairIsAllowedExactlyIfTheTableSaysSo)
{
    for (int from = -1; from <= TXN_STATE_COUNT; from++) {
        for (int to = -1; to <= TXN_STATE_COUNT; to++) {
            bool want = txn_moves.count({from, to}) != 0;
            EXPECT_EQ(want, txn_state_may(static_cast<txn_state>(from), static_cast<txn_state>(to)))
                << from << " to " << to;
        }
    }
}

TEST(TxnState, ADecisionNeverChanges)
{
    for (int from = 0; from < TXN_STATE_COUNT; from++) {
        for (int to = 0; to < TXN_STATE_COUNT; to++) {
            auto a = static_cast<txn_state>(from);
            auto b = static_cast<txn_state>(to);
            if (txn_state_may(a, b) && txn_state_is_decided(a)) {
                EXPECT_EQ(txn_state_outcome(a), txn_state_outcome(b)) << from << " to " << to;
            }
        }
    }
}

TEST(TxnState, EveryStateHasAName)
{
    std::set<std::string> names;
    for (int state = 0; state < TXN_STATE_COUNT; state++) {
        names.insert(txn_state_name(static_cast<txn_state>(state)));
    }
    EXPECT_EQ(static_cast<size_t>(TXN_STATE_COUNT), names.size());
    EXPECT_STREQ("?", txn_state_name(static_cast<txn_state>(99)));
    EXPECT_STREQ("?", branch_state_name(static_cast<branch_state>(99)));
}

TEST(TxnStateDeathTest, AForbiddenMoveEndsTheProcess)
{
    txn *made = txn_create("x", "", "");
    EXPECT_DEATH(txn_move(made, TXN_CONFIRMED, clock_now{}), "txn_state_may");
    txn_destroy(made);
}

} // namespace

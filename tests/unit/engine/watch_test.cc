// watch_test.cc -- whoever watches is told each change once.
#include <gtest/gtest.h>

#include "support/engine_world.h"

namespace tercet
{
namespace
{

class WatchOnce : public ::testing::Test
{
  protected:
    void Start(const std::vector<BranchPlan> &branches)
    {
        world.Execute("g", branches);
        token = world.Ask(REQUEST_WATCH, "g");
        world.HandAll();
        told = world.replies[token].size();
        EXPECT_EQ(1U, told);
    }

    // The step that was just made told it exactly once, and how things stand now.
    void ExpectOnce(txn_state state)
    {
        EXPECT_EQ(told + 1, world.replies[token].size());
        told = world.replies[token].size();
        EXPECT_EQ(state, world.LastReply(token).told->state);
        EXPECT_EQ(txn_state_is_ended(state), world.LastReply(token).last);
        world.HandAll();
    }

    void ExpectNothing()
    {
        EXPECT_EQ(told, world.replies[token].size());
    }

    EngineWorld world;
    uintptr_t token = 0;
    size_t told = 0;
};

TEST_F(WatchOnce, OfATransactionThatConfirms)
{
    Start({{0}, {1}});
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    ExpectOnce(TXN_TRYING);
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_DONE); // tried, and decided
    ExpectOnce(TXN_CONFIRMING);
    world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_DONE, 1);
    ExpectOnce(TXN_CONFIRMING);
    world.Answer("g", 2, TERCET_PHASE_CONFIRM, TERCET_VERDICT_DONE, 1); // confirmed, and ended
    ExpectOnce(TXN_CONFIRMED);
}

TEST_F(WatchOnce, OfARefusal)
{
    Start({{0}, {1}});
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    ExpectOnce(TXN_CANCELLING);
}

TEST_F(WatchOnce, OfARefusalThatDecidesAndEndsInOneStep)
{
    Start({{0}});
    world.Fail("g", 1, TERCET_PHASE_TRY, ANSWER_NOT_SERVED);
    ExpectOnce(TXN_CANCELLED);
}

TEST_F(WatchOnce, OfAnOptionalRefusal)
{
    Start({{0}, {1, "a", "x", 0, false, true}});
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    ExpectOnce(TXN_TRYING);
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    ExpectOnce(TXN_CONFIRMING);
}

TEST_F(WatchOnce, OfAnOptionalRefusalThatDecides)
{
    Start({{0, "a", "x", 0, false, true}});
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    ExpectOnce(TXN_CONFIRMING);
}

TEST_F(WatchOnce, OfAStageThatBegins)
{
    Start({{0}, {1, "a", "x", 1}});
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    ExpectOnce(TXN_TRYING);
}

TEST_F(WatchOnce, OfTheDeadlineAndOfACancel)
{
    Start({{0}});
    world.Advance(30000);
    ExpectOnce(TXN_CANCELLING);
    world.Ask(REQUEST_CANCEL, "g");
    ExpectNothing(); // it was decided before
}

TEST_F(WatchOnce, OfAConflictOnlyWhenItIsNewAndOfWhatEndsIt)
{
    Start({{0}});
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    ExpectOnce(TXN_CONFIRMING);
    world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_CONFLICT, 0, "", 2);
    ExpectOnce(TXN_CONFIRMING);
    world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_CONFLICT, 0, "", 2);
    ExpectNothing();
    world.HandAll();
    world.Resolve("g", 1, RESOLUTION_SETTLE);
    ExpectOnce(TXN_CONFIRMED);
}

TEST_F(WatchOnce, OfATryThatIsAdded)
{
    world.Begin("g");
    token = world.Ask(REQUEST_WATCH, "g");
    told = world.replies[token].size();
    world.Try("g", 1, {0});
    ExpectOnce(TXN_TRYING);
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    ExpectOnce(TXN_TRYING);
    world.Ask(REQUEST_CONFIRM, "g");
    ExpectOnce(TXN_CONFIRMING);
}

} // namespace
} // namespace tercet

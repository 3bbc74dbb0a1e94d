// Branches whose payload is on the disk only: it is fetched when their turn comes.
#include <gtest/gtest.h>

#include "unit/dispatch/dispatch_world.h"

namespace
{

constexpr auto kConfirm = TERCET_PHASE_CONFIRM;
using Branches = std::vector<struct branch *>;

TEST(DispatchFetch, APayloadIsFetchedFirstAndTheBranchKeepsItsTurn)
{
    World world({{"a", 1, true}});
    struct branch *parked = world.Parked(kConfirm);
    world.CallAgain(parked);
    struct branch *later = world.Call(kConfirm);
    world.Step();
    EXPECT_EQ(world.Fetches(), Branches{parked});
    EXPECT_TRUE(world.Sent().empty()) << "the one place of the window is taken";
    EXPECT_EQ(parked->attempts, 0U) << "nothing has left";
    world.Step();
    EXPECT_TRUE(world.orders.empty()) << "it is fetched once";
    world.Fetched(parked);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{parked});
    world.AnswerAll(ANSWER_REPLY);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{later});
}

TEST(DispatchFetch, AWholeWindowIsFetchedAtOnceAndNoMore)
{
    World world({{"a", 4, true}});
    for (int i = 0; i < 9; i++) {
        world.CallAgain(world.Parked(kConfirm));
    }
    world.Step();
    const Branches first = world.Fetches();
    EXPECT_EQ(first.size(), 4U);
    for (struct branch *branch : first) {
        world.Fetched(branch);
    }
    world.Step();
    EXPECT_EQ(world.Sent().size(), 4U);
    EXPECT_TRUE(world.Fetches().empty());
}

TEST(DispatchFetch, WhatIsNotWantedAnyMoreIsDroppedWhenItsPayloadComes)
{
    World world({{"a", 1, true}});
    struct branch *parked = world.Parked(kConfirm);
    world.CallAgain(parked);
    world.Step();
    World::Ask(parked, 0); /* an operator has ended it */
    dispatch_fetched(world.dispatch, parked);
    world.Step();
    EXPECT_TRUE(world.orders.empty());
    EXPECT_EQ(parked->refs, 1U) << "only the test's";
    world.Call(kConfirm);
    world.Step();
    EXPECT_EQ(world.Sent().size(), 1U) << "its place in the window is free";
}

TEST(DispatchFetch, APayloadThatNobodyAskedForChangesNothing)
{
    World world({{"a", 1, true}});
    struct branch *branch = world.Call(kConfirm);
    dispatch_fetched(world.dispatch, branch);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{branch});
    dispatch_fetched(world.dispatch, branch);
    world.Step();
    EXPECT_TRUE(world.orders.empty());
    world.Answer(branch, kConfirm, ANSWER_REPLY);
    World::Close(branch);
    dispatch_fetched(world.dispatch, branch); /* it is forgotten here */
    world.Step();
    EXPECT_TRUE(world.orders.empty());
}

TEST(DispatchFetch, AnEmptyPayloadIsNotFetched)
{
    World world({{"a", 1, true}});
    struct branch *branch = world.Branch(kConfirm);
    branch_drop_payload(branch);
    world.CallAgain(branch);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{branch});
}

TEST(DispatchFetch, TheEndComesWhileAPayloadIsOnItsWay)
{
    struct branch *parked = nullptr;
    {
        World world({{"a", 1, true}});
        parked = branch_ref(world.Parked(kConfirm));
        world.CallAgain(parked);
        world.Step();
        EXPECT_EQ(world.Fetches().size(), 1U);
    }
    EXPECT_EQ(parked->refs, 1U);
    branch_unref(parked);
}

} // namespace

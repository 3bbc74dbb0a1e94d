// The engine's small parts, by themselves.
#include <gtest/gtest.h>

#include "support/engine_world.h"

extern "C" {
#include "engine/engine_internal.h"
}

namespace tercet
{
namespace
{

TEST(BranchNumber, AnEarlierIncarnationIsSmallerWhateverTheNumber)
{
    EXPECT_LT(branch_number_compare({1, 9}, {2, 1}), 0);
    EXPECT_GT(branch_number_compare({2, 1}, {1, 9}), 0);
    EXPECT_LT(branch_number_compare({1, 1}, {1, 2}), 0);
    EXPECT_GT(branch_number_compare({1, 2}, {1, 1}), 0);
    EXPECT_EQ(branch_number_compare({1, 2}, {1, 2}), 0);
}

TEST(Parts, NothingIsEndedOrDecidedThatIsNoState)
{
    for (int state : {-1, static_cast<int>(BRANCH_STATE_COUNT)}) {
        EXPECT_FALSE(branch_state_is_ended(static_cast<branch_state>(state)));
    }
    for (int state : {-1, static_cast<int>(TXN_STATE_COUNT)}) {
        EXPECT_FALSE(txn_state_is_ended(static_cast<txn_state>(state)));
        EXPECT_FALSE(txn_state_is_decided(static_cast<txn_state>(state)));
    }
}

TEST(Parts, AttemptsAreCountedUpToTheLargestNumberAndStayThere)
{
    EngineWorld world;
    world.Execute("g", {{0}});
    branch *branch = world.FindBranch("g", 1);
    branch->attempts = INT32_MAX - 1;
    branch_note_handed(branch);
    branch_note_handed(branch);
    EXPECT_EQ(INT32_MAX, static_cast<int64_t>(branch->attempts));
}

TEST(Parts, ARefusedBranchThatIsNotOptionalIsNotReadyToConfirm)
{
    EngineWorld world;
    world.Execute("g", {{0}});
    branch *branch = world.FindBranch("g", 1);
    const struct branch *first = nullptr;
    const branch_state before = branch->state;
    branch->state = BRANCH_REFUSED;
    EXPECT_FALSE(txn_all_tried(world.Find("g"), &first));
    EXPECT_EQ(branch, first);
    branch->spec.optional = true;
    EXPECT_TRUE(txn_all_tried(world.Find("g"), &first));
    branch->spec.optional = false;
    branch->state = before;
}

TEST(Parts, AReasonIsReplacedByTheNext)
{
    txn *txn = txn_create("g", "", "");
    txn_set_reason(txn, "FIRST", "one");
    txn_set_reason(txn, "SECOND", "two");
    EXPECT_STREQ("SECOND", txn->reason->code);
    EXPECT_STREQ("two", said_text(txn->reason));
    txn_destroy(txn);
}

TEST(Parts, ATryIsDoneOnlyWhenItsEffectStands)
{
    const auto done = TERCET_VERDICT_DONE, refused = TERCET_VERDICT_REFUSED,
               open = TERCET_VERDICT_UNSPECIFIED;
    EXPECT_EQ(open, try_verdict(TXN_TRYING, BRANCH_WAITING, false, false));
    EXPECT_EQ(done, try_verdict(TXN_TRYING, BRANCH_WAITING, true, false));
    EXPECT_EQ(open, try_verdict(TXN_TRYING, BRANCH_TRYING, true, false));
    EXPECT_EQ(done, try_verdict(TXN_TRYING, BRANCH_TRIED, false, false));
    EXPECT_EQ(refused, try_verdict(TXN_TRYING, BRANCH_REFUSED, false, false));
    EXPECT_EQ(done, try_verdict(TXN_CONFIRMING, BRANCH_CONFIRMING, false, false));
    EXPECT_EQ(done, try_verdict(TXN_CONFIRMED, BRANCH_CONFIRMED, false, false));
    EXPECT_EQ(refused, try_verdict(TXN_CONFIRMING, BRANCH_CANCELLING, false, false)) << "optional";
    EXPECT_EQ(refused, try_verdict(TXN_CANCELLED, BRANCH_CANCELLED, false, false));
    EXPECT_EQ(open, try_verdict(TXN_CONFIRMED, BRANCH_CANCELLED, false, true)) << "forgotten";
    EXPECT_EQ(done, try_verdict(TXN_CONFIRMED, BRANCH_CONFIRMED, false, true));
    EXPECT_EQ(refused, try_verdict(TXN_CANCELLED, BRANCH_CANCELLED, false, true));
}

TEST(Parts, EffectsThatNobodyTookAreReleasedWithWhatTheyOwn)
{
    EngineWorld world;
    branch *branch = MakeBranch(1, {}, world.names);
    effects effects;
    effects_init(&effects);
    effects_add(&effects, EFFECT_CALL)->u.call.branch = branch_ref(branch);
    effects_deinit(&effects);
    EXPECT_EQ(1U, branch->refs);
    branch_unref(branch);
}

TEST(Parts, NoEventIsEasilyDestroyed)
{
    event_destroy(nullptr);
}

TEST(Parts, NoEngineIsEasilyDestroyed)
{
    engine_destroy(nullptr);
}

TEST(Parts, AReasonThatIsOnlyWordsIsKept)
{
    EngineWorld world;
    branch *branch = MakeBranch(1, {}, world.names);
    branch_set_reason(branch, "", "words");
    ASSERT_NE(nullptr, branch_trouble(branch)->reason);
    EXPECT_STREQ("", said_code(branch_trouble(branch)->reason));
    EXPECT_STREQ("words", said_text(branch_trouble(branch)->reason));
    branch_unref(branch);
}

TEST(Parts, ABranchIsFoundByItsIndexAlsoWhereIndexesHaveGaps)
{
    EngineWorld world;
    world.Execute("g", {{0}, {0}});
    const txn *txn = world.Find("g");
    branch *second = world.FindBranch("g", 2);
    EXPECT_EQ(nullptr, txn_branch(txn, 0));
    EXPECT_EQ(second, txn_branch(txn, 2));
    second->spec.index = 7;
    EXPECT_EQ(second, txn_branch(txn, 7));
    EXPECT_EQ(nullptr, txn_branch(txn, 2));
    second->spec.index = 2;
}

TEST(Parts, WhatAnOperatorHasConfirmedNeedNotHaveBeenAsked)
{
    EngineWorld world;
    branch *branch = MakeBranch(1, {}, world.names);
    branch->number = {1, 1};
    branch->state = BRANCH_CONFIRMED;
    EXPECT_DEATH(branch_check(branch), "handed");
    branch_set_resolved(branch, "settled by hand");
    branch_check(branch);
    branch_unref(branch);
}

// A wake that comes too late keeps somebody waiting; with nothing to wait for there is none.
TEST(Parts, TheNextWakeIsTheEarlierOfADeadlineAndOfSomebodysPatience)
{
    EngineWorld world;
    EXPECT_EQ(INT64_MAX, engine_wake_at_boot_ms(world.engine));
    world.Execute("g", {{0}});
    const int64_t deadline = engine_wake_at_boot_ms(world.engine);
    EXPECT_LT(deadline, INT64_MAX);
    EXPECT_GT(deadline, world.now.boot_ms + 100);
    world.Ask(REQUEST_GET, "g", WAIT_MODE_END, UINT32_MAX);
    EXPECT_EQ(deadline, engine_wake_at_boot_ms(world.engine));
    world.Ask(REQUEST_GET, "g", WAIT_MODE_END, 100);
    EXPECT_EQ(world.now.boot_ms + 100, engine_wake_at_boot_ms(world.engine));
}

} // namespace
} // namespace tercet

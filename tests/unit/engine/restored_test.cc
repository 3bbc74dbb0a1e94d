// A restored journal asks what participants have seen before it decides, begins or drives anything.
#include <gtest/gtest.h>

#include "unit/engine/restored_world.h"

namespace tercet
{
namespace
{

TEST(Restored, AJournalThatWasNotRestoredAsksNobody)
{
    EngineWorld world(2);
    EXPECT_FALSE(engine_is_in_restored_mode(world.engine));
    world.Describe(0, EngineWorld::Store('a', 0, 0));
    EXPECT_TRUE(world.inspections.empty());
}

TEST(Restored, NothingIsBegunDecidedDrivenOrForgottenWhileItAsks)
{
    RestoredWorld world;
    world.Adopt("open", 10);
    world.Ask();
    ASSERT_TRUE(engine_is_in_restored_mode(world.engine));
    ASSERT_EQ(2U, world.holds.size()) << "nothing is sent to either";
    ASSERT_EQ(2U, world.inspections.size());
    EXPECT_EQ(10, world.inspections[0].from.number) << "from its lowest undecided branch on";
    EXPECT_EQ(OLD_LIFE, world.inspections[0].from.incarnation);
    EXPECT_EQ(EngineWorld::INCARNATION, world.inspections[0].below.incarnation);
    world.Advance(1000000);
    world.Tick();
    EXPECT_EQ(TXN_TRYING, world.Find("open")->state) << "its deadline has passed";
    EXPECT_TRUE(world.calls.empty());
    EXPECT_EQ("TERCET_RECOVERING", world.LastReply(world.Execute("new", {{0}})).code);
    EXPECT_EQ("TERCET_RECOVERING",
              world.LastReply(world.EngineWorld::Ask(REQUEST_CANCEL, "new")).code);
    EXPECT_EQ("TERCET_RECOVERING",
              world.LastReply(world.EngineWorld::Ask(REQUEST_CANCEL, "open")).code);
    EXPECT_NE("", world.AttentionOf("open"));
    EXPECT_EQ(0, engine_mark(world.engine, 0)->as_of.number);
    EXPECT_EQ(LOST_FROM, engine_next_number(world.engine));
}

TEST(Restored, ItEndsWhenEverybodyHasToldAndIsNotBegunAgain)
{
    RestoredWorld world;
    world.Ask();
    world.Inspected(0, {});
    EXPECT_TRUE(engine_is_in_restored_mode(world.engine));
    world.Inspected(1, {});
    EXPECT_FALSE(engine_is_in_restored_mode(world.engine));
    ASSERT_EQ(4U, world.holds.size());
    EXPECT_FALSE(world.holds[3].held);
    EXPECT_EQ(EngineWorld::INCARNATION, world.recorded_known[0].asked_incarnation);
    const acquaintance known = world.recorded_known[0];
    world.StartOver("boot-2", world.now, 100);
    engine_adopt_acquaintance(world.engine, 0, &known);
    world.Resume(200);
    EXPECT_FALSE(engine_is_in_restored_mode(world.engine));
}

TEST(Restored, OnePageIsNotEverything)
{
    RestoredWorld world;
    world.Ask();
    world.inspections.clear();
    event *page = event_create(EVENT_INSPECTED);
    page->u.inspected.answered = true;
    snprintf(page->u.inspected.token, sizeof page->u.inspected.token, "next");
    world.Step(page);
    ASSERT_EQ(1U, world.inspections.size());
    EXPECT_STREQ("next", world.inspections[0].token);
    world.Inspected(1, {});
    EXPECT_TRUE(engine_is_in_restored_mode(world.engine));
    world.Inspected(0, {});
    EXPECT_FALSE(engine_is_in_restored_mode(world.engine));
}

TEST(Restored, AQuestionThatWasNotAnsweredIsAskedAgain)
{
    RestoredWorld world;
    world.Ask();
    world.inspections.clear();
    world.Step(event_create(EVENT_INSPECTED));
    EXPECT_TRUE(world.inspections.empty());
    EXPECT_EQ(world.now.boot_ms + 500, engine_wake_at_boot_ms(world.engine));
    world.Advance(500);
    world.Tick();
    EXPECT_EQ(1U, world.inspections.size());
}

TEST(Restored, AnOperatorMayGoOnWithoutAParticipant)
{
    RestoredWorld world;
    world.Ask();
    world.Inspected(0, {});
    EXPECT_EQ(TERCET_OK, world.LastReply(world.ResolveParticipant(1)).status);
    EXPECT_FALSE(engine_is_in_restored_mode(world.engine));
}

TEST(Restored, WhereOneHasConfirmedItIsConfirmed)
{
    RestoredWorld world;
    world.Adopt("g", 10);
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "g", 10, CONFIRMED)});
    world.Inspected(1, {world.RowAt(1, "g", 11, TRIED)});
    EXPECT_EQ(TXN_CONFIRMING, world.Find("g")->state);
    EXPECT_EQ(1, world.CountRecords("g", RECORD_DECIDE));
    EXPECT_EQ(2, world.CountCalls("g", TERCET_PHASE_CONFIRM));
    world.RunToEnd();
    EXPECT_EQ(1, world.CountRecords("g", RECORD_END));
}

TEST(Restored, WhereOneHasCancelledItIsCancelled)
{
    for (uint32_t state : {CANCELLED, SUSPENDED}) {
        RestoredWorld world;
        world.Adopt("g", 10);
        world.Ask();
        world.Inspected(0, {world.RowAt(0, "g", 10, TRIED)});
        world.Inspected(1, {world.RowAt(1, "g", 11, state)});
        EXPECT_EQ(TXN_CANCELLING, world.Find("g")->state);
        EXPECT_STREQ("TERCET_RESTORED", world.Find("g")->reason->code);
        EXPECT_EQ(2, world.CountCalls("g", TERCET_PHASE_CANCEL));
    }
}

TEST(Restored, ACancelOfAnOptionalBranchSaysNothingOfTheOthers)
{
    RestoredWorld world;
    BranchPlan optional{1};
    optional.optional = true;
    world.Adopt("g", 10, TXN_MODE_EXECUTE, {{0}, optional});
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "g", 10, CONFIRMED)});
    world.Inspected(1, {RestoredWorld::Row("g", 2, 11, SUSPENDED, optional, world.names)});
    EXPECT_EQ(TXN_CONFIRMING, world.Find("g")->state);
    EXPECT_EQ(BRANCH_CANCELLING, world.FindBranch("g", 2)->state) << "left out, as it was";
}

TEST(Restored, ARowOfAnotherNumberIsAnotherTransactions)
{
    RestoredWorld world;
    world.Adopt("g", 10);
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "g", 12, CONFIRMED)});
    world.Inspected(1, {});
    EXPECT_EQ(TXN_TRYING, world.Find("g")->state);
}

TEST(Restored, WhereNobodyHasActedItGoesOn)
{
    RestoredWorld world;
    world.Adopt("g", 10);
    world.Ask();
    world.Inspected(0, {world.RowAt(0, "g", 10, TRIED)});
    world.Inspected(1, {});
    EXPECT_EQ(TXN_TRYING, world.Find("g")->state);
    EXPECT_EQ("", world.AttentionOf("g"));
    world.RunToEnd();
    EXPECT_EQ(TXN_CONFIRMED, world.Find("g")->state);
}

TEST(Restored, ItsDeadlineCountsAgainAfterwards)
{
    RestoredWorld world;
    world.Adopt("g", 10);
    world.Ask();
    world.Advance(1000000);
    world.Inspected(0, {});
    world.Inspected(1, {});
    world.Tick();
    EXPECT_EQ(TXN_CANCELLING, world.Find("g")->state);
    EXPECT_EQ(TXN_CAUSE_TIMEOUT, world.Find("g")->cause);
}

TEST(Restored, ARowThatIsForgottenMakesTheOutcomeUnknown)
{
    RestoredWorld world;
    world.Adopt("g", 10);
    world.Ask(LOST_FROM + 10);
    world.Inspected(0, {});
    world.Inspected(1, {});
    EXPECT_FALSE(engine_is_in_restored_mode(world.engine));
    EXPECT_EQ(TXN_TRYING, world.Find("g")->state);
    EXPECT_EQ(1, world.CountRecords("g", RECORD_PROGRESS));
    EXPECT_EQ(FORGOTTEN, branch_rare(world.Find("g")->branches[0])->conflict);
    world.Advance(1000000);
    world.Tick();
    EXPECT_EQ(TXN_TRYING, world.Find("g")->state) << "no deadline decides it";
    EXPECT_TRUE(world.calls.empty());
    EXPECT_EQ("TERCET_UNKNOWN_OUTCOME",
              world.LastReply(world.EngineWorld::Ask(REQUEST_CANCEL, "g")).code);
    EXPECT_NE("", world.AttentionOf("g"));
}

TEST(Restored, AnUnknownOutcomeStaysUnknownAfterARestart)
{
    RestoredWorld world;
    acquaintance known{};
    known.asked_incarnation = EngineWorld::INCARNATION;
    engine_adopt_acquaintance(world.engine, 0, &known);
    world.Adopt("g", 10, TXN_MODE_EXECUTE, {{0}, {1}}, FORGOTTEN); // as its PROGRESS says
    world.Resume(100);
    EXPECT_FALSE(engine_is_in_restored_mode(world.engine));
    world.Advance(1000000);
    world.Tick();
    EXPECT_EQ(TXN_TRYING, world.Find("g")->state);
    EXPECT_TRUE(world.calls.empty());
    EXPECT_EQ(TERCET_OK, world.LastReply(world.ResolveAs("g", RESOLUTION_WAS_CANCELLED)).status);
    EXPECT_EQ(BRANCH_CANCELLED, world.Find("g")->branches[0]->state);
}

TEST(Restored, AnOperatorSaysWhatAnUnknownOutcomeWas)
{
    for (bool confirmed : {true, false}) {
        RestoredWorld world;
        world.Adopt("g", 10);
        world.Ask(LOST_FROM + 10);
        world.Inspected(0, {});
        world.Inspected(1, {});
        const resolution what = confirmed ? RESOLUTION_WAS_CONFIRMED : RESOLUTION_WAS_CANCELLED;
        const Reply &told = world.LastReply(world.ResolveAs("g", what));
        EXPECT_EQ(TERCET_OK, told.status) << told.text;
        EXPECT_EQ(confirmed ? TXN_CONFIRMED : TXN_CANCELLED, world.Find("g")->state);
        EXPECT_STREQ("settled by hand", branch_rare(world.Find("g")->branches[0])->resolved);
        EXPECT_EQ(1, world.CountRecords("g", RECORD_END));
    }
}

TEST(Restored, WhatIsNotUnknownIsNobodysToSay)
{
    RestoredWorld world;
    world.Adopt("g", 10);
    world.Ask();
    EXPECT_EQ("TERCET_NOTHING_TO_RESOLVE",
              world.LastReply(world.ResolveAs("g", RESOLUTION_WAS_CONFIRMED)).code);
    world.Inspected(0, {});
    world.Inspected(1, {});
    EXPECT_EQ("TERCET_NOTHING_TO_RESOLVE",
              world.LastReply(world.ResolveAs("g", RESOLUTION_WAS_CONFIRMED)).code);
}

} // namespace
} // namespace tercet

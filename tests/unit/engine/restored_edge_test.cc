// A restored journal while it asks: who is waited for, what is answered meanwhile, and what is heard.
#include <gtest/gtest.h>

#include "unit/engine/restored_world.h"

namespace tercet
{
namespace
{

// As its DECIDE says.
void DecideToCancel(txn *adopted)
{
    adopted->state = TXN_CANCELLING;
    for (uint32_t i = 0; i < adopted->branch_count; i++) {
        adopted->branches[i]->state = BRANCH_CANCELLING;
        adopted->branches[i]->asked = TERCET_PHASE_CANCEL;
    }
}

TEST(Restored, ADoubtOfAnEarlierRestoreIsEndedByARowThatIsFound)
{
    RestoredWorld world;
    world.Adopt("g", 10, TXN_MODE_EXECUTE, {{0}, {1}}, FORGOTTEN);
    world.Ask();
    world.Inspected(0, {});
    world.Inspected(1, {world.RowAt(1, "g", 11, CONFIRMED)});
    EXPECT_EQ(TXN_CONFIRMING, world.Find("g")->state);
    EXPECT_EQ(0U, branch_rare(world.Find("g")->branches[0])->conflict);
}

TEST(Restored, WhatWasLostInAnEarlierRestoreIsNotWhatItWaitsForMeanwhile)
{
    RestoredWorld world;
    txn *made = world.Adopt("g", 10, TXN_MODE_STEPS);
    made->branches[1]->payload_lost = true; // as its record says
    world.Ask();
    ASSERT_EQ(1U, world.LastReply(world.List(0, 10)).list.size());
    EXPECT_EQ(std::string::npos, world.AttentionOf("g").find("payload was lost"));
    world.Inspected(0, {world.RowAt(0, "g", 10, TRIED)});
    world.Inspected(1, {world.RowAt(1, "g", 11, TRIED)});
    EXPECT_NE(std::string::npos, world.AttentionOf("g").find("payload was lost"));
}

TEST(Restored, TwoForgottenRowsAreOneDoubt)
{
    RestoredWorld world;
    acquaintance known{};
    known.asked_incarnation = EngineWorld::INCARNATION; // it has asked already
    engine_adopt_acquaintance(world.engine, 0, &known);
    world.Adopt("g", 10, TXN_MODE_EXECUTE, {{0}, {1}}, FORGOTTEN);
    world.Resume(100);
    EXPECT_TRUE(world.calls.empty());
    EXPECT_EQ(TERCET_OK, world.LastReply(world.ResolveAs("g", RESOLUTION_WAS_CONFIRMED)).status);
    EXPECT_EQ(TXN_CONFIRMED, world.Find("g")->state);
}

TEST(Restored, WhatNeitherBeginsNorDecidesIsAnsweredMeanwhile)
{
    RestoredWorld world;
    world.Adopt("open", 10, TXN_MODE_STEPS)->content = digest_of_content("open", nullptr, 0);
    DecideToCancel(world.Adopt("decided", 14));
    world.Ask();
    EXPECT_EQ(TERCET_OK, world.LastReply(world.EngineWorld::Ask(REQUEST_CANCEL, "decided")).status)
        << "what is decided stays so";
    for (request_kind kind : {REQUEST_CONFIRM, REQUEST_CANCEL}) {
        EXPECT_EQ("TERCET_RECOVERING", world.LastReply(world.EngineWorld::Ask(kind, "open")).code);
    }
    EXPECT_EQ("TERCET_RECOVERING", world.LastReply(world.Try("open", 3, {0})).code);
    EXPECT_EQ("TERCET_RECOVERING", world.LastReply(world.Begin("new")).code);
    EXPECT_EQ("TERCET_NO_SUCH_TRANSACTION", world.LastReply(world.Try("new", 1, {0})).code);
    EXPECT_EQ("TERCET_NO_SUCH_TRANSACTION",
              world.LastReply(world.EngineWorld::Ask(REQUEST_CONFIRM, "new")).code);
    EXPECT_EQ(TERCET_OK,
              world.LastReply(world.EngineWorld::Ask(REQUEST_GET, "open", WAIT_MODE_BEGIN)).status);
    EXPECT_EQ(TERCET_OK, world.LastReply(world.Begin("open")).status) << "it is known";
    world.Inspected(0, {});
    world.Inspected(1, {});
    EXPECT_EQ(TERCET_OK, world.LastReply(world.Begin("new")).status);
}

TEST(Restored, AnUnknownOutcomeTakesNeitherBranchesNorAWord)
{
    RestoredWorld world;
    world.Adopt("g", 10, TXN_MODE_STEPS)->content = digest_of_content("g", nullptr, 0);
    world.Ask(LOST_FROM + 10);
    world.Inspected(0, {});
    world.Inspected(1, {});
    EXPECT_EQ("TERCET_UNKNOWN_OUTCOME", world.LastReply(world.Try("g", 3, {0})).code);
    EXPECT_EQ("TERCET_UNKNOWN_OUTCOME",
              world.LastReply(world.EngineWorld::Ask(REQUEST_CONFIRM, "g")).code);
    EXPECT_EQ(TERCET_OK, world.LastReply(world.Begin("g")).status);
    EXPECT_TRUE(world.calls.empty());
}

TEST(Restored, EachQuestionIsAskedAgainInItsOwnTime)
{
    RestoredWorld world;
    world.Ask();
    world.inspections.clear();
    const int64_t first = world.now.boot_ms;
    world.Step(event_create(EVENT_INSPECTED)); // the first has not answered
    world.Advance(100);
    event *second = event_create(EVENT_INSPECTED);
    second->u.inspected.participant = 1;
    world.Step(second);
    EXPECT_EQ(first + 500, engine_wake_at_boot_ms(world.engine));
    world.Advance(400);
    ASSERT_EQ(1U, world.inspections.size());
    EXPECT_EQ(0U, world.inspections[0].participant);
    EXPECT_EQ(first + 600, engine_wake_at_boot_ms(world.engine));
    world.Inspected(0, {});
    EXPECT_EQ(first + 600, engine_wake_at_boot_ms(world.engine));
    world.Advance(100);
    ASSERT_EQ(2U, world.inspections.size());
    EXPECT_EQ(1U, world.inspections[1].participant);
    world.Advance(10000);
    EXPECT_EQ(2U, world.inspections.size()) << "one has told, the other's question is out";
}

TEST(Restored, AParticipantThatIsNotConfiguredAnyMoreIsNotWaitedFor)
{
    RestoredWorld world;
    (void)directory_intern(&world.names, "removed");
    world.StartOver("boot-2", world.now, LOST_FROM);
    world.Ask();
    EXPECT_EQ(2U, world.inspections.size());
    world.Inspected(0, {});
    world.Inspected(1, {});
    EXPECT_FALSE(engine_is_in_restored_mode(world.engine));
}

TEST(Restored, AParticipantThatWasHeldBeforeIsHeldAfterwards)
{
    RestoredWorld world;
    acquaintance known{};
    snprintf(known.held, sizeof known.held, "rolled back");
    engine_adopt_acquaintance(world.engine, 0, &known);
    world.Adopt("g", 10);
    world.Ask();
    world.Inspected(0, {});
    const size_t before = world.holds.size();
    world.Inspected(1, {});
    EXPECT_FALSE(engine_is_in_restored_mode(world.engine));
    EXPECT_TRUE(engine_is_held(world.engine, 0));
    ASSERT_EQ(before + 2, world.holds.size());
    EXPECT_TRUE(world.holds[before].held);
    EXPECT_FALSE(world.holds[before + 1].held);
    EXPECT_EQ(TXN_CANCELLING, world.Find("g")->state) << "its first branch is there";
}

TEST(Restored, AnOperatorsWordOnAHeldParticipantDoesNotLetItGoBeforeTheJournalHasAsked)
{
    RestoredWorld world;
    acquaintance known{};
    snprintf(known.held, sizeof known.held, "rolled back");
    engine_adopt_acquaintance(world.engine, 0, &known);
    world.Ask();
    world.Inspected(0, {}); // it has told; the other has not
    const size_t before = world.holds.size();
    EXPECT_EQ(TERCET_OK, world.LastReply(world.ResolveParticipant(0)).status);
    EXPECT_FALSE(engine_is_held(world.engine, 0));
    EXPECT_EQ(before, world.holds.size()) << "nothing is sent while it asks";
    world.Inspected(1, {});
    EXPECT_EQ(before + 2, world.holds.size());
    EXPECT_FALSE(world.holds.back().held);
}

TEST(Restored, WhoCannotBeReachedIsAskedWhenItCan)
{
    RestoredWorld world;
    world.Resume(100);
    event *probed = event_create(EVENT_PROBED); // not reachable
    world.Step(probed);
    world.Advance(10000);
    EXPECT_TRUE(world.inspections.empty());
    EXPECT_EQ(INT64_MAX, engine_wake_at_boot_ms(world.engine)) << "there is nothing to wait for";
    probed = event_create(EVENT_PROBED);
    probed->u.probed.reachable = true; // and could not be asked about itself
    world.Step(probed);
    EXPECT_TRUE(world.inspections.empty())
        << "its marks are not known, nor does it refuse older calls";
    probed = event_create(EVENT_PROBED);
    probed->u.probed.reachable = true;
    probed->u.probed.not_served = true; // it tells nothing of itself
    world.Step(probed);
    ASSERT_EQ(1U, world.inspections.size());
    world.Describe(0, EngineWorld::Store('a', 0, 0));
    EXPECT_EQ(1U, world.inspections.size()) << "the question is out";
    world.Inspected(0, {});
    world.Describe(0, EngineWorld::Store('a', 0, 0));
    EXPECT_EQ(1U, world.inspections.size()) << "it has told";
}

TEST(Restored, AnAnswerThatAnOperatorDidNotWaitForIsNotHeard)
{
    RestoredWorld world;
    world.Ask();
    EXPECT_EQ(TERCET_OK, world.LastReply(world.ResolveParticipant(0)).status);
    world.Inspected(0, {world.RowAt(0, "lost", 60, TRIED)});
    EXPECT_TRUE(engine_is_in_restored_mode(world.engine));
    world.Inspected(1, {});
    EXPECT_FALSE(engine_is_in_restored_mode(world.engine));
    EXPECT_EQ(nullptr, world.Find("lost"));
    world.Inspected(1, {world.RowAt(1, "late", 61, TRIED)});
    EXPECT_EQ(nullptr, world.Find("late"));
}

TEST(Restored, ItsQuestionsGoFromTheLowestNumberThatIsInDoubt)
{
    RestoredWorld world;
    DecideToCancel(world.Adopt("decided", 8));
    world.Adopt("open", LOST_FROM - 1);
    world.Ask();
    ASSERT_EQ(2U, world.inspections.size());
    EXPECT_EQ(LOST_FROM - 1, world.inspections[0].from.number);
    EXPECT_EQ(LOST_FROM, world.inspections[1].from.number) << "no number below is in doubt there";
}

} // namespace
} // namespace tercet

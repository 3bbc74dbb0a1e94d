// A participant whose database was rolled back or exchanged: nothing goes on until an operator says so.
#include <gtest/gtest.h>

#include "support/engine_world.h"

namespace tercet
{
namespace
{

constexpr uint32_t ROLLED_BACK = 0;

// "decided" waits for the confirm of both its branches, "open" has tried only the first.
void MakeOneOfEach(EngineWorld &world)
{
    world.Describe(0, EngineWorld::Store('a', 0, 0));
    world.Describe(1, EngineWorld::Store('b', 0, 0));
    world.Execute("decided", {{0}, {1}});
    world.HandAll();
    world.Answer("decided", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Answer("decided", 2, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Execute("open", {{0}, {1}});
    world.HandAll();
    world.Answer("open", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
}

std::string Attention(EngineWorld &world, const std::string &gid)
{
    return world.LastReply(world.Ask(REQUEST_GET, gid, WAIT_MODE_BEGIN)).told->attention;
}

TEST(Hold, ADatabaseThatIsTheSameIsNotHeld)
{
    EngineWorld world;
    MakeOneOfEach(world);
    const int64_t next = engine_next_number(world.engine);
    world.Describe(0, EngineWorld::Store('a', 1, next));
    EXPECT_FALSE(engine_is_held(world.engine, 0));
    EXPECT_TRUE(world.holds.empty());
    EXPECT_EQ(next, world.recorded_known[0].told.stores[0].reach.number);
}

TEST(Hold, AnExchangedDatabaseIsHeldAtOnceAndRecorded)
{
    EngineWorld world;
    MakeOneOfEach(world);
    world.Describe(0, EngineWorld::Store('x', 0, 100));
    EXPECT_TRUE(engine_is_held(world.engine, ROLLED_BACK));
    ASSERT_EQ(1U, world.holds.size());
    EXPECT_TRUE(world.holds[0].held);
    EXPECT_EQ(world.holds[0].text, world.recorded_known[0].held);
    EXPECT_NE(std::string::npos, world.holds[0].text.find("is gone"));
    EXPECT_FALSE(engine_is_held(world.engine, 1));
}

TEST(Hold, ABackupFromBeforeATryIsNoticedThoughNoMarkWasEverStored)
{
    EngineWorld world;
    world.Describe(0, EngineWorld::Store('a', 0, 0));
    world.Execute("paid", {{0}});
    world.RunToEnd();
    world.Sync();
    EXPECT_EQ(nullptr, world.Find("paid")) << "its end is durable, and no mark was acknowledged";
    world.Describe(0, EngineWorld::Store('a', 0, 0));
    EXPECT_TRUE(engine_is_held(world.engine, 0));
}

TEST(Hold, AnAnswerThatCameWhileTheProbeWasOutSaysNothingAgainstIt)
{
    EngineWorld world;
    world.Describe(0, EngineWorld::Store('a', 0, 0));
    world.Execute("g", {{0}});
    world.HandAll();
    engine_probe_leaves(world.engine, 0, 0);
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    event *made = event_create(EVENT_PROBED);
    made->u.probed.description = static_cast<description *>(malloc(sizeof(description)));
    *made->u.probed.description = EngineWorld::Store('a', 0, 0);
    world.Step(made);
    EXPECT_FALSE(engine_is_held(world.engine, 0));
}

TEST(Hold, AnInstanceOverAnotherDatabaseThanItsSistersHoldsThemAllAndIsNamed)
{
    EngineWorld world(1, EngineWorld::DefaultLimits(), 2);
    engine_probe_leaves(world.engine, 0, 0);
    engine_probe_leaves(world.engine, 0, 1);
    world.Described(0, EngineWorld::Store('a', 0, 0), 0);
    EXPECT_FALSE(engine_is_held(world.engine, 0));
    world.Described(0, EngineWorld::Store('b', 0, 0), 1);
    EXPECT_TRUE(engine_is_held(world.engine, 0));
    ASSERT_EQ(1U, world.holds.size());
    EXPECT_EQ(0U, world.holds[0].text.find("unix:/p01: its store 6161")) << world.holds[0].text;
}

TEST(Hold, InstancesOverOneDatabaseMayTellOfItInAnyOrder)
{
    EngineWorld world(1, EngineWorld::DefaultLimits(), 2);
    world.Describe(0, EngineWorld::Store('a', 0, 0), 0);
    world.Execute("g", {{0}});
    world.HandAll();
    engine_probe_leaves(world.engine, 0, 0);
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Describe(0, EngineWorld::Store('a', 0, engine_next_number(world.engine)), 1);
    world.Described(0, EngineWorld::Store('a', 0, 0), 0); // it had been read before the try
    EXPECT_FALSE(engine_is_held(world.engine, 0));
    EXPECT_EQ(engine_next_number(world.engine), world.recorded_known[0].told.stores[0].reach.number)
        << "what is known does not go back";
    world.Describe(0, EngineWorld::Store('a', 0, 0), 0);
    EXPECT_TRUE(engine_is_held(world.engine, 0)) << "asked now it has lost the try";
}

TEST(Hold, AnActionWithoutAFenceLeavesNoRowToBeMissed)
{
    EngineWorld world;
    event *made = event_create(EVENT_PROBED);
    made->u.probed.actions = static_cast<action_kind *>(calloc(1, sizeof(action_kind)));
    snprintf(made->u.probed.actions[0].name, sizeof made->u.probed.actions[0].name, "act");
    made->u.probed.actions[0].unfenced = true;
    made->u.probed.action_count = 1;
    world.Step(made);
    world.Execute("g", {{0}});
    world.RunToEnd();
    engine_probe_leaves(world.engine, 0, 0);
    made = event_create(EVENT_PROBED);
    made->u.probed.description = static_cast<description *>(malloc(sizeof(description)));
    *made->u.probed.description = EngineWorld::Store('a', 0, 0);
    world.Step(made);
    EXPECT_FALSE(engine_is_held(world.engine, 0));
}

TEST(Hold, WhatIsDecidedWaitsWithAttentionAndWhatIsNotIsCancelled)
{
    EngineWorld world;
    MakeOneOfEach(world);
    world.Describe(0, EngineWorld::Store('a', 0, 0));
    ASSERT_TRUE(engine_is_held(world.engine, 0));
    EXPECT_EQ(TXN_CONFIRMING, world.Find("decided")->state) << "a decision never changes";
    EXPECT_NE(std::string::npos, Attention(world, "decided").find("held"));
    EXPECT_EQ(TXN_CANCELLING, world.Find("open")->state);
    EXPECT_STREQ("TERCET_ROLLED_BACK", world.Find("open")->reason->code);
    EXPECT_EQ(TXN_CAUSE_REFUSED, world.Find("open")->cause);
    EXPECT_NE(std::string::npos, Attention(world, "open").find("held"));
}

TEST(Hold, NothingNewBeginsThereAndNothingElseIsHindered)
{
    EngineWorld world;
    MakeOneOfEach(world);
    world.Describe(0, EngineWorld::Store('x', 0, 0));
    const Reply &refused = world.LastReply(world.Execute("new", {{1}, {0}}));
    EXPECT_EQ(TERCET_UNAVAILABLE, refused.status);
    EXPECT_EQ("TERCET_PARTICIPANT_HELD", refused.code);
    EXPECT_TRUE(refused.refused);
    world.Execute("other", {{1}, {2}});
    EXPECT_EQ(TXN_TRYING, world.Find("other")->state);
}

TEST(Hold, ADatabaseThatComesBackIsStillAnOperatorsToJudge)
{
    EngineWorld world;
    MakeOneOfEach(world);
    const int64_t next = engine_next_number(world.engine);
    world.Describe(0, EngineWorld::Store('x', 0, 0));
    world.Describe(0, EngineWorld::Store('a', 0, next));
    EXPECT_TRUE(engine_is_held(world.engine, 0));
    EXPECT_EQ(1U, world.holds.size());
}

TEST(Hold, AnOperatorsReasonIsRecordedAndLetsItGoOn)
{
    EngineWorld world;
    MakeOneOfEach(world);
    world.Describe(0, EngineWorld::Store('x', 0, 0));
    EXPECT_EQ(TERCET_OK, world.LastReply(world.ResolveParticipant(0)).status);
    EXPECT_FALSE(engine_is_held(world.engine, 0));
    ASSERT_EQ(2U, world.holds.size());
    EXPECT_FALSE(world.holds[1].held);
    EXPECT_STREQ("", world.recorded_known[0].held);
    EXPECT_STREQ("its books were compared", world.recorded_known[0].released);
    EXPECT_EQ("", Attention(world, "decided"));
    world.Describe(0, EngineWorld::Store('x', 0, 0));
    EXPECT_FALSE(engine_is_held(world.engine, 0)) << "it is met anew";
    EXPECT_EQ(TERCET_FAILED_PRECONDITION, world.LastReply(world.ResolveParticipant(0)).status);
}

TEST(Hold, AProbeThatWasOutWhenAnOperatorSpokeIsNotMeasuredByWhatWasBefore)
{
    EngineWorld world;
    world.Describe(0, EngineWorld::Store('a', 0, 0));
    world.Execute("paid", {{0}});
    world.RunToEnd();
    world.Describe(0, EngineWorld::Store('a', 0, 0));
    EXPECT_TRUE(engine_is_held(world.engine, 0)) << "it has lost what it had replied";
    engine_probe_leaves(world.engine, 0, 0);
    EXPECT_EQ(TERCET_OK, world.LastReply(world.ResolveParticipant(0)).status);
    event *made = event_create(EVENT_PROBED);
    made->u.probed.description = static_cast<description *>(malloc(sizeof(description)));
    *made->u.probed.description = EngineWorld::Store('a', 0, 0);
    world.Step(made);
    EXPECT_FALSE(engine_is_held(world.engine, 0));
}

TEST(Hold, ItOutlivesTheCoordinator)
{
    EngineWorld world;
    MakeOneOfEach(world);
    world.Describe(0, EngineWorld::Store('x', 0, 0));
    const acquaintance known = world.recorded_known[0];
    world.holds.clear();
    world.StartOver("boot-1", world.now, 100);
    engine_adopt_acquaintance(world.engine, 0, &known);
    world.Resume(50);
    EXPECT_TRUE(engine_is_held(world.engine, 0));
    ASSERT_EQ(1U, world.holds.size());
    EXPECT_TRUE(world.holds[0].held);
}

TEST(Hold, ARestoreWhileTheCoordinatorWasDownIsNoticedByWhatWasRecorded)
{
    EngineWorld world;
    MakeOneOfEach(world);
    const acquaintance known = world.recorded_known[0];
    world.StartOver("boot-1", world.now, 100);
    engine_adopt_acquaintance(world.engine, 0, &known);
    world.Resume(50);
    EXPECT_FALSE(engine_is_held(world.engine, 0));
    world.Describe(0, EngineWorld::Store('x', 0, 0));
    EXPECT_TRUE(engine_is_held(world.engine, 0));
}

event *TriedWithMark(EngineWorld &world, const std::string &gid, int64_t mark_lsn)
{
    event *made = event_create(EVENT_ANSWER);
    made->u.answer.branch = branch_ref(world.FindBranch(gid, 1));
    made->u.answer.phase = TERCET_PHASE_TRY;
    made->u.answer.verdict = TERCET_VERDICT_DONE;
    made->u.answer.mark = {EngineWorld::INCARNATION, mark_lsn};
    return made;
}

TEST(Hold, AMarkThatAReplyToldMayNotBeGoneLater)
{
    EngineWorld world;
    world.Describe(0, EngineWorld::Store('a', 3, 0));
    world.Execute("g", {{0}, {1}});
    world.HandAll();
    world.Step(TriedWithMark(world, "g", 7));
    const int64_t next = engine_next_number(world.engine);
    world.Describe(0, EngineWorld::Store('a', 6, next)); // every row is there, the mark is not
    EXPECT_TRUE(engine_is_held(world.engine, 0));
}

TEST(Hold, WhatARefusedTryRepliesLeavesNoRowToBeMissed)
{
    EngineWorld world;
    world.Describe(0, EngineWorld::Store('a', 0, 0));
    world.Execute("g", {{0}});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    world.Describe(0, EngineWorld::Store('a', 0, 0));
    EXPECT_FALSE(engine_is_held(world.engine, 0));
}

TEST(Hold, WhatIsRepliedBeforeAnyDescriptionIsMeasuredAgainstTheFirst)
{
    EngineWorld world;
    world.Execute("g", {{0}, {1}});
    world.HandAll();
    world.Step(TriedWithMark(world, "g", 7));
    EXPECT_TRUE(world.recorded_known.empty()) << "nothing is known of it that could be compared";
    world.Describe(0, EngineWorld::Store('a', 6, 0));
    EXPECT_TRUE(engine_is_held(world.engine, 0)) << "its mark is gone";
}

TEST(Hold, ADescriptionWithoutStoresSaysNothing)
{
    EngineWorld world;
    MakeOneOfEach(world);
    world.Describe(0, description{});
    EXPECT_FALSE(engine_is_held(world.engine, 0));
    EXPECT_EQ('a', world.recorded_known[0].told.stores[0].id[0]) << "what was known is kept";
}

TEST(Hold, WhatAHeldOneRepliesIsNotWhatItIsMeasuredByAfterwards)
{
    EngineWorld world;
    world.Describe(0, EngineWorld::Store('a', 0, 0));
    world.Execute("g", {{0}});
    world.HandAll();
    world.Describe(0, EngineWorld::Store('x', 0, 0));
    ASSERT_TRUE(engine_is_held(world.engine, 0));
    world.Step(TriedWithMark(world, "g", 7));
    EXPECT_EQ(TERCET_OK, world.LastReply(world.ResolveParticipant(0)).status);
    world.Describe(0, EngineWorld::Store('x', 0, 0));
    EXPECT_FALSE(engine_is_held(world.engine, 0));
}

TEST(Hold, WhatRepliesTellIsRecordedOnceASecond)
{
    EngineWorld world;
    world.Describe(0, EngineWorld::Store('a', 0, 0));
    const auto count = [&world] {
        int records = 0;
        for (const Record &record : world.records) {
            records += record.kind == RECORD_PARTICIPANT ? 1 : 0;
        }
        return records;
    };
    EXPECT_EQ(1, count());
    world.Execute("a", {{0}});
    world.RunToEnd();
    EXPECT_EQ(1, count());
    world.Advance(1000);
    world.Execute("b", {{0}});
    world.RunToEnd();
    EXPECT_EQ(2, count());
    EXPECT_GT(world.recorded_known[0].replied.branch.number, 0);
}

} // namespace
} // namespace tercet

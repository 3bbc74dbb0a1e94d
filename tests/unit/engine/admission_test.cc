// admission_test.cc -- who may begin: a participant's share, the kinds of its actions, forgotten gids.
#include <gtest/gtest.h>

#include "support/engine_world.h"

namespace tercet
{
namespace
{

void ExpectRefused(const Reply &reply, tercet_status status, const char *code)
{
    EXPECT_EQ(status, reply.status);
    EXPECT_EQ(code, reply.code);
    EXPECT_TRUE(reply.refused);
    EXPECT_FALSE(reply.text.empty());
}

// ---- A participant's share ----------------------------------------------------------------------

TEST(Share, ABranchThatHasEndedNoLongerCountsThoughItsTransactionIsOpen)
{
    EngineWorld world;
    world.names.entries[0].open_transaction_max = 1;
    world.Execute("g", {{0}, {1}});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.HandAll();
    ExpectRefused(world.LastReply(world.Execute("early", {{0}})), TERCET_UNAVAILABLE,
                  "TERCET_PARTICIPANT_BUSY");
    world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_DONE, 1);
    ASSERT_EQ(TXN_CONFIRMING, world.Find("g")->state) << "the other participant hangs";
    EXPECT_EQ(0U, engine_open_branches_of(world.engine, 0));
    EXPECT_EQ(1U, engine_open_branches_of(world.engine, 1));
    EXPECT_FALSE(world.HasReply(world.Execute("late", {{0}}))) << "there is room";
}

TEST(Share, ABranchThatNeedsNoCancelNoLongerCountsAtOnce)
{
    EngineWorld world;
    world.Execute("g", {{0}, {1, "a", "x", 1}});
    world.HandAll();
    EXPECT_EQ(1U, engine_open_branches_of(world.engine, 1));
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_REFUSED);
    ASSERT_EQ(TXN_CANCELLING, world.Find("g")->state);
    EXPECT_EQ(0U, engine_open_branches_of(world.engine, 1)) << "skipped";
    EXPECT_EQ(1U, engine_open_branches_of(world.engine, 0));
}

TEST(Share, ABranchThatIsSettledByHandNoLongerCounts)
{
    EngineWorld world;
    world.Execute("g", {{0}, {1}});
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Answer("g", 2, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.HandAll();
    world.Answer("g", 1, TERCET_PHASE_CONFIRM, TERCET_VERDICT_CONFLICT, 0, "", 2);
    world.Resolve("g", 1, RESOLUTION_SETTLE);
    ASSERT_EQ(TXN_CONFIRMING, world.Find("g")->state);
    EXPECT_EQ(0U, engine_open_branches_of(world.engine, 0));
}

TEST(Share, AllBranchesOfOneRequestCount)
{
    EngineWorld world;
    world.names.entries[0].open_transaction_max = 2;
    ExpectRefused(world.LastReply(world.Execute("three", {{0}, {1}, {0}, {0}})), TERCET_UNAVAILABLE,
                  "TERCET_PARTICIPANT_BUSY");
    EXPECT_TRUE(world.records.empty());
    EXPECT_FALSE(world.HasReply(world.Execute("two", {{0}, {1}, {0}})));
    EXPECT_EQ(2U, engine_open_branches_of(world.engine, 0));
    ExpectRefused(world.LastReply(world.Execute("one", {{0}})), TERCET_UNAVAILABLE,
                  "TERCET_PARTICIPANT_BUSY");
}

// ---- Kinds of actions ---------------------------------------------------------------------------

// Participant 0 tells that it has "reserve", which reserves, and "notify", which only confirms.
void Learn(EngineWorld &world)
{
    auto *actions = static_cast<action_kind *>(calloc(2, sizeof(action_kind)));
    snprintf(actions[0].name, sizeof actions[0].name, "reserve");
    snprintf(actions[1].name, sizeof actions[1].name, "notify");
    actions[1].confirm_only = true;
    engine_learn_actions(world.engine, 0, actions, 2);
}

TEST(Kind, ABranchOfTheWrongKindIsRefusedAndNothingIsRecorded)
{
    EngineWorld world;
    Learn(world);
    const std::vector<BranchPlan> wrong[] = {{{1}, {0, "reserve", "x", 0, true}},
                                             {{1}, {0, "notify"}}};
    for (const auto &branches : wrong) {
        uintptr_t token = world.Execute("g", branches);
        ExpectRefused(world.LastReply(token), TERCET_FAILED_PRECONDITION, "TERCET_WRONG_KIND");
        EXPECT_NE(std::string::npos, world.LastReply(token).text.find(branches[1].action));
        EXPECT_EQ(nullptr, world.Find("g"));
    }
    EXPECT_TRUE(world.records.empty());
    EXPECT_TRUE(world.calls.empty());
    EXPECT_EQ(0U, engine_open_branches_of(world.engine, 0));
    EXPECT_FALSE(world.HasReply(world.Execute("g", {{0, "reserve"}}))) << "the gid is unused";
}

TEST(Kind, StepByStepItIsRefusedToo)
{
    EngineWorld world;
    Learn(world);
    world.Begin("g");
    ExpectRefused(world.LastReply(world.Try("g", 1, {0, "notify"})), TERCET_FAILED_PRECONDITION,
                  "TERCET_WRONG_KIND");
    EXPECT_EQ(0, world.CountRecords("g", RECORD_ADD_BRANCH));
    EXPECT_EQ(TERCET_VERDICT_DONE,
              world.LastReply(world.Try("g", 1, {0, "notify", "x", 0, true})).verdict);
}

TEST(Kind, AnActionThatIsNotKnownIsItsParticipantsToRefuse)
{
    EngineWorld world;
    Learn(world);
    EXPECT_FALSE(world.HasReply(world.Execute("a", {{0, "unheard-of"}})));
    world.Execute("b", {{0, "unheard-of", "x", 0, true}});
    world.Execute("c", {{1, "notify"}}); // another participant's, which has told nothing
    for (const char *gid : {"a", "b", "c"}) {
        EXPECT_EQ(1, world.CountRecords(gid, RECORD_BEGIN)) << gid;
    }
}

TEST(Kind, WhatIsToldLastCounts)
{
    EngineWorld world;
    Learn(world);
    engine_learn_actions(world.engine, 0, nullptr, 0);
    EXPECT_FALSE(world.HasReply(world.Execute("a", {{0, "notify"}})));
    Learn(world);
    ExpectRefused(world.LastReply(world.Execute("b", {{0, "notify"}})), TERCET_FAILED_PRECONDITION,
                  "TERCET_WRONG_KIND");
}

// ---- Forgotten gids -----------------------------------------------------------------------------

// Its outcome may have been CONFIRMED: a tombstone would contradict it.
TEST(Horizon, CancelOfAnUnknownGidOlderThanTheHorizonLeavesNoTombstone)
{
    EngineWorld world;
    event *horizon = event_create(EVENT_HORIZON);
    horizon->u.horizon.unix_ms = 5000;
    world.Step(horizon);
    event *old = world.MakeRequest(REQUEST_CANCEL, "old");
    old->u.request.created_at_unix_ms = 4999;
    ExpectRefused(world.LastReply(world.Send(old)), TERCET_FAILED_PRECONDITION, "TERCET_TOO_OLD");
    EXPECT_TRUE(world.records.empty());
    EXPECT_EQ(nullptr, world.Find("old"));
    for (int64_t created : {int64_t{5000}, int64_t{0}}) {
        std::string gid = "at-" + std::to_string(created);
        event *young = world.MakeRequest(REQUEST_CANCEL, gid);
        young->u.request.created_at_unix_ms = created;
        EXPECT_EQ(TXN_CANCELLED, world.LastReply(world.Send(young)).told->state);
        EXPECT_EQ(1, world.CountRecords(gid, RECORD_TOMBSTONE));
    }
}

// A clock that is a day ahead, or seconds taken for milliseconds the other way round.
TEST(Horizon, WhatWasAskedForMoreThanADayAheadIsRefused)
{
    EngineWorld world;
    const int64_t day = 24 * 3600 * 1000;
    event *ahead = world.MakeRequest(REQUEST_BEGIN, "ahead");
    ahead->u.request.created_at_unix_ms = world.now.unix_ms + day + 1;
    ExpectRefused(world.LastReply(world.Send(ahead)), TERCET_INVALID_ARGUMENT,
                  "TERCET_CREATED_AHEAD");
    EXPECT_TRUE(world.records.empty());
    event *within = world.MakeRequest(REQUEST_BEGIN, "within");
    within->u.request.created_at_unix_ms = world.now.unix_ms + day;
    world.Send(within);
    EXPECT_EQ(1, world.CountRecords("within", RECORD_BEGIN));
}

// Outcomes are forgotten by the day on which they ended: not before created_at would be too old.
TEST(Horizon, NothingEndsBeforeItWasAskedForWhateverTheClocksSay)
{
    EngineWorld world;
    const int64_t created = world.now.unix_ms + 3600 * 1000;
    event *begin = world.MakeRequest(REQUEST_BEGIN, "g");
    begin->u.request.created_at_unix_ms = created;
    world.Send(begin);
    event *cancel = world.MakeRequest(REQUEST_CANCEL, "never-begun");
    cancel->u.request.created_at_unix_ms = created;
    const uintptr_t token = world.Send(cancel);
    EXPECT_EQ(created, world.LastReply(token).told->ended_unix_ms);
    world.now.unix_ms -= 2 * 3600 * 1000;
    EXPECT_EQ(created,
              world.LastReply(world.Ask(REQUEST_CANCEL, "g", WAIT_MODE_END)).told->ended_unix_ms);
}

// In a day that is over its outcome would be forgotten as soon as the clock is right, and a request that was
// made since be taken for a new one.
TEST(Horizon, NothingEndsInADayThatIsOverHoweverFarBehindTheClockIs)
{
    EngineWorld world;
    const int64_t day = 24 * 3600 * 1000;
    const int64_t right = world.now.unix_ms;
    const auto cancel = [&](const std::string &gid) {
        const uintptr_t token = world.Ask(REQUEST_CANCEL, gid, WAIT_MODE_END);
        return world.LastReply(token).told->ended_unix_ms;
    };
    EXPECT_EQ(right, cancel("before"));
    world.now.unix_ms -= 30 * day;
    EXPECT_EQ(right, cancel("behind"));
    world.Execute("confirmed", {{0}});
    world.RunToEnd();
    EXPECT_EQ(right, world.LastReply(world.Ask(REQUEST_GET, "confirmed")).told->ended_unix_ms);

    world.newest_end_unix_ms = right;
    world.StartOver("boot-2", world.now, 100);
    world.Resume(0);
    EXPECT_EQ(right - day, cancel("behind at the start")) << "what was told may have been ahead";

    event *horizon = event_create(EVENT_HORIZON);
    horizon->u.horizon.unix_ms = right + 1;
    world.Step(horizon);
    EXPECT_EQ(right + 1, cancel("behind the horizon"));
}

TEST(Horizon, CancelOfAnOldTransactionThatIsKnownIsNotRefused)
{
    EngineWorld world;
    world.Begin("g");
    event *horizon = event_create(EVENT_HORIZON);
    horizon->u.horizon.unix_ms = 5000;
    world.Step(horizon);
    event *cancel = world.MakeRequest(REQUEST_CANCEL, "g");
    cancel->u.request.created_at_unix_ms = 1;
    EXPECT_EQ(TXN_CANCELLED, world.LastReply(world.Send(cancel)).told->state);
}

} // namespace
} // namespace tercet

// Every bound refuses before anything is recorded, and says what it is.
#include <gtest/gtest.h>

#include "support/engine_world.h"

namespace tercet
{
namespace
{

void ExpectRefused(EngineWorld &world, uintptr_t token, tercet_status status, const char *code)
{
    const Reply &reply = world.LastReply(token);
    EXPECT_EQ(status, reply.status);
    EXPECT_EQ(code, reply.code);
    EXPECT_TRUE(reply.refused);
    EXPECT_FALSE(reply.text.empty());
}

TEST(Bounds, OpenTransactionsInTotal)
{
    engine_limits limits = EngineWorld::DefaultLimits();
    limits.open_transactions_max = 2;
    EngineWorld world(4, limits);
    world.Execute("a", {{0}});
    world.Begin("b");
    size_t before = world.records.size();
    ExpectRefused(world, world.Execute("c", {{0}}), TERCET_RESOURCE_EXHAUSTED,
                  "TERCET_OPEN_TRANSACTIONS");
    ExpectRefused(world, world.Begin("d"), TERCET_RESOURCE_EXHAUSTED, "TERCET_OPEN_TRANSACTIONS");
    EXPECT_EQ(before, world.records.size());
    world.RunToEnd();
    EXPECT_FALSE(world.HasReply(world.Execute("e", {{0}}))) << "one has ended: there is room";
}

TEST(Bounds, OpenPayloadBytes)
{
    engine_limits limits = EngineWorld::DefaultLimits();
    limits.open_payload_bytes_max = 100;
    EngineWorld world(4, limits);
    world.Execute("a", {{0, "act", std::string(60, 'x')}});
    ExpectRefused(world, world.Execute("b", {{1, "act", std::string(60, 'x')}}),
                  TERCET_RESOURCE_EXHAUSTED, "TERCET_OPEN_BYTES");
    world.RunToEnd();
    EXPECT_FALSE(world.HasReply(world.Execute("c", {{1, "act", std::string(60, 'x')}})));
}

TEST(Bounds, AParticipantsShareAndNobodyElses)
{
    EngineWorld world;
    for (int i = 0; i < 250; i++) {
        world.Execute("g" + std::to_string(i), {{0}});
    }
    uintptr_t refused = world.Execute("one-more", {{1}, {0}});
    ExpectRefused(world, refused, TERCET_UNAVAILABLE, "TERCET_PARTICIPANT_BUSY");
    EXPECT_NE(std::string::npos, world.LastReply(refused).text.find("\"p0\""));
    EXPECT_FALSE(world.HasReply(world.Execute("others", {{1}, {2}})));
}

// Anomaly 13.
TEST(Bounds, AParticipantThatCannotBeReachedIsRefusedByNameAndNobodyElse)
{
    EngineWorld world;
    world.Reachable(2, false);
    uintptr_t refused = world.Execute("a", {{0}, {2}});
    ExpectRefused(world, refused, TERCET_UNAVAILABLE, "TERCET_PARTICIPANT_UNREACHABLE");
    EXPECT_NE(std::string::npos, world.LastReply(refused).text.find("\"p2\""));
    EXPECT_FALSE(world.HasReply(world.Execute("b", {{0}, {1}, {3}})));
    world.Reachable(2, true);
    EXPECT_FALSE(world.HasReply(world.Execute("a", {{0}, {2}})));
}

TEST(Bounds, StepsAreBoundedToo)
{
    EngineWorld world;
    world.Begin("g");
    world.Reachable(0, false);
    ExpectRefused(world, world.Try("g", 1, {0}), TERCET_UNAVAILABLE,
                  "TERCET_PARTICIPANT_UNREACHABLE");
    EXPECT_EQ(0, world.CountRecords("g", RECORD_ADD_BRANCH));
}

TEST(Bounds, PayloadsOfWhatWaitsForALookUpCountAsWell)
{
    engine_limits limits = EngineWorld::DefaultLimits();
    limits.open_payload_bytes_max = 100;
    EngineWorld world(4, limits);
    world.greatest_ended_gid = "z";
    world.StartOver("boot-1", world.now, 1);
    world.Resume(0);
    world.hold_lookups = true;
    world.Execute("a", {{0, "act", std::string(60, 'x')}});
    ExpectRefused(world, world.Execute("b", {{1, "act", std::string(60, 'x')}}),
                  TERCET_RESOURCE_EXHAUSTED, "TERCET_OPEN_BYTES");
    const uintptr_t second = world.Execute("c", {{1, "act", std::string(40, 'x')}});
    EXPECT_FALSE(world.HasReply(second));
    world.FindAll();
    EXPECT_NE(nullptr, world.Find("a")) << "what waited is counted once";
    EXPECT_NE(nullptr, world.Find("c"));
    world.RunToEnd();
    world.Execute("d", {{1, "act", std::string(100, 'x')}});
    world.FindAll();
    EXPECT_NE(nullptr, world.Find("d"));
}

TEST(Bounds, WhoWaitsForALookUpLeavesTheOthersHalfOfTheCalls)
{
    engine_limits limits = EngineWorld::DefaultLimits();
    limits.waiting_calls_max = 4;
    EngineWorld world(4, limits);
    world.greatest_ended_gid = "m";
    world.StartOver("boot-1", world.now, 1);
    world.Resume(0);
    world.hold_lookups = true;
    world.Execute("a", {{0}});
    world.Ask(REQUEST_GET, "b");
    ExpectRefused(world, world.Execute("c", {{0}}), TERCET_RESOURCE_EXHAUSTED,
                  "TERCET_WAITING_CALLS");
    ExpectRefused(world, world.Ask(REQUEST_GET, "d"), TERCET_RESOURCE_EXHAUSTED,
                  "TERCET_WAITING_CALLS");
    EXPECT_FALSE(world.HasReply(world.Execute("n", {{0}}))) << "it is not looked up";
    world.FindAll();
    EXPECT_NE(nullptr, world.Find("a"));
    EXPECT_FALSE(world.HasReply(world.Execute("c", {{0}}))) << "there is room again";
}

TEST(Bounds, PayloadBytesOfAStepToo)
{
    engine_limits limits = EngineWorld::DefaultLimits();
    limits.open_payload_bytes_max = 10;
    EngineWorld world(4, limits);
    world.Begin("g");
    ExpectRefused(world, world.Try("g", 1, {0, "act", "more than ten"}), TERCET_RESOURCE_EXHAUSTED,
                  "TERCET_OPEN_BYTES");
    EXPECT_EQ(0, world.CountRecords("g", RECORD_ADD_BRANCH));
}

TEST(Bounds, PayloadsOfOneTransactionTogether)
{
    engine_limits limits = EngineWorld::DefaultLimits();
    limits.open_payload_bytes_max = 1 << 30;
    EngineWorld world(4, limits);
    world.Begin("g");
    for (uint32_t i = 1; i <= 16; i++) {
        world.Try("g", i, {0, "act", std::string(65536, 'x')});
    }
    EXPECT_EQ(16, world.CountRecords("g", RECORD_ADD_BRANCH));
    ExpectRefused(world, world.Try("g", 17, {0, "act", "x"}), TERCET_INVALID_ARGUMENT,
                  "TERCET_LIMIT");
}

TEST(Bounds, WaitingCalls)
{
    engine_limits limits = EngineWorld::DefaultLimits();
    limits.waiting_calls_max = 2;
    EngineWorld world(4, limits);
    world.Execute("a", {{0}});
    world.Execute("b", {{0}});
    ExpectRefused(world, world.Execute("c", {{0}}), TERCET_RESOURCE_EXHAUSTED,
                  "TERCET_WAITING_CALLS");
    EXPECT_EQ(nullptr, world.Find("c"));
    uintptr_t join = world.Execute("a", {{0}});
    EXPECT_EQ(TXN_TRYING, world.LastReply(join).told->state) << "told as it stands";
}

TEST(Bounds, OlderThanTheHorizonIsNeverStarted)
{
    EngineWorld world;
    event *horizon = event_create(EVENT_HORIZON);
    horizon->u.horizon.unix_ms = 5000;
    world.Step(horizon);
    event *old = world.MakeRequest(REQUEST_BEGIN, "old");
    old->u.request.created_at_unix_ms = 4999;
    ExpectRefused(world, world.Send(old), TERCET_FAILED_PRECONDITION, "TERCET_TOO_OLD");
    event *young = world.MakeRequest(REQUEST_BEGIN, "young");
    young->u.request.wait = WAIT_MODE_BEGIN;
    young->u.request.created_at_unix_ms = 5000;
    EXPECT_EQ(TERCET_OK, world.LastReply(world.Send(young)).status);
}

TEST(Bounds, WhatIsUnderWayIsNeverRefused)
{
    engine_limits limits = EngineWorld::DefaultLimits();
    limits.open_transactions_max = 1;
    EngineWorld world(4, limits);
    world.Execute("a", {{0}, {1}});
    world.HandAll();
    world.Reachable(0, false);
    world.Answer("a", 1, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    world.Answer("a", 2, TERCET_PHASE_TRY, TERCET_VERDICT_DONE);
    EXPECT_EQ(2, world.CountCalls("a", TERCET_PHASE_CONFIRM));
    EXPECT_EQ(TERCET_OK, world.LastReply(world.Ask(REQUEST_GET, "a")).status);
}

} // namespace
} // namespace tercet

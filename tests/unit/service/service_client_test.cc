/* The library's client and the service: what it sends by ExecuteStream, what by Execute, and that nobody
 * is told anything else by the one than by the other. */
#include <set>

#include "service_client_fixture.h"

namespace
{

TEST_F(ServiceClient, ManyThreadsAndCallbacksShareAStream)
{
    Restart(10000);
    AwaitStream();
    const int unary = unary_;
    Crowd crowd;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; t++) {
        threads.emplace_back([this, t, &crowd] {
            for (int i = 0; i < 30; i++) {
                const std::string name = std::to_string(t) + "-" + std::to_string(i);
                Begin(&crowd, "async-" + name);
                const Told told = Execute(client_, "wait-" + name);
                EXPECT_EQ(told.outcome, TERCET_OUTCOME_CONFIRMED) << told.text;
                EXPECT_EQ(told.gid, "wait-" + name);
                EXPECT_EQ(told.begun_unix_ms, 4711);
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    AwaitAll();
    EXPECT_EQ(crowd.told.size(), 240U);
    for (const auto &one : crowd.told) {
        EXPECT_EQ(one.second.outcome, TERCET_OUTCOME_CONFIRMED) << one.first;
    }
    EXPECT_EQ(unary_, unary);
}

TEST_F(ServiceClient, ACallIsToldTheSameByTheStreamAndByAUnaryCall)
{
    AwaitStream();
    tercet_client *other = Make(true);
    for (const char *gid : {"fine", "bad-refused", "bad-lost", "liar"}) {
        const int unary = unary_;
        const Told by_stream = Execute(client_, gid);
        EXPECT_EQ(unary_, unary) << gid;
        const Told by_call = Execute(other, gid);
        EXPECT_EQ(unary_, unary + 1) << gid;
        EXPECT_EQ(by_stream.outcome, by_call.outcome) << gid;
        EXPECT_EQ(by_stream.status, by_call.status) << gid;
        EXPECT_EQ(by_stream.code, by_call.code) << gid;
        EXPECT_EQ(by_stream.text, by_call.text) << gid;
        EXPECT_EQ(by_stream.retry_after_ms, by_call.retry_after_ms) << gid;
        EXPECT_EQ(by_stream.begun_unix_ms, by_call.begun_unix_ms) << gid;
    }
    EXPECT_EQ(Execute(client_, "bad-refused").outcome, TERCET_OUTCOME_NOT_STARTED);
    EXPECT_EQ(Execute(client_, "bad-lost").outcome, TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(Execute(client_, "liar").outcome, TERCET_OUTCOME_UNKNOWN);
    tercet_client_destroy(other);
}

TEST_F(ServiceClient, ACallsOwnDeadlineLeavesTheStreamToTheOthers)
{
    AwaitStream();
    Hold();
    const int unary = unary_;
    Crowd crowd;
    Begin(&crowd, "held-long");
    AwaitHeld(1);
    Begin(&crowd, "held-short", 100);
    const Told told = Execute(client_, "held-blocking", 100);
    EXPECT_EQ(told.outcome, TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(told.status, TERCET_DEADLINE_EXCEEDED);
    EXPECT_EQ(Execute(client_, "another").outcome, TERCET_OUTCOME_CONFIRMED);
    AwaitHeld(3);
    LetGo();
    AwaitAll();
    EXPECT_EQ(crowd.told["held-short"].outcome, TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(crowd.told["held-short"].status, TERCET_DEADLINE_EXCEEDED);
    EXPECT_EQ(crowd.told["held-long"].outcome, TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(Execute(client_, "afterwards").outcome, TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(unary_, unary) << "it is still the same stream";
}

TEST_F(ServiceClient, ACoordinatorWithoutItIsAskedByUnaryCallsAndNotTriedAgainEachTime)
{
    streams_ = false;
    Restart(100);
    int calls = 0;
    while (streams_refused_ == 0 || calls < 30) {
        ASSERT_LT(calls, 10000) << "it was never tried";
        EXPECT_EQ(Execute(client_, "old-" + std::to_string(calls++)).outcome,
                  TERCET_OUTCOME_CONFIRMED);
    }
    for (int i = 0; i < 100; i++) {
        EXPECT_EQ(Execute(client_, "later-" + std::to_string(i)).outcome, TERCET_OUTCOME_CONFIRMED);
    }
    EXPECT_EQ(unary_, calls + 100);
    EXPECT_EQ(streams_refused_, 1);
}

TEST_F(ServiceClient, SwitchedOffItIsNotUsed)
{
    tercet_client *other = Make(true);
    for (int i = 0; i < 30; i++) {
        EXPECT_EQ(Execute(other, "off-" + std::to_string(i)).outcome, TERCET_OUTCOME_CONFIRMED);
    }
    EXPECT_EQ(unary_, 30);
    tercet_client_destroy(other);
}

TEST_F(ServiceClient, WhatIsLargeGoesByItself)
{
    AwaitStream();
    const int unary = unary_;
    EXPECT_EQ(Execute(client_, "large", 20000, std::string(20000, 'x')).outcome,
              TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(unary_, unary + 1);
    EXPECT_EQ(Execute(client_, "small").outcome, TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(unary_, unary + 1);
}

/* Goal: a full window is not waited for: the coordinator says what it says to any call too many. */
TEST_F(ServiceClient, WhatExceedsTheWindowGoesByUnaryCalls)
{
    Restart(3);
    AwaitStream();
    Hold();
    Crowd crowd;
    for (int i = 0; i < 3; i++) {
        Begin(&crowd, "held-" + std::to_string(i));
    }
    AwaitHeld(3);
    const int unary = unary_;
    const Told told = Execute(client_, "too-much");
    EXPECT_EQ(unary_, unary + 1);
    EXPECT_EQ(told.outcome, TERCET_OUTCOME_NOT_STARTED);
    EXPECT_EQ(told.code, "TERCET_WAITING_CALLS");
    LetGo();
    AwaitAll();
    for (const auto &one : crowd.told) {
        EXPECT_EQ(one.second.outcome, TERCET_OUTCOME_CONFIRMED) << one.second.text;
    }
}

TEST_F(ServiceClient, WhatACutStreamLeftUnansweredIsAskedAgainUnderTheSameGid)
{
    AwaitStream();
    Hold();
    Crowd crowd;
    for (int i = 0; i < 10; i++) {
        Begin(&crowd, "held-" + std::to_string(i));
    }
    Begin(&crowd, "held-hasty", 400);
    AwaitHeld(11);
    rpc_server_destroy(server_);
    LetGo(); /* nobody hears it */
    while (crowd.Count("held-hasty") == 0) {
        std::this_thread::yield();
    }
    EXPECT_EQ(crowd.told["held-hasty"].outcome, TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(crowd.told["held-hasty"].status, TERCET_DEADLINE_EXCEEDED);
    Serve();
    AwaitAll();
    for (int i = 0; i < 10; i++) {
        const std::string gid = "held-" + std::to_string(i);
        EXPECT_EQ(crowd.told[gid].outcome, TERCET_OUTCOME_CONFIRMED) << crowd.told[gid].text;
        const std::lock_guard<std::mutex> lock(held_mutex_);
        EXPECT_GE(created_at_[gid].size(), 2U);
        EXPECT_EQ(std::set<int64_t>(created_at_[gid].begin(), created_at_[gid].end()).size(), 1U);
    }
    AwaitStream(); /* and there is one again */
}

TEST_F(ServiceClient, DestroyCompletesWhatIsOnTheStream)
{
    AwaitStream();
    Hold();
    Crowd crowd;
    for (int i = 0; i < 20; i++) {
        Begin(&crowd, "held-" + std::to_string(i));
    }
    AwaitHeld(20);
    tercet_client_destroy(client_);
    client_ = nullptr;
    EXPECT_EQ(crowd.told.size(), 20U);
    for (const auto &one : crowd.told) {
        EXPECT_EQ(one.second.outcome, TERCET_OUTCOME_UNKNOWN);
        EXPECT_EQ(one.second.status, TERCET_CALL_CANCELLED);
    }
}

/* Goal: calls, cuts and new servers at the same time; every call is told once, and none a lie. */
TEST_F(ServiceClient, SurvivesCutsUnderLoad)
{
    Restart(10000);
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    std::atomic<int> confirmed{0};
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([&, t] {
            for (int i = 0; !stop; i++) {
                const std::string gid = "cut-" + std::to_string(t) + "-" + std::to_string(i);
                const Told told = Execute(client_, gid);
                EXPECT_EQ(told.outcome, TERCET_OUTCOME_CONFIRMED) << told.text;
                EXPECT_EQ(told.gid, gid);
                confirmed++;
            }
        });
    }
    for (int round = 0; round < 5; round++) {
        const int before = confirmed;
        while (confirmed < before + 50) {
            std::this_thread::yield();
        }
        rpc_server_destroy(server_);
        Serve();
    }
    stop = true;
    for (std::thread &thread : threads) {
        thread.join();
    }
}

} // namespace

// The fence as functions among several: with the library's group beside them, at each isolation level.
#include <regex>
#include <thread>

#include "postgres_stranger.h"
#include "together.h"

namespace fence_test
{
namespace
{

// Waits until somebody waits in the server, and says whether that is so.
bool SomebodyWaits()
{
    while (WaitingInServer() == 0) {
        std::this_thread::yield();
    }
    return true;
}

TEST_F(PostgresFunctions, AMarkAndAnEpochWaitForThoseWhoHaveClaimed)
{
    ASSERT_EQ(harness->Run(Cancel("warm", 9)).how, TERCET_HOW_EMPTY);
    stranger->Do("BEGIN");
    EXPECT_TRUE(Has(stranger->Serve(Try("a", 1)), "HOW_RAN"));
    std::thread mark([&] {
        EXPECT_EQ(harness->Apply(5, {10, 4}), TERCET_OK) << harness->error.text;
    });
    EXPECT_TRUE(SomebodyWaits());
    EXPECT_EQ(stranger->Do("COMMIT"), "");
    mark.join();

    Stranger other(directory.path());
    std::thread epoch;
    harness->handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        epoch = std::thread([&other] {
            Ask next;
            next.epoch = 2;
            EXPECT_EQ(other.Do("SELECT tercet_raise_epoch(" + Quoted(ContextOf(next)) + ")"), "");
        });
        EXPECT_TRUE(SomebodyWaits());
        EXPECT_EQ(stranger->Do("SELECT epoch FROM tercet_scope"), "1");
        return harness->LeaveEffect(request);
    };
    EXPECT_EQ(harness->Run(Try("b", 6)).how, TERCET_HOW_RAN);
    epoch.join();
    EXPECT_EQ(stranger->Do("SELECT epoch FROM tercet_scope"), "2");
}

TEST_F(PostgresFunctions, WhatIsNotNewWaitsForNobody)
{
    Stranger other(directory.path());
    ASSERT_EQ(stranger->Accept(Try("a", 20), MarkOf(5, 9)), "");
    other.Do("SET lock_timeout = '1ms'");
    stranger->Do("BEGIN");
    EXPECT_TRUE(Has(stranger->Serve(Try("a", 20)), "HOW_RAN"));
    EXPECT_EQ(other.Accept(Try("b", 21), MarkOf(5, 9)), "");
    EXPECT_EQ(other.Accept(Try("b", 21), MarkOf(6, 9)), "!55P03") << "this is new";
    EXPECT_EQ(stranger->Do("COMMIT"), "");
}

class FunctionsRace : public PostgresFunctions, public testing::WithParamInterface<std::string>
{
};

// Four with the library and four without, at one branch.
TEST_P(FunctionsRace, TryBesideItsCancelIsOneOfTheTwoLegalOrders)
{
    const std::string level = std::regex_replace(GetParam().substr(8), std::regex("_"), " ");
    std::vector<std::unique_ptr<Harness>> members;
    std::vector<std::unique_ptr<Stranger>> strangers;
    for (int i = 0; i < 4; i++) {
        members.push_back(std::make_unique<Harness>(GetParam(), directory.path()));
        strangers.push_back(std::make_unique<Stranger>(
            directory.path(), level.empty() ? "read committed" : level.substr(1)));
    }
    for (int round = 1; round <= 25; round++) {
        const std::string gid = "g-" + std::to_string(round);
        Together(8, [&](int i) {
            const Ask ask = i % 2 == 0 ? Try(gid, round) : Cancel(gid, round);
            if (i < 4) {
                members[i]->Run(ask);
            } else {
                const std::string reply = strangers[i - 4]->Run(ask);
                EXPECT_TRUE(Has(reply, "VERDICT_DONE") ||
                            (i % 2 == 0 && Has(reply, "TERCET_TRY_AFTER_CANCEL")))
                    << reply;
            }
        });
        const tercet_fence_state state = harness->State(gid);
        const int tried = harness->Effects(gid, 1, TERCET_PHASE_TRY);
        EXPECT_TRUE(state == TERCET_FENCE_SUSPENDED || state == TERCET_FENCE_CANCELLED) << state;
        EXPECT_EQ(tried, state == TERCET_FENCE_CANCELLED ? 1 : 0);
        EXPECT_EQ(harness->Effects(gid, 1, TERCET_PHASE_CANCEL), tried);
    }
}

// Anomaly 3, with the mark applied by either.
TEST_P(FunctionsRace, LateTryBesideTheSweepOfItsRowNeverRunsAgain)
{
    const std::string level = std::regex_replace(GetParam().substr(8), std::regex("_"), " ");
    std::vector<std::unique_ptr<Stranger>> late;
    for (int i = 0; i < 4; i++) {
        late.push_back(std::make_unique<Stranger>(
            directory.path(), level.empty() ? "read committed" : level.substr(1)));
    }
    for (int round = 1; round <= 25; round++) {
        const std::string gid = "g-" + std::to_string(round);
        ASSERT_EQ(harness->Run(Try(gid, round)).verdict, TERCET_VERDICT_DONE);
        ASSERT_EQ(harness->Run(Cancel(gid, round)).verdict, TERCET_VERDICT_DONE);
        Together(5, [&](int i) {
            if (i == 4 && round % 2 == 0) {
                EXPECT_EQ(harness->Apply(round, {10, round + 1}), TERCET_OK);
            } else if (i == 4) {
                EXPECT_EQ(stranger->Apply(round, round + 1), "1");
            } else {
                EXPECT_TRUE(Has(late[i]->Run(Try(gid, round)), "VERDICT_REFUSED"));
            }
        });
        EXPECT_EQ(harness->Effects(gid, 1, TERCET_PHASE_TRY), 1);
        EXPECT_EQ(harness->State(gid), TERCET_FENCE_NONE);
    }
}

INSTANTIATE_TEST_SUITE_P(Stores, FunctionsRace, testing::ValuesIn(SharedKinds()), StoreName);

} // namespace
} // namespace fence_test

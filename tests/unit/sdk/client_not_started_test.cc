/* When the client may say that nothing was started, and what never leaves it. */
#include <chrono>
#include <thread>

#include "unit/sdk/client_fixture.h"

namespace
{

class ClientNotStarted : public ClientTest
{
};

TEST_F(ClientNotStarted, ARefusalWithTheTrailerIsNotStarted)
{
    for (const tercet_status status :
         {TERCET_INVALID_ARGUMENT, TERCET_ALREADY_EXISTS, TERCET_FAILED_PRECONDITION,
          TERCET_PERMISSION_DENIED, TERCET_RESOURCE_EXHAUSTED, TERCET_UNIMPLEMENTED,
          TERCET_UNAUTHENTICATED}) {
        const int before = fake.Calls();
        fake.Then(FakeCoordinator::Fail(status, true, "TERCET_SOME_REASON"));
        EXPECT_EQ(Execute(), TERCET_OUTCOME_NOT_STARTED);
        EXPECT_EQ(result->status, status);
        EXPECT_STREQ(result->status_code, "TERCET_SOME_REASON");
        EXPECT_STREQ(result->status_text, "said by the detail");
        EXPECT_EQ(result->retry_after_ms, 11u);
        EXPECT_EQ(fake.Calls(), before + 1) << "a repeat cannot change it";
    }
}

TEST_F(ClientNotStarted, ARefusalWithoutTheTrailerOrWithAnotherValueIsUnknown)
{
    fake.Then(FakeCoordinator::Fail(TERCET_INVALID_ARGUMENT, false, "TERCET_LIMIT"));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(result->status, TERCET_INVALID_ARGUMENT);
    for (const char *value : {"0", "true", "11"}) {
        fake.Then(FakeCoordinator::Fail(TERCET_INVALID_ARGUMENT, true, "", value));
        EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN) << value;
    }
}

TEST_F(ClientNotStarted, ALostAttemptBeforeARefusalIsUnknown)
{
    fake.Then(FakeCoordinator::Fail(TERCET_UNAVAILABLE, false));
    fake.Then(FakeCoordinator::Fail(TERCET_RESOURCE_EXHAUSTED, true));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(result->status, TERCET_RESOURCE_EXHAUSTED);
    EXPECT_EQ(fake.Calls(), 2);
}

TEST_F(ClientNotStarted, UnavailableThenOkIsTheOkOne)
{
    for (const tercet_status status :
         {TERCET_UNAVAILABLE, TERCET_CALL_CANCELLED, TERCET_UNKNOWN, TERCET_INTERNAL}) {
        fake.Then(FakeCoordinator::Fail(status, false));
        fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
        EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    }
    EXPECT_EQ(fake.Calls(), 8);
}

TEST_F(ClientNotStarted, ACoordinatorThatIsStartingIsWaitedForAndAFullParticipantIsNot)
{
    fake.Then(FakeCoordinator::Fail(TERCET_UNAVAILABLE, true, "TERCET_STARTING"));
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    fake.Then(FakeCoordinator::Fail(TERCET_UNAVAILABLE, true, "TERCET_PARTICIPANT_FULL"));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_NOT_STARTED);
    EXPECT_EQ(fake.Calls(), 3);
}

TEST_F(ClientNotStarted, EveryRepeatSaysTheSameCreatedAtAndAnotherCallANewOne)
{
    fake.Then(FakeCoordinator::Fail(TERCET_UNAVAILABLE, false));
    fake.Then(FakeCoordinator::Fail(TERCET_UNAVAILABLE, false));
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    transaction.created_at_unix_ms = 1234567;
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    const std::vector<int64_t> all = fake.CreatedAt();
    ASSERT_EQ(all.size(), 4u);
    EXPECT_GT(all[0], INT64_C(1600000000000));
    EXPECT_EQ(all[1], all[0]);
    EXPECT_EQ(all[2], all[0]);
    EXPECT_EQ(all[3], 1234567);
}

TEST_F(ClientNotStarted, AServerThatIsNotThereIsNotStarted)
{
    fake.Halt();
    transaction.wait_timeout_ms = 300;
    EXPECT_EQ(Execute(), TERCET_OUTCOME_NOT_STARTED);
    EXPECT_EQ(result->status, TERCET_UNAVAILABLE);
}

/* The whole wait of 20 s would be over otherwise. */
TEST_F(ClientNotStarted, ACoordinatorThatIsNeverReachedIsGivenUpAtTheReachTimeout)
{
    fake.Halt();
    Make(fake.target(), 100);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(Execute(), TERCET_OUTCOME_NOT_STARTED);
    EXPECT_EQ(result->status, TERCET_UNAVAILABLE);
    EXPECT_STREQ(result->status_code, "TERCET_NO_COORDINATOR");
    tercet_result_destroy(result);
    EXPECT_EQ(tercet_client_query(client, "pay-1", TERCET_WAIT_END, 20000, &result),
              TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(result->status, TERCET_UNAVAILABLE);
    EXPECT_STREQ(result->status_code, "TERCET_NO_COORDINATOR");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
}

TEST_F(ClientNotStarted, AfterACoordinatorWasReachedTheReachTimeoutNoLongerCounts)
{
    Make(fake.target(), 1);
    for (int i = 0; i < 6; i++) { /* the back-off between them is longer than the reach timeout */
        fake.Then(FakeCoordinator::Fail(TERCET_UNAVAILABLE, true, "TERCET_STARTING"));
    }
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(fake.Calls(), 7);
}

TEST_F(ClientNotStarted, AnAnswerThatIsLostMakesItUnknownAndTheRepairedConnectionKnows)
{
    Held held;
    fake.Then(FakeCoordinator::Hold(&held));
    std::thread executor([&] { EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED); });
    while (fake.Calls() == 0) {
        std::this_thread::yield();
    }
    fake.Halt();
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    fake.Start();
    executor.join();
    held.LetGo();

    fake.Then(FakeCoordinator::Hold(&held));
    transaction.wait_timeout_ms = 300;
    EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(result->status, TERCET_DEADLINE_EXCEEDED);
    held.LetGo();
}

TEST_F(ClientNotStarted, SeveralTargetsAreTriedInTurn)
{
    Make("unix:/nonexistent/tercet," + fake.target());
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
}

TEST_F(ClientNotStarted, NobodyTurnsAwayFromATargetThatAnswersNotYet)
{
    FakeCoordinator other;
    Make(fake.target() + "," + other.target());
    for (int i = 0; i < 2; i++) {
        fake.Then(FakeCoordinator::Reply("pay-1", kUndecided, kTrying));
        fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
        other.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
        EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    }
    EXPECT_EQ(fake.Calls(), 4);
    EXPECT_EQ(other.Calls(), 0);
}

/* ---- What never leaves ----------------------------------------------------------------------- */

TEST_F(ClientNotStarted, BadTransactionsAreNotStartedAndNothingIsSent)
{
    const std::string long_gid(129, 'g');
    const std::string big(TERCET_PAYLOAD_BYTES_MAX + 1, 'p');
    std::vector<tercet_branch> many(65, branch);
    std::vector<tercet_branch> heavy(17, branch);
    std::vector<tercet_branch> third_is_bad(3, branch);
    third_is_bad[2].participant = "";
    const std::string full(TERCET_PAYLOAD_BYTES_MAX, 'p');
    for (tercet_branch &each : heavy) {
        each.payload = tercet_bytes_of(full.data(), full.size());
    }
    const std::vector<std::pair<const char *, std::function<void()>>> spoilers = {
        {"gid", [&] { transaction.gid = nullptr; }},
        {"gid", [&] { transaction.gid = long_gid.c_str(); }},
        {"gid", [&] { transaction.gid = "a b"; }},
        {"branch_count", [&] { transaction.branch_count = 0; }},
        {"branch_count",
         [&] {
             transaction.branches = many.data();
             transaction.branch_count = 65;
         }},
        {"together",
         [&] {
             transaction.branches = heavy.data();
             transaction.branch_count = 17;
         }},
        {"branches[2].participant: 0 bytes",
         [&] {
             transaction.branches = third_is_bad.data();
             transaction.branch_count = 3;
         }},
        {"branches[0].participant", [&] { branch.participant = nullptr; }},
        {"branches[0].action", [&] { branch.action = "a b"; }},
        {"branches[0].payload", [&] { branch.payload = tercet_bytes_of(big.data(), big.size()); }},
        {"branches[0].stage", [&] { branch.stage = 64; }},
        {"branches[0].optional",
         [&] {
             branch.optional = true;
             branch.confirm_only = true;
         }},
        {"branches[0].call_timeout_ms", [&] { branch.call_timeout_ms = 9; }},
        {"branches[0].reserved", [&] { branch.reserved[3] = 1; }},
        {"try_timeout_ms", [&] { transaction.try_timeout_ms = TERCET_TRY_TIMEOUT_MS_MAX + 1; }},
        {"wait", [&] { transaction.wait = static_cast<tercet_wait>(4); }},
        {"traceparent", [&] { transaction.traceparent = full.c_str(); }},
        {"created_at_unix_ms", [&] { transaction.created_at_unix_ms = -1; }},
        {"size", [&] { transaction.size = 0; }},
    };
    const tercet_branch good_branch = branch;
    const tercet_transaction good = transaction;
    for (const auto &spoiler : spoilers) {
        branch = good_branch;
        transaction = good;
        spoiler.second();
        EXPECT_EQ(Execute(), TERCET_OUTCOME_NOT_STARTED) << spoiler.first;
        EXPECT_EQ(result->status, TERCET_INVALID_ARGUMENT) << spoiler.first;
        EXPECT_NE(std::string(result->status_text).find(spoiler.first), std::string::npos)
            << result->status_text;
    }
    EXPECT_EQ(fake.Calls(), 0);
}

TEST_F(ClientNotStarted, BadOptionsAreRefused)
{
    tercet_client *made = nullptr;
    tercet_client_options options = {};
    options.size = sizeof options;
    EXPECT_EQ(tercet_client_create(&options, &made, &error), TERCET_INVALID_ARGUMENT);
    options.target = "192.0.2.1:7100";
    EXPECT_EQ(tercet_client_create(&options, &made, &error), TERCET_INVALID_ARGUMENT);
    options.target = "127.0.0.1:7100";
    options.thread_count = 17;
    EXPECT_EQ(tercet_client_create(&options, &made, &error), TERCET_INVALID_ARGUMENT);
    options.thread_count = 0;
    tercet_tls tls = {};
    options.tls = &tls;
    EXPECT_EQ(tercet_client_create(&options, &made, &error), TERCET_UNIMPLEMENTED);
    EXPECT_EQ(made, nullptr);
    tercet_client_destroy(nullptr);
    tercet_result_destroy(nullptr);
}

} // namespace

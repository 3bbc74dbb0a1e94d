/* The client against a coordinator that answers by script: what it says is what it knows. */
#include <chrono>
#include <thread>

#include "unit/sdk/support.h"

namespace
{

constexpr int kConfirmed = TERCET__V1__OUTCOME__OUTCOME_CONFIRMED;
constexpr int kCancelled = TERCET__V1__OUTCOME__OUTCOME_CANCELLED;
constexpr int kUndecided = TERCET__V1__OUTCOME__OUTCOME_UNSPECIFIED;
constexpr int kTrying = TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_TRYING;
constexpr int kConfirming = TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CONFIRMING;
constexpr int kCancelling = TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CANCELLING;
constexpr int kEndConfirmed = TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CONFIRMED;

class Client : public testing::Test
{
  protected:
    void SetUp() override
    {
        Make(fake.target());
        branch.participant = "account";
        branch.action = "debit";
        branch.payload = tercet_bytes_of_text("7 2500");
        transaction.size = sizeof transaction;
        transaction.gid = "pay-1";
        transaction.branches = &branch;
        transaction.branch_count = 1;
        transaction.wait_timeout_ms = 20000;
    }
    void TearDown() override
    {
        tercet_result_destroy(result);
        tercet_client_destroy(client);
    }
    void Make(const std::string &target)
    {
        tercet_client_destroy(client);
        client = nullptr;
        tercet_client_options options = {};
        options.size = sizeof options;
        options.target = target.c_str();
        options.in_flight_max = 100;
        options.step_timeout_ms = 20000;
        ASSERT_EQ(tercet_client_create(&options, &client, &error), TERCET_OK) << error.text;
    }
    tercet_outcome Execute()
    {
        tercet_result_destroy(result);
        result = nullptr;
        const tercet_outcome outcome = tercet_client_execute(client, &transaction, &result);
        EXPECT_EQ(outcome, result->outcome);
        return outcome;
    }

    FakeCoordinator fake;
    tercet_client *client = nullptr;
    tercet_branch branch = {};
    tercet_transaction transaction = {};
    tercet_result *result = nullptr;
    tercet_error error = {};
};

TEST_F(Client, AConfirmedReplyIsConfirmedWithItsResults)
{
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(result->status, TERCET_OK);
    EXPECT_STREQ(result->status_text, "");
    EXPECT_STREQ(result->gid, "pay-1");
    EXPECT_FALSE(result->ended);
    ASSERT_EQ(result->branch_count, 1u);
    const tercet_branch_result *first = tercet_result_branch(result, 1);
    ASSERT_NE(first, nullptr);
    EXPECT_STREQ(static_cast<const char *>(first->result.data), "receipt-7");
    EXPECT_EQ(first->result.size, 9u);
    EXPECT_EQ(first->state, TERCET_BRANCH_TRIED);
    EXPECT_STREQ(first->participant, "account");
    EXPECT_EQ(tercet_result_branch(result, 2), nullptr);
    EXPECT_EQ(tercet_result_branch(result, 0), nullptr);
}

TEST_F(Client, ACancelledReplyIsCancelled)
{
    fake.Then(FakeCoordinator::Reply("pay-1", kCancelled, kCancelling));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CANCELLED);
    EXPECT_EQ(result->status, TERCET_OK);
}

TEST_F(Client, AnAnswerThatMakesNoSenseIsUnknownAndNeverConfirmed)
{
    const std::vector<Answer> answers = {
        FakeCoordinator::ReplyBytes("\xff\xff\xff\xff garbage"),
        FakeCoordinator::ReplyBytes(""),                          /* no gid at all */
        FakeCoordinator::Reply("pay-2", kConfirmed, kConfirming), /* another's */
        FakeCoordinator::Reply("pay-1", 3, kConfirming),          /* an outcome of the future */
        FakeCoordinator::Reply("pay-1", -1, 0),
        FakeCoordinator::Reply("pay-1", kConfirmed, kTrying), /* contradicts itself */
        FakeCoordinator::Reply("pay-1", kConfirmed, kCancelling),
        FakeCoordinator::Reply("pay-1", kCancelled, kEndConfirmed),
    };
    for (size_t i = 0; i < answers.size(); i++) {
        fake.Then(answers[i]);
        EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN) << i;
        EXPECT_EQ(result->status, TERCET_INTERNAL) << i;
        EXPECT_STRNE(result->status_text, "") << i;
    }
    EXPECT_EQ(fake.Calls(), static_cast<int>(answers.size()));
}

TEST_F(Client, AnUndecidedReplyIsAskedAgainUntilItIsDecided)
{
    fake.Then(FakeCoordinator::Reply("pay-1", kUndecided, kTrying));
    fake.Then(FakeCoordinator::Reply("pay-1", kUndecided, 0));
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(fake.Calls(), 3);
}

TEST_F(Client, AnUndecidedReplyIsUnknownWhenTheWaitIsOver)
{
    transaction.wait_timeout_ms = 150;
    for (int i = 0; i < 50; i++) {
        fake.Then(FakeCoordinator::Reply("pay-1", kUndecided, kTrying));
    }
    EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(result->status, TERCET_DEADLINE_EXCEEDED);
}

TEST_F(Client, WaitBeginIsUnknownWithStatusOk)
{
    transaction.wait = TERCET_WAIT_BEGIN;
    fake.Then(FakeCoordinator::Reply("pay-1", kUndecided, kTrying));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(result->status, TERCET_OK);
}

TEST_F(Client, WaitEndTellsADecisionWhoseEndWasNotReached)
{
    transaction.wait = TERCET_WAIT_END;
    transaction.wait_timeout_ms = 200;
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(result->status, TERCET_DEADLINE_EXCEEDED);
    EXPECT_FALSE(result->ended);
    EXPECT_GE(fake.Calls(), 2);
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kEndConfirmed));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(result->status, TERCET_OK);
    EXPECT_TRUE(result->ended);
}

TEST_F(Client, AReplyThatTakesAnOutcomeBackMakesItUnknown)
{
    transaction.wait = TERCET_WAIT_END;
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    fake.Then(FakeCoordinator::Reply("pay-1", kCancelled, kCancelling));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(result->status, TERCET_INTERNAL);
}

/* ---- Not started ----------------------------------------------------------------------------- */

TEST_F(Client, ARefusalWithTheTrailerIsNotStarted)
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

TEST_F(Client, ARefusalWithoutTheTrailerOrWithAnotherValueIsUnknown)
{
    fake.Then(FakeCoordinator::Fail(TERCET_INVALID_ARGUMENT, false, "TERCET_LIMIT"));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(result->status, TERCET_INVALID_ARGUMENT);
    for (const char *value : {"0", "true", "11"}) {
        fake.Then(FakeCoordinator::Fail(TERCET_INVALID_ARGUMENT, true, "", value));
        EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN) << value;
    }
}

TEST_F(Client, ALostAttemptBeforeARefusalIsUnknown)
{
    fake.Then(FakeCoordinator::Fail(TERCET_UNAVAILABLE, false));
    fake.Then(FakeCoordinator::Fail(TERCET_RESOURCE_EXHAUSTED, true));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(result->status, TERCET_RESOURCE_EXHAUSTED);
    EXPECT_EQ(fake.Calls(), 2);
}

TEST_F(Client, UnavailableThenOkIsTheOkOne)
{
    for (const tercet_status status :
         {TERCET_UNAVAILABLE, TERCET_CALL_CANCELLED, TERCET_UNKNOWN, TERCET_INTERNAL}) {
        fake.Then(FakeCoordinator::Fail(status, false));
        fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
        EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    }
    EXPECT_EQ(fake.Calls(), 8);
}

TEST_F(Client, ACoordinatorThatIsStartingIsWaitedForAndAFullParticipantIsNot)
{
    fake.Then(FakeCoordinator::Fail(TERCET_UNAVAILABLE, true, "TERCET_STARTING"));
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    fake.Then(FakeCoordinator::Fail(TERCET_UNAVAILABLE, true, "TERCET_PARTICIPANT_FULL"));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_NOT_STARTED);
    EXPECT_EQ(fake.Calls(), 3);
}

TEST_F(Client, EveryRepeatSaysTheSameCreatedAtAndAnotherCallANewOne)
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

TEST_F(Client, AServerThatIsNotThereIsNotStarted)
{
    fake.Halt();
    transaction.wait_timeout_ms = 300;
    EXPECT_EQ(Execute(), TERCET_OUTCOME_NOT_STARTED);
    EXPECT_EQ(result->status, TERCET_UNAVAILABLE);
}

TEST_F(Client, AnAnswerThatIsLostMakesItUnknownAndTheRepairedConnectionKnows)
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

TEST_F(Client, SeveralTargetsAreTriedInTurn)
{
    Make("unix:/nonexistent/tercet," + fake.target());
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
}

/* ---- What never leaves ----------------------------------------------------------------------- */

TEST_F(Client, BadTransactionsAreNotStartedAndNothingIsSent)
{
    const std::string long_gid(129, 'g');
    const std::string big(TERCET_PAYLOAD_BYTES_MAX + 1, 'p');
    std::vector<tercet_branch> many(65, branch);
    std::vector<tercet_branch> heavy(17, branch);
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

TEST_F(Client, BadOptionsAreRefused)
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

/* ---- Step by step ---------------------------------------------------------------------------- */

Answer TryAnswer(int verdict, const std::string &bytes, const std::string &code)
{
    return [=](rpc_unary *call, const ProtobufCMessage *) {
        Tercet__V1__TryReply reply = TERCET__V1__TRY_REPLY__INIT;
        Tercet__V1__Reason reason = TERCET__V1__REASON__INIT;
        reply.verdict = static_cast<Tercet__V1__Verdict>(verdict);
        reply.result.data = reinterpret_cast<uint8_t *>(const_cast<char *>(bytes.data()));
        reply.result.len = bytes.size();
        reason.code = const_cast<char *>(code.c_str());
        if (!code.empty()) {
            reply.reason = &reason;
        }
        rpc_unary_reply(call, &reply.base);
    };
}

TEST_F(Client, StepsGoToTheirMethods)
{
    transaction.branch_count = 0;
    fake.Then(FakeCoordinator::Reply("pay-1", kUndecided, kTrying));
    EXPECT_EQ(tercet_client_begin(client, &transaction, &error), TERCET_OK) << error.text;
    fake.Then(TryAnswer(TERCET_VERDICT_DONE, "r1", ""));
    EXPECT_EQ(tercet_client_try(client, "pay-1", 3, &branch, &result), TERCET_VERDICT_DONE);
    ASSERT_NE(tercet_result_branch(result, 3), nullptr);
    EXPECT_STREQ(static_cast<const char *>(tercet_result_branch(result, 3)->result.data), "r1");
    tercet_result_destroy(result);
    result = nullptr;
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(tercet_client_confirm(client, "pay-1", nullptr), TERCET_OUTCOME_CONFIRMED);
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    EXPECT_EQ(tercet_client_cancel(client, "pay-1", "changed my mind", nullptr),
              TERCET_OUTCOME_CONFIRMED);
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kEndConfirmed));
    EXPECT_EQ(tercet_client_query(client, "pay-1", TERCET_WAIT_END, 0, nullptr),
              TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(fake.Paths(), std::vector<std::string>(
                                {"/tercet.v1.Coordinator/Begin", "/tercet.v1.Coordinator/Try",
                                 "/tercet.v1.Coordinator/Confirm", "/tercet.v1.Coordinator/Cancel",
                                 "/tercet.v1.Coordinator/Get"}));
}

TEST_F(Client, ATryThatIsNotAnsweredDoneOrRefusedIsUnspecified)
{
    fake.Then(TryAnswer(TERCET_VERDICT_REFUSED, "", "BALANCE_TOO_LOW"));
    EXPECT_EQ(tercet_client_try(client, "pay-1", 1, &branch, &result), TERCET_VERDICT_REFUSED);
    EXPECT_STREQ(result->reason.code, "BALANCE_TOO_LOW");
    tercet_result_destroy(result);
    for (const int verdict : {3, 4, 5, -1}) {
        fake.Then(TryAnswer(verdict, "", ""));
        EXPECT_EQ(tercet_client_try(client, "pay-1", 1, &branch, &result),
                  TERCET_VERDICT_UNSPECIFIED);
        EXPECT_EQ(result->status, TERCET_INTERNAL);
        tercet_result_destroy(result);
    }
    fake.Then(FakeCoordinator::Fail(TERCET_FAILED_PRECONDITION, true, "TERCET_DECIDED"));
    EXPECT_EQ(tercet_client_try(client, "pay-1", 1, &branch, &result), TERCET_VERDICT_UNSPECIFIED);
    EXPECT_EQ(result->status, TERCET_FAILED_PRECONDITION);
    EXPECT_EQ(tercet_client_try(client, "pay-1", 65, &branch, nullptr), TERCET_VERDICT_UNSPECIFIED);
}

TEST_F(Client, BeginOfADecidedGidIsFailedPrecondition)
{
    transaction.branch_count = 0;
    fake.Then(FakeCoordinator::Reply("pay-1", kCancelled, kCancelling));
    EXPECT_EQ(tercet_client_begin(client, &transaction, &error), TERCET_FAILED_PRECONDITION);
    EXPECT_NE(std::string(error.text).find("CANCELLED"), std::string::npos);
    transaction.branch_count = 1;
    EXPECT_EQ(tercet_client_begin(client, &transaction, &error), TERCET_INVALID_ARGUMENT);
}

TEST_F(Client, OnlyExecuteSaysNotStarted)
{
    fake.Then(FakeCoordinator::Fail(TERCET_NOT_FOUND, true));
    EXPECT_EQ(tercet_client_query(client, "pay-1", TERCET_WAIT_BEGIN, 5000, &result),
              TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(result->status, TERCET_NOT_FOUND);
    fake.Then(FakeCoordinator::Fail(TERCET_FAILED_PRECONDITION, true));
    EXPECT_EQ(tercet_client_confirm(client, "pay-1", nullptr), TERCET_OUTCOME_UNKNOWN);
    EXPECT_EQ(tercet_client_cancel(client, "a b", nullptr, nullptr), TERCET_OUTCOME_UNKNOWN);
}

/* ---- Asynchronous ---------------------------------------------------------------------------- */

struct Collector {
    std::atomic<int> done{0};
    std::atomic<int> confirmed{0};
    std::atomic<int> unknown{0};
    std::atomic<int> not_started{0};
    std::atomic<int> blocked{0};
    tercet_client *client = nullptr;
    const tercet_transaction *transaction = nullptr;
    std::atomic<int> more{0};

    static void Done(const tercet_result *result, void *context)
    {
        auto *self = static_cast<Collector *>(context);
        self->confirmed += result->outcome == TERCET_OUTCOME_CONFIRMED;
        self->unknown += result->outcome == TERCET_OUTCOME_UNKNOWN;
        self->not_started += result->outcome == TERCET_OUTCOME_NOT_STARTED;
        if (self->client != nullptr) {
            tercet_result *inner = nullptr;
            if (tercet_client_execute(self->client, self->transaction, &inner) ==
                    TERCET_OUTCOME_NOT_STARTED &&
                inner->status == TERCET_FAILED_PRECONDITION) {
                self->blocked++;
            }
            tercet_result_destroy(inner);
            EXPECT_EQ(tercet_client_wait(self->client, 0, 0, nullptr), TERCET_FAILED_PRECONDITION);
            if (self->more.fetch_sub(1) > 0) {
                EXPECT_EQ(tercet_client_execute_async(self->client, self->transaction, Done, self,
                                                      nullptr),
                          TERCET_OK);
            }
        }
        self->done++;
    }
};

TEST_F(Client, EveryAsynchronousCallIsCompletedExactlyOnce)
{
    Collector collector;
    for (int i = 0; i < 300; i++) {
        fake.Then(i % 3 == 0 ? FakeCoordinator::Fail(TERCET_UNAVAILABLE, false)
                             : FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    }
    for (int i = 0; i < 200; i++) {
        ASSERT_EQ(tercet_client_wait(client, 99, 20000, &error), TERCET_OK) << error.text;
        ASSERT_EQ(
            tercet_client_execute_async(client, &transaction, Collector::Done, &collector, &error),
            TERCET_OK)
            << error.text;
    }
    ASSERT_EQ(tercet_client_wait(client, 0, 20000, &error), TERCET_OK) << error.text;
    EXPECT_EQ(collector.done, 200);
    EXPECT_EQ(collector.confirmed, 200);
}

TEST_F(Client, ACallbackMayStartAndMayNotBlock)
{
    Collector collector;
    collector.client = client;
    collector.transaction = &transaction;
    collector.more = 5;
    for (int i = 0; i < 6; i++) {
        fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    }
    ASSERT_EQ(
        tercet_client_execute_async(client, &transaction, Collector::Done, &collector, &error),
        TERCET_OK);
    ASSERT_EQ(tercet_client_wait(client, 0, 20000, &error), TERCET_OK) << error.text;
    EXPECT_EQ(collector.done, 6);
    EXPECT_EQ(collector.blocked, 6);
}

TEST_F(Client, CallsInFlightAreBounded)
{
    Held held;
    Collector collector;
    for (int i = 0; i < 100; i++) {
        fake.Then(FakeCoordinator::Hold(&held));
    }
    for (int i = 0; i < 100; i++) {
        ASSERT_EQ(
            tercet_client_execute_async(client, &transaction, Collector::Done, &collector, &error),
            TERCET_OK);
    }
    EXPECT_EQ(
        tercet_client_execute_async(client, &transaction, Collector::Done, &collector, &error),
        TERCET_RESOURCE_EXHAUSTED);
    EXPECT_EQ(Execute(), TERCET_OUTCOME_NOT_STARTED);
    EXPECT_EQ(result->status, TERCET_RESOURCE_EXHAUSTED);
    EXPECT_EQ(tercet_client_wait(client, 99, 10, &error), TERCET_DEADLINE_EXCEEDED);
    while (fake.Calls() < 100) {
        std::this_thread::yield();
    }
    tercet_client_destroy(client);
    client = nullptr;
    EXPECT_EQ(collector.done, 100);
    EXPECT_EQ(collector.unknown, 100);
    fake.Halt();
    held.LetGo();
}

TEST_F(Client, DestroyCompletesWhatWaitsForItsNextAttempt)
{
    fake.Halt();
    Collector collector;
    for (int i = 0; i < 20; i++) {
        ASSERT_EQ(
            tercet_client_execute_async(client, &transaction, Collector::Done, &collector, &error),
            TERCET_OK);
    }
    tercet_client_destroy(client);
    client = nullptr;
    EXPECT_EQ(collector.done, 20);
    EXPECT_EQ(collector.confirmed, 0);
}

/* ---- Small things ---------------------------------------------------------------------------- */

TEST(Gid, IsMadeOfTimeAndChance)
{
    char first[TERCET_GID_MADE_SIZE];
    char second[TERCET_GID_MADE_SIZE];
    tercet_gid_make(first);
    tercet_gid_make(second);
    EXPECT_EQ(std::string(first).size(), 32u);
    EXPECT_NE(std::string(first), second);
    const int64_t made = std::stoll(std::string(first, 12), nullptr, 16);
    const int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
    EXPECT_NEAR(static_cast<double>(made), static_cast<double>(now), 10000.0);
}

TEST(Names, AreWordsForNumbersAndAQuestionMarkForOthers)
{
    EXPECT_STREQ(tercet_outcome_name(TERCET_OUTCOME_NOT_STARTED), "NOT_STARTED");
    EXPECT_STREQ(tercet_outcome_name(static_cast<tercet_outcome>(9)), "?");
    EXPECT_STREQ(tercet_cause_name(TERCET_CAUSE_TIMEOUT), "TIMEOUT");
    EXPECT_STREQ(tercet_branch_state_name(TERCET_BRANCH_SKIPPED), "SKIPPED");
    EXPECT_STREQ(tercet_branch_state_name(static_cast<tercet_branch_state>(-1)), "?");
    EXPECT_STREQ(tercet_conflict_name(TERCET_CONFLICT_FORGOTTEN), "FORGOTTEN");
    EXPECT_STREQ(tercet_how_name(TERCET_HOW_EMPTY), "EMPTY");
    EXPECT_STREQ(tercet_version(), "0.1.0");
}

} // namespace

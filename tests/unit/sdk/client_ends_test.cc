/* How a call of a client ends, beside its outcome: status, words, and who may make and free a client. */
#include <atomic>
#include <thread>

#include "unit/sdk/client_fixture.h"

namespace
{

class ClientEnds : public ClientTest
{
};

TEST_F(ClientEnds, WhoseEndCannotBeWaitedForIsConfirmedAllTheSame)
{
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    fake.Then(FakeCoordinator::Fail(TERCET_RESOURCE_EXHAUSTED, true, "TERCET_WAITING_CALLS"));
    transaction.wait = TERCET_WAIT_END;
    EXPECT_EQ(Execute(), TERCET_OUTCOME_CONFIRMED);
    EXPECT_EQ(result->status, TERCET_DEADLINE_EXCEEDED);
    EXPECT_STREQ(result->status_code, "TERCET_WAITING_CALLS") << "why it was not waited for";
}

TEST_F(ClientEnds, WordsThatAreTooLongAreCutBetweenCharacters)
{
    fake.Then([](rpc_unary *call, const ProtobufCMessage *) {
        std::string text = "x";
        while (text.size() < 400) {
            text += "\xe4\xb8\xad";
        }
        rpc_unary_fail(call, TERCET_INVALID_ARGUMENT, text.c_str(), nullptr);
    });
    EXPECT_EQ(Execute(), TERCET_OUTCOME_UNKNOWN);
    const std::string told = result->status_text;
    ASSERT_GT(told.size(), 200u);
    EXPECT_EQ((told.size() - 1) % 3, 0u) << told;
}

TEST_F(ClientEnds, WhatHasNotLeftWhenItsClientIsDestroyedWasNotStarted)
{
    struct Seen {
        std::atomic<int> outcome{-1};
        std::atomic<int> status{-1};
    } seen;
    Make("unix:/nowhere/at/all");
    ASSERT_EQ(tercet_client_execute_async(
                  client, &transaction,
                  [](const tercet_result *told, void *context) {
                      static_cast<Seen *>(context)->outcome = told->outcome;
                      static_cast<Seen *>(context)->status = told->status;
                  },
                  &seen, &error),
              TERCET_OK);
    tercet_client_destroy(client);
    client = nullptr;
    EXPECT_EQ(seen.outcome, TERCET_OUTCOME_NOT_STARTED);
    EXPECT_EQ(seen.status, TERCET_CALL_CANCELLED);
}

TEST_F(ClientEnds, AClientThatCannotBeMadeInACallbackIsAnError)
{
    std::atomic<int> status{-1};
    fake.Then(FakeCoordinator::Reply("pay-1", kConfirmed, kConfirming));
    ASSERT_EQ(tercet_client_execute_async(
                  client, &transaction,
                  [](const tercet_result *, void *context) {
                      tercet_client_options options = {};
                      options.size = sizeof options;
                      options.target = "192.0.2.1:7100"; /* not loopback */
                      tercet_client *other = nullptr;
                      tercet_error why = {};
                      *static_cast<std::atomic<int> *>(context) =
                          tercet_client_create(&options, &other, &why);
                  },
                  &status, &error),
              TERCET_OK);
    ASSERT_EQ(tercet_client_wait(client, 0, 20000, &error), TERCET_OK);
    EXPECT_EQ(status, TERCET_INVALID_ARGUMENT);
}

} // namespace

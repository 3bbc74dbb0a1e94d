/* client_fixture.h -- a client, a coordinator that answers by script, and one transaction. */
#ifndef TESTS_UNIT_SDK_CLIENT_FIXTURE_H
#define TESTS_UNIT_SDK_CLIENT_FIXTURE_H

#include <gtest/gtest.h>

#include <string>

#include "tercet/client.h"
#include "unit/sdk/fake_coordinator.h"
#include "unit/sdk/protos.h"

constexpr int kConfirmed = TERCET__V1__OUTCOME__OUTCOME_CONFIRMED;
constexpr int kCancelled = TERCET__V1__OUTCOME__OUTCOME_CANCELLED;
constexpr int kUndecided = TERCET__V1__OUTCOME__OUTCOME_UNSPECIFIED;
constexpr int kTrying = TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_TRYING;
constexpr int kConfirming = TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CONFIRMING;
constexpr int kCancelling = TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CANCELLING;
constexpr int kEndConfirmed = TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CONFIRMED;

class ClientTest : public testing::Test
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
    void Make(const std::string &target, uint32_t reach_timeout_ms = 0)
    {
        tercet_client_destroy(client);
        client = nullptr;
        tercet_client_options options = {};
        options.size = sizeof options;
        options.target = target.c_str();
        options.in_flight_max = 100;
        options.step_timeout_ms = 20000;
        options.reach_timeout_ms = reach_timeout_ms;
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

#endif

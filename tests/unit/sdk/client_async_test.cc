/* Asynchronous calls: each is completed exactly once, whatever happens to the client. */
#include <atomic>
#include <chrono>
#include <thread>

#include "unit/sdk/client_fixture.h"

namespace
{

class ClientAsync : public ClientTest
{
};

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

TEST_F(ClientAsync, EveryAsynchronousCallIsCompletedExactlyOnce)
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

TEST_F(ClientAsync, ACallbackMayStartAndMayNotBlock)
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

TEST_F(ClientAsync, CallsInFlightAreBounded)
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

TEST_F(ClientAsync, DestroyCompletesWhatWaitsForItsNextAttempt)
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

} // namespace

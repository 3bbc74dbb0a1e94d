// server_slots.h -- the slots of a server's store one by one, where a group would not come.
#ifndef TERCET_TESTS_FENCE_SERVER_SLOTS_H
#define TERCET_TESTS_FENCE_SERVER_SLOTS_H

#include "server_backend.h"

namespace fence_test
{

class ServerSlots : public ServerTest
{
  protected:
    void SetUp() override
    {
        ServerTest::SetUp();
        if (IsSkipped()) {
            return;
        }
        harness = std::make_unique<Harness>(Facts().kind, directory.path());
        ASSERT_EQ(harness->Run(Try("g", 1)).how, TERCET_HOW_RAN);
        ops = harness->group.ops;
        connection = harness->group.connection;
        caller.participant = "account";
        memset(caller.origin, 1, sizeof caller.origin);
        caller.epoch = {10, 1};
        wanted.state = TERCET_FENCE_TRIED;
        memcpy(wanted.participant, "account", 8);
        memcpy(wanted.action, "debit", 6);
        memset(wanted.identity.origin, 1, sizeof wanted.identity.origin);
        wanted.identity.number = {10, 2};
    }

    tercet_status BeginAndClaim()
    {
        tercet_status status = ops->begin(connection, &error);
        if (status == TERCET_OK) {
            status = ops->savepoint(connection, &error);
        }
        return status == TERCET_OK ? ops->claim(connection, &key, &wanted, &claim, &error) : status;
    }

    std::unique_ptr<Harness> harness;
    const tercet_store_ops *ops = nullptr;
    void *connection = nullptr;
    tercet_fence_caller caller = {};
    tercet_fence_key key = {tercet_bytes_of("h", 1), 1};
    tercet_fence_row wanted = {};
    tercet_fence_claim claim = {};
    tercet_error error = {};
};

} // namespace fence_test

#endif

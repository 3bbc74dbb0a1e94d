/* Making a participant: options, actions and addresses that are refused by name. */
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tercet/participant.h"
#include "tercet/store_memory.h"
#include "unit/sdk/handlers.h"

extern "C" {
#include "fence/store.h"
}

namespace
{

tercet_verdict Nothing(tercet_request *)
{
    return TERCET_VERDICT_DONE;
}

class ParticipantMaking : public testing::Test
{
  protected:
    void SetUp() override
    {
        options.size = sizeof options;
        options.name = "account";
        options.listen = "127.0.0.1:0";
        tercet_memory_options memory = {};
        memory.size = sizeof memory;
        ASSERT_EQ(tercet_memory_open(&memory, &store, &error), TERCET_OK);
        action.name = "act";
        action.on_try = Nothing;
        action.on_confirm = Nothing;
        action.on_cancel = Nothing;
    }
    void TearDown() override
    {
        tercet_participant_destroy(participant);
        tercet_store_close(store);
    }
    tercet_participant_options options = {};
    tercet_participant *participant = nullptr;
    tercet_store *store = nullptr;
    tercet_action action = {};
    tercet_error error = {};
};

TEST_F(ParticipantMaking, BadOptionsAreRefusedByName)
{
    EXPECT_EQ(tercet_participant_create(nullptr, &participant, &error), TERCET_INVALID_ARGUMENT);
    options.size = 0;
    EXPECT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_INVALID_ARGUMENT);
    options.size = sizeof options;
    options.name = "a b";
    EXPECT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_INVALID_ARGUMENT);
    EXPECT_NE(std::string(error.text).find("participant_options.name"), std::string::npos);
    options.name = "account";
    options.listen = nullptr;
    EXPECT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_INVALID_ARGUMENT);
    options.listen = "127.0.0.1:0";
    options.unfenced_workers = 257;
    EXPECT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_INVALID_ARGUMENT);
    options.unfenced_workers = 0;
    tercet_tls tls = {};
    options.tls = &tls;
    EXPECT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_UNIMPLEMENTED);
    EXPECT_EQ(participant, nullptr);
}

TEST_F(ParticipantMaking, ANewerCallersUnknownOptionIsNotIgnored)
{
    struct {
        tercet_participant_options known;
        uint64_t unknown;
    } newer = {options, 0};
    newer.known.size = sizeof newer;
    EXPECT_EQ(tercet_participant_create(&newer.known, &participant, &error), TERCET_OK);
    tercet_participant_destroy(participant);
    participant = nullptr;
    newer.unknown = 1;
    EXPECT_EQ(tercet_participant_create(&newer.known, &participant, &error),
              TERCET_INVALID_ARGUMENT);
}

TEST_F(ParticipantMaking, BadActionsAreRefusedAndNoneOfTheTableIsRegistered)
{
    ASSERT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_OK);
    EXPECT_EQ(tercet_participant_start(participant, &error), TERCET_FAILED_PRECONDITION);
    tercet_action two[2] = {action, action};
    EXPECT_EQ(tercet_participant_register(participant, store, two, 2, &error),
              TERCET_ALREADY_EXISTS);
    two[1].name = "bad name";
    EXPECT_EQ(tercet_participant_register(participant, store, two, 2, &error),
              TERCET_INVALID_ARGUMENT);
    two[1].name = "half";
    two[1].on_cancel = nullptr;
    EXPECT_EQ(tercet_participant_register(participant, store, two, 2, &error),
              TERCET_INVALID_ARGUMENT);
    two[1].on_try = nullptr;
    two[1].on_confirm = nullptr;
    EXPECT_EQ(tercet_participant_register(participant, store, two, 2, &error),
              TERCET_INVALID_ARGUMENT);
    two[1].on_confirm = Nothing;
    two[1].reserved[2] = &error;
    EXPECT_EQ(tercet_participant_register(participant, store, two, 2, &error),
              TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(tercet_participant_register(participant, nullptr, &action, 1, &error),
              TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(tercet_participant_register(participant, store, &action, 1, &error), TERCET_OK);
    EXPECT_EQ(tercet_participant_register_unfenced(participant, &action, 1, &error),
              TERCET_ALREADY_EXISTS);
}

TEST_F(ParticipantMaking, OneStoreServesOneParticipantAtATime)
{
    ASSERT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_OK);
    ASSERT_EQ(tercet_participant_register(participant, store, &action, 1, &error), TERCET_OK);
    tercet_participant *other = nullptr;
    ASSERT_EQ(tercet_participant_create(&options, &other, &error), TERCET_OK);
    EXPECT_EQ(tercet_participant_register(other, store, &action, 1, &error),
              TERCET_FAILED_PRECONDITION);
    tercet_participant_destroy(participant);
    participant = nullptr;
    EXPECT_EQ(tercet_participant_register(other, store, &action, 1, &error), TERCET_OK);
    tercet_participant_destroy(other);
}

TEST_F(ParticipantMaking, OfSixteenStoresEachIsToldAndASeventeenthIsRefused)
{
    ASSERT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_OK);
    std::vector<tercet_store *> stores;
    for (int i = 0; i < 17; i++) {
        const std::string name = "act" + std::to_string(i);
        tercet_memory_options memory = {};
        memory.size = sizeof memory;
        stores.push_back(nullptr);
        ASSERT_EQ(tercet_memory_open(&memory, &stores.back(), &error), TERCET_OK);
        action.name = name.c_str();
        EXPECT_EQ(tercet_participant_register(participant, stores.back(), &action, 1, &error),
                  i < 16 ? TERCET_OK : TERCET_RESOURCE_EXHAUSTED);
    }
    EXPECT_STREQ(error.text, "participant account: more than 16 stores");
    tercet_participant_destroy(participant);
    participant = nullptr;
    for (tercet_store *each : stores) {
        tercet_store_close(each);
    }
}

TEST_F(ParticipantMaking, ThatAStoreGoesNowhereIsRefused)
{
    tercet_memory_options memory = {};
    memory.size = sizeof memory;
    EXPECT_EQ(tercet_memory_open(&memory, nullptr, &error), TERCET_INVALID_ARGUMENT);
    EXPECT_STREQ(error.text, "store_out: must not be NULL");
}

TEST_F(ParticipantMaking, AnAddressInUseIsUnavailableAndTheParticipantCanBeDestroyed)
{
    ASSERT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_OK);
    ASSERT_EQ(tercet_participant_register(participant, store, &action, 1, &error), TERCET_OK);
    EXPECT_STREQ(tercet_participant_address(participant), "");
    ASSERT_EQ(tercet_participant_start(participant, &error), TERCET_OK) << error.text;
    const std::string address = tercet_participant_address(participant);
    EXPECT_EQ(address.rfind("127.0.0.1:", 0), 0u);
    EXPECT_NE(address, "127.0.0.1:0");
    EXPECT_EQ(tercet_participant_start(participant, &error), TERCET_FAILED_PRECONDITION);
    action.name = "late";
    EXPECT_EQ(tercet_participant_register(participant, store, &action, 1, &error),
              TERCET_FAILED_PRECONDITION);

    tercet_participant *other = nullptr;
    options.listen = address.c_str();
    ASSERT_EQ(tercet_participant_create(&options, &other, &error), TERCET_OK);
    ASSERT_EQ(tercet_participant_register_unfenced(other, &action, 1, &error), TERCET_OK);
    EXPECT_EQ(tercet_participant_start(other, &error), TERCET_UNAVAILABLE) << error.text;
    tercet_participant_destroy(other);
}

TEST_F(ParticipantMaking, APlaintextAddressThatStrangersReachIsRefused)
{
    options.listen = "0.0.0.0:0";
    ASSERT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_OK);
    ASSERT_EQ(tercet_participant_register(participant, store, &action, 1, &error), TERCET_OK);
    EXPECT_EQ(tercet_participant_start(participant, &error), TERCET_INVALID_ARGUMENT);
}

TEST_F(ParticipantMaking, AnAddressThatWasAskedForEarlyStaysReadable)
{
    ASSERT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_OK) << error.text;
    const char *const early = tercet_participant_address(participant);
    EXPECT_STREQ(early, "");
    ASSERT_EQ(tercet_participant_register(participant, store, &action, 1, &error), TERCET_OK);
    ASSERT_EQ(tercet_participant_start(participant, &error), TERCET_OK) << error.text;
    EXPECT_STREQ(early, "");
    EXPECT_STRNE(tercet_participant_address(participant), "");
}

// A store whose database takes its time.
Gate door;
const tercet_store_ops *inner;

tercet_status ConnectSlowly(void *self, void **connection_out, tercet_error *error_out)
{
    door.Wait();
    return inner->connect(self, connection_out, error_out);
}

TEST_F(ParticipantMaking, WhoIsStoppedWhileItStartsNeverServes)
{
    tercet_store_ops slow = *store->ops;
    slow.connect = ConnectSlowly;
    inner = store->ops;
    store->ops = &slow;
    ASSERT_EQ(tercet_participant_create(&options, &participant, &error), TERCET_OK) << error.text;
    ASSERT_EQ(tercet_participant_register(participant, store, &action, 1, &error), TERCET_OK);
    door.Close();
    tercet_status started = TERCET_UNKNOWN;
    std::thread starter([&] { started = tercet_participant_start(participant, &error); });
    door.AwaitWaiting(1);
    EXPECT_EQ(tercet_participant_stop(participant, 0), TERCET_OK);
    door.Open();
    starter.join();
    EXPECT_EQ(started, TERCET_FAILED_PRECONDITION);
    EXPECT_NE(std::string(error.text).find("stopped while it started"), std::string::npos);
    EXPECT_STREQ(tercet_participant_address(participant), "");
    tercet_participant_destroy(participant);
    participant = nullptr;
}

} // namespace

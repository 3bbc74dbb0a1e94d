// A served participant whose accounts are in a server: many connections, handlers of a stranger's kind.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tercet/fence.h"
#include "unit/sdk/accounts.h"
#include "unit/sdk/wire.h"

namespace
{

constexpr int kTransfers = 120, kThreads = 12, kAccounts = 8;
constexpr auto kCalm = std::chrono::milliseconds(50);

// Of transfer `i`.
int From(int i)
{
    return i % kAccounts + 1;
}

int To(int i)
{
    return (i / kAccounts + i) % kAccounts + 1;
}

/* "FROM TO": 1 moved by confirm, in the order that deadlocks. */
tercet_verdict Transfer(tercet_request *request)
{
    int from = 0, to = 0;
    if (sscanf(static_cast<const char *>(request->payload.data), "%d %d", &from, &to) != 2) {
        return Accounts::Fail(request);
    }
    tercet_verdict verdict = TERCET_VERDICT_DONE;
    (void)(Accounts::Move(request, from, -1, &verdict) && Accounts::Move(request, to, 1, &verdict));
    return verdict;
}

class ParticipantOnAServer : public testing::Test
{
  protected:
    void SetUp() override
    {
        if (!Accounts::Installed()) {
            GTEST_SKIP() << "the server is not installed";
        }
        Accounts::Make();
        tercet_error error = {};
        ASSERT_EQ(Accounts::Open(&store, &error), TERCET_OK) << error.text;
        tercet_participant_options made = {};
        made.size = sizeof made;
        made.name = "account";
        made.listen = "127.0.0.1:0";
        ASSERT_EQ(tercet_participant_create(&made, &participant, &error), TERCET_OK);
        tercet_action action = {};
        action.name = "act";
        action.on_try = [](tercet_request *) { return TERCET_VERDICT_DONE; };
        action.on_confirm = Transfer;
        action.on_cancel = action.on_try;
        ASSERT_EQ(tercet_participant_register(participant, store, &action, 1, &error), TERCET_OK);
        ASSERT_EQ(tercet_participant_start(participant, &error), TERCET_OK) << error.text;
        wire = std::make_unique<Wire>(tercet_participant_address(participant));
    }

    void TearDown() override
    {
        wire.reset();
        tercet_participant_destroy(participant);
        tercet_store_close(store);
    }

    // As a coordinator does: LATER is asked again.
    void AskUntilDone(tercet_phase phase, int i)
    {
        Ask ask;
        ask.phase = phase;
        ask.gid = series + std::to_string(i);
        ask.number = first_number + i;
        ask.payload = std::to_string(From(i)) + " " + std::to_string(To(i));
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (wire->Send(ask).verdict != TERCET_VERDICT_DONE) {
            if (std::chrono::steady_clock::now() > end) {
                unanswered++;
                return;
            }
        }
        done++;
    }

    // Each transfer is asked for twice, mostly at once.
    void TransferAll()
    {
        std::atomic<int> next{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < kThreads; t++) {
            threads.emplace_back([&] {
                for (int i = next++; i < 2 * kTransfers; i = next++) {
                    AskUntilDone(TERCET_PHASE_TRY, i / 2);
                    AskUntilDone(TERCET_PHASE_CONFIRM, i / 2);
                }
            });
        }
        for (std::thread &thread : threads) {
            thread.join();
        }
    }

    void ExpectEachTransferOnce()
    {
        EXPECT_EQ(unanswered, 0);
        std::vector<int> balances(kAccounts + 1, 1000);
        for (int i = 0; i < kTransfers; i++) {
            balances[From(i)]--;
            balances[To(i)]++;
        }
        for (int id = 1; id <= kAccounts; id++) {
            EXPECT_EQ(Accounts::Value("SELECT balance FROM " + table("account") +
                                      " WHERE id = " + std::to_string(id)),
                      std::to_string(balances[id]));
        }
        EXPECT_EQ(Accounts::Value("SELECT count(*) FROM " + table("tercet_fence") +
                                  " WHERE state = 2 AND number BETWEEN " +
                                  std::to_string(first_number) + " AND " +
                                  std::to_string(first_number + kTransfers)),
                  std::to_string(kTransfers));
    }

    static std::string table(const std::string &name)
    {
        return Accounts::Schema() + name;
    }

    std::string series = "transfer-";
    int first_number = 1;
    std::atomic<int> unanswered{0}, done{0};
    tercet_store *store = nullptr;
    tercet_participant *participant = nullptr;
    std::unique_ptr<Wire> wire;
};

TEST_F(ParticipantOnAServer, TransfersThatDeadlockAndComeTwiceMoveTheirMoneyOnce)
{
    TransferAll();
    ExpectEachTransferOnce();
}

// Sessions are ended again and again under the load, and the server itself is killed once.
TEST_F(ParticipantOnAServer, TransfersUnderKillsAndCutConnectionsMoveTheirMoneyOnce)
{
    series = "cut-";
    first_number = 1000;
    std::thread load([&] { TransferAll(); });
    bool killed = false;
    int ended = 0;
    while (done + unanswered < 4 * kTransfers) {
        std::this_thread::sleep_for(kCalm);
        Accounts::EndSessions();
        ended++;
        if (!killed && done > kTransfers) {
            Accounts::Server().Kill();
            Accounts::Server().Start();
            killed = true;
        }
    }
    load.join();
    EXPECT_TRUE(killed);
    EXPECT_GT(ended, 0);
    ExpectEachTransferOnce();
}

TEST_F(ParticipantOnAServer, ServersWordsAboutAFailedStatementReachTheCoordinator)
{
    Ask ask;
    ask.gid = "failing";
    ask.number = 5000;
    ask.payload = "nonsense";
    EXPECT_EQ(wire->Send(ask).verdict, TERCET_VERDICT_DONE);
    ask.phase = TERCET_PHASE_CONFIRM;
    const Told told = wire->Send(ask);
    EXPECT_EQ(told.verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(told.code, TERCET_CODE_HANDLER_FAILED);
    EXPECT_NE(told.reason.find(Accounts::FailedWords()), std::string::npos) << told.reason;
}

} // namespace

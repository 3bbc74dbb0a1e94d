/* A served participant whose accounts are in PostgreSQL: many connections, handlers of a stranger's kind. */
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <atomic>
#include <thread>

#include "support/postgres_server.h"
#include "tercet/fence.h"
#include "tercet/store_postgres.h"
#include "unit/sdk/wire.h"

namespace
{

/* "FROM TO AMOUNT": moved by confirm, whole, in the order that deadlocks. */
tercet_verdict Transfer(tercet_request *request)
{
    PGconn *connection = tercet_postgres_connection(request);
    int from = 0, to = 0, amount = 0;
    if (sscanf(static_cast<const char *>(request->payload.data), "%d %d %d", &from, &to, &amount) !=
        3) {
        PGresult *result = PQexec(connection, "SELECT * FROM nothing");
        const tercet_verdict verdict = tercet_postgres_failed(request, result);
        PQclear(result);
        return verdict;
    }
    for (const auto &[account, change] : {std::pair(from, -amount), std::pair(to, amount)}) {
        const std::string texts[] = {std::to_string(account), std::to_string(change)};
        const char *values[] = {texts[0].c_str(), texts[1].c_str()};
        PGresult *result = PQexecPrepared(connection, "move", 2, values, nullptr, nullptr, 0);
        if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            const tercet_verdict verdict = tercet_postgres_failed(request, result);
            PQclear(result);
            return verdict;
        }
        PQclear(result);
    }
    return TERCET_VERDICT_DONE;
}

class ParticipantOnPostgres : public testing::Test
{
  protected:
    void SetUp() override
    {
        if (PostgresServer::Binaries().empty()) {
            GTEST_SKIP() << "PostgreSQL's server is not installed";
        }
        conninfo = PostgresServer::Shared().Conninfo();
        Value(
            "DROP TABLE IF EXISTS account; CREATE TABLE account (id int PRIMARY KEY, balance int);"
            "INSERT INTO account SELECT i, 1000 FROM generate_series(1, 8) AS i");
        tercet_postgres_options options = {};
        options.size = sizeof options;
        options.conninfo = conninfo.c_str();
        options.setup_sql = "PREPARE move AS UPDATE account SET balance = balance + $2::int "
                            "WHERE id = $1::int";
        options.connection_count = 4;
        options.create_tables = true;
        tercet_error error = {};
        ASSERT_EQ(tercet_postgres_open(&options, &store, &error), TERCET_OK) << error.text;
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

    std::string Value(const char *sql)
    {
        PGconn *link = PQconnectdb(conninfo.c_str());
        PQsetNoticeReceiver(
            link, [](void *, const PGresult *) {}, nullptr);
        PGresult *result = PQexec(link, sql);
        const std::string value = PQntuples(result) == 0 ? "" : PQgetvalue(result, 0, 0);
        PQclear(result);
        PQfinish(link);
        return value;
    }

    std::string conninfo;
    tercet_store *store = nullptr;
    tercet_participant *participant = nullptr;
    std::unique_ptr<Wire> wire;
};

TEST_F(ParticipantOnPostgres, TransfersThatDeadlockAndComeTwiceMoveTheirMoneyOnce)
{
    constexpr int kTransfers = 120, kThreads = 12;
    std::atomic<int> next{0}, unanswered{0};
    const auto ask = [&](tercet_phase phase, int i) {
        Ask asked;
        asked.phase = phase;
        asked.gid = "transfer-" + std::to_string(i);
        asked.number = i + 1;
        const int a = i % 8 + 1, b = (i / 8 + i) % 8 + 1;
        asked.payload = std::to_string(a) + " " + std::to_string(b) + " 1";
        for (int round = 0; round < 50; round++) {
            if (wire->Send(asked).verdict == TERCET_VERDICT_DONE) {
                return;
            }
        }
        unanswered++;
    };
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; t++) {
        threads.emplace_back([&] {
            for (int i = next++; i < 2 * kTransfers; i = next++) {
                ask(TERCET_PHASE_TRY, i / 2); // each is asked for twice, mostly at once
                ask(TERCET_PHASE_CONFIRM, i / 2);
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(unanswered, 0);
    EXPECT_EQ(Value("SELECT sum(balance) FROM account"), "8000");
    std::vector<int> balances(9, 1000);
    for (int i = 0; i < kTransfers; i++) {
        balances[i % 8 + 1]--;
        balances[(i / 8 + i) % 8 + 1]++;
    }
    for (int id = 1; id <= 8; id++) {
        EXPECT_EQ(Value(("SELECT balance FROM account WHERE id = " + std::to_string(id)).c_str()),
                  std::to_string(balances[id]));
    }
    EXPECT_EQ(Value("SELECT count(*) FROM tercet_fence WHERE state = 2"),
              std::to_string(kTransfers));
}

TEST_F(ParticipantOnPostgres, ServersWordsAboutAFailedStatementReachTheCoordinator)
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
    EXPECT_NE(told.reason.find("\"nothing\" does not exist (42P01)"), std::string::npos)
        << told.reason;
}

} // namespace

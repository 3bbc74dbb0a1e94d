// What only MariaDB can refuse or do wrong: options, tables, settings, and what a handler may do.
#include <functional>

#include "fence/mariadb_connection.h"
#include "mariadb_backend.h"
#include "store_fixture.h"
#include "support/mariadb_server.h"

namespace fence_test
{
namespace
{

class MariadbStore : public testing::Test
{
  protected:
    void SetUp() override
    {
        if (!MariadbServer::Installed()) {
            GTEST_SKIP() << "MariaDB's server is not installed";
        }
        socket = MariadbServer::Shared().Socket();
        database = TablesOf(directory.path());
        AskServer("CREATE DATABASE IF NOT EXISTS " + database + " COLLATE utf8mb4_bin");
        options.size = sizeof options;
        options.unix_socket = socket.c_str();
        options.database = database.c_str();
        options.user = "root";
    }

    tercet_status Open()
    {
        tercet_store *store = nullptr;
        error = {};
        const tercet_status status = tercet_mariadb_open(&options, &store, &error);
        tercet_store_close(store);
        return status;
    }

    bool Says(const std::string &words) const
    {
        return std::string(error.text).find(words) != std::string::npos;
    }

    TemporaryDirectory directory;
    std::string socket;
    std::string database;
    tercet_mariadb_options options = {};
    tercet_error error = {};
};

TEST_F(MariadbStore, OptionsThatItCannotReadOrCarryOutAreRefusedAndNamed)
{
    options.size = 0;
    EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT);
    options.size = sizeof options;
    for (const char *none : {static_cast<const char *>(nullptr), ""}) {
        options.database = none;
        EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT);
        EXPECT_TRUE(Says("database: required")) << error.text;
    }
    options.database = database.c_str();
    options.port = 65536;
    EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("port: 65536")) << error.text;
    options.port = 0;
    options.lock_timeout_s = 3601;
    EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("lock_timeout_s")) << error.text;
    options.lock_timeout_s = 0;
    options.isolation = static_cast<tercet_mariadb_isolation>(3);
    EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("isolation: 3")) << error.text;
    options.isolation = TERCET_MARIADB_READ_COMMITTED;
    options.batch_max = STORE_BATCH_MAX + 1;
    options.create_tables = true;
    options.password = "";
    EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("batch_max")) << error.text;
}

TEST_F(MariadbStore, WhereNobodyListensOrLetsUsInItIsUnavailable)
{
    options.unix_socket = "/nowhere/at/all";
    EXPECT_EQ(Open(), TERCET_UNAVAILABLE);
    EXPECT_TRUE(Says("/nowhere/at/all")) << error.text;
    options.unix_socket = socket.c_str();
    options.user = "nobody_at_all";
    options.defaults_file = "/dev/null";
    options.password = "wrong";
    EXPECT_EQ(Open(), TERCET_UNAVAILABLE);
    EXPECT_TRUE(Says("nobody_at_all")) << error.text;
    options.user = "root";
    options.password = nullptr;
    options.tls_ca_file = "/nowhere/ca.pem";
    EXPECT_EQ(Open(), TERCET_UNAVAILABLE) << "rather than without TLS";
}

TEST_F(MariadbStore, MissingForeignAndIncompleteTablesAreRefusedWithASentence)
{
    EXPECT_EQ(Open(), TERCET_FAILED_PRECONDITION);
    EXPECT_TRUE(Says("run sql/mariadb.sql")) << error.text;
    options.create_tables = true;
    ASSERT_EQ(Open(), TERCET_OK) << error.text;
    const std::string id = AskServer("SELECT HEX(store_id) FROM " + database + ".tercet_schema");
    ASSERT_EQ(Open(), TERCET_OK) << "made once only: " << error.text;
    EXPECT_EQ(AskServer("SELECT HEX(store_id) FROM " + database + ".tercet_schema"), id);
    AskServer("CREATE USER poor");
    AskServer("CREATE TABLE " + database + ".own (x INT)");
    AskServer("GRANT SELECT ON " + database + ".own TO poor");
    options.user = "poor";
    EXPECT_EQ(Open(), TERCET_FAILED_PRECONDITION);
    EXPECT_TRUE(Says("GRANT")) << error.text;
    AskServer("DROP USER poor");
    options.user = "root";
    AskServer("UPDATE " + database + ".tercet_schema SET version = 2");
    EXPECT_EQ(Open(), TERCET_FAILED_PRECONDITION);
    EXPECT_TRUE(Says("version 2")) << error.text;
    AskServer("UPDATE " + database + ".tercet_schema SET version = 1");
    AskServer("ALTER TABLE " + database + ".tercet_fence ENGINE = Aria");
    EXPECT_EQ(Open(), TERCET_FAILED_PRECONDITION);
    EXPECT_TRUE(Says("InnoDB")) << error.text;
    AskServer("DELETE FROM " + database + ".tercet_schema");
    options.create_tables = false;
    EXPECT_EQ(Open(), TERCET_DATA_LOSS);
    EXPECT_TRUE(Says("lost its row")) << error.text;
    AskServer("ALTER TABLE " + database + ".tercet_schema DROP COLUMN version");
    EXPECT_EQ(Open(), TERCET_DATA_LOSS);
}

TEST_F(MariadbStore, ServerThatMayForgetOrTakesNoWritesIsRefused)
{
    options.create_tables = true;
    AskServer("SET GLOBAL innodb_flush_log_at_trx_commit = 2");
    EXPECT_EQ(Open(), TERCET_FAILED_PRECONDITION);
    EXPECT_TRUE(Says("innodb_flush_log_at_trx_commit is 2")) << error.text;
    AskServer("SET GLOBAL innodb_flush_log_at_trx_commit = 1");
    AskServer("SET GLOBAL read_only = 1");
    EXPECT_EQ(Open(), TERCET_UNAVAILABLE);
    EXPECT_TRUE(Says("read only")) << error.text;
    AskServer("SET GLOBAL read_only = 0");
    EXPECT_EQ(Open(), TERCET_OK) << error.text;
    options.setup_sql = "CREATE TABEL x (y INT)";
    EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("setup_sql")) << error.text;
}

TEST_F(MariadbStore, WhatCannotBeReadIsDataLossAndNeverNoRow)
{
    const std::string fence = database + ".tercet_fence", scope = database + ".tercet_scope";
    Harness harness("mariadb", directory.path());
    int64_t number = 1;
    for (const std::string &sql :
         {"UPDATE " + fence + " SET digest = 'x'", "UPDATE " + fence + " SET action = ''",
          "UPDATE " + fence + " SET state = 7", "UPDATE " + fence + " SET scope = scope + 100"}) {
        SCOPED_TRACE(sql);
        AskServer("DELETE FROM " + fence);
        ASSERT_EQ(harness.Run(Try("g", number)).verdict, TERCET_VERDICT_DONE);
        AskServer(sql);
        const group_answer answer = harness.Run(Confirm("g", number++));
        EXPECT_EQ(answer.verdict, TERCET_VERDICT_LATER);
        EXPECT_NE(std::string(answer.text).find("g/1 cannot be read"), std::string::npos)
            << answer.text;
        EXPECT_EQ(harness.Effects("g", 1, TERCET_PHASE_CONFIRM), 0);
    }
    AskServer("DELETE FROM " + fence);
    AskServer("UPDATE " + scope + " SET open = 'x'");
    EXPECT_EQ(harness.Run(Try("h", 50)).verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(harness.Apply(5, {10, 9}), TERCET_DATA_LOSS);
    AskServer("UPDATE " + scope + " SET open = ''");
    AskServer("DELETE FROM " + database + ".tercet_schema");
    tercet_store_description description = {};
    const uint8_t origin[TERCET_ORIGIN_BYTES] = {1};
    EXPECT_EQ(harness.group.ops->describe(harness.group.connection, "account", origin, &description,
                                          &harness.error),
              TERCET_DATA_LOSS);
}

/* ---- Handlers --------------------------------------------------------------------------------- */

// Three branches in one transaction, the second of which does this beside its effect.
std::vector<group_answer> RunBeside(Harness &harness, const std::function<void(MYSQL *)> &deed)
{
    EXPECT_EQ(harness.Run(Cancel("warm", 50)).how, TERCET_HOW_EMPTY);
    harness.handler = [&harness, deed](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        if (request.number.number == 2) {
            deed(tercet_mariadb_connection(&harness.request));
        }
        return verdict;
    };
    const auto answers = harness.Run({Try("a", 1), Try("b", 2), Try("c", 3)});
    harness.handler = nullptr;
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[2].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness.Effects("a", 1, TERCET_PHASE_TRY), 1);
    EXPECT_EQ(harness.Effects("c", 1, TERCET_PHASE_TRY), 1);
    return answers;
}

TEST_F(MariadbStore, HandlerThatEndsTheTransactionIsFoundOut)
{
    const struct {
        std::vector<const char *> sql;
        bool kept; // what it did before was committed, row and all
    } misdeeds[] = {{{"COMMIT"}, true},
                    {{"ROLLBACK"}, false},
                    {{"COMMIT", "BEGIN"}, true},
                    {{"COMMIT AND CHAIN"}, true},
                    {{"ROLLBACK", "BEGIN", "SAVEPOINT tercet_branch"}, false},
                    {{"ROLLBACK TO tercet_branch"}, false},
                    {{"CREATE TABLE made (x INT)"}, true}};
    for (const auto &misdeed : misdeeds) {
        SCOPED_TRACE(misdeed.sql.back());
        TemporaryDirectory own;
        Harness harness("mariadb", own.path());
        const auto answers = RunBeside(harness, [&](MYSQL *link) {
            for (const char *sql : misdeed.sql) {
                mysql_query(link, sql);
            }
        });
        EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
        EXPECT_STREQ(answers[1].code, TERCET_CODE_HANDLER_FAILED);
        EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), misdeed.kept ? 1 : 0);
        EXPECT_EQ(harness.State("b"), misdeed.kept ? TERCET_FENCE_TRIED : TERCET_FENCE_NONE);
        EXPECT_EQ(harness.Run(Try("b", 2)).how,
                  misdeed.kept ? TERCET_HOW_REPEATED : TERCET_HOW_RAN);
        EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 1);
    }
}

TEST_F(MariadbStore, FailureIsToldWithTheServersWordsAndTakesBackOnlyItsOwn)
{
    Harness harness("mariadb", directory.path());
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        if (request.number.number != 2) {
            return verdict;
        }
        EXPECT_NE(mysql_query(tercet_mariadb_connection(&harness.request), "SELECT 1 FROM nowhere"),
                  0);
        return tercet_mariadb_failed(&harness.request);
    };
    const auto answers = harness.Run({Try("a", 1), Try("b", 2), Try("c", 3)});
    EXPECT_STREQ(answers[1].code, TERCET_CODE_HANDLER_FAILED);
    EXPECT_NE(std::string(answers[1].text).find("1146"), std::string::npos) << answers[1].text;
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 0);
    EXPECT_EQ(harness.State("b"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness.State("c"), TERCET_FENCE_TRIED);
    EXPECT_EQ(harness.group.transactions, 1u) << "in one transaction";
}

TEST_F(MariadbStore, AccessorsOfAnotherStoresRequestGiveNothing)
{
    Harness other("mariadb", directory.path()), harness("mariadb", directory.path());
    harness.handler = [&](const group_request &, tercet_bytes, group_answer &answer) {
        EXPECT_EQ(tercet_mariadb_connection(&other.request), nullptr);
        EXPECT_EQ(tercet_mariadb_failed(&other.request), TERCET_VERDICT_UNSPECIFIED);
        EXPECT_NE(std::string(answer.text).find("not registered"), std::string::npos);
        return TERCET_VERDICT_DONE;
    };
    EXPECT_EQ(harness.Run(Try("g", 1)).verdict, TERCET_VERDICT_DONE);
}

TEST_F(MariadbStore, WhatAHandlerLeavesPendingCostsItsConnectionAndNobodyElse)
{
    Harness harness("mariadb", directory.path());
    int deeds = 0;
    const auto answers = RunBeside(harness, [&](MYSQL *link) {
        if (deeds++ == 0) {
            mysql_query(link, "SELECT 1");
        }
    });
    EXPECT_EQ(answers[1].how, TERCET_HOW_RAN);
    EXPECT_EQ(deeds, 2);
}

TEST_F(MariadbStore, ConnectionThatIsLostUnderAHandlerIsMadeAnewAndTheBranchRunAgain)
{
    Harness harness("mariadb", directory.path());
    int deeds = 0;
    const auto answers = RunBeside(harness, [&](MYSQL *link) {
        if (deeds++ == 0) {
            AskServer("KILL " + std::to_string(mysql_thread_id(link)));
        }
    });
    EXPECT_EQ(answers[1].how, TERCET_HOW_RAN);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 1);
    EXPECT_EQ(deeds, 2);
}

// After 1205 the server has taken back the statement and nothing else: the store takes back the rest.
TEST_F(MariadbStore, LockThatIsNotGivenIsAskedForAgainAndThenPutOff)
{
    Harness harness("mariadb", directory.path(), 1000);
    const std::string effect = TablesOf(directory.path()) + ".effect";
    ASSERT_EQ(harness.Run(Cancel("warm", 50)).how, TERCET_HOW_EMPTY);
    AskServer("INSERT INTO " + effect + " VALUES ('effect/b/1/1', 5)");
    AskServer("BEGIN");
    AskServer("UPDATE " + effect + " SET n = 0 WHERE name = 'effect/b/1/1'");
    const group_answer answer = harness.Run(Try("b", 2));
    EXPECT_EQ(answer.verdict, TERCET_VERDICT_LATER);
    EXPECT_NE(std::string(answer.text).find("1205"), std::string::npos) << answer.text;
    EXPECT_EQ(harness.pauses, (std::vector<unsigned>{2, 3, 4, 5}));
    AskServer("COMMIT");
    EXPECT_EQ(harness.State("b"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness.Run(Try("b", 2)).how, TERCET_HOW_RAN);
}

TEST_F(MariadbStore, AServerThatEndsAndComesBackCostsNoBranchTwice)
{
    MariadbServer &server = MariadbServer::Shared();
    Harness harness("mariadb", directory.path());
    ASSERT_EQ(harness.Run(Try("before", 1)).how, TERCET_HOW_RAN);
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        server.Kill();
        return verdict;
    };
    EXPECT_STREQ(harness.Run(Try("under", 3)).code, TERCET_CODE_STORE_UNAVAILABLE);
    EXPECT_EQ(harness.Apply(5, {10, 1}), TERCET_UNAVAILABLE);
    server.Start();
    harness.handler = nullptr;
    EXPECT_EQ(harness.State("before"), TERCET_FENCE_TRIED);
    EXPECT_EQ(harness.State("under"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness.Run(Try("under", 3)).how, TERCET_HOW_RAN);
    EXPECT_EQ(harness.Effects("under", 1, TERCET_PHASE_TRY), 1);
}

} // namespace
} // namespace fence_test

// What only PostgreSQL can refuse or do wrong: options, tables, settings.
#include <fstream>
#include <functional>
#include <sstream>

#include "postgres_backend.h"
#include "support/postgres_server.h"

namespace fence_test
{
namespace
{

class PostgresStore : public ServerTest
{
  protected:
    void SetUp() override
    {
        ServerTest::SetUp();
        if (IsSkipped()) {
            return;
        }
        schema = TablesOf(directory.path());
        conninfo = ConninfoOf(directory.path());
        options.size = sizeof options;
        options.conninfo = conninfo.c_str();
        AskServer("CREATE SCHEMA " + schema);
    }

    tercet_status Open()
    {
        tercet_store *store = nullptr;
        error = {};
        const tercet_status status = tercet_postgres_open(&options, &store, &error);
        tercet_store_close(store);
        return status;
    }

    bool Says(const std::string &words) const
    {
        return std::string(error.text).find(words) != std::string::npos;
    }

    std::string schema;
    std::string conninfo;
    tercet_postgres_options options = {};
    tercet_error error = {};
};

TEST_F(PostgresStore, OptionsThatItCannotReadOrCarryOutAreRefusedAndNamed)
{
    options.size = 0;
    EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("tercet_postgres_options.size")) << error.text;
    options.size = sizeof options;
    for (const char *none : {static_cast<const char *>(nullptr), ""}) {
        options.conninfo = none;
        EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT);
        EXPECT_TRUE(Says("conninfo: required")) << error.text;
    }
    options.conninfo = "hots=nowhere";
    EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("hots")) << error.text;
    for (const char *word : {"sslmode=verify", "service=nowhere"}) {
        const std::string words = conninfo + " " + word;
        options.conninfo = words.c_str();
        EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT);
        EXPECT_TRUE(Says("tercet_postgres_options.conninfo")) << error.text;
        EXPECT_TRUE(Says(std::string(word).substr(0, 7))) << error.text;
    }
    options.conninfo = conninfo.c_str();
    for (uint32_t tercet_postgres_options::*field :
         {&tercet_postgres_options::lock_timeout_ms, &tercet_postgres_options::statement_timeout_ms,
          &tercet_postgres_options::idle_timeout_ms}) {
        options.*field = static_cast<uint32_t>(INT32_MAX) + 1;
        EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT);
        EXPECT_TRUE(Says("timeout_ms: 2147483648")) << error.text;
        options.*field = 0;
    }
    options.isolation = static_cast<tercet_postgres_isolation>(3);
    EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("isolation: 3")) << error.text;
    options.isolation = TERCET_POSTGRES_READ_COMMITTED;
    options.batch_max = STORE_BATCH_MAX + 1;
    EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("batch_max")) << error.text;
}

TEST_F(PostgresStore, DefaultsAreThoseOfItsHeader)
{
    tercet_store *store = nullptr;
    options.create_tables = true;
    ASSERT_EQ(tercet_postgres_open(&options, &store, &error), TERCET_OK) << error.text;
    EXPECT_EQ(store->options.connection_count, 8u);
    EXPECT_EQ(store->options.batch_max, 16u);
    EXPECT_EQ(store->options.queue_max, 10000u);
    tercet_store_close(store);
}

TEST_F(PostgresStore, MissingTablesAreRefusedWithWhatToRunAndThatTextMakesThem)
{
    EXPECT_EQ(Open(), TERCET_FAILED_PRECONDITION);
    EXPECT_TRUE(Says("run sql/postgres.sql")) << error.text;
    EXPECT_TRUE(Says("create_tables")) << error.text;
    std::stringstream sql;
    sql << std::ifstream(TERCET_POSTGRES_SQL).rdbuf();
    AskServer("SET search_path = " + schema + "; " + sql.str() + "; RESET search_path");
    EXPECT_EQ(Open(), TERCET_OK) << error.text;
    EXPECT_EQ(AskServer("SELECT count(*) FROM " + schema + ".tercet_schema"), "1");
}

TEST_F(PostgresStore, TablesOfAnotherVersionOrIncompleteOnesAreRefusedWithASentence)
{
    options.create_tables = true;
    ASSERT_EQ(Open(), TERCET_OK) << error.text;
    ASSERT_EQ(Open(), TERCET_OK) << "made once only: " << error.text;
    AskServer("UPDATE " + schema + ".tercet_schema SET version = 2");
    EXPECT_EQ(Open(), TERCET_FAILED_PRECONDITION);
    EXPECT_TRUE(Says("version 2")) << error.text;
    EXPECT_TRUE(Says("newer")) << error.text;
    AskServer("UPDATE " + schema + ".tercet_schema SET version = 1");
    AskServer("ALTER TABLE " + schema + ".tercet_fence RENAME COLUMN digest TO hash");
    EXPECT_EQ(Open(), TERCET_DATA_LOSS);
    EXPECT_TRUE(Says("digest")) << error.text;
    AskServer("DELETE FROM " + schema + ".tercet_schema");
    EXPECT_EQ(Open(), TERCET_DATA_LOSS);
    EXPECT_TRUE(Says("lost its row")) << error.text;
    AskServer("ALTER TABLE " + schema + ".tercet_schema DROP COLUMN version");
    EXPECT_EQ(Open(), TERCET_DATA_LOSS);
}

TEST_F(PostgresStore, WhoMayNotUseOrMakeTheTablesIsToldWhatToGrant)
{
    AskServer("CREATE ROLE r" + schema + " LOGIN");
    const std::string poor = conninfo + " user=r" + schema;
    AskServer("GRANT USAGE ON SCHEMA " + schema + " TO r" + schema);
    options.conninfo = poor.c_str();
    options.create_tables = true;
    EXPECT_EQ(Open(), TERCET_UNAVAILABLE);
    EXPECT_TRUE(Says("cannot make the fence's tables")) << error.text;
    options.conninfo = conninfo.c_str();
    ASSERT_EQ(Open(), TERCET_OK) << error.text;
    options.conninfo = poor.c_str();
    EXPECT_EQ(Open(), TERCET_FAILED_PRECONDITION);
    EXPECT_TRUE(Says("GRANT")) << error.text;
    for (const char *grant : {"SELECT ON @tercet_schema", "SELECT, INSERT, UPDATE ON @tercet_scope",
                              "SELECT, INSERT, UPDATE, DELETE ON @tercet_fence"}) {
        std::string words = grant;
        words.replace(words.find('@'), 1, schema + ".");
        AskServer("GRANT " + words + " TO r" + schema);
    }
    EXPECT_EQ(Open(), TERCET_OK) << error.text;
}

TEST_F(PostgresStore, ServerThatMayForgetWhatItHasAcknowledgedIsRefused)
{
    const auto set = [](const char *value) {
        AskServer(std::string("ALTER SYSTEM SET fsync = ") + value);
        AskServer("SELECT pg_reload_conf()");
        while (AskServer("SHOW fsync") != value) {
        }
    };
    const auto open = [&](const char *value) {
        set(value);
        options.create_tables = true;
        return Open();
    };
    EXPECT_EQ(open("off"), TERCET_FAILED_PRECONDITION);
    EXPECT_TRUE(Says("fsync = off")) << error.text;
    EXPECT_EQ(open("on"), TERCET_OK) << error.text;
    AskServer("ALTER SYSTEM RESET fsync");
}

TEST_F(PostgresStore, WrongSetupSqlIsInvalidArgumentWithItsWords)
{
    options.create_tables = true;
    options.setup_sql = "CREATE TABEL x (y int)";
    EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("setup_sql")) << error.text;
    EXPECT_TRUE(Says("TABEL")) << error.text;
    for (const char *sql : {"BEGIN", "COPY pg_class TO STDOUT", "SELECT 1; BEGIN; SELECT 2"}) {
        options.setup_sql = sql;
        EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT) << sql;
        EXPECT_TRUE(Says("leaves")) << error.text;
    }
    options.setup_sql = "SELECT pg_terminate_backend(pg_backend_pid())";
    EXPECT_EQ(Open(), TERCET_UNAVAILABLE) << error.text;
}

TEST_F(PostgresStore, WhereNobodyListensItIsUnavailable)
{
    options.conninfo = "host=/nowhere/at/all";
    EXPECT_EQ(Open(), TERCET_UNAVAILABLE);
    EXPECT_TRUE(Says("/nowhere/at/all")) << error.text;
    options.conninfo = "host=/nowhere/at,/nowhere/all hostaddr=127.0.0.1,127.0.0.1 port=1,2"
                       " sslmode=verify-full";
    EXPECT_EQ(Open(), TERCET_UNAVAILABLE) << "its words are right: " << error.text;
    const std::string none = conninfo + " dbname=none";
    options.conninfo = none.c_str();
    EXPECT_EQ(Open(), TERCET_UNAVAILABLE);
    EXPECT_TRUE(Says("none")) << error.text;
}

std::string Value(PGconn *link, const std::string &sql)
{
    PGresult *result = PQexec(link, sql.c_str());
    EXPECT_EQ(PQresultStatus(result), PGRES_TUPLES_OK) << PQerrorMessage(link);
    const std::string value = PQntuples(result) == 0 ? "" : PQgetvalue(result, 0, 0);
    PQclear(result);
    return value;
}

TEST_F(PostgresStore, HandlerFindsTheTransactionAsTheOptionsSayAndNothingPending)
{
    const std::pair<const char *, const char *> levels[] = {
        {"postgres", "read committed"},
        {"postgres_repeatable_read", "repeatable read"},
        {"postgres_serializable", "serializable"}};
    AskServer("ALTER ROLE tercet SET synchronous_commit = off");
    int64_t number = 1;
    for (const auto &[kind, level] : levels) {
        const std::string words = level;
        TemporaryDirectory own;
        Harness harness(kind, own.path(), 1500);
        harness.handler = [&](const group_request &, tercet_bytes, group_answer &) {
            PGconn *link = tercet_postgres_connection(&harness.request);
            EXPECT_EQ(PQpipelineStatus(link), PQ_PIPELINE_OFF);
            EXPECT_EQ(PQtransactionStatus(link), PQTRANS_INTRANS);
            EXPECT_EQ(PQgetResult(link), nullptr);
            EXPECT_EQ(Value(link, "SHOW transaction_isolation"), words);
            EXPECT_EQ(Value(link, "SHOW transaction_read_only"), "off");
            EXPECT_EQ(Value(link, "SHOW synchronous_commit"), "on");
            EXPECT_EQ(Value(link, "SHOW lock_timeout"), "1500ms");
            EXPECT_EQ(Value(link, "SHOW statement_timeout"), "3s");
            EXPECT_EQ(Value(link, "SHOW idle_in_transaction_session_timeout"), "10s");
            return TERCET_VERDICT_DONE;
        };
        EXPECT_EQ(harness.Run(Try("g", number++)).verdict, TERCET_VERDICT_DONE);
    }
    AskServer("ALTER ROLE tercet RESET synchronous_commit");
}

TEST_F(PostgresStore, SearchPathThatAHandlerSetsLeadsTheFenceNowhereElse)
{
    TemporaryDirectory other;
    Harness elsewhere("postgres", other.path());
    Harness harness("postgres", directory.path());
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &answer) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        PQclear(PQexec(tercet_postgres_connection(&harness.request),
                       ("SET LOCAL search_path = " + TablesOf(other.path())).c_str()));
        answer.result_bytes = 1;
        return verdict;
    };
    const auto answers = harness.Run({Try("a", 1), Try("b", 2)});
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness.State("a"), TERCET_FENCE_TRIED);
    EXPECT_EQ(harness.State("b"), TERCET_FENCE_TRIED);
    EXPECT_EQ(harness.Row("b").result_bytes, 1u);
    EXPECT_EQ(elsewhere.State("a"), TERCET_FENCE_NONE);
    EXPECT_EQ(elsewhere.State("b"), TERCET_FENCE_NONE);
}

TEST_F(PostgresStore, AServerInRecoveryIsNoPlaceForAParticipant)
{
    PostgresServer &server = PostgresServer::Shared();
    Harness harness("postgres", directory.path());
    ASSERT_EQ(harness.Run(Try("before", 1)).how, TERCET_HOW_RAN);
    server.Stop();
    server.BeStandby(true);
    server.Start();
    EXPECT_STREQ(harness.Run(Try("g", 2)).code, TERCET_CODE_STORE_UNAVAILABLE);
    EXPECT_EQ(Open(), TERCET_UNAVAILABLE);
    EXPECT_TRUE(Says("in recovery")) << error.text;
    server.Stop();
    server.BeStandby(false);
    server.Start();
    EXPECT_EQ(harness.Run(Try("g", 2)).how, TERCET_HOW_RAN);
}

} // namespace
} // namespace fence_test

// What only MariaDB can refuse or do wrong: options, tables, settings, and what a handler may do.
#include <fstream>
#include <functional>

#include "fence/mariadb_connection.h"
#include "mariadb_backend.h"
#include "server_slots.h"
#include "support/certificate.h"
#include "support/mariadb_server.h"

namespace fence_test
{
namespace
{

class MariadbStore : public ServerTest
{
  protected:
    void SetUp() override
    {
        ServerTest::SetUp();
        if (IsSkipped()) {
            return;
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

TEST_F(MariadbStore, AnAnswerIsAwaitedForLongerThanALockMayBe)
{
    options.lock_timeout_s = 120;
    options.create_tables = true;
    tercet_store *store = nullptr;
    ASSERT_EQ(tercet_mariadb_open(&options, &store, &error), TERCET_OK) << error.text;
    void *connection = nullptr;
    ASSERT_EQ(store->ops->connect(store->self, &connection, &error), TERCET_OK) << error.text;
    unsigned read_s = 0;
    (void)mysql_get_option(&static_cast<struct mariadb_connection *>(connection)->link,
                           MYSQL_OPT_READ_TIMEOUT, &read_s);
    EXPECT_EQ(read_s, 180U);
    store->ops->disconnect(connection);
    tercet_store_close(store);
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

// A server that writes its log by statements cannot do so at READ COMMITTED.
TEST_F(MariadbStore, LogOfStatementsIsRefusedOnlyWhereItMatters)
{
    options.create_tables = true;
    options.setup_sql = "SELECT 1; SELECT 2; SET SESSION binlog_format = 'STATEMENT'";
    EXPECT_EQ(Open(), TERCET_OK) << "this server writes none: " << error.text;
    options.setup_sql = nullptr;
    MariadbServer &server = MariadbServer::Shared();
    server.Stop();
    server.StartWith({"--log-bin=log", "--binlog-format=STATEMENT", "--sync-binlog=1"});
    EXPECT_EQ(Open(), TERCET_FAILED_PRECONDITION);
    EXPECT_TRUE(Says("binlog_format ROW or MIXED")) << error.text;
    options.isolation = TERCET_MARIADB_REPEATABLE_READ;
    EXPECT_EQ(Open(), TERCET_OK) << error.text;
    server.Stop();
    server.Start();
}

// Behind a binary log COMMIT itself is not synced: a start after a loss of power asks the log.
TEST_F(MariadbStore, ABinaryLogThatNobodySyncsIsRefused)
{
    options.create_tables = true;
    MariadbServer &server = MariadbServer::Shared();
    server.Stop();
    server.StartWith({"--log-bin=log", "--binlog-format=ROW"});
    ASSERT_EQ(AskServer("SELECT @@sync_binlog"), "0") << "as it is by itself";
    EXPECT_EQ(Open(), TERCET_FAILED_PRECONDITION);
    EXPECT_TRUE(Says("sync_binlog = 0")) << error.text;
    AskServer("SET GLOBAL sync_binlog = 1");
    EXPECT_EQ(Open(), TERCET_OK) << error.text;
    EXPECT_STREQ(error.text, "") << "which is written only on failure";
    server.Stop();
    server.Start();
}

// TLS as tls_ca_file promises, whatever stands in a file that libmariadb reads after it; without it, as the
// file says.
TEST_F(MariadbStore, WhatTlsCaFilePromisesIsNotTakenBackByDefaultsFile)
{
    MariadbServer &server = MariadbServer::Shared();
    const std::string authority = server.directory() + "/authority.pem",
                      other = server.directory() + "/other.pem",
                      its = server.directory() + "/its.pem", mine = directory.path() + "/mine.pem",
                      file = directory.path() + "/my.cnf";
    WriteCertificate(authority, "authority");
    WriteCertificate(other, "other");
    WriteCertificate(its, "localhost", authority);
    WriteCertificate(mine, "mine", authority);
    const auto open = [&](const std::string &lines, const std::string *trusted) {
        std::ofstream(file) << "[client]\n" << lines << "\n";
        options.tls_ca_file = trusted == nullptr ? nullptr : trusted->c_str();
        return Open();
    };
    options.defaults_file = file.c_str();
    options.create_tables = true;
    EXPECT_EQ(open("ssl-verify-server-cert=0", &authority), TERCET_INVALID_ARGUMENT) << "plaintext";
    EXPECT_TRUE(Says("tls_ca_file")) << error.text;
    EXPECT_EQ(open("ssl-verify-server-cert=1\nssl-ca=" + authority, nullptr), TERCET_UNAVAILABLE);
    server.Stop();
    StartWithTls(its, authority);
    EXPECT_EQ(open("ssl-verify-server-cert=1\nssl-ca=" + authority, nullptr), TERCET_OK)
        << error.text;
    EXPECT_EQ(open("ssl-verify-server-cert=1\nssl-ca=" + other, nullptr), TERCET_UNAVAILABLE);
    EXPECT_EQ(open("ssl-cert=" + mine + "\nssl-key=" + mine, &authority), TERCET_OK) << error.text;
    EXPECT_EQ(open("ssl-ca=" + authority, &other), TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(open("ssl-capath=" + directory.path(), &authority), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("defaults_file")) << error.text;
    server.Stop();
    server.Start();
}

// With that word an INSERT that meets its row looks like one that made it: repeats would run again.
TEST_F(MariadbStore, DefaultsFileThatCountsWhatWasFoundIsRefused)
{
    const std::string file = directory.path() + "/my.cnf";
    options.defaults_file = file.c_str();
    options.create_tables = true;
    for (const char *line : {"return-found-rows=1", "return-found-rows=0"}) {
        std::ofstream(file) << "[client]\n" << line << "\n";
        EXPECT_EQ(Open(), TERCET_INVALID_ARGUMENT) << line;
        EXPECT_TRUE(Says("take return-found-rows out of it")) << error.text;
    }
    std::ofstream(file) << "[client]\n";
    EXPECT_EQ(Open(), TERCET_OK) << error.text;
}

// A session that was lost is not replaced behind the store's back, and a handler's statements never go on in
// another one.
TEST_F(MariadbStore, NothingReconnectsByItself)
{
    const std::string file = directory.path() + "/my.cnf";
    std::ofstream(file) << "[client]\nreconnect=1\n";
    Harness harness("mariadb", directory.path());
    options.defaults_file = file.c_str();
    options.create_tables = true;
    tercet_store *store = nullptr;
    ASSERT_EQ(tercet_mariadb_open(&options, &store, &error), TERCET_OK) << error.text;
    harness.Drive(store);
    int runs = 0;
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        if (runs++ == 1) {
            (void)harness.LeaveEffect(request);
            EndSession(harness.group.connection);
            Execute(harness.request, "DO 1"); // fails, and is not looked at
        }
        return harness.LeaveEffect(request);
    };
    ASSERT_EQ(harness.Run(Try("g", 1)).how, TERCET_HOW_RAN);
    const group_answer lost = harness.Run(Try("h", 2));
    EXPECT_EQ(harness.Effects("h", 1, TERCET_PHASE_TRY),
              lost.verdict == TERCET_VERDICT_DONE ? 1 : 0);
    ASSERT_EQ(harness.Run(Try("h", 2)).verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness.Effects("h", 1, TERCET_PHASE_TRY), 1);
}

/* ---- Handlers --------------------------------------------------------------------------------- */

TEST_F(MariadbStore, WhatAHandlerLeavesPendingCostsItsConnectionAndNobodyElse)
{
    Harness harness("mariadb", directory.path());
    int deeds = 0;
    const auto answers = RunBeside(harness, [&] {
        if (deeds++ == 0) {
            Execute(harness.request, "SELECT 1");
        }
    });
    EXPECT_EQ(answers[1].how, TERCET_HOW_RAN);
    EXPECT_EQ(deeds, 2);
}

/* ---- The slots, one by one ------------------------------------------------------------------- */

using MariadbSlots = ServerSlots;

TEST_F(MariadbSlots, AnotherTransactionThanOursIsNotCommitted)
{
    ASSERT_EQ(BeginAndClaim(), TERCET_OK) << error.text;
    EXPECT_EQ(claim.row.state, TERCET_FENCE_NONE);
    MYSQL *link = &static_cast<struct mariadb_connection *>(connection)->link;
    mysql_query(link, "ROLLBACK");
    mysql_query(link, "INSERT INTO effect VALUES ('stray', 1)");
    EXPECT_EQ(ops->commit(connection, &error), TERCET_ABORTED);
    EXPECT_NE(std::string(error.text).find("1305"), std::string::npos) << error.text;
    ops->rollback(connection);
    EXPECT_EQ(AskServer("SELECT COUNT(*) FROM " + TablesOf(directory.path()) +
                        ".effect WHERE name = 'stray'"),
              "0");
    EXPECT_EQ(harness->Run(Try("h", 2)).how, TERCET_HOW_RAN);
}

TEST_F(MariadbStore, EachErrorOfTheServerHasItsMeaning)
{
    const std::pair<unsigned, tercet_status> codes[] = {
        {1213, TERCET_ABORTED},     {1205, TERCET_ABORTED},
        {1020, TERCET_ABORTED},     {2006, TERCET_UNAVAILABLE},
        {2013, TERCET_UNAVAILABLE}, {1927, TERCET_UNAVAILABLE},
        {1290, TERCET_UNAVAILABLE}, {1021, TERCET_RESOURCE_EXHAUSTED},
        {1712, TERCET_DATA_LOSS},   {1064, TERCET_INTERNAL},
        {1305, TERCET_INTERNAL}};
    for (const auto &[code, status] : codes) {
        EXPECT_EQ(mariadb_status_of(code), status) << code;
    }
}

} // namespace
} // namespace fence_test

// The slots one by one, where a group would not come: a lost connection in each of them, a transaction
// that is not ours any more and is committed all the same.
#include "fence/mariadb_connection.h"
#include "mariadb_backend.h"
#include "store_fixture.h"
#include "support/mariadb_server.h"

namespace fence_test
{
namespace
{

class MariadbSlots : public testing::Test
{
  protected:
    void SetUp() override
    {
        if (!MariadbServer::Installed()) {
            GTEST_SKIP() << "MariaDB's server is not installed";
        }
        harness = std::make_unique<Harness>("mariadb", directory.path());
        ASSERT_EQ(harness->Run(Try("g", 1)).how, TERCET_HOW_RAN);
        ops = harness->group.ops;
        connection = static_cast<struct mariadb_connection *>(harness->group.connection);
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

    TemporaryDirectory directory;
    std::unique_ptr<Harness> harness;
    const tercet_store_ops *ops = nullptr;
    struct mariadb_connection *connection = nullptr;
    tercet_fence_caller caller = {};
    tercet_fence_key key = {tercet_bytes_of("h", 1), 1};
    tercet_fence_row wanted = {};
    tercet_fence_claim claim = {};
    tercet_error error = {};
};

TEST_F(MariadbSlots, AnotherTransactionThanOursIsNotCommitted)
{
    ASSERT_EQ(BeginAndClaim(), TERCET_OK) << error.text;
    EXPECT_EQ(claim.row.state, TERCET_FENCE_NONE);
    mysql_query(&connection->link, "ROLLBACK");
    mysql_query(&connection->link, "INSERT INTO effect VALUES ('stray', 1)");
    EXPECT_EQ(ops->commit(connection, &error), TERCET_ABORTED);
    EXPECT_NE(std::string(error.text).find("1305"), std::string::npos) << error.text;
    ops->rollback(connection);
    EXPECT_EQ(AskServer("SELECT COUNT(*) FROM " + TablesOf(directory.path()) +
                        ".effect WHERE name = 'stray'"),
              "0");
    EXPECT_EQ(harness->Run(Try("h", 2)).how, TERCET_HOW_RAN);
}

TEST_F(MariadbSlots, WriteThatFailsIsNotLaidAtTheNextBranchsDoor)
{
    ASSERT_EQ(BeginAndClaim(), TERCET_OK) << error.text;
    ASSERT_EQ(ops->check(connection, &error), TERCET_OK) << error.text;
    tercet_fence_row row = wanted;
    row.state = static_cast<tercet_fence_state>(300); // more than the column holds
    EXPECT_EQ(ops->write(connection, &key, &row, &error), TERCET_OK);
    ASSERT_EQ(ops->savepoint(connection, &error), TERCET_OK);
    key.branch = 2;
    EXPECT_EQ(ops->claim(connection, &key, &wanted, &claim, &error), TERCET_ABORTED);
    EXPECT_EQ(error.status, TERCET_ABORTED);
    ops->rollback(connection);
    EXPECT_EQ(harness->State("h"), TERCET_FENCE_NONE);
}

TEST_F(MariadbSlots, EverySlotOfALostConnectionIsUnavailable)
{
    ASSERT_EQ(BeginAndClaim(), TERCET_OK);
    AskServer("KILL " + std::to_string(mysql_thread_id(&connection->link)));
    EXPECT_EQ(ops->check(connection, &error), TERCET_UNAVAILABLE);
    EXPECT_EQ(ops->commit(connection, &error), TERCET_UNAVAILABLE) << "and not UNKNOWN";
    EXPECT_EQ(ops->savepoint(connection, &error), TERCET_OK) << "it is only queued";
    EXPECT_EQ(ops->claim(connection, &key, &wanted, &claim, &error), TERCET_UNAVAILABLE);
    EXPECT_EQ(ops->find(connection, &key, &wanted, &error), TERCET_UNAVAILABLE);
    tercet_store_description description = {};
    EXPECT_EQ(ops->describe(connection, "account", caller.origin, &description, nullptr),
              TERCET_UNAVAILABLE);
    tercet_fence_range range = {};
    range.participant = "account";
    range.row_count_max = 1;
    EXPECT_EQ(ops->list(connection, &range, nullptr, nullptr, &error), TERCET_UNAVAILABLE);
    tercet_mark mark = {};
    tercet_sweep sweep = {};
    EXPECT_EQ(ops->apply_mark(connection, &caller, &mark, &sweep, &error), TERCET_UNAVAILABLE);
    ops->rollback(connection);
    EXPECT_EQ(ops->begin(connection, &error), TERCET_UNAVAILABLE);
    EXPECT_EQ(harness->Run(Try("h", 2)).how, TERCET_HOW_RAN) << "by a new one";
}

TEST_F(MariadbSlots, WhatCannotBeReadIsToldNobody)
{
    const std::string database = TablesOf(directory.path());
    AskServer("UPDATE " + database + ".tercet_fence SET digest = ''");
    tercet_fence_range range = {};
    range.participant = "account";
    memset(range.origin, 1, sizeof range.origin);
    range.row_count_max = 10;
    const auto told = [](const tercet_fence_key *, const tercet_fence_row *, void *) {
        ADD_FAILURE() << "told of it";
        return true;
    };
    EXPECT_EQ(ops->list(connection, &range, told, nullptr, &error), TERCET_DATA_LOSS);
    EXPECT_EQ(harness->Apply(5, {10, 9}), TERCET_DATA_LOSS);
    AskServer("UPDATE " + database + ".tercet_scope SET open = 'x'");
    tercet_store_description description = {};
    EXPECT_EQ(ops->describe(connection, "account", caller.origin, &description, &error),
              TERCET_DATA_LOSS);
}

TEST_F(MariadbSlots, EachErrorOfTheServerHasItsMeaning)
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

// A server that writes its log by statements cannot do so at READ COMMITTED.
TEST_F(MariadbSlots, ServerOfAnotherBinlogFormatIsAskedForOnlyWhenItMatters)
{
    const std::string socket = MariadbServer::Shared().Socket(),
                      database = TablesOf(directory.path());
    tercet_mariadb_options options = {};
    options.size = sizeof options;
    options.unix_socket = socket.c_str();
    options.database = database.c_str();
    options.user = "root";
    options.setup_sql = "SELECT 1; SELECT 2; SET SESSION binlog_format = 'STATEMENT'";
    tercet_store *store = nullptr;
    ASSERT_EQ(tercet_mariadb_open(&options, &store, &error), TERCET_OK)
        << "this server writes none: " << error.text;
    tercet_store_close(store);
}

} // namespace
} // namespace fence_test

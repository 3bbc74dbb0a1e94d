// The slots one by one, where a group would not come: a lost connection in each of them, a transaction
// that has failed and is committed all the same.
#include "fence/postgres_connection.h"
#include "postgres_backend.h"
#include "store_fixture.h"
#include "support/postgres_server.h"

namespace fence_test
{
namespace
{

class PostgresSlots : public testing::Test
{
  protected:
    void SetUp() override
    {
        if (PostgresServer::Binaries().empty()) {
            GTEST_SKIP() << "PostgreSQL's server is not installed";
        }
        harness = std::make_unique<Harness>("postgres", directory.path());
        ASSERT_EQ(harness->Run(Try("g", 1)).how, TERCET_HOW_RAN);
        ops = harness->group.ops;
        connection = static_cast<postgres_connection *>(harness->group.connection);
        caller.participant = "account";
        memset(caller.origin, 1, sizeof caller.origin);
        caller.epoch = {10, 1};
        wanted.state = TERCET_FENCE_TRIED;
        memcpy(wanted.participant, "account", 8);
        memcpy(wanted.action, "debit", 6);
        memset(wanted.identity.origin, 1, sizeof wanted.identity.origin);
        wanted.identity.number = {10, 2};
    }

    void Execute(const char *sql)
    {
        PQclear(PQexec(connection->link, sql));
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
    postgres_connection *connection = nullptr;
    tercet_fence_caller caller = {};
    tercet_fence_key key = {tercet_bytes_of("h", 1), 1};
    tercet_fence_row wanted = {};
    tercet_fence_claim claim = {};
    tercet_error error = {};
};

// COMMIT of a transaction that has failed is a ROLLBACK, and the server calls that no error.
TEST_F(PostgresSlots, CommitThatRollsBackIsNotOk)
{
    ASSERT_EQ(BeginAndClaim(), TERCET_OK) << error.text;
    EXPECT_EQ(claim.row.state, TERCET_FENCE_NONE);
    Execute("SELECT 1 / 0");
    EXPECT_EQ(ops->commit(connection, &error), TERCET_ABORTED);
    EXPECT_STREQ(error.text, "PostgreSQL: a statement had failed, and COMMIT rolled back");
    EXPECT_EQ(error.status, TERCET_ABORTED);
    ops->rollback(connection);
    EXPECT_EQ(harness->State("h"), TERCET_FENCE_NONE);
    EXPECT_EQ(harness->Run(Try("h", 2)).how, TERCET_HOW_RAN);
}

TEST_F(PostgresSlots, RollbackEndsWhateverIsOpenQueuedOrFailed)
{
    ASSERT_EQ(ops->begin(connection, &error), TERCET_OK);
    ops->rollback(connection); // BEGIN was only queued
    EXPECT_EQ(PQtransactionStatus(connection->link), PQTRANS_IDLE);
    ASSERT_EQ(BeginAndClaim(), TERCET_OK);
    Execute("RELEASE tercet_branch");
    ASSERT_EQ(ops->rewind(connection, &error), TERCET_OK); // will fail when it is sent
    ops->rollback(connection);
    EXPECT_EQ(PQtransactionStatus(connection->link), PQTRANS_IDLE);
    ops->rollback(connection); // and once more
    ASSERT_EQ(BeginAndClaim(), TERCET_OK);
    EXPECT_EQ(claim.row.state, TERCET_FENCE_NONE);
    ops->rollback(connection);
    EXPECT_FALSE(connection->suspect);
}

TEST_F(PostgresSlots, EverySlotOfALostConnectionIsUnavailable)
{
    ASSERT_EQ(BeginAndClaim(), TERCET_OK);
    AskServer("SELECT pg_terminate_backend(" + std::to_string(PQbackendPID(connection->link)) +
              ")");
    while (PQstatus(connection->link) == CONNECTION_OK) {
        Execute("SELECT 1");
    }
    EXPECT_EQ(ops->check(connection, &error), TERCET_UNAVAILABLE);
    EXPECT_EQ(ops->commit(connection, &error), TERCET_UNAVAILABLE) << "and not UNKNOWN";
    EXPECT_EQ(ops->savepoint(connection, &error), TERCET_UNAVAILABLE);
    EXPECT_EQ(ops->rewind(connection, &error), TERCET_UNAVAILABLE);
    EXPECT_EQ(ops->claim(connection, &key, &wanted, &claim, &error), TERCET_UNAVAILABLE);
    EXPECT_EQ(ops->raise_epoch(connection, &caller, &error), TERCET_UNAVAILABLE);
    wanted.result_bytes = 1;
    EXPECT_EQ(ops->write(connection, &key, &wanted, &error), TERCET_UNAVAILABLE);
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
    EXPECT_EQ(error.status, TERCET_UNAVAILABLE);
    EXPECT_EQ(harness->group.connection, connection);
    EXPECT_EQ(harness->Run(Try("h", 2)).how, TERCET_HOW_RAN) << "by a new one";
}

TEST_F(PostgresSlots, ListOfWhatCannotBeReadTellsNobody)
{
    AskServer("UPDATE " + TablesOf(directory.path()) + ".tercet_fence SET digest = ''");
    tercet_fence_range range = {};
    range.participant = "account";
    memset(range.origin, 1, sizeof range.origin);
    range.row_count_max = 10;
    const auto told = [](const tercet_fence_key *, const tercet_fence_row *, void *) {
        ADD_FAILURE() << "told of it";
        return true;
    };
    EXPECT_EQ(ops->list(connection, &range, told, nullptr, &error), TERCET_DATA_LOSS);
    AskServer("UPDATE " + TablesOf(directory.path()) + ".tercet_scope SET open = '\\x00'");
    tercet_store_description description = {};
    EXPECT_EQ(ops->describe(connection, "account", caller.origin, &description, &error),
              TERCET_DATA_LOSS);
}

// A session that has a name of the fullest length, or one that ends as a sign does.
TEST_F(PostgresSlots, NoNameOfASessionIsTakenForASign)
{
    for (const std::string &name :
         {std::string(63, 'n'), std::string(62, 'n') + "*", std::string(62, 'n') + "+",
          std::string("*"), std::string("+")}) {
        const std::string conninfo = ConninfoOf(directory.path()) + " application_name=" + name;
        tercet_postgres_options options = {};
        options.size = sizeof options;
        options.conninfo = conninfo.c_str();
        tercet_store *store = nullptr;
        ASSERT_EQ(tercet_postgres_open(&options, &store, &error), TERCET_OK) << error.text;
        void *made = nullptr;
        ASSERT_EQ(store->ops->connect(store->self, &made, &error), TERCET_OK);
        auto *own = static_cast<postgres_connection *>(made);
        for (int64_t i = 0; i < 2; i++) {
            ASSERT_EQ(ops->begin(made, &error), TERCET_OK);
            ASSERT_EQ(ops->savepoint(made, &error), TERCET_OK);
            ASSERT_EQ(ops->claim(made, &key, &wanted, &claim, &error), TERCET_OK);
            EXPECT_EQ(ops->check(made, &error), TERCET_OK) << name << ": " << error.text;
            PQclear(PQexec(own->link, "ROLLBACK"));
            PQclear(PQexec(own->link, "BEGIN"));
            EXPECT_EQ(ops->check(made, &error), TERCET_FAILED_PRECONDITION) << name;
            ops->rollback(made);
            wanted.identity.number.number++;
        }
        ops->disconnect(made);
        tercet_store_close(store);
    }
}

} // namespace
} // namespace fence_test

// What an application says to SQLite beside its statements: setup_sql, empty statements, extended codes.
#include <sqlite3.h>

#include "store_fixture.h"
#include "tercet/store_sqlite.h"

extern "C" {
#include "fence/sqlite_connection.h"
}

namespace fence_test
{
namespace
{

class SqliteWords : public testing::Test
{
  protected:
    // The store's own connection, when it says yes.
    sqlite3 *Open(const char *setup_sql)
    {
        const std::string file = directory.path() + "/sqlite.db";
        tercet_sqlite_options options = {};
        options.size = sizeof options;
        options.path = file.c_str();
        options.setup_sql = setup_sql;
        Close();
        status = tercet_sqlite_open(&options, &store, &error);
        return status == TERCET_OK ? Connect() : nullptr;
    }

    void TearDown() override
    {
        Close();
    }

    TemporaryDirectory directory;
    tercet_status status = TERCET_OK;
    tercet_error error = {};

  private:
    sqlite3 *Connect()
    {
        EXPECT_EQ(store->ops->connect(store->self, &connection, &error), TERCET_OK) << error.text;
        return static_cast<sqlite_connection *>(connection)->database;
    }

    void Close()
    {
        if (connection != nullptr) {
            store->ops->disconnect(connection);
        }
        connection = nullptr;
        tercet_store_close(store);
        store = nullptr;
    }

    tercet_store *store = nullptr;
    void *connection = nullptr;
};

std::string Pragma(sqlite3 *database, const char *sql)
{
    std::string told;
    EXPECT_EQ(sqlite3_exec(
                  database, sql,
                  [](void *context, int, char **values, char **) {
                      *static_cast<std::string *>(context) = values[0];
                      return 0;
                  },
                  &told, nullptr),
              SQLITE_OK);
    return told;
}

// What it made would be rolled back, without a word, with the next group.
TEST_F(SqliteWords, SetupThatLeavesATransactionOpenIsRefused)
{
    EXPECT_EQ(Open("BEGIN; CREATE TABLE t (x)"), nullptr);
    EXPECT_EQ(status, TERCET_INVALID_ARGUMENT);
    EXPECT_NE(std::string(error.text).find("setup_sql leaves a transaction open"),
              std::string::npos)
        << error.text;
    EXPECT_NE(Open("BEGIN; CREATE TABLE t (x); COMMIT"), nullptr) << error.text;
}

TEST_F(SqliteWords, SetupCannotMakeCommitsForgetful)
{
    sqlite3 *database = Open("PRAGMA synchronous = OFF; PRAGMA journal_mode = DELETE");
    ASSERT_NE(database, nullptr) << error.text;
    EXPECT_EQ(Pragma(database, "PRAGMA synchronous"), "3") << "a DELETE may be forgotten in FULL";
    EXPECT_EQ(Pragma(database, "PRAGMA journal_mode"), "delete");
}

TEST_F(SqliteWords, AStatementOfNothingIsNullEachTime)
{
    Harness harness("sqlite", directory.path());
    harness.handler = [&](const group_request &, tercet_bytes, group_answer &) {
        for (const char *nothing : {"", "-- nothing to do", "", "-- nothing to do"}) {
            EXPECT_EQ(tercet_sqlite_prepare(&harness.request, nothing), nullptr);
        }
        return TERCET_VERDICT_DONE;
    };
    EXPECT_EQ(harness.Run(Try("g", 1)).verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness.Run(Try("h", 2)).verdict, TERCET_VERDICT_DONE);
}

// COMMIT itself says no, and with extended codes it says so in another number.
TEST_F(SqliteWords, ADeferredConstraintTakesNobodyElseWithIt)
{
    Harness harness("sqlite", directory.path());
    bool ready = false;
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        sqlite3 *database = tercet_sqlite_connection(&harness.request);
        if (!ready) {
            ready = sqlite3_exec(database,
                                 "CREATE TABLE parent (id INTEGER PRIMARY KEY);"
                                 "CREATE TABLE child (p INTEGER REFERENCES parent (id)"
                                 " DEFERRABLE INITIALLY DEFERRED);"
                                 "INSERT INTO parent VALUES (1)",
                                 nullptr, nullptr, nullptr) == SQLITE_OK;
        }
        (void)sqlite3_extended_result_codes(database, 1);
        const bool bad = request.key.gid.size == 3; // of "bad"
        EXPECT_EQ(
            sqlite3_exec(database,
                         bad ? "INSERT INTO child VALUES (99)" : "INSERT INTO child VALUES (1)",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
        return harness.LeaveEffect(request);
    };
    ASSERT_EQ(harness.Run(Try("first", 1)).verdict, TERCET_VERDICT_DONE);
    const auto answers = harness.Run({Try("good", 2), Try("bad", 3), Try("after", 4)});
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE) << answers[0].text;
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(answers[2].verdict, TERCET_VERDICT_DONE) << answers[2].text;
    EXPECT_EQ(harness.Effects("bad", 1, TERCET_PHASE_TRY), 0);
}

} // namespace
} // namespace fence_test

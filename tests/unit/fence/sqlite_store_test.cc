// What only SQLite can do wrong.
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "store_fixture.h"
#include "tercet/store_sqlite.h"

namespace fence_test
{
namespace
{

class SqliteStore : public testing::Test
{
  protected:
    std::string path() const
    {
        return directory.path() + "/sqlite.db";
    }

    tercet_status Open(const char *setup_sql = nullptr, uint32_t busy_timeout_ms = 50)
    {
        const std::string file = path();
        tercet_sqlite_options options = {};
        options.size = sizeof options;
        options.path = file.c_str();
        options.setup_sql = setup_sql;
        options.busy_timeout_ms = busy_timeout_ms;
        tercet_store *store = nullptr;
        const tercet_status status = tercet_sqlite_open(&options, &store, &error);
        tercet_store_close(store);
        return status;
    }

    void Execute(const char *sql)
    {
        sqlite3 *database = nullptr;
        ASSERT_EQ(sqlite3_open(path().c_str(), &database), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK)
            << sqlite3_errmsg(database);
        sqlite3_close(database);
    }

    bool Says(const char *words) const
    {
        return std::string(error.text).find(words) != std::string::npos;
    }

    TemporaryDirectory directory;
    tercet_error error = {};
};

TEST_F(SqliteStore, TablesOfANewerVersionAreRefusedWithASentence)
{
    ASSERT_EQ(Open(), TERCET_OK) << error.text;
    Execute("UPDATE tercet_schema SET version = 2");
    EXPECT_EQ(Open(), TERCET_FAILED_PRECONDITION);
    EXPECT_TRUE(Says("version 2")) << error.text;
    EXPECT_TRUE(Says("newer")) << error.text;
}

TEST_F(SqliteStore, SchemaWithoutItsRowIsDataLoss)
{
    ASSERT_EQ(Open(), TERCET_OK) << error.text;
    Execute("DELETE FROM tercet_schema");
    EXPECT_EQ(Open(), TERCET_DATA_LOSS);
}

TEST_F(SqliteStore, FileThatIsNoDatabaseIsDataLossAndNotTouched)
{
    const std::string junk(8192, 'j');
    std::ofstream(path(), std::ios::binary) << junk;
    EXPECT_EQ(Open(), TERCET_DATA_LOSS) << error.text;
    std::ifstream file(path(), std::ios::binary);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), junk);
}

TEST_F(SqliteStore, MissingDirectoryAndDirectoryAsFileAreUnavailable)
{
    tercet_sqlite_options options = {};
    options.size = sizeof options;
    tercet_store *store = nullptr;
    const std::string missing = directory.path() + "/none/here.db";
    options.path = missing.c_str();
    EXPECT_EQ(tercet_sqlite_open(&options, &store, &error), TERCET_UNAVAILABLE);
    options.path = directory.path().c_str();
    EXPECT_EQ(tercet_sqlite_open(&options, &store, &error), TERCET_UNAVAILABLE);
    options.path = nullptr;
    EXPECT_EQ(tercet_sqlite_open(&options, &store, &error), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("path")) << error.text;
    EXPECT_EQ(tercet_sqlite_open(nullptr, &store, &error), TERCET_INVALID_ARGUMENT);
}

TEST_F(SqliteStore, FileThatMayNotBeWrittenIsUnavailable)
{
    ASSERT_EQ(Open(), TERCET_OK);
    Execute("PRAGMA journal_mode = DELETE");
    ASSERT_EQ(chmod(path().c_str(), 0444), 0);
    ASSERT_EQ(chmod(directory.path().c_str(), 0555), 0);
    const pid_t child = fork();
    if (child == 0) {
        // Root may write everything; nobody may not.
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
            _exit(99);
        }
        _exit(Open() == TERCET_UNAVAILABLE ? 0 : 1);
    }
    int result = 0;
    ASSERT_EQ(waitpid(child, &result, 0), child);
    EXPECT_EQ(chmod(directory.path().c_str(), 0755), 0);
    EXPECT_TRUE(WIFEXITED(result));
    EXPECT_EQ(WEXITSTATUS(result), 0);
}

TEST_F(SqliteStore, LockedFileIsUnavailableAtOpenAndLaterInAGroup)
{
    Harness harness("sqlite", directory.path(), 50);
    EXPECT_EQ(harness.Run(Try("g", 1)).verdict, TERCET_VERDICT_DONE);
    sqlite3 *other = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    EXPECT_EQ(Open(), TERCET_UNAVAILABLE);
    EXPECT_TRUE(Says("locked")) << error.text;
    harness.handler = [](const group_request &, tercet_bytes, group_answer &) {
        ADD_FAILURE() << "called without a transaction";
        return TERCET_VERDICT_DONE;
    };
    const group_answer answer = harness.Run(Try("h", 2));
    EXPECT_EQ(answer.verdict, TERCET_VERDICT_LATER);
    EXPECT_STREQ(answer.code, TERCET_CODE_STORE_UNAVAILABLE);
    EXPECT_NE(std::string(answer.text).find("locked"), std::string::npos) << answer.text;
    EXPECT_EQ(harness.Apply(5, {10, 9}), TERCET_RESOURCE_EXHAUSTED);
    ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(other);
    harness.handler = nullptr;
    EXPECT_EQ(harness.Run(Try("h", 2)).verdict, TERCET_VERDICT_DONE);
}

TEST_F(SqliteStore, WrongSetupSqlIsInvalidArgumentWithItsWords)
{
    EXPECT_EQ(Open("CREATE TABEL x (y)"), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("setup_sql")) << error.text;
    EXPECT_TRUE(Says("TABEL")) << error.text;
}

TEST_F(SqliteStore, ConnectionIsWriteAheadFullySyncedAndChecksForeignKeys)
{
    Harness harness("sqlite", directory.path());
    harness.handler = [&](const group_request &, tercet_bytes, group_answer &) {
        const auto pragma = [&](const char *sql) {
            sqlite3_stmt *statement = tercet_sqlite_prepare(&harness.request, sql);
            EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW);
            return std::string(reinterpret_cast<const char *>(sqlite3_column_text(statement, 0)));
        };
        EXPECT_EQ(pragma("PRAGMA journal_mode"), "wal");
        EXPECT_EQ(pragma("PRAGMA synchronous"), "3");
        EXPECT_EQ(pragma("PRAGMA foreign_keys"), "1");
        return TERCET_VERDICT_DONE;
    };
    EXPECT_EQ(harness.Run(Try("g", 1)).verdict, TERCET_VERDICT_DONE);
}

struct Misdeed {
    const char *name;
    const char *sql;
};

class SqliteMisdeeds : public testing::TestWithParam<Misdeed>
{
};

// What the handler did must not be kept without a row, and the others of its group are done.
TEST_P(SqliteMisdeeds, HandlerThatEndsTheTransactionIsFoundOut)
{
    TemporaryDirectory directory;
    Harness harness("sqlite", directory.path());
    EXPECT_EQ(harness.Run(Cancel("warm", 50)).how, TERCET_HOW_EMPTY);
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        if (request.number.number == 2) {
            sqlite3_exec(tercet_sqlite_connection(&harness.request), GetParam().sql, nullptr,
                         nullptr, nullptr);
        }
        return verdict;
    };
    const auto answers = harness.Run({Try("a", 1), Try("b", 2), Try("c", 3)});
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_STREQ(answers[1].code, TERCET_CODE_HANDLER_FAILED);
    EXPECT_EQ(answers[1].log, TERCET_LOG_ERROR);
    EXPECT_EQ(answers[2].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness.Effects("a", 1, TERCET_PHASE_TRY), 1);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 0);
    EXPECT_EQ(harness.Effects("c", 1, TERCET_PHASE_TRY), 1);
    EXPECT_EQ(harness.State("b"), TERCET_FENCE_NONE);
    harness.handler = nullptr;
    EXPECT_EQ(harness.Run(Try("b", 2)).how, TERCET_HOW_RAN);
}

INSTANTIATE_TEST_SUITE_P(
    Sql, SqliteMisdeeds,
    testing::Values(Misdeed{"commit", "COMMIT"}, Misdeed{"rollback", "ROLLBACK"},
                    Misdeed{"commit_begin", "COMMIT; BEGIN"},
                    Misdeed{"rollback_begin", "ROLLBACK; BEGIN IMMEDIATE"},
                    Misdeed{"rollback_write", "ROLLBACK; INSERT INTO effect VALUES ('x', 1)"}),
    [](const auto &misdeed) { return misdeed.param.name; });

// A user's mistake, and a bad one: it is said, nothing of it is kept, and the process lives.
TEST_F(SqliteStore, HandlerThatTakesTheScopeAwayIsFoundOut)
{
    Harness harness("sqlite", directory.path());
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        if (request.number.number == 2) {
            EXPECT_EQ(sqlite3_exec(tercet_sqlite_connection(&harness.request),
                                   "DELETE FROM tercet_scope", nullptr, nullptr, nullptr),
                      SQLITE_OK);
        }
        return verdict;
    };
    const auto answers = harness.Run({Try("a", 1), Try("b", 2), Try("c", 3)});
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(answers[2].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 0);
    EXPECT_EQ(harness.State("b"), TERCET_FENCE_NONE);
    harness.handler = nullptr;
    EXPECT_EQ(harness.Run(Try("b", 2)).how, TERCET_HOW_RAN);
}

TEST_F(SqliteStore, SavepointThatAHandlerLeavesOpenIsHarmless)
{
    Harness harness("sqlite", directory.path());
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        sqlite3_exec(tercet_sqlite_connection(&harness.request), "SAVEPOINT mine", nullptr, nullptr,
                     nullptr);
        const tercet_verdict verdict = harness.LeaveEffect(request);
        return request.number.number == 1 ? TERCET_VERDICT_REFUSED : verdict;
    };
    const auto answers = harness.Run({Try("a", 1), Try("b", 2)});
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_REFUSED);
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness.Effects("a", 1, TERCET_PHASE_TRY), 0);
    EXPECT_EQ(harness.Effects("b", 1, TERCET_PHASE_TRY), 1);
}

TEST_F(SqliteStore, DeferredForeignKeyFailsTheBranchThatBreaksItAlone)
{
    Harness harness("sqlite", directory.path());
    Execute("CREATE TABLE parent (id INTEGER PRIMARY KEY); CREATE TABLE child (p INTEGER "
            "REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)");
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        if (request.number.number == 2) {
            sqlite3_exec(tercet_sqlite_connection(&harness.request), "INSERT INTO child VALUES (7)",
                         nullptr, nullptr, nullptr);
        }
        return harness.LeaveEffect(request);
    };
    const auto answers = harness.Run({Try("a", 1), Try("b", 2), Try("c", 3)});
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(answers[2].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness.State("b"), TERCET_FENCE_NONE);
}

TEST_F(SqliteStore, PreparedStatementsAreKeptCleanAndBounded)
{
    Harness harness("sqlite", directory.path());
    sqlite3_stmt *first = nullptr;
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        sqlite3_stmt *statement = tercet_sqlite_prepare(&harness.request, "SELECT ?1");
        if (first == nullptr) {
            first = statement;
        }
        EXPECT_EQ(statement, first) << "the same statement every time";
        EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW);
        EXPECT_EQ(sqlite3_column_type(statement, 0), SQLITE_NULL) << "no binding is left";
        statement = tercet_sqlite_prepare(&harness.request, "SELECT ?1");
        sqlite3_bind_int(statement, 1, 5);
        EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW); // and is left there
        for (int i = 0; i < 100; i++) {
            const std::string sql = "SELECT " + std::to_string(request.number.number * 1000 + i);
            EXPECT_NE(tercet_sqlite_prepare(&harness.request, sql.c_str()), nullptr);
        }
        EXPECT_EQ(tercet_sqlite_prepare(&harness.request, "SELEKT"), nullptr);
        EXPECT_NE(
            std::string(sqlite3_errmsg(tercet_sqlite_connection(&harness.request))).find("SELEKT"),
            std::string::npos);
        return TERCET_VERDICT_DONE;
    };
    for (int i = 1; i <= 5; i++) {
        EXPECT_EQ(harness.Run(Try("g-" + std::to_string(i), i)).verdict, TERCET_VERDICT_DONE);
    }
    harness.handler = [&](const group_request &, tercet_bytes, group_answer &) {
        int given = 0;
        for (int i = 0; i < 200; i++) {
            const std::string sql = "SELECT -" + std::to_string(i + 1);
            given += tercet_sqlite_prepare(&harness.request, sql.c_str()) != nullptr;
        }
        EXPECT_EQ(given, 128);
        return TERCET_VERDICT_DONE;
    };
    EXPECT_EQ(harness.Run(Try("many", 9)).verdict, TERCET_VERDICT_DONE);
}

TEST_F(SqliteStore, DatabaseInMemoryKeepsItsRowsFromGroupToGroup)
{
    tercet_sqlite_options options = {};
    options.size = sizeof options;
    options.path = ":memory:";
    options.setup_sql = "CREATE TABLE t (x)"; // would fail if it ran twice
    tercet_store *store = nullptr;
    ASSERT_EQ(tercet_sqlite_open(&options, &store, &error), TERCET_OK) << error.text;
    void *connection = nullptr;
    for (int i = 0; i < 3; i++) {
        ASSERT_EQ(store->ops->connect(store->self, &connection, &error), TERCET_OK) << error.text;
        store->ops->disconnect(connection);
    }
    tercet_store_close(store);
}

// In a process of its own, because the limit holds for all that it writes.
void RunWithFailingWrites(const std::string &directory)
{
    Harness harness("sqlite", directory);
    signal(SIGXFSZ, SIG_IGN);
    bool good = harness.Run(Try("before", 1)).verdict == TERCET_VERDICT_DONE;
    rlimit limit = {};
    getrlimit(RLIMIT_FSIZE, &limit);
    const rlim_t was = limit.rlim_cur;
    limit.rlim_cur = 1000; // as a disk that fails would
    setrlimit(RLIMIT_FSIZE, &limit);
    const group_answer answer = harness.Run(Try("failing", 2));
    limit.rlim_cur = was;
    setrlimit(RLIMIT_FSIZE, &limit);
    good = good && answer.verdict == TERCET_VERDICT_LATER &&
           strcmp(answer.code, TERCET_CODE_STORE_UNAVAILABLE) == 0;
    good = good && harness.State("failing") == TERCET_FENCE_NONE;
    const group_answer again = harness.Run(Try("failing", 2));
    good = good && again.how == TERCET_HOW_RAN &&
           harness.Effects("failing", 1, TERCET_PHASE_TRY) == 1 &&
           harness.State("before") == TERCET_FENCE_TRIED;
    fprintf(stderr, "%s: %s\n", good ? "good" : "bad", answer.text);
    exit(good ? 0 : 1);
}

TEST(SqliteStoreDeathTest, AFailedWriteIsLaterAndTheConnectionIsMadeAnew)
{
    TemporaryDirectory directory;
    EXPECT_EXIT(RunWithFailingWrites(directory.path()), testing::ExitedWithCode(0), "good");
}

TEST_F(SqliteStore, AccessorsOfAnotherStoresRequestGiveNull)
{
    Harness memory("memory", "");
    memory.handler = [&](const group_request &, tercet_bytes, group_answer &) {
        EXPECT_EQ(tercet_sqlite_connection(&memory.request), nullptr);
        EXPECT_EQ(tercet_sqlite_prepare(&memory.request, "SELECT 1"), nullptr);
        return TERCET_VERDICT_DONE;
    };
    EXPECT_EQ(memory.Run(Try("g", 1)).verdict, TERCET_VERDICT_DONE);
    Harness own("sqlite", directory.path());
    own.handler = [&](const group_request &, tercet_bytes, group_answer &) {
        EXPECT_NE(tercet_sqlite_connection(&own.request), nullptr);
        EXPECT_EQ(tercet_sqlite_prepare(&own.request, nullptr), nullptr);
        return TERCET_VERDICT_DONE;
    };
    EXPECT_EQ(own.Run(Try("g", 1)).verdict, TERCET_VERDICT_DONE);
}

} // namespace
} // namespace fence_test

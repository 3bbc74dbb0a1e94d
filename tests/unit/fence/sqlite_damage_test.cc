// Tables of the fence that somebody has written into, and handlers that lame the connection: what cannot
// be read is data loss and never "nothing is there", and who comes next is served.
#include <sqlite3.h>

#include <climits>
#include <fstream>

#include "store_fixture.h"
#include "tercet/store_sqlite.h"

namespace fence_test
{
namespace
{

class SqliteDamage : public testing::Test
{
  protected:
    SqliteDamage() : harness("sqlite", directory.path(), 50)
    {
        EXPECT_EQ(harness.Run({Try("a", 1), Try("b", 2)})[1].verdict, TERCET_VERDICT_DONE);
        EXPECT_EQ(harness.Apply(5, {10, 1}), TERCET_OK);
        EXPECT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
        sqlite3_busy_timeout(other, 20000);
    }
    ~SqliteDamage() override
    {
        sqlite3_close(other);
    }
    std::string path() const
    {
        return directory.path() + "/sqlite.db";
    }
    void Execute(const std::string &sql)
    {
        EXPECT_EQ(sqlite3_exec(other, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
            << sqlite3_errmsg(other);
    }
    tercet_status Find(const char *gid)
    {
        const tercet_fence_key key = {tercet_bytes_of_text(gid), 1};
        tercet_fence_row row = {};
        return Ops()->find(harness.group.connection, &key, &row, &harness.error);
    }
    tercet_status Describe()
    {
        uint8_t origin[TERCET_ORIGIN_BYTES];
        memset(origin, 1, sizeof origin);
        tercet_store_description description = {};
        return Ops()->describe(harness.group.connection, "account", origin, &description,
                               &harness.error);
    }
    tercet_status List(tercet_fence_row_fn row_fn, void *context)
    {
        tercet_fence_range range = {};
        range.participant = "account";
        memset(range.origin, 1, sizeof range.origin);
        range.row_count_max = 10;
        return Ops()->list(harness.group.connection, &range, row_fn, context, &harness.error);
    }
    const tercet_store_ops *Ops() const
    {
        return harness.store->ops;
    }
    sqlite3 *Database()
    {
        return tercet_sqlite_connection(&harness.request);
    }

    TemporaryDirectory directory;
    Harness harness;
    sqlite3 *other = nullptr;
};

TEST_F(SqliteDamage, ARowThatCannotBeReadIsDataLossAndItsBranchIsNotRunAgain)
{
    const char *const damages[] = {
        "UPDATE tercet_fence SET state = 0",
        "UPDATE tercet_fence SET state = 9",
        "UPDATE tercet_fence SET result = zeroblob(100000)",
        "UPDATE tercet_fence SET digest = x'01'",
        "UPDATE tercet_fence SET digest = x''",
        "UPDATE tercet_fence SET action = ''",
        "UPDATE tercet_fence SET action = hex(zeroblob(200))",
        "UPDATE tercet_scope SET participant = hex(zeroblob(200))",
        "UPDATE tercet_scope SET origin = x'01'",
    };
    Execute("PRAGMA ignore_check_constraints = ON; CREATE TABLE f AS SELECT * FROM tercet_fence; "
            "CREATE TABLE s AS SELECT * FROM tercet_scope");
    for (const char *damage : damages) {
        EXPECT_EQ(Find("a"), TERCET_OK) << harness.error.text;
        Execute(damage);
        EXPECT_EQ(Find("a"), TERCET_DATA_LOSS) << damage;
        Execute(
            "UPDATE tercet_fence SET (state, digest, action, result) = "
            "(SELECT state, digest, action, result FROM f WHERE f.gid = tercet_fence.gid); "
            "UPDATE tercet_scope SET (participant, origin) = (SELECT participant, origin FROM s)");
    }
    Execute("UPDATE tercet_fence SET digest = x'01' WHERE gid = CAST('a' AS BLOB)");
    const auto answers = harness.Run({Try("a", 1), Try("c", 3)});
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(answers[0].log, TERCET_LOG_ERROR);
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(harness.Effects("a", 1, TERCET_PHASE_TRY), 1);
}

TEST_F(SqliteDamage, AMarkThatCannotBeReadIsDataLossAndRefusesWhatIsBelowIt)
{
    EXPECT_EQ(harness.Apply(6, {10, 9}, {{10, 1}}), TERCET_OK);
    Execute("UPDATE tercet_scope SET open = x'ff'");
    EXPECT_EQ(Describe(), TERCET_DATA_LOSS);
    EXPECT_EQ(harness.Run(Try("old", 3)).verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(harness.Effects("old", 1, TERCET_PHASE_TRY), 0);
}

TEST_F(SqliteDamage, AGidThatCannotBeReadIsDataLossAndNobodyIsToldOfIt)
{
    for (const char *gid : {"zeroblob(1000)", "x''"}) {
        Execute(std::string("UPDATE tercet_fence SET gid = ") + gid + " WHERE number = 1");
        int told = 0;
        const auto count = [](const tercet_fence_key *, const tercet_fence_row *, void *context) {
            ++*static_cast<int *>(context);
            return true;
        };
        EXPECT_EQ(List(count, &told), TERCET_DATA_LOSS) << gid;
        EXPECT_EQ(told, 0);
        EXPECT_EQ(harness.Apply(6, {10, 9}), TERCET_DATA_LOSS);
        EXPECT_EQ(harness.Describe().mark.as_of_lsn, 5) << "the mark was not stored either";
    }
}

TEST_F(SqliteDamage, AStoreWithoutItsIdIsDataLossAndDescribesNothing)
{
    Execute("UPDATE tercet_schema SET store_id = x'0102'");
    EXPECT_EQ(Describe(), TERCET_DATA_LOSS);
    Execute("DELETE FROM tercet_schema");
    EXPECT_EQ(Describe(), TERCET_DATA_LOSS);
}

TEST_F(SqliteDamage, PagesThatAreDamagedAreDataLoss)
{
    Execute("PRAGMA wal_checkpoint(TRUNCATE)");
    group_disconnect(&harness.group);
    tercet_store_close(harness.store); // so that nothing of it is in memory
    harness.store = nullptr;
    {
        std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(4096);
        file << std::string(20 * 4096, '\x5a');
    }
    const std::string where = path();
    tercet_sqlite_options options = {};
    options.size = sizeof options;
    options.path = where.c_str();
    tercet_store *store = nullptr;
    EXPECT_EQ(tercet_sqlite_open(&options, &store, &harness.error), TERCET_DATA_LOSS)
        << harness.error.text;
}

TEST_F(SqliteDamage, ATableOfThatNameThatIsAnothersIsNotTouched)
{
    Execute("DROP TABLE tercet_schema; CREATE TABLE tercet_schema (mine); "
            "INSERT INTO tercet_schema VALUES (7)");
    const std::string where = path();
    tercet_sqlite_options options = {};
    options.size = sizeof options;
    options.path = where.c_str();
    options.busy_timeout_ms = UINT32_MAX; // more than SQLite can count
    tercet_store *store = nullptr;
    EXPECT_EQ(tercet_sqlite_open(&options, &store, nullptr), TERCET_UNAVAILABLE);
    Execute("INSERT INTO tercet_schema SELECT mine FROM tercet_schema");
    EXPECT_EQ(sqlite3_changes(other), 1);
}

TEST_F(SqliteDamage, AListEndsWhenItsReaderHasEnoughAndSkipsWhatWasSweptMeanwhile)
{
    struct Reader {
        sqlite3 *other;
        int told;
        bool goes_on;
    };
    const auto take = [](const tercet_fence_key *, const tercet_fence_row *, void *context) {
        auto *reader = static_cast<Reader *>(context);
        if (reader->goes_on) {
            EXPECT_EQ(sqlite3_exec(reader->other, "DELETE FROM tercet_fence WHERE number = 2",
                                   nullptr, nullptr, nullptr),
                      SQLITE_OK);
        }
        reader->told++;
        return reader->goes_on;
    };
    Reader enough = {other, 0, false};
    EXPECT_EQ(List(take, &enough), TERCET_OK);
    EXPECT_EQ(enough.told, 1);
    Reader all = {other, 0, true};
    EXPECT_EQ(List(take, &all), TERCET_OK);
    EXPECT_EQ(all.told, 1) << "the second is gone";
}

// Whoever leaves a progress handler behind interrupts even the rollback.
TEST_F(SqliteDamage, AHandlerThatInterruptsEverythingLosesItsConnectionAndTheNextIsServed)
{
    int runs = 0;
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        if (++runs == 1) {
            sqlite3_progress_handler(
                Database(), 1, [](void *) { return 1; }, nullptr);
        }
        return verdict;
    };
    EXPECT_EQ(harness.Run(Try("c", 3)).verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(harness.Effects("c", 1, TERCET_PHASE_TRY), 1);
}

// SQLite says ABORT to the query, and that is not SQLite's doing.
TEST_F(SqliteDamage, AHandlerThatRollsBackUnderItsOwnQueryIsFoundOut)
{
    Execute("CREATE TABLE many (x); INSERT INTO many VALUES (1), (2), (3)");
    int runs = 0;
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        runs++;
        const tercet_verdict verdict = harness.LeaveEffect(request);
        sqlite3_stmt *query = tercet_sqlite_prepare(&harness.request, "SELECT x FROM many");
        EXPECT_EQ(sqlite3_step(query), SQLITE_ROW);
        EXPECT_EQ(
            sqlite3_exec(Database(), "CREATE TABLE late (x); ROLLBACK", nullptr, nullptr, nullptr),
            SQLITE_OK);
        EXPECT_EQ(sqlite3_step(query), SQLITE_ABORT);
        return verdict;
    };
    const group_answer answer = harness.Run(Try("c", 3));
    EXPECT_STREQ(answer.code, TERCET_CODE_HANDLER_FAILED);
    EXPECT_EQ(runs, 1) << "it would do the same again";
    EXPECT_EQ(harness.Effects("c", 1, TERCET_PHASE_TRY), 0);
}

TEST_F(SqliteDamage, AHandlerThatTakesTheHooksAwayAndRollsBackIsFoundOut)
{
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        const tercet_verdict verdict = harness.LeaveEffect(request);
        sqlite3_rollback_hook(Database(), nullptr, nullptr);
        EXPECT_EQ(sqlite3_exec(Database(), "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
        return verdict;
    };
    EXPECT_STREQ(harness.Run(Try("c", 3)).code, TERCET_CODE_HANDLER_FAILED);
    EXPECT_EQ(harness.Effects("c", 1, TERCET_PHASE_TRY), 0);
}

// The application may choose another journal, in which a reader keeps a commit waiting.
TEST_F(SqliteDamage, ACommitThatAReaderKeepsWaitingIsRunAgain)
{
    int runs = 0;
    sqlite3_stmt *reader = nullptr;
    group_disconnect(&harness.group);
    tercet_store_close(harness.store);
    Execute("PRAGMA journal_mode = DELETE");
    const std::string where = path();
    tercet_sqlite_options options = {};
    options.size = sizeof options;
    options.path = where.c_str();
    options.setup_sql = "PRAGMA journal_mode = DELETE";
    options.busy_timeout_ms = 20;
    ASSERT_EQ(tercet_sqlite_open(&options, &harness.store, &harness.error), TERCET_OK);
    harness.group.self = harness.store->self;
    harness.group.store_id = harness.store->id;
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        if (++runs == 1) {
            EXPECT_EQ(
                sqlite3_prepare_v2(other, "SELECT gid FROM tercet_fence", -1, &reader, nullptr),
                SQLITE_OK);
            EXPECT_EQ(sqlite3_step(reader), SQLITE_ROW);
        } else {
            sqlite3_finalize(reader);
        }
        return harness.LeaveEffect(request);
    };
    EXPECT_EQ(harness.Run(Try("c", 3)).verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(harness.Effects("c", 1, TERCET_PHASE_TRY), 1);
}

} // namespace
} // namespace fence_test

// A fence over an SQLite of which one call fails: whichever it is, memory or disk.  What was answered
// DONE is there, what was not can be asked again and is then done once; nothing is called damaged.
#include "sqlite_faults.h"

#include <sqlite3.h>

#include <filesystem>

#include "store_fixture.h"
#include "tercet/store_sqlite.h"

namespace fence_test
{
namespace
{

struct Case {
    const char *name;
    SqliteFault kind;
    bool and_after; // it does not come back while the call lasts
    const char *encoding = "UTF-8";
};

const Case kCases[] = {
    {"OneAllocation", SqliteFault::kMemory, false},
    {"NoMemory", SqliteFault::kMemory, true},
    {"OneCallToADisk", SqliteFault::kDisk, false},
    {"NoDisk", SqliteFault::kDisk, true},
    {"FullDisk", SqliteFault::kFull, true},
    // Here every text is converted, which takes memory too.
    {"OneAllocationInUtf16", SqliteFault::kMemory, false, "UTF-16"},
};

// One database for a test; a connection is made anew for each try, with nothing prepared.
class SqliteFaults : public testing::TestWithParam<Case>
{
  protected:
    SqliteFaults()
    {
        sqlite3 *database = nullptr;
        const std::string sql = std::string("PRAGMA encoding = '") + GetParam().encoding +
                                "'; CREATE TABLE application (x)";
        EXPECT_EQ(sqlite3_open((directory.path() + "/sqlite.db").c_str(), &database), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(database);
        Harness made("sqlite", directory.path());
        EXPECT_EQ(made.Describe().rows, 0);
    }

    // Calls `once` with the first call failing, the second, and so on until none fails any more.
    template <typename Once> void ForEachFault(Once once)
    {
        bool reached = true;
        for (int at = 1; reached; at++) {
            SCOPED_TRACE(std::string(GetParam().name) + " at call " + std::to_string(at));
            ASSERT_LT(at, 20000);
            reached = once(at);
            if (HasFailure()) {
                break; // the next thousand say the same
            }
        }
    }

    const SqliteFaultsPossible possible;
    TemporaryDirectory directory;
};

void ExpectNotCalledDamaged(tercet_status status, const tercet_error &error)
{
    EXPECT_NE(status, TERCET_DATA_LOSS) << error.text;
    EXPECT_NE(status, TERCET_INTERNAL) << error.text;
}

TEST_P(SqliteFaults, WhicheverCallFailsABranchIsDoneOnceOrLaterAndDoneWhenAskedAgain)
{
    const Case &with = GetParam();
    ForEachFault([&](int at) {
        Harness harness("sqlite", directory.path(), 1);
        const std::string tail = std::to_string(at);
        std::vector<Ask> asks = {Try("a" + tail, 5 * at), Try("b" + tail, 5 * at + 1),
                                 Cancel("empty" + tail, 5 * at + 2),
                                 Confirm("tried" + tail, 5 * at + 3)};
        Ask tried = Try("tried" + tail, 5 * at + 3);
        tried.epoch = at;
        EXPECT_EQ(harness.Run(tried).verdict, TERCET_VERDICT_DONE);
        Harness fresh("sqlite", directory.path(), 1);
        for (Ask &ask : asks) {
            ask.epoch = at + 1; // by a coordinator that has begun anew
        }
        std::vector<group_answer> first;
        bool reached = false;
        {
            SqliteFaultAt fault(with.kind, at, with.and_after);
            first = fresh.Run(asks);
            reached = fault.reached();
        }
        for (size_t i = 0; i < asks.size(); i++) {
            EXPECT_TRUE(first[i].verdict == TERCET_VERDICT_DONE ||
                        first[i].verdict == TERCET_VERDICT_LATER)
                << asks[i].gid << " " << first[i].verdict << " " << first[i].text;
            const std::string words = first[i].text;
            EXPECT_EQ(words.find("cannot be read"), std::string::npos) << words;
            EXPECT_EQ(words.find("by itself"), std::string::npos)
                << "no handler's fault: " << words;
            const bool runs = asks[i].phase != TERCET_PHASE_CANCEL;
            if (first[i].verdict == TERCET_VERDICT_DONE && runs) {
                EXPECT_EQ(harness.Effects(asks[i].gid, 1, asks[i].phase), 1) << asks[i].gid;
            }
        }
        const auto again = fresh.Run(asks);
        for (size_t i = 0; i < asks.size(); i++) {
            const bool runs = asks[i].phase != TERCET_PHASE_CANCEL;
            EXPECT_EQ(again[i].verdict, TERCET_VERDICT_DONE) << asks[i].gid << again[i].text;
            EXPECT_EQ(harness.Effects(asks[i].gid, 1, asks[i].phase), runs ? 1 : 0) << asks[i].gid;
        }
        return reached;
    });
}

TEST_P(SqliteFaults, WhicheverCallFailsAMarkIsStoredWithAllThatItSweepsOrNotAtAll)
{
    const Case &with = GetParam();
    Harness before("sqlite", directory.path());
    EXPECT_EQ(before.Run(Try("kept", 1)).verdict, TERCET_VERDICT_DONE);
    ForEachFault([&](int at) {
        Harness harness("sqlite", directory.path(), 1);
        EXPECT_EQ(harness.Run(Cancel("swept" + std::to_string(at), at + 1)).verdict,
                  TERCET_VERDICT_DONE);
        Harness fresh("sqlite", directory.path(), 1);
        tercet_status status = TERCET_OK;
        bool reached = false;
        {
            SqliteFaultAt fault(with.kind, at, with.and_after);
            status = fresh.Apply(at, {10, at + 2});
            reached = fault.reached();
        }
        ExpectNotCalledDamaged(status, fresh.error);
        EXPECT_EQ(harness.Run(Try("kept", 1)).verdict, TERCET_VERDICT_DONE) << "still locked";
        const tercet_store_description after = harness.Describe();
        const bool stored = after.mark.as_of_lsn == at;
        EXPECT_TRUE(stored || after.mark.as_of_lsn == at - 1) << after.mark.as_of_lsn;
        EXPECT_EQ(after.rows, stored ? 1 : 2) << "a mark without its sweep, or half of one";
        EXPECT_TRUE(stored || status != TERCET_OK);
        EXPECT_EQ(fresh.Apply(at, {10, at + 2}), TERCET_OK) << fresh.error.text;
        EXPECT_EQ(harness.Describe().rows, 1);
        EXPECT_EQ(harness.Describe().mark.as_of_lsn, at);
        return reached;
    });
}

struct Read {
    tercet_status status = TERCET_OK;
    tercet_error error = {};
};

bool TakeGid(const tercet_fence_key *key, const tercet_fence_row *row, void *context)
{
    static_cast<std::vector<std::string> *>(context)->push_back(
        std::string(static_cast<const char *>(key->gid.data), key->gid.size) + " " + row->action);
    return true;
}

TEST_P(SqliteFaults, WhicheverCallFailsWhatIsReadIsTrueOrAnError)
{
    const Case &with = GetParam();
    {
        Harness harness("sqlite", directory.path());
        EXPECT_EQ(harness.Run({Try("a", 1), Try("b", 2)}).size(), 2U);
        EXPECT_EQ(harness.Apply(7, {10, 3}, {{10, 1}}), TERCET_OK);
    }
    ForEachFault([&](int at) {
        Harness harness("sqlite", directory.path(), 1);
        const tercet_store_ops *ops = harness.store->ops;
        tercet_fence_range range = {};
        range.participant = "account";
        memset(range.origin, 1, sizeof range.origin);
        range.row_count_max = 10;
        std::vector<std::string> names;
        const tercet_fence_key key = {tercet_bytes_of("b", 1), 1};
        tercet_store_description told = {};
        tercet_fence_row row = {};
        Read connected, described, listed, found;
        void *connection = nullptr;
        bool reached = false;
        {
            SqliteFaultAt fault(with.kind, at, with.and_after);
            connected.status = ops->connect(harness.store->self, &connection, &connected.error);
            if (connected.status == TERCET_OK) {
                described.status = ops->describe(connection, range.participant, range.origin, &told,
                                                 &described.error);
                listed.status = ops->list(connection, &range, TakeGid, &names, &listed.error);
                found.status = ops->find(connection, &key, &row, &found.error);
            }
            reached = fault.reached();
        }
        for (const Read &read : {connected, described, listed, found}) {
            ExpectNotCalledDamaged(read.status, read.error);
        }
        if (connected.status != TERCET_OK) {
            EXPECT_EQ(connected.status, TERCET_UNAVAILABLE) << connected.error.text;
            return reached;
        }
        if (described.status == TERCET_OK) {
            EXPECT_EQ(told.rows, 2);
            EXPECT_EQ(told.mark.as_of_lsn, 7);
            EXPECT_EQ(told.mark.open_count, 1U);
            EXPECT_EQ(told.highest.number, 2);
        }
        if (listed.status == TERCET_OK) {
            EXPECT_EQ(names, (std::vector<std::string>{"a debit", "b debit"}));
        }
        if (found.status == TERCET_OK) {
            EXPECT_EQ(row.state, TERCET_FENCE_TRIED);
        }
        ops->disconnect(connection);
        return reached;
    });
}

class SqliteFaultsInMaking : public SqliteFaults
{
};

TEST_P(SqliteFaultsInMaking, WhicheverCallFailsAStoreThatIsMadeIsWholeOrNotThere)
{
    const Case &with = GetParam();
    ForEachFault([&](int at) {
        TemporaryDirectory empty;
        const std::string path = empty.path() + "/new.db";
        tercet_sqlite_options options = {};
        options.size = sizeof options;
        options.path = path.c_str();
        options.setup_sql = "CREATE TABLE IF NOT EXISTS effect (name TEXT)";
        tercet_store *store = nullptr;
        tercet_error error = {};
        tercet_status status = TERCET_OK;
        bool reached = false;
        {
            SqliteFaultAt fault(with.kind, at, with.and_after);
            status = tercet_sqlite_open(&options, &store, &error);
            reached = fault.reached();
        }
        EXPECT_TRUE(status == TERCET_OK || status == TERCET_UNAVAILABLE) << error.text;
        tercet_store_close(store);
        store = nullptr;
        EXPECT_EQ(tercet_sqlite_open(&options, &store, &error), TERCET_OK) << error.text;
        tercet_store_close(store);
        return reached;
    });
}

INSTANTIATE_TEST_SUITE_P(Sqlite, SqliteFaults, testing::ValuesIn(kCases),
                         [](const auto &one) { return std::string(one.param.name); });
// A new database is in UTF-8.
INSTANTIATE_TEST_SUITE_P(Sqlite, SqliteFaultsInMaking,
                         testing::ValuesIn(std::begin(kCases), std::end(kCases) - 1),
                         [](const auto &one) { return std::string(one.param.name); });

tercet_status OpenOnce(const std::string &path, tercet_error *error)
{
    tercet_sqlite_options options = {};
    options.size = sizeof options;
    options.path = path.c_str();
    tercet_store *store = nullptr;
    const tercet_status status = tercet_sqlite_open(&options, &store, error);
    tercet_store_close(store);
    return status;
}

TEST(SqliteRefusal, AFileThatCanOnlyBeReadIsUnavailableAtOnce)
{
    const SqliteFaultsPossible possible;
    TemporaryDirectory directory;
    const std::string path = directory.path() + "/sqlite.db";
    tercet_error error = {};
    ASSERT_EQ(OpenOnce(path, &error), TERCET_OK) << error.text;
    const SqliteFaultAt fault(SqliteFault::kWriting, 1, true);
    EXPECT_EQ(OpenOnce(path, &error), TERCET_UNAVAILABLE);
    EXPECT_STREQ(error.text, "SQLite: the file cannot be written");
}

// Its coordinator has compared databases when it connected, and does not look again.
TEST(SqliteRefusal, AFileThatHasGoneIsNotMadeAnewUnderARunningParticipant)
{
    const SqliteFaultsPossible possible;
    TemporaryDirectory directory;
    TemporaryDirectory elsewhere;
    Harness harness("sqlite", directory.path());
    ASSERT_EQ(harness.Run(Try("g", 1)).how, TERCET_HOW_RAN);
    {
        const SqliteFaultAt broken(SqliteFault::kDisk, 1, true); // the volume fails
        EXPECT_EQ(harness.Run(Cancel("g", 1)).verdict, TERCET_VERDICT_LATER);
    }
    const auto move = [](const TemporaryDirectory &from, const TemporaryDirectory &to) {
        for (const auto &file : std::filesystem::directory_iterator(from.path())) {
            std::filesystem::rename(file.path(),
                                    std::filesystem::path(to.path()) / file.path().filename());
        }
    };
    move(directory, elsewhere); // and is unmounted
    EXPECT_EQ(harness.Run(Cancel("g", 1)).verdict, TERCET_VERDICT_LATER);
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
    move(elsewhere, directory);
    EXPECT_EQ(harness.Run(Cancel("g", 1)).how, TERCET_HOW_RAN) << "it is back";
}

TEST(SqliteRefusal, AnOlderLibraryIsRefusedInWordsBeforeItTouchesTheFile)
{
    TemporaryDirectory directory;
    const std::string path = directory.path() + "/sqlite.db";
    tercet_error error = {};
    PretendSqliteVersion(3036999);
    EXPECT_EQ(OpenOnce(path, &error), TERCET_FAILED_PRECONDITION);
    EXPECT_NE(std::string(error.text).find("3.37 or newer"), std::string::npos) << error.text;
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
    PretendSqliteVersion(3037000);
    EXPECT_EQ(OpenOnce(path, &error), TERCET_OK) << error.text;
    PretendSqliteVersion(0);
}

} // namespace
} // namespace fence_test

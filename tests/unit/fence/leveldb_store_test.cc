// What only LevelDB can do wrong.
#include <leveldb/c.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "store_fixture.h"
#include "tercet/store_leveldb.h"

namespace fence_test
{
namespace
{

tercet_bytes Text(const char *text)
{
    return tercet_bytes_of_text(text);
}

class LeveldbStore : public testing::Test
{
  protected:
    std::string path() const
    {
        return directory.path() + "/leveldb.db";
    }

    tercet_status Open(bool create)
    {
        const std::string where = path();
        tercet_leveldb_options options = {};
        options.size = sizeof options;
        options.path = where.c_str();
        options.create_if_missing = create;
        tercet_store *store = nullptr;
        const tercet_status status = tercet_leveldb_open(&options, &store, &error);
        tercet_store_close(store);
        return status;
    }

    TemporaryDirectory directory;
    tercet_error error = {};
};

/* Where a database with enough small tables is, so that LevelDB compacts as soon as it is opened. */
constexpr char kTables[] = "TERCET_TEST_TABLES";

void MakeTables(const std::string &path)
{
    constexpr int kTableCount = 4; /* at which LevelDB begins to compact */
    leveldb_options_t *options = leveldb_options_create();
    leveldb_writeoptions_t *write = leveldb_writeoptions_create();
    leveldb_options_set_create_if_missing(options, 1);
    for (int i = 0; i < kTableCount; i++) { /* what stands in the log becomes a table */
        char *words = nullptr;
        leveldb_t *database = leveldb_open(options, path.c_str(), &words);
        ASSERT_EQ(words, nullptr) << words;
        leveldb_put(database, write, "stray", 5, "x", 1, &words);
        ASSERT_EQ(words, nullptr) << words;
        leveldb_close(database);
    }
    leveldb_writeoptions_destroy(write);
    leveldb_options_destroy(options);
}

struct Threads {
    int count = 0; /* beside the first */
    int open = 0;  /* of these, where SIGTERM may run a handler */
};

Threads LookAtThreads()
{
    Threads threads;
    for (const auto &task : std::filesystem::directory_iterator("/proc/self/task")) {
        if (task.path().filename() == std::to_string(getpid())) {
            continue;
        }
        std::ifstream status(task.path() / "status");
        for (std::string line; std::getline(status, line);) {
            if (line.rfind("SigBlk:", 0) == 0) {
                const unsigned long long mask = std::stoull(line.substr(7), nullptr, 16);
                threads.count++;
                threads.open += (mask & (1ULL << (SIGTERM - 1))) == 0;
            }
        }
    }
    return threads;
}

TEST(LeveldbThreads, LeveldbsOwnThreadBlocksAllSignals)
{
    /* In a process of its own: LevelDB has one such thread, and other tests have started it. */
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    TemporaryDirectory directory;
    if (getenv(kTables) == nullptr) {
        MakeTables(directory.path() + "/leveldb.db");
        setenv(kTables, directory.path().c_str(), 1);
    }
    EXPECT_EXIT(
        {
            const std::string path = std::string(getenv(kTables)) + "/leveldb.db";
            tercet_leveldb_options options = {};
            options.size = sizeof options;
            options.path = path.c_str();
            tercet_store *store = nullptr;
            tercet_error failure = {};
            const Threads before = LookAtThreads();
            (void)tercet_leveldb_open(&options, &store, &failure);
            const Threads after = LookAtThreads();
            _exit(after.count == before.count ? 2 : after.open != before.open);
        },
        testing::ExitedWithCode(0), "");
    unsetenv(kTables);
}

TEST_F(LeveldbStore, MissingDatabaseIsAnErrorUnlessItMayBeMade)
{
    EXPECT_EQ(Open(false), TERCET_UNAVAILABLE);
    EXPECT_EQ(Open(true), TERCET_OK) << error.text;
    EXPECT_EQ(Open(false), TERCET_OK) << error.text;
}

TEST_F(LeveldbStore, MissingCurrentIsDataLossAndNeverAnEmptyDatabase)
{
    ASSERT_EQ(Open(true), TERCET_OK);
    std::filesystem::remove(path() + "/CURRENT");
    std::vector<std::string> before, after;
    for (const auto &file : std::filesystem::directory_iterator(path())) {
        before.push_back(file.path().filename());
    }
    EXPECT_EQ(Open(true), TERCET_DATA_LOSS);
    EXPECT_EQ(Open(false), TERCET_DATA_LOSS);
    for (const auto &file : std::filesystem::directory_iterator(path())) {
        after.push_back(file.path().filename());
    }
    EXPECT_EQ(before, after);
}

TEST_F(LeveldbStore, AnyFileOfRowsWithoutCurrentIsDataLoss)
{
    for (const char *name : {"000005.ldb", "000005.sst", "000005.log", "MANIFEST-000002"}) {
        std::filesystem::create_directory(path());
        std::ofstream(path() + "/" + name) << "rows";
        EXPECT_EQ(Open(true), TERCET_DATA_LOSS) << name;
        EXPECT_EQ(Open(false), TERCET_DATA_LOSS) << name;
        std::filesystem::remove_all(path());
    }
}

// A process that died while LevelDB made the database leaves its first manifest, and no CURRENT.
TEST_F(LeveldbStore, DatabaseThatWasNeverFinishedIsMadeAnew)
{
    for (const bool copied : {false, true}) {
        std::filesystem::create_directory(path());
        for (const char *name : {"LOCK", "LOG", "MANIFEST-000001", "000001.dbtmp"}) {
            if (copied || std::string(name) != "000001.dbtmp") {
                std::ofstream(path() + "/" + name) << "half of it";
            }
        }
        EXPECT_EQ(Open(false), TERCET_UNAVAILABLE) << error.text;
        EXPECT_EQ(Open(true), TERCET_OK) << error.text;
        EXPECT_EQ(Open(false), TERCET_OK) << error.text;
        std::filesystem::remove_all(path());
    }
}

TEST_F(LeveldbStore, DirectoryThatCannotBeListedIsUnavailable)
{
    std::ofstream(path()) << "a file";
    EXPECT_EQ(Open(true), TERCET_UNAVAILABLE);
    EXPECT_NE(std::string(error.text).find("cannot be listed"), std::string::npos) << error.text;
}

TEST_F(LeveldbStore, DamagedLogIsDataLoss)
{
    {
        Harness harness("leveldb", directory.path());
        for (int i = 1; i <= 20; i++) {
            EXPECT_EQ(harness.Run(Try("g-" + std::to_string(i), i)).verdict, TERCET_VERDICT_DONE);
        }
    }
    for (const auto &file : std::filesystem::directory_iterator(path())) {
        if (file.path().extension() == ".log") {
            std::fstream log(file.path(), std::ios::in | std::ios::out | std::ios::binary);
            log.seekp(200);
            log.put('\x5a');
        }
    }
    EXPECT_EQ(Open(false), TERCET_DATA_LOSS) << error.text;
}

// A log is checked when the database is opened, a table only when it is read.
TEST_F(LeveldbStore, DamagedTableIsDataLossWhenItIsReadAndNoRowIsTakenForAbsent)
{
    {
        Harness harness("leveldb", directory.path());
        EXPECT_EQ(harness.Run(Try("g", 1)).verdict, TERCET_VERDICT_DONE);
        leveldb_compact_range(tercet_leveldb_database(harness.store), nullptr, 0, nullptr, 0);
    }
    int tables = 0;
    for (const auto &file : std::filesystem::directory_iterator(path())) {
        if (file.path().extension() == ".ldb") {
            std::fstream table(file.path(), std::ios::in | std::ios::out | std::ios::binary);
            table.seekp(30);
            table.put('\x5a');
            tables++;
        }
    }
    ASSERT_EQ(tables, 1);
    EXPECT_EQ(Open(false), TERCET_DATA_LOSS) << error.text;
}

TEST_F(LeveldbStore, DatabaseOpenElsewhereIsUnavailable)
{
    Harness harness("leveldb", directory.path());
    EXPECT_EQ(Open(true), TERCET_UNAVAILABLE);
    EXPECT_NE(std::string(error.text).find("lock"), std::string::npos) << error.text;
}

TEST_F(LeveldbStore, RowsOfANewerVersionAreRefusedWithASentence)
{
    ASSERT_EQ(Open(true), TERCET_OK);
    leveldb_options_t *options = leveldb_options_create();
    leveldb_writeoptions_t *write = leveldb_writeoptions_create();
    char *words = nullptr;
    leveldb_t *database = leveldb_open(options, path().c_str(), &words);
    ASSERT_EQ(words, nullptr);
    const std::string key = std::string(TERCET_LEVELDB_PREFIX) + "M";
    const std::string value(17, '\x02');
    leveldb_put(database, write, key.data(), key.size(), value.data(), value.size(), &words);
    ASSERT_EQ(words, nullptr);
    leveldb_close(database);
    leveldb_writeoptions_destroy(write);
    leveldb_options_destroy(options);
    EXPECT_EQ(Open(false), TERCET_FAILED_PRECONDITION);
    EXPECT_NE(std::string(error.text).find("version 2"), std::string::npos) << error.text;
    EXPECT_NE(std::string(error.text).find("newer"), std::string::npos) << error.text;
}

TEST_F(LeveldbStore, HandlersSeeTheirOwnWritesAndThoseOfTheBranchesBeforeThem)
{
    Harness harness("leveldb", directory.path());
    harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        tercet_request *r = &harness.request;
        tercet_bytes value = {};
        const int64_t number = request.number.number;
        if (number == 1) {
            EXPECT_EQ(tercet_leveldb_get(r, Text("k"), &value), TERCET_NOT_FOUND);
            EXPECT_EQ(tercet_leveldb_put(r, Text("k"), Text("one")), TERCET_OK);
            EXPECT_EQ(tercet_leveldb_get(r, Text("k"), &value), TERCET_OK);
            EXPECT_EQ(tercet_leveldb_put(r, Text("k"), Text("two")), TERCET_OK);
            EXPECT_STREQ(static_cast<const char *>(value.data), "one") << "stays until the return";
            EXPECT_EQ(tercet_leveldb_put(r, Text("gone"), Text("x")), TERCET_OK);
            EXPECT_EQ(tercet_leveldb_delete(r, Text("gone")), TERCET_OK);
            EXPECT_EQ(tercet_leveldb_get(r, Text("gone"), &value), TERCET_NOT_FOUND);
            EXPECT_EQ(tercet_leveldb_delete(r, Text("never there")), TERCET_OK);
            EXPECT_EQ(tercet_leveldb_get(r, Text("k"), nullptr), TERCET_INVALID_ARGUMENT);
        } else if (number == 2) {
            EXPECT_EQ(tercet_leveldb_get(r, Text("k"), &value), TERCET_OK);
            EXPECT_STREQ(static_cast<const char *>(value.data), "two");
            EXPECT_EQ(tercet_leveldb_put(r, Text("k"), Text("refused")), TERCET_OK);
            EXPECT_EQ(tercet_leveldb_delete(r, Text("k")), TERCET_OK);
            return TERCET_VERDICT_REFUSED;
        } else {
            EXPECT_EQ(tercet_leveldb_get(r, Text("k"), &value), TERCET_OK);
            EXPECT_STREQ(static_cast<const char *>(value.data), "two") << "rewound";
        }
        return TERCET_VERDICT_DONE;
    };
    harness.Run({Try("a", 1), Try("b", 2), Try("c", 3)});
    harness.Run(Try("d", 4));
}

TEST_F(LeveldbStore, HandlersAreKeptWithinTheirLimits)
{
    Harness harness("leveldb", directory.path());
    const std::string big(1048576, 'v'), too_big(1048577, 'v'), long_key(4097, 'k');
    const std::string own = std::string(TERCET_LEVELDB_PREFIX) + "Fx";
    harness.handler = [&](const group_request &, tercet_bytes, group_answer &) {
        tercet_request *r = &harness.request;
        const tercet_bytes value = tercet_bytes_of(big.data(), big.size());
        EXPECT_EQ(tercet_leveldb_put(r, tercet_bytes_of(own.data(), own.size()), Text("x")),
                  TERCET_INVALID_ARGUMENT);
        EXPECT_EQ(tercet_leveldb_delete(r, tercet_bytes_of(own.data(), own.size())),
                  TERCET_INVALID_ARGUMENT);
        EXPECT_EQ(
            tercet_leveldb_put(r, tercet_bytes_of(long_key.data(), long_key.size()), Text("x")),
            TERCET_INVALID_ARGUMENT);
        EXPECT_EQ(tercet_leveldb_put(r, Text(""), Text("x")), TERCET_INVALID_ARGUMENT);
        EXPECT_EQ(
            tercet_leveldb_put(r, Text("big"), tercet_bytes_of(too_big.data(), too_big.size())),
            TERCET_INVALID_ARGUMENT);
        for (int i = 0; i < 3; i++) {
            EXPECT_EQ(tercet_leveldb_put(r, Text("big"), value), TERCET_OK);
        }
        EXPECT_EQ(tercet_leveldb_put(r, Text("big"), value), TERCET_RESOURCE_EXHAUSTED)
            << "4 MiB, the fence's own bytes counted";
        return TERCET_VERDICT_DONE;
    };
    EXPECT_EQ(harness.Run(Try("g", 1)).verdict, TERCET_VERDICT_DONE);
    Harness memory("memory", "");
    memory.handler = [&](const group_request &, tercet_bytes, group_answer &) {
        tercet_bytes value = {};
        EXPECT_EQ(tercet_leveldb_get(&memory.request, Text("k"), &value),
                  TERCET_FAILED_PRECONDITION);
        EXPECT_EQ(tercet_leveldb_put(&memory.request, Text("k"), value),
                  TERCET_FAILED_PRECONDITION);
        return TERCET_VERDICT_DONE;
    };
    EXPECT_EQ(memory.Run(Try("g", 1)).verdict, TERCET_VERDICT_DONE);
    EXPECT_EQ(tercet_leveldb_database(memory.store), nullptr);
}

// In a process of its own, because the limit holds for all that it writes.
void RunWithAFullDisk(const std::string &directory)
{
    Harness harness("leveldb", directory);
    signal(SIGXFSZ, SIG_IGN);
    bool good = harness.Run(Try("before", 1)).verdict == TERCET_VERDICT_DONE;
    rlimit limit = {};
    getrlimit(RLIMIT_FSIZE, &limit);
    const rlim_t was = limit.rlim_cur;
    limit.rlim_cur = 1000; // as a full disk would
    setrlimit(RLIMIT_FSIZE, &limit);
    int later = 0;
    for (int i = 0; i < 20 && later == 0; i++) {
        later +=
            harness.Run(Try("full-" + std::to_string(i), 10 + i)).verdict == TERCET_VERDICT_LATER;
    }
    good = good && later == 1;
    limit.rlim_cur = was; // space is there again
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 3; i++) {
        const group_answer answer = harness.Run(Try("after", 100));
        good = good && answer.verdict == TERCET_VERDICT_LATER &&
               strstr(answer.text, "start the process again") != nullptr;
    }
    good = good && harness.Apply(5, {10, 200}) == TERCET_UNAVAILABLE;
    fprintf(stderr, "%s: %s\n", good ? "good" : "bad", harness.error.text);
    exit(good ? 0 : 1);
}

// LevelDB goes on after a failed write and loses what it then acknowledges, so we must not.
TEST(LeveldbStoreDeathTest, OneFailedWriteEndsTheStoreForGood)
{
    TemporaryDirectory directory;
    EXPECT_EXIT(RunWithAFullDisk(directory.path()), testing::ExitedWithCode(0), "good");
    Harness harness("leveldb", directory.path());
    EXPECT_EQ(harness.State("before"), TERCET_FENCE_TRIED);
    EXPECT_EQ(harness.State("after"), TERCET_FENCE_NONE);
}

} // namespace
} // namespace fence_test

// Making a store: what is refused before anything of a database is touched.
#include "fence/struct_size.h"
#include "store_fixture.h"
#include "tercet/store_leveldb.h"
#include "tercet/store_memory.h"
#include "tercet/store_sqlite.h"

namespace fence_test
{
namespace
{

class Store : public testing::Test
{
  protected:
    Store() : harness("memory", directory.path()), ops(*harness.group.ops)
    {
        options.size = sizeof options;
    }

    tercet_status Create()
    {
        error = {};
        const tercet_status status =
            tercet_store_create(&ops, harness.group.self, &options, &store, &error);
        EXPECT_EQ(store, nullptr);
        return status;
    }

    bool Says(const char *text) const
    {
        return std::string(error.text).find(text) != std::string::npos;
    }

    TemporaryDirectory directory;
    Harness harness;
    tercet_store_ops ops;
    tercet_store_options options = {};
    tercet_store *store = nullptr;
    tercet_error error = {};
};

TEST_F(Store, OpsWithAMissingSlotOrOfAnotherSizeAreRefused)
{
    ops.rewind = nullptr;
    EXPECT_EQ(Create(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("tercet_store_ops.rewind")) << error.text;
    ops = *harness.group.ops;
    ops.size = 0;
    EXPECT_EQ(Create(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("tercet_store_ops.size")) << error.text;
    ops.size = sizeof ops - sizeof(void *); // an older library's, without the last slot
    EXPECT_EQ(Create(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("must be at least")) << error.text;
}

TEST_F(Store, OptionsOverTheirLimitsAreRefusedAndNamed)
{
    options.batch_max = STORE_BATCH_MAX + 1;
    EXPECT_EQ(Create(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("batch_max: 1025")) << error.text;
    options.batch_max = 0;
    options.connection_count = STORE_CONNECTION_COUNT_MAX + 1;
    EXPECT_EQ(Create(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("connection_count")) << error.text;
    options.connection_count = 0;
    options.queue_max = static_cast<uint32_t>(INT32_MAX) + 1;
    EXPECT_EQ(Create(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("queue_max")) << error.text;
    options.size = 1;
    EXPECT_EQ(Create(), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("tercet_store_options.size: 1")) << error.text;
    tercet_store_close(nullptr);
}

TEST_F(Store, OptionsThatAreNotSetHaveDefaults)
{
    EXPECT_EQ(harness.store->options.batch_max, 512u) << "in memory a branch takes microseconds";
    EXPECT_EQ(harness.store->options.queue_max, 10000u);
    EXPECT_EQ(harness.store->options.connection_count, 1u);
    ops.close = [](void *) {}; // the harness closes it
    ASSERT_EQ(tercet_store_create(&ops, harness.group.self, &options, &store, &error), TERCET_OK);
    EXPECT_EQ(store->options.batch_max, 64u) << "a store of somebody's own";
    tercet_store_close(store);
}

// A struct of a newer header is taken as long as nothing is set in it that this library would ignore.
TEST_F(Store, AStructOfAnotherVersionIsReadAsFarAsBothKnowIt)
{
    struct Known {
        size_t size;
        uint64_t first;
        uint64_t second;
    };
    struct Newer {
        Known known;
        uint64_t third;
    };
    Known known = {};
    Newer newer = {{sizeof newer, 1, 2}, 0};
    EXPECT_EQ(struct_size_read(&newer, &known, sizeof known, "it", &error), TERCET_OK);
    EXPECT_EQ(known.second, 2u);
    newer.third = 1;
    EXPECT_EQ(struct_size_read(&newer, &known, sizeof known, "it", &error),
              TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("link a newer one")) << error.text;
    Known older = {2 * sizeof(uint64_t), 7, 8};
    EXPECT_EQ(struct_size_read(&older, &known, sizeof known, "it", &error), TERCET_OK);
    EXPECT_EQ(known.first, 7u);
    EXPECT_EQ(known.second, 0u) << "what the caller does not know is not set";
    for (const size_t size : {size_t{0}, size_t{7}, size_t{4097}, SIZE_MAX}) {
        older.size = size; // forgotten, or never written
        EXPECT_EQ(struct_size_read(&older, &known, sizeof known, "it", &error),
                  TERCET_INVALID_ARGUMENT);
        EXPECT_TRUE(Says("it.size")) << error.text;
    }
    EXPECT_EQ(struct_size_read(nullptr, &known, sizeof known, "it", &error),
              TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("it: must not be NULL")) << error.text;
}

TEST_F(Store, EveryKindRefusesOptionsThatItCannotReadOrCarryOut)
{
    tercet_memory_options memory = {};
    EXPECT_EQ(tercet_memory_open(&memory, &store, &error), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("tercet_memory_options.size")) << error.text;
    memory.size = sizeof memory;
    memory.batch_max = STORE_BATCH_MAX + 1;
    EXPECT_EQ(tercet_memory_open(&memory, &store, &error), TERCET_INVALID_ARGUMENT);

    const std::string path = directory.path() + "/any.db";
    tercet_sqlite_options sqlite = {};
    EXPECT_EQ(tercet_sqlite_open(&sqlite, &store, &error), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("tercet_sqlite_options.size")) << error.text;
    sqlite.size = sizeof sqlite;
    for (const char *none : {static_cast<const char *>(nullptr), ""}) {
        sqlite.path = none;
        EXPECT_EQ(tercet_sqlite_open(&sqlite, &store, &error), TERCET_INVALID_ARGUMENT);
        EXPECT_TRUE(Says("path: required")) << error.text;
    }
    sqlite.path = path.c_str();
    sqlite.batch_max = STORE_BATCH_MAX + 1;
    EXPECT_EQ(tercet_sqlite_open(&sqlite, &store, &error), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("batch_max")) << error.text;

    tercet_leveldb_options leveldb = {};
    EXPECT_EQ(tercet_leveldb_open(&leveldb, &store, &error), TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(Says("tercet_leveldb_options.size")) << error.text;
    leveldb.size = sizeof leveldb;
    for (const char *none : {static_cast<const char *>(nullptr), ""}) {
        leveldb.path = none;
        EXPECT_EQ(tercet_leveldb_open(&leveldb, &store, &error), TERCET_INVALID_ARGUMENT);
        EXPECT_TRUE(Says("path: required")) << error.text;
    }
    const std::string other = directory.path() + "/other.db";
    leveldb.path = other.c_str();
    leveldb.create_if_missing = true;
    leveldb.batch_max = STORE_BATCH_MAX + 1;
    EXPECT_EQ(tercet_leveldb_open(&leveldb, &store, &error), TERCET_INVALID_ARGUMENT);
    leveldb.batch_max = 0;
    ASSERT_EQ(tercet_leveldb_open(&leveldb, &store, &error), TERCET_OK)
        << "and nothing is left open: " << error.text;
    tercet_store_close(store);
    store = nullptr;
    EXPECT_EQ(tercet_leveldb_database(nullptr), nullptr);
}

} // namespace
} // namespace fence_test

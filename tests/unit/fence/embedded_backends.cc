// The stores that live in the participant's own process.
#include <gtest/gtest.h>
#include <leveldb/c.h>
#include <sqlite3.h>

#include "fence/kv_fence.h"
#include "store_kinds.h"
#include "tercet/store_leveldb.h"
#include "tercet/store_memory.h"
#include "tercet/store_sqlite.h"

namespace fence_test
{
namespace
{

class SqliteBackend : public Backend
{
  public:
    explicit SqliteBackend(const std::string &directory) : path_(directory + "/sqlite.db") {}

    tercet_status Open(uint32_t busy_timeout_ms, tercet_store **store, tercet_error *error) override
    {
        tercet_sqlite_options options = {};
        options.size = sizeof options;
        options.path = path_.c_str();
        options.setup_sql = "CREATE TABLE IF NOT EXISTS effect (name TEXT PRIMARY KEY, n INTEGER)";
        options.busy_timeout_ms = busy_timeout_ms;
        return tercet_sqlite_open(&options, store, error);
    }

    tercet_verdict LeaveEffect(tercet_request *request, void *, const std::string &name) override
    {
        sqlite3_stmt *statement = tercet_sqlite_prepare(
            request, "INSERT INTO effect VALUES (?1, 1) ON CONFLICT DO UPDATE SET n = n + 1");
        if (sqlite3_bind_text(statement, 1, name.c_str(), -1, SQLITE_TRANSIENT) != SQLITE_OK) {
            return TERCET_VERDICT_UNSPECIFIED;
        }
        return sqlite3_step(statement) == SQLITE_DONE ? TERCET_VERDICT_DONE
                                                      : TERCET_VERDICT_UNSPECIFIED;
    }

    int Effects(tercet_store *, const std::string &name) override
    {
        sqlite3 *database = nullptr;
        sqlite3_stmt *statement = nullptr;
        EXPECT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
        sqlite3_busy_timeout(database, 20000);
        EXPECT_EQ(sqlite3_prepare_v2(database, "SELECT n FROM effect WHERE name = ?1", -1,
                                     &statement, nullptr),
                  SQLITE_OK);
        sqlite3_bind_text(statement, 1, name.c_str(), -1, SQLITE_TRANSIENT);
        const int count =
            sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int(statement, 0) : 0;
        sqlite3_finalize(statement);
        sqlite3_close(database);
        return count;
    }

  private:
    std::string path_;
};

// An effect is a value that grows by one byte.
tercet_bytes Bytes(const std::string &text)
{
    return tercet_bytes_of(text.data(), text.size());
}

class MemoryBackend : public Backend
{
  public:
    tercet_status Open(uint32_t, tercet_store **store, tercet_error *error) override
    {
        tercet_memory_options options = {};
        options.size = sizeof options;
        return tercet_memory_open(&options, store, error);
    }

    tercet_verdict LeaveEffect(tercet_request *, void *connection, const std::string &name) override
    {
        tercet_bytes value = {"", 0};
        auto *fence = static_cast<kv_fence *>(connection);
        const tercet_status status = kv_fence_get(fence, Bytes(name), &value, nullptr);
        if (status != TERCET_OK && status != TERCET_NOT_FOUND) {
            return TERCET_VERDICT_UNSPECIFIED;
        }
        const std::string grown(value.size + 1, '#');
        const tercet_bytes bytes = Bytes(grown);
        overlay_put(&fence->overlay, Bytes(name), &bytes);
        return TERCET_VERDICT_DONE;
    }

    int Effects(tercet_store *store, const std::string &name) override
    {
        tercet_bytes value = {"", 0};
        void *fence = nullptr;
        EXPECT_EQ(store->ops->connect(store->self, &fence, nullptr), TERCET_OK);
        return kv_fence_get(static_cast<kv_fence *>(fence), Bytes(name), &value, nullptr) ==
                       TERCET_OK
                   ? static_cast<int>(value.size)
                   : 0;
    }
};

class LeveldbBackend : public Backend
{
  public:
    explicit LeveldbBackend(const std::string &directory) : path_(directory + "/leveldb.db") {}

    tercet_status Open(uint32_t, tercet_store **store, tercet_error *error) override
    {
        tercet_leveldb_options options = {};
        options.size = sizeof options;
        options.path = path_.c_str();
        options.create_if_missing = true;
        return tercet_leveldb_open(&options, store, error);
    }

    tercet_verdict LeaveEffect(tercet_request *request, void *, const std::string &name) override
    {
        tercet_bytes value = {"", 0};
        const tercet_status status = tercet_leveldb_get(request, Bytes(name), &value);
        if (status != TERCET_OK && status != TERCET_NOT_FOUND) {
            return TERCET_VERDICT_UNSPECIFIED;
        }
        const std::string grown(value.size + 1, '#');
        return tercet_leveldb_put(request, Bytes(name), Bytes(grown)) == TERCET_OK
                   ? TERCET_VERDICT_DONE
                   : TERCET_VERDICT_UNSPECIFIED;
    }

    int Effects(tercet_store *store, const std::string &name) override
    {
        leveldb_readoptions_t *options = leveldb_readoptions_create();
        char *words = nullptr;
        size_t size = 0;
        char *value = leveldb_get(tercet_leveldb_database(store), options, name.data(), name.size(),
                                  &size, &words);
        leveldb_readoptions_destroy(options);
        EXPECT_EQ(words, nullptr);
        const int count = value == nullptr ? 0 : static_cast<int>(size);
        leveldb_free(value);
        return count;
    }

  private:
    std::string path_;
};

} // namespace

std::unique_ptr<Backend> MakeBackend(const std::string &kind, const std::string &directory)
{
    if (kind == "memory") {
        return std::make_unique<MemoryBackend>();
    }
    if (kind == "sqlite") {
        return std::make_unique<SqliteBackend>(directory);
    }
    return std::make_unique<LeveldbBackend>(directory);
}

std::vector<std::string> AllKinds()
{
    return {"memory", "sqlite", "leveldb"};
}

std::vector<std::string> DurableKinds()
{
    return {"sqlite", "leveldb"};
}

std::vector<std::string> SharedKinds()
{
    return {"sqlite"};
}

} // namespace fence_test

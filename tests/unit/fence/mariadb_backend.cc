#include "mariadb_backend.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "store_kinds.h"
#include "support/mariadb_server.h"

namespace fence_test
{

std::string TablesOf(const std::string &directory)
{
    std::string name = "s";
    for (const char byte : std::filesystem::path(directory).filename().string()) {
        const char digits[] = "0123456789abcdef";
        name += digits[static_cast<unsigned char>(byte) >> 4];
        name += digits[byte & 15];
    }
    return name;
}

std::string AskServer(const std::string &sql)
{
    static std::mutex mutex;
    static MYSQL link;
    static bool linked = false;
    static pid_t owner = 0;
    const std::lock_guard<std::mutex> lock(mutex);
    bool done = false;
    for (int round = 0; round < 2 && !done; round++) {
        // A child has connections of its own; a server that was started again has forgotten this one.
        if (owner != getpid() || !linked) {
            owner = getpid();
            mysql_init(&link);
            linked = mysql_real_connect(&link, nullptr, "root", nullptr, nullptr, 0,
                                        MariadbServer::Shared().Socket().c_str(), 0) != nullptr;
        }
        done = linked && mysql_query(&link, sql.c_str()) == 0;
        if (!done && mysql_errno(&link) >= 2000) {
            mysql_close(&link);
            linked = false;
        }
    }
    EXPECT_TRUE(done) << sql << ": " << mysql_error(&link);
    MYSQL_RES *rows = mysql_store_result(&link);
    const MYSQL_ROW row = rows == nullptr ? nullptr : mysql_fetch_row(rows);
    const std::string value = row == nullptr || row[0] == nullptr ? "" : row[0];
    mysql_free_result(rows);
    return value;
}

int WaitingInServer()
{
    return std::stoi(AskServer("SELECT variable_value FROM information_schema.global_status"
                               " WHERE variable_name = 'Innodb_row_lock_current_waits'"));
}

// Prepared, as in a service; closing it wipes the connection's last error.
tercet_verdict LeaveEffectOn(MYSQL *connection, const std::string &name)
{
    const std::string sql = "INSERT INTO effect VALUES (?, 1) ON DUPLICATE KEY UPDATE n = n + 1";
    MYSQL_BIND bind = {};
    bind.buffer_type = MYSQL_TYPE_STRING;
    bind.buffer = const_cast<char *>(name.data());
    bind.buffer_length = name.size();
    MYSQL_STMT *statement = mysql_stmt_init(connection);
    const bool done = mysql_stmt_prepare(statement, sql.data(), sql.size()) == 0 &&
                      mysql_stmt_bind_param(statement, &bind) == 0 &&
                      mysql_stmt_execute(statement) == 0;
    mysql_stmt_close(statement);
    return done ? TERCET_VERDICT_DONE : TERCET_VERDICT_UNSPECIFIED;
}

namespace
{

class MariadbBackend : public Backend
{
  public:
    MariadbBackend(const std::string &kind, const std::string &directory)
        : database_(TablesOf(directory))
    {
        if (kind == "mariadb_repeatable_read") {
            isolation_ = TERCET_MARIADB_REPEATABLE_READ;
        } else if (kind == "mariadb_serializable") {
            isolation_ = TERCET_MARIADB_SERIALIZABLE;
        }
        AskServer("CREATE DATABASE IF NOT EXISTS " + database_ + " COLLATE utf8mb4_bin");
    }

    tercet_status Open(uint32_t busy_timeout_ms, tercet_store **store, tercet_error *error) override
    {
        const std::string socket = MariadbServer::Shared().Socket();
        tercet_mariadb_options options = {};
        options.size = sizeof options;
        options.unix_socket = socket.c_str();
        options.database = database_.c_str();
        options.user = "root";
        options.setup_sql = "CREATE TABLE IF NOT EXISTS effect"
                            " (name VARCHAR(200) PRIMARY KEY, n INT) ENGINE = InnoDB";
        options.lock_timeout_s = (busy_timeout_ms + 999) / 1000;
        options.isolation = isolation_;
        options.create_tables = true;
        return tercet_mariadb_open(&options, store, error);
    }

    tercet_verdict LeaveEffect(tercet_request *request, void *, const std::string &name) override
    {
        return LeaveEffectOn(tercet_mariadb_connection(request), name);
    }

    int Effects(tercet_store *, const std::string &name) override
    {
        const std::string count =
            AskServer("SELECT n FROM " + database_ + ".effect WHERE name = '" + name + "'");
        return count.empty() ? 0 : std::stoi(count);
    }

  private:
    tercet_mariadb_isolation isolation_ = TERCET_MARIADB_READ_COMMITTED;
    std::string database_;
};

// Before any test: a child of one that started it would take it along when it is killed.
class ServerIsThere : public testing::Environment
{
    void SetUp() override
    {
        if (MariadbServer::Installed()) {
            MariadbServer::Shared();
        }
    }
};

const testing::Environment *const environment =
    testing::AddGlobalTestEnvironment(new ServerIsThere);

std::vector<std::string> IfInstalled(const std::vector<std::string> &kinds)
{
    return MariadbServer::Installed() ? kinds : std::vector<std::string>();
}

} // namespace

std::unique_ptr<Backend> MakeBackend(const std::string &kind, const std::string &directory)
{
    return std::make_unique<MariadbBackend>(kind, directory);
}

// The other levels' own part is in the races; in a long run, everything.
std::vector<std::string> AllKinds()
{
    return getenv("TERCET_RACES") == nullptr ? IfInstalled({"mariadb"}) : SharedKinds();
}

std::vector<std::string> DurableKinds()
{
    return IfInstalled({"mariadb"});
}

std::vector<std::string> SharedKinds()
{
    return IfInstalled({"mariadb", "mariadb_repeatable_read", "mariadb_serializable"});
}

} // namespace fence_test

#include "mariadb_backend.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <mutex>

#include "fence/mariadb_connection.h"
#include "store_kinds.h"
#include "support/mariadb_server.h"

namespace fence_test
{

const ServerFacts &Facts()
{
    static const ServerFacts facts = {
        .kind = "mariadb",
        .round_trips = 3,
        .empty_round_trips = 2,
        .lock_timeout_ms = 1000,
        .lock_timeout = "1205",
        .unknown_table = "1146",
        .misdeeds = {{"commit", {"COMMIT"}, true},
                     {"rollback", {"ROLLBACK"}, false},
                     {"commit_begin", {"COMMIT", "BEGIN"}, true},
                     {"commit_and_chain", {"COMMIT AND CHAIN"}, true},
                     {"rollback_begin_savepoint",
                      {"ROLLBACK", "BEGIN", "SAVEPOINT tercet_branch"},
                      false},
                     {"rollback_to_ours", {"ROLLBACK TO tercet_branch"}, false},
                     {"definition", {"CREATE TABLE made (x INT)"}, true}},
        .spoilers = {"UPDATE @tercet_fence SET digest = 'x'",
                     "UPDATE @tercet_fence SET action = ''", "UPDATE @tercet_fence SET state = 7",
                     "UPDATE @tercet_fence SET scope = scope + 100"},
        .version = "-10.11.",
        .old_version = "-10.04.",
        .too_old = "MariaDB 10.5 or newer is needed, and this is 10.04.",
        .ended = CuttingRelay::MariadbEnded,
        .commit = ";COMMIT",
        .describe = "store_id",
        .of_a_branch = {"INSERT INTO tercet_fence", "RELEASE SAVEPOINT tercet_watch"},
        .of_a_mark = {"UPDATE tercet_scope", "DELETE f FROM"},
        .of_connecting = {"autocommit", "binlog_format", "SELECT version", "COUNT(*)"},
        .tls = {.untrusted = "certificate",
                .misnamed = "Validation of SSL server certificate failed",
                .missing = "SSL is required, but the server does not support it",
                .wanted = "Access denied"},
    };
    return facts;
}

bool ServerInstalled()
{
    return MariadbServer::Installed();
}

ServerProcess &Server()
{
    return MariadbServer::Shared();
}

std::string ServerSocket()
{
    return MariadbServer::Shared().Socket();
}

namespace
{

tercet_status OpenAs(const char *user, const std::string &socket, const char *authority,
                     const std::string &directory, tercet_store **store, tercet_error *error)
{
    const std::string database = TablesOf(directory);
    tercet_mariadb_options options = {};
    options.size = sizeof options;
    options.unix_socket = socket.c_str();
    options.database = database.c_str();
    options.user = user;
    options.tls_ca_file = authority;
    return tercet_mariadb_open(&options, store, error);
}

} // namespace

tercet_status OpenBehind(const CuttingRelay &relay, const std::string &directory,
                         tercet_store **store, tercet_error *error)
{
    return OpenAs("root", relay.Socket(), nullptr, directory, store, error);
}

void StartWithTls(const std::string &certificate, const std::string &authority)
{
    MariadbServer::Shared().StartWith(
        {"--ssl-cert=" + certificate, "--ssl-key=" + certificate, "--ssl-ca=" + authority});
}

void StartWithoutTls()
{
    MariadbServer::Shared().Start();
}

tercet_status OpenTrusting(const std::string &authority, const std::string &directory,
                           tercet_store **store, tercet_error *error)
{
    return OpenAs("root", ServerSocket(), authority.c_str(), directory, store, error);
}

tercet_status OpenPlainly(const std::string &directory, tercet_store **store, tercet_error *error)
{
    AskServer("CREATE USER IF NOT EXISTS by_tls REQUIRE SSL");
    AskServer("GRANT ALL ON *.* TO by_tls");
    return OpenAs("by_tls", ServerSocket(), nullptr, directory, store, error);
}

// A session's status is nobody else's to ask for.
bool IsEncrypted(const tercet_request &request)
{
    MYSQL *link = tercet_mariadb_connection(&request);
    EXPECT_EQ(mysql_query(link, "SHOW SESSION STATUS LIKE 'Ssl_cipher'"), 0) << mysql_error(link);
    MYSQL_RES *rows = mysql_store_result(link);
    const MYSQL_ROW row = mysql_fetch_row(rows);
    const bool encrypted = row != nullptr && row[1][0] != '\0';
    mysql_free_result(rows);
    return encrypted;
}

void EndSession(void *connection)
{
    AskServer("KILL " + std::to_string(mysql_thread_id(
                            &static_cast<struct mariadb_connection *>(connection)->link)));
}

void Execute(const tercet_request &request, const std::string &sql)
{
    mysql_query(tercet_mariadb_connection(&request), sql.c_str());
}

tercet_verdict FailBy(tercet_request *request, const std::string &sql)
{
    if (HasConnection(*request)) {
        Execute(*request, sql);
    }
    return tercet_mariadb_failed(request);
}

bool HasConnection(const tercet_request &request)
{
    return tercet_mariadb_connection(&request) != nullptr;
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

} // namespace

std::unique_ptr<Backend> MakeBackend(const std::string &kind, const std::string &directory)
{
    return std::make_unique<MariadbBackend>(kind, directory);
}

} // namespace fence_test

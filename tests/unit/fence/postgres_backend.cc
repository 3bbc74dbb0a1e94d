#include "postgres_backend.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "store_kinds.h"
#include "support/postgres_server.h"

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

std::string ConninfoOf(const std::string &directory, const std::string &server)
{
    return server + " options='-csearch_path=" + TablesOf(directory) + "'";
}

std::string ConninfoOf(const std::string &directory)
{
    return ConninfoOf(directory, PostgresServer::Shared().Conninfo());
}

tercet_postgres_isolation IsolationOf(const std::string &kind)
{
    if (kind == "postgres_serializable") {
        return TERCET_POSTGRES_SERIALIZABLE;
    }
    return kind == "postgres_repeatable_read" ? TERCET_POSTGRES_REPEATABLE_READ
                                              : TERCET_POSTGRES_READ_COMMITTED;
}

std::string AskServer(const std::string &sql)
{
    static std::mutex mutex;
    static PGconn *link = nullptr;
    static pid_t owner = 0;
    const std::lock_guard<std::mutex> lock(mutex);
    PGresult *result = nullptr;
    for (int round = 0; round < 2; round++) {
        // A child has connections of its own; a server that was started again has forgotten this one.
        if (owner != getpid() || PQstatus(link) != CONNECTION_OK) {
            PQfinish(owner == getpid() ? link : nullptr);
            link = PQconnectdb(PostgresServer::Shared().Conninfo().c_str());
            owner = getpid();
            PQsetNoticeReceiver(
                link, [](void *, const PGresult *) {}, nullptr);
        }
        PQclear(result);
        result = PQexec(link, sql.c_str());
        if (PQstatus(link) == CONNECTION_OK) {
            break;
        }
    }
    EXPECT_TRUE(PQresultStatus(result) == PGRES_TUPLES_OK ||
                PQresultStatus(result) == PGRES_COMMAND_OK)
        << sql << ": " << PQerrorMessage(link);
    const std::string value = PQntuples(result) == 0 ? "" : PQgetvalue(result, 0, 0);
    PQclear(result);
    return value;
}

int WaitingInServer()
{
    return std::stoi(AskServer("SELECT count(*) FROM pg_locks WHERE NOT granted"));
}

tercet_verdict LeaveEffectOn(PGconn *connection, const std::string &name)
{
    const char *values[] = {name.c_str()};
    PGresult *result =
        PQexecParams(connection,
                     "INSERT INTO effect VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET n = "
                     "effect.n + 1",
                     1, nullptr, values, nullptr, nullptr, 0);
    const bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return done ? TERCET_VERDICT_DONE : TERCET_VERDICT_UNSPECIFIED;
}

namespace
{

class PostgresBackend : public Backend
{
  public:
    PostgresBackend(const std::string &kind, const std::string &directory)
        : isolation_(IsolationOf(kind)), schema_(TablesOf(directory)),
          conninfo_(ConninfoOf(directory))
    {
    }

    tercet_status Open(uint32_t busy_timeout_ms, tercet_store **store, tercet_error *error) override
    {
        const std::string setup =
            "CREATE SCHEMA IF NOT EXISTS " + schema_ +
            "; CREATE TABLE IF NOT EXISTS effect (name text PRIMARY KEY, n int)";
        tercet_postgres_options options = {};
        options.size = sizeof options;
        options.conninfo = conninfo_.c_str();
        options.setup_sql = setup.c_str();
        options.lock_timeout_ms = busy_timeout_ms;
        options.statement_timeout_ms = 2 * busy_timeout_ms;
        options.isolation = isolation_;
        options.create_tables = true;
        return tercet_postgres_open(&options, store, error);
    }

    tercet_verdict LeaveEffect(tercet_request *request, void *, const std::string &name) override
    {
        return LeaveEffectOn(tercet_postgres_connection(request), name);
    }

    int Effects(tercet_store *, const std::string &name) override
    {
        const std::string count =
            AskServer("SELECT n FROM " + schema_ + ".effect WHERE name = '" + name + "'");
        return count.empty() ? 0 : std::stoi(count);
    }

  private:
    tercet_postgres_isolation isolation_;
    std::string schema_;
    std::string conninfo_;
};

// Before any test: a child of one that started it would take it along when it is killed.
class ServerIsThere : public testing::Environment
{
    void SetUp() override
    {
        if (!PostgresServer::Binaries().empty()) {
            PostgresServer::Shared();
        }
    }
};

const testing::Environment *const environment =
    testing::AddGlobalTestEnvironment(new ServerIsThere);

std::vector<std::string> IfInstalled(const std::vector<std::string> &kinds)
{
    return PostgresServer::Binaries().empty() ? std::vector<std::string>() : kinds;
}

} // namespace

std::unique_ptr<Backend> MakeBackend(const std::string &kind, const std::string &directory)
{
    return std::make_unique<PostgresBackend>(kind, directory);
}

// The other levels' own part is in the races; in a long run, everything.
std::vector<std::string> AllKinds()
{
    return getenv("TERCET_RACES") == nullptr ? IfInstalled({"postgres"}) : SharedKinds();
}

std::vector<std::string> DurableKinds()
{
    return IfInstalled({"postgres"});
}

std::vector<std::string> SharedKinds()
{
    return IfInstalled({"postgres", "postgres_repeatable_read", "postgres_serializable"});
}

} // namespace fence_test

#include "postgres_backend.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <mutex>

#include "fence/postgres_connection.h"
#include "store_kinds.h"
#include "support/postgres_server.h"

namespace fence_test
{

const ServerFacts &Facts()
{
    static const ServerFacts facts = {
        .kind = "postgres",
        .round_trips = 2,
        .empty_round_trips = 2,
        .lock_timeout_ms = 30,
        .lock_timeout = "55P03",
        .unknown_table = "42P01",
        .misdeeds = {{"commit", {"COMMIT"}, true},
                     {"rollback", {"ROLLBACK"}, false},
                     {"commit_begin", {"COMMIT; BEGIN"}, true},
                     {"commit_and_chain", {"COMMIT AND CHAIN"}, true},
                     {"rollback_and_chain", {"ROLLBACK AND CHAIN"}, false},
                     {"rollback_begin", {"ROLLBACK; BEGIN"}, false},
                     {"rollback_begin_savepoint",
                      {"ROLLBACK; BEGIN; SAVEPOINT tercet_branch"},
                      false},
                     {"rollback_to_ours", {"ROLLBACK TO tercet_branch"}, false},
                     {"our_sign", {"SET LOCAL application_name = 'mine'"}, false}},
        .spoilers = {"UPDATE @tercet_fence SET digest = '\\x00'",
                     "UPDATE @tercet_fence SET action = ''",
                     "UPDATE @tercet_fence SET result = convert_to(repeat('x', 1025), 'UTF8')",
                     "ALTER TABLE @tercet_fence DROP CONSTRAINT tercet_fence_state_check;"
                     " UPDATE @tercet_fence SET state = 7",
                     "UPDATE @tercet_fence SET state = 0",
                     "UPDATE @tercet_fence SET scope = scope + 1, state = 1"},
        .version = "15.",
        .old_version = "12.",
        .too_old = "is too old; 13 or newer is needed",
        .ended = CuttingRelay::PostgresEnded,
        .commit = "tercet_commit",
        .describe = "tercet_describe",
        .of_a_branch = {"tercet_row_insert"},
        .of_a_mark = {"tercet_begin_sweep", "tercet_sweep"},
        .of_connecting = {"fsync", "quote_ident", "SELECT version", "tercet_kept"},
        .tls = {.untrusted = "may have expired, or is not signed by what sslrootcert names",
                .misnamed = "certificate for \"elsewhere\" does not match host name \"localhost\"",
                .missing = "server does not support SSL",
                .wanted = "sslmode is disable, and the server may let nobody in without TLS"},
    };
    return facts;
}

bool ServerInstalled()
{
    return !PostgresServer::Binaries().empty();
}

ServerProcess &Server()
{
    return PostgresServer::Shared();
}

std::string ServerSocket()
{
    return PostgresServer::Shared().directory() + "/.s.PGSQL." +
           std::to_string(PostgresServer::kPort);
}

namespace
{

tercet_status OpenAt(const std::string &server, const std::string &directory, tercet_store **store,
                     tercet_error *error)
{
    const std::string conninfo = ConninfoOf(directory, server);
    tercet_postgres_options options = {};
    options.size = sizeof options;
    options.conninfo = conninfo.c_str();
    return tercet_postgres_open(&options, store, error);
}

} // namespace

tercet_status OpenBehind(const CuttingRelay &relay, const std::string &directory,
                         tercet_store **store, tercet_error *error)
{
    return OpenAt("host=" + relay.directory() + " port=" + std::to_string(CuttingRelay::kPort) +
                      " user=tercet dbname=postgres",
                  directory, store, error);
}

void StartWithTls(const std::string &certificate, const std::string &authority)
{
    PostgresServer::Shared().StartWithTls(certificate, authority);
}

void StartWithoutTls()
{
    PostgresServer::Shared().StartWithoutTls();
}

tercet_status OpenTrusting(const std::string &authority, const std::string &directory,
                           tercet_store **store, tercet_error *error)
{
    return OpenAt(PostgresServer::Shared().NetworkConninfo() +
                      " sslmode=verify-full sslrootcert=" + authority,
                  directory, store, error);
}

tercet_status OpenPlainly(const std::string &directory, tercet_store **store, tercet_error *error)
{
    return OpenAt(PostgresServer::Shared().NetworkConninfo() + " sslmode=disable", directory, store,
                  error);
}

bool IsEncrypted(const tercet_request &request)
{
    const int process = PQbackendPID(tercet_postgres_connection(&request));
    return AskServer("SELECT ssl FROM pg_stat_ssl WHERE pid = " + std::to_string(process)) == "t";
}

void EndSession(void *connection)
{
    PGconn *link = static_cast<postgres_connection *>(connection)->link;
    AskServer("SELECT pg_terminate_backend(" + std::to_string(PQbackendPID(link)) + ")");
    while (PQstatus(link) == CONNECTION_OK) {
        PQclear(PQexec(link, "SELECT 1"));
    }
}

void Execute(const tercet_request &request, const std::string &sql)
{
    PQclear(PQexec(tercet_postgres_connection(&request), sql.c_str()));
}

tercet_verdict FailBy(tercet_request *request, const std::string &sql)
{
    PGresult *result = HasConnection(*request)
                           ? PQexec(tercet_postgres_connection(request), sql.c_str())
                           : nullptr;
    const tercet_verdict verdict = tercet_postgres_failed(request, result);
    PQclear(result);
    return verdict;
}

bool HasConnection(const tercet_request &request)
{
    return tercet_postgres_connection(&request) != nullptr;
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

} // namespace

std::unique_ptr<Backend> MakeBackend(const std::string &kind, const std::string &directory)
{
    return std::make_unique<PostgresBackend>(kind, directory);
}

} // namespace fence_test

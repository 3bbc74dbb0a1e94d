#include <libpq-fe.h>

#include "support/postgres_server.h"
#include "tercet/store_postgres.h"
#include "unit/sdk/accounts.h"

bool Accounts::Installed()
{
    return !PostgresServer::Binaries().empty();
}

ServerProcess &Accounts::Server()
{
    return PostgresServer::Shared();
}

std::string Accounts::Value(const std::string &sql)
{
    PGconn *link = PQconnectdb(PostgresServer::Shared().Conninfo().c_str());
    PQsetNoticeReceiver(
        link, [](void *, const PGresult *) {}, nullptr);
    PGresult *result = PQexec(link, sql.c_str());
    const std::string value = PQntuples(result) == 0 ? "" : PQgetvalue(result, 0, 0);
    PQclear(result);
    PQfinish(link);
    return value;
}

std::string Accounts::Schema()
{
    return "";
}

void Accounts::Make()
{
    Value("DROP TABLE IF EXISTS account; CREATE TABLE account (id int PRIMARY KEY, balance int);"
          "INSERT INTO account SELECT i, 1000 FROM generate_series(1, 8) AS i");
}

tercet_status Accounts::Open(tercet_store **store, tercet_error *error)
{
    const std::string conninfo = PostgresServer::Shared().Conninfo();
    tercet_postgres_options options = {};
    options.size = sizeof options;
    options.conninfo = conninfo.c_str();
    options.setup_sql = "PREPARE move AS UPDATE account SET balance = balance + $2::int "
                        "WHERE id = $1::int";
    options.connection_count = 4;
    options.create_tables = true;
    return tercet_postgres_open(&options, store, error);
}

bool Accounts::Move(tercet_request *request, int account, int change, tercet_verdict *verdict)
{
    const std::string texts[] = {std::to_string(account), std::to_string(change)};
    const char *values[] = {texts[0].c_str(), texts[1].c_str()};
    PGresult *result =
        PQexecPrepared(tercet_postgres_connection(request), "move", 2, values, nullptr, nullptr, 0);
    const bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (!done) {
        *verdict = tercet_postgres_failed(request, result);
    }
    PQclear(result);
    return done;
}

tercet_verdict Accounts::Fail(tercet_request *request)
{
    PGresult *result = PQexec(tercet_postgres_connection(request), "SELECT * FROM nothing");
    const tercet_verdict verdict = tercet_postgres_failed(request, result);
    PQclear(result);
    return verdict;
}

const char *Accounts::FailedWords()
{
    return "\"nothing\" does not exist (42P01)";
}

void Accounts::EndSessions()
{
    Value("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
          " WHERE application_name LIKE 'tercet%'");
}

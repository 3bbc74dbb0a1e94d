#include <gtest/gtest.h>
#include <mysql.h>

#include "support/mariadb_server.h"
#include "tercet/store_mariadb.h"
#include "unit/sdk/accounts.h"

bool Accounts::Installed()
{
    return MariadbServer::Installed();
}

ServerProcess &Accounts::Server()
{
    return MariadbServer::Shared();
}

std::string Accounts::Value(const std::string &sql)
{
    MYSQL link;
    mysql_init(&link);
    const bool linked = mysql_real_connect(&link, nullptr, "root", nullptr, nullptr, 0,
                                           MariadbServer::Shared().Socket().c_str(),
                                           CLIENT_MULTI_STATEMENTS) != nullptr;
    EXPECT_TRUE(linked && mysql_query(&link, sql.c_str()) == 0) << mysql_error(&link);
    std::string value;
    do {
        MYSQL_RES *rows = mysql_store_result(&link);
        const MYSQL_ROW row = rows == nullptr ? nullptr : mysql_fetch_row(rows);
        value = row == nullptr || row[0] == nullptr ? "" : row[0];
        mysql_free_result(rows);
    } while (mysql_next_result(&link) == 0);
    EXPECT_STREQ(mysql_error(&link), "");
    mysql_close(&link);
    return value;
}

std::string Accounts::Schema()
{
    return "shop.";
}

void Accounts::Make()
{
    Value("CREATE DATABASE IF NOT EXISTS shop; USE shop; DROP TABLE IF EXISTS account;"
          "CREATE TABLE account (id INT PRIMARY KEY, balance INT) ENGINE = InnoDB;"
          "INSERT INTO account SELECT seq, 1000 FROM seq_1_to_8");
}

tercet_status Accounts::Open(tercet_store **store, tercet_error *error)
{
    const std::string socket = MariadbServer::Shared().Socket();
    tercet_mariadb_options options = {};
    options.size = sizeof options;
    options.unix_socket = socket.c_str();
    options.database = "shop";
    options.user = "root";
    options.connection_count = 4;
    options.create_tables = true;
    return tercet_mariadb_open(&options, store, error);
}

bool Accounts::Move(tercet_request *request, int account, int change, tercet_verdict *verdict)
{
    const std::string sql = "UPDATE account SET balance = balance + ? WHERE id = ?";
    MYSQL_BIND binds[2] = {};
    binds[0].buffer_type = binds[1].buffer_type = MYSQL_TYPE_LONG;
    binds[0].buffer = &change;
    binds[1].buffer = &account;
    MYSQL_STMT *statement = mysql_stmt_init(tercet_mariadb_connection(request));
    const bool done = mysql_stmt_prepare(statement, sql.data(), sql.size()) == 0 &&
                      mysql_stmt_bind_param(statement, binds) == 0 &&
                      mysql_stmt_execute(statement) == 0;
    if (!done) {
        *verdict = tercet_mariadb_failed(request);
    }
    mysql_stmt_close(statement);
    return done;
}

tercet_verdict Accounts::Fail(tercet_request *request)
{
    mysql_query(tercet_mariadb_connection(request), "SELECT * FROM nothing");
    return tercet_mariadb_failed(request);
}

const char *Accounts::FailedWords()
{
    return "'shop.nothing' doesn't exist (1146)";
}

void Accounts::EndSessions()
{
    const std::string sessions =
        Value("SELECT GROUP_CONCAT('KILL ', id SEPARATOR ';') FROM information_schema.processlist"
              " WHERE db = 'shop'");
    if (!sessions.empty()) {
        Value(sessions);
    }
}

// See ledger_sqlite.h and, for reading, ledger.h.
#include "campaign/ledger_sqlite.h"

#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>

#include "campaign/ledger.h"
#include "tercet/store_sqlite.h"

namespace campaign
{
namespace
{

constexpr const char *SETUP =
    "CREATE TABLE IF NOT EXISTS account(id INTEGER PRIMARY KEY, balance INTEGER NOT NULL,"
    " frozen INTEGER NOT NULL, pending INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS effect(gid TEXT NOT NULL, branch INTEGER NOT NULL,"
    " phase INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS effect_gid ON effect(gid);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8)"
    "INSERT OR IGNORE INTO account SELECT i, 1000000, 0, 0 FROM n;";

const char *const DEBIT[] = {
    nullptr,
    "UPDATE account SET balance = balance - ?2, frozen = frozen + ?2 WHERE id = ?1 AND balance >= "
    "?2",
    "UPDATE account SET frozen = frozen - ?2 WHERE id = ?1",
    "UPDATE account SET balance = balance + ?2, frozen = frozen - ?2 WHERE id = ?1",
};
const char *const CREDIT[] = {
    nullptr,
    "UPDATE account SET pending = pending + ?2 WHERE id = ?1",
    "UPDATE account SET balance = balance + ?2, pending = pending - ?2 WHERE id = ?1",
    "UPDATE account SET pending = pending - ?2 WHERE id = ?1",
};

} // namespace

tercet_verdict MoveInSqlite(tercet_request *request)
{
    sqlite3 *const database = tercet_sqlite_connection(request);
    const std::string payload(static_cast<const char *>(request->payload.data),
                              request->payload.size);
    long long account = 0, amount = 0;
    if (sscanf(payload.c_str(), "%lld %lld", &account, &amount) != 2) {
        return tercet_answer_refused(request, "BAD_PAYLOAD", "want \"ACCOUNT AMOUNT\"");
    }
    const bool debit = amount < 0;
    sqlite3_stmt *const update =
        tercet_sqlite_prepare(request, (debit ? DEBIT : CREDIT)[request->phase]);
    sqlite3_bind_int64(update, 1, account);
    sqlite3_bind_int64(update, 2, debit ? -amount : amount);
    if (sqlite3_step(update) != SQLITE_DONE) {
        return tercet_answer_failed(request, "%s", sqlite3_errmsg(database));
    }
    if (sqlite3_changes(database) == 0) {
        return tercet_answer_refused(request, "BALANCE_TOO_LOW", "not %lld to move", -amount);
    }
    sqlite3_stmt *const line =
        tercet_sqlite_prepare(request, "INSERT INTO effect VALUES(?1, ?2, ?3)");
    sqlite3_bind_text(line, 1, request->gid, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(line, 2, static_cast<int>(request->branch));
    sqlite3_bind_int(line, 3, request->phase);
    if (sqlite3_step(line) != SQLITE_DONE) {
        return tercet_answer_failed(request, "%s", sqlite3_errmsg(database));
    }
    return TERCET_VERDICT_DONE;
}

namespace
{

// Calls `row` for each row; a failure ends the process, because the judge cannot judge then.
template <typename Row>
void Query(const std::string &path, const std::string &sql, const std::string &prefix, Row row)
{
    sqlite3 *database = nullptr;
    sqlite3_stmt *statement = nullptr;
    if (sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK ||
        sqlite3_busy_timeout(database, 20000) != SQLITE_OK ||
        sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", path.c_str(), sqlite3_errmsg(database));
        abort();
    }
    const std::string end = prefix + "~"; // after every gid of ours with that beginning
    sqlite3_bind_text(statement, 1, prefix.c_str(), -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 2, end.c_str(), -1, SQLITE_TRANSIENT);
    int status = sqlite3_step(statement);
    for (; status == SQLITE_ROW; status = sqlite3_step(statement)) {
        row(statement);
    }
    if (status != SQLITE_DONE) {
        fprintf(stderr, "%s: %s\n", path.c_str(), sqlite3_errmsg(database));
        abort();
    }
    sqlite3_finalize(statement);
    sqlite3_close(database);
}

} // namespace

bool OpenSqlite(const char *database, tercet_store **store_out, tercet_error *error_out)
{
    tercet_sqlite_options sqlite{};
    sqlite.size = sizeof sqlite;
    sqlite.path = database;
    sqlite.setup_sql = SETUP;
    return tercet_sqlite_open(&sqlite, store_out, error_out) == TERCET_OK;
}

Books ReadSqlite(const std::string &database, const std::string &prefix)
{
    Books books;
    const std::string range = " WHERE gid >= ?1 AND gid < ?2";
    Query(database, "SELECT SUM(balance), SUM(frozen), SUM(pending) FROM account", "",
          [&](sqlite3_stmt *row) {
              books.balance = sqlite3_column_int64(row, 0);
              books.frozen = sqlite3_column_int64(row, 1);
              books.pending = sqlite3_column_int64(row, 2);
          });
    Query(database, "SELECT gid, branch, phase FROM effect" + range, prefix,
          [&](sqlite3_stmt *row) {
              const auto *gid = reinterpret_cast<const char *>(sqlite3_column_text(row, 0));
              Effects &effects = books.effects[{gid, sqlite3_column_int(row, 1)}];
              const int phase = sqlite3_column_int(row, 2);
              (phase == TERCET_PHASE_TRY       ? effects.tries
               : phase == TERCET_PHASE_CONFIRM ? effects.confirms
                                               : effects.cancels)++;
          });
    Query(database,
          "SELECT CAST(gid AS TEXT), branch, state FROM tercet_fence WHERE gid >= CAST(?1 AS BLOB) "
          "AND gid < CAST(?2 AS BLOB)",
          prefix, [&](sqlite3_stmt *row) {
              const auto *gid = reinterpret_cast<const char *>(sqlite3_column_text(row, 0));
              books.effects[{gid, sqlite3_column_int(row, 1)}].fence = sqlite3_column_int(row, 2);
          });
    return books;
}

} // namespace campaign

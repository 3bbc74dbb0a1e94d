/* store_sqlite.c -- one file for each participant; it makes its accounts itself. */
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>

#include "store.h"
#include "tercet/store_sqlite.h"

static enum tercet_verdict move(struct tercet_request *request)
{
    static const char *const sql[] = {[TERCET_PHASE_TRY] = STORE_TRY_SQL "?1",
                                      [TERCET_PHASE_CONFIRM] = STORE_CONFIRM_SQL "?1",
                                      [TERCET_PHASE_CANCEL] = STORE_CANCEL_SQL "?1"};
    sqlite3_stmt *update = tercet_sqlite_prepare(request, sql[request->phase]);
    (void)sqlite3_bind_int64(update, 1, store_account(request));
    if (sqlite3_step(update) != SQLITE_DONE) {
        return tercet_answer_failed(request, "%s",
                                    sqlite3_errmsg(tercet_sqlite_connection(request)));
    }
    return TERCET_VERDICT_DONE;
}

static enum tercet_status open(const struct store_place *place, struct tercet_store **store_out,
                               struct tercet_error *error_out)
{
    char path[PATH_MAX];
    char setup[512];
    (void)snprintf(path, sizeof path, "%s/%s.sqlite", place->place, place->name);
    (void)snprintf(setup, sizeof setup,
                   "CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY,"
                   " balance INTEGER NOT NULL, frozen INTEGER NOT NULL);"
                   "INSERT OR IGNORE INTO account WITH RECURSIVE n(id) AS (SELECT 0 UNION ALL"
                   " SELECT id + 1 FROM n WHERE id + 1 < %d)"
                   " SELECT id, 1000000000, 0 FROM n",
                   STORE_ACCOUNT_COUNT);
    const struct tercet_sqlite_options options = {
        .size = sizeof options, .path = path, .setup_sql = setup, .batch_max = place->batch_max};
    return tercet_sqlite_open(&options, store_out, error_out);
}

const struct store_kind store_sqlite = {.name = "sqlite", .open = open, .handler = move};

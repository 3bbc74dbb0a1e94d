/* seed.c -- demo data, see seed.h. */
#include "common/seed.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdio.h>

enum { BUSY_TIMEOUT_MS = 5000 };

/* Carries out the first statement of `sql`; `rest_out` is what follows it. */
static int run_first(sqlite3 *database, const char *sql, int64_t set, const char **rest_out)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, sql, -1, &statement, rest_out);

    if (code == SQLITE_OK && statement != NULL) {
        int index = sqlite3_bind_parameter_index(statement, ":set");
        if (index > 0) {
            sqlite3_bind_int64(statement, index, set);
        }
        code = sqlite3_step(statement) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(database);
    }
    sqlite3_finalize(statement);
    return code;
}

bool seed_run(const struct seed *seed, char sentence_out[SEED_SENTENCE_SIZE])
{
    sqlite3 *database = NULL;
    const char *rest = seed->seed_sql;
    int code = sqlite3_open(seed->database, &database);

    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(database, BUSY_TIMEOUT_MS);
        code =
            sqlite3_exec(database, "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE", NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_exec(database, seed->schema_sql, NULL, NULL, NULL);
    }
    while (code == SQLITE_OK && *rest != '\0') {
        code = run_first(database, rest, seed->set, &rest);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_exec(database, "COMMIT", NULL, NULL, NULL);
    }
    if (code != SQLITE_OK) {
        snprintf(sentence_out, SEED_SENTENCE_SIZE, "%s", sqlite3_errmsg(database));
    }
    sqlite3_close(database); /* rolls back what is not committed */
    return code == SQLITE_OK;
}

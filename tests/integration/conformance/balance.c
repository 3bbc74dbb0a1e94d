/* balance.c -- what the tests give to tercet-conformance as --balance: one value out of an SQLite file
 * that others write to.
 *
 *   balance FILE SQL */
#include <sqlite3.h>
#include <stdio.h>

enum { BUSY_MS = 10000 };

int main(int argc, char **argv)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *query = NULL;
    int code = 1;
    if (argc != 3) {
        (void)fputs("usage: balance FILE SQL\n", stderr);
        return 64;
    }
    if (sqlite3_open_v2(argv[1], &database, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_busy_timeout(database, BUSY_MS) == SQLITE_OK &&
        sqlite3_prepare_v2(database, argv[2], -1, &query, NULL) == SQLITE_OK &&
        sqlite3_step(query) == SQLITE_ROW) {
        (void)printf("%s\n", (const char *)sqlite3_column_text(query, 0));
        code = 0;
    } else {
        (void)fprintf(stderr, "balance: %s\n", sqlite3_errmsg(database));
    }
    (void)sqlite3_finalize(query);
    (void)sqlite3_close(database);
    return code;
}

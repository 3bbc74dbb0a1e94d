/* book.c -- payments noted before they are asked for, see book.h. */
#include "pay/book.h"

#include <sqlite3.h>
#include <stdio.h>
#include <time.h>

enum { BUSY_TIMEOUT_MS = 5000, MS_PER_S = 1000, NS_PER_MS = 1000000 };

static const char schema_sql[] =
    "CREATE TABLE IF NOT EXISTS payment ("
    " id TEXT PRIMARY KEY, created_at_unix_ms INTEGER NOT NULL) STRICT";
/* The update changes nothing; it makes RETURNING tell the row that was there. */
static const char note_sql[] = "INSERT INTO payment (id, created_at_unix_ms) VALUES (?1, ?2)"
                               " ON CONFLICT (id) DO UPDATE SET id = id"
                               " RETURNING created_at_unix_ms";

static int64_t now_unix_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

bool book_note(const char *path, const char *payment, int64_t *created_at_unix_ms_out,
               char sentence_out[BOOK_SENTENCE_SIZE])
{
    sqlite3 *database = NULL;
    sqlite3_stmt *note = NULL;
    int64_t created_at_unix_ms = 0;
    bool done = false;

    if (sqlite3_open(path, &database) == SQLITE_OK &&
        sqlite3_busy_timeout(database, BUSY_TIMEOUT_MS) == SQLITE_OK &&
        sqlite3_exec(database, schema_sql, NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(database, note_sql, -1, &note, NULL) == SQLITE_OK &&
        sqlite3_bind_text(note, 1, payment, -1, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_bind_int64(note, 2, now_unix_ms()) == SQLITE_OK &&
        sqlite3_step(note) == SQLITE_ROW) {
        created_at_unix_ms = sqlite3_column_int64(note, 0);
        /* The second step commits. */
        done = sqlite3_step(note) == SQLITE_DONE;
    }
    if (done) {
        *created_at_unix_ms_out = created_at_unix_ms;
    } else {
        snprintf(sentence_out, BOOK_SENTENCE_SIZE, "%s", sqlite3_errmsg(database));
    }
    sqlite3_finalize(note);
    sqlite3_close(database);
    return done;
}

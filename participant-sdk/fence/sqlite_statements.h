/* sqlite_statements.h -- the prepared statements of handlers, kept by their SQL.
 *
 * A handler asks for the same few statements every time; preparing one costs more than running it.
 * What a handler has been given stays its own until it returns; then all are reset, and of more than
 * SQLITE_STATEMENTS_MAX the ones not used for longest go. */
#ifndef TERCET_FENCE_SQLITE_STATEMENTS_H
#define TERCET_FENCE_SQLITE_STATEMENTS_H

#include <sqlite3.h>
#include <stdint.h>

enum { SQLITE_STATEMENTS_MAX = 128 };

struct sqlite_statement {
    char *sql; /* owned; NULL: the slot is free */
    sqlite3_stmt *statement;
    uint64_t hash;
    uint64_t used_at; /* of sqlite_statements.turn */
};

struct sqlite_statements {
    struct sqlite_statement slots[SQLITE_STATEMENTS_MAX];
    uint64_t turn; /* counts handlers */
};

/* Reset and with no bindings; NULL when SQLite cannot prepare it, or when this handler has been
 * given SQLITE_STATEMENTS_MAX others. */
sqlite3_stmt *sqlite_statements_get(struct sqlite_statements *statements, sqlite3 *database,
                                    const char *sql);

/* The handler has returned: resets what it was given. */
void sqlite_statements_end_turn(struct sqlite_statements *statements);

void sqlite_statements_deinit(struct sqlite_statements *statements);

#endif

/* sqlite_statements.c -- see sqlite_statements.h. */
#include "fence/sqlite_statements.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* FNV-1a: to compare one number instead of a text. */
static uint64_t hash_of(const char *sql)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *at = sql; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static void free_slot(struct sqlite_statement *slot)
{
    (void)sqlite3_finalize(slot->statement);
    free(slot->sql);
    *slot = (struct sqlite_statement){0};
}

static void make_ready(struct sqlite_statement *slot, uint64_t turn)
{
    (void)sqlite3_reset(slot->statement);
    (void)sqlite3_clear_bindings(slot->statement);
    slot->used_at = turn;
}

sqlite3_stmt *sqlite_statements_get(struct sqlite_statements *statements, sqlite3 *database,
                                    const char *sql)
{
    const uint64_t hash = hash_of(sql);
    struct sqlite_statement *victim = NULL;

    for (size_t i = 0; i < SQLITE_STATEMENTS_MAX; i++) {
        struct sqlite_statement *slot = &statements->slots[i];
        if (slot->sql != NULL && slot->hash == hash && strcmp(slot->sql, sql) == 0) {
            make_ready(slot, statements->turn + 1);
            return slot->statement;
        }
        /* used_at 0 is a free slot; turn + 1 is this handler's. */
        if (slot->used_at <= statements->turn &&
            (victim == NULL || slot->used_at < victim->used_at)) {
            victim = slot;
        }
    }
    sqlite3_stmt *statement = NULL;
    if (victim == NULL || sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                             &statement, NULL) != SQLITE_OK) {
        return NULL;
    }
    if (statement == NULL) {
        return NULL; /* nothing but blanks or a comment */
    }
    free_slot(victim);
    victim->sql = xstrdup(sql);
    victim->hash = hash;
    victim->statement = statement;
    victim->used_at = statements->turn + 1;
    return statement;
}

void sqlite_statements_end_turn(struct sqlite_statements *statements)
{
    statements->turn++;
    for (size_t i = 0; i < SQLITE_STATEMENTS_MAX; i++) {
        if (statements->slots[i].used_at == statements->turn) {
            (void)sqlite3_reset(statements->slots[i].statement);
        }
    }
}

void sqlite_statements_deinit(struct sqlite_statements *statements)
{
    for (size_t i = 0; i < SQLITE_STATEMENTS_MAX; i++) {
        free_slot(&statements->slots[i]);
    }
}

/* keeper_store.c -- see keeper_store.h. */
#include "keeper_store.h"

#include <inttypes.h>
#include <leveldb/c.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tercet/store_leveldb.h"
#include "tercet/store_memory.h"
#include "tercet/store_sqlite.h"

enum { COUNT_SIZE = 32 };

static const char schema_sql[] = "CREATE TABLE IF NOT EXISTS effect"
                                 " (key TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT";
static const char count_sql[] = "INSERT INTO effect (key, count) VALUES (?1, 1)"
                                " ON CONFLICT (key) DO UPDATE SET count = count + 1";

enum tercet_status keeper_store_open(const char *place, struct tercet_store **store_out,
                                     const char **action_out, struct tercet_error *error_out)
{
    if (strncmp(place, "sqlite:", strlen("sqlite:")) == 0) {
        const struct tercet_sqlite_options options = {
            .size = sizeof options, .path = place + strlen("sqlite:"), .setup_sql = schema_sql};
        *action_out = "sqlite";
        return tercet_sqlite_open(&options, store_out, error_out);
    }
    if (strncmp(place, "leveldb:", strlen("leveldb:")) == 0) {
        const struct tercet_leveldb_options options = {
            .size = sizeof options, .path = place + strlen("leveldb:"), .create_if_missing = true};
        *action_out = "leveldb";
        return tercet_leveldb_open(&options, store_out, error_out);
    }
    const struct tercet_memory_options options = {.size = sizeof options};
    *action_out = "memory";
    return tercet_memory_open(&options, store_out, error_out);
}

static bool count_in_sqlite(struct tercet_request *request, const char *key)
{
    sqlite3_stmt *count = tercet_sqlite_prepare(request, count_sql);
    return sqlite3_bind_text(count, 1, key, -1, SQLITE_TRANSIENT) == SQLITE_OK &&
           sqlite3_step(count) == SQLITE_DONE;
}

static bool count_in_leveldb(struct tercet_request *request, const char *key)
{
    char text[COUNT_SIZE] = "0";
    struct tercet_bytes found;
    const enum tercet_status status =
        tercet_leveldb_get(request, tercet_bytes_of_text(key), &found);
    if (status == TERCET_OK && found.size < sizeof text) {
        memcpy(text, found.data, found.size);
        text[found.size] = '\0';
    } else if (status != TERCET_NOT_FOUND) {
        return false;
    }
    (void)snprintf(text, sizeof text, "%ld", strtol(text, NULL, 10) + 1);
    return tercet_leveldb_put(request, tercet_bytes_of_text(key), tercet_bytes_of_text(text)) ==
           TERCET_OK;
}

bool keeper_store_count(struct tercet_request *request, const char *action)
{
    char key[KEEPER_KEY_SIZE];
    (void)snprintf(key, sizeof key, "%s/%" PRIu32 "/%s", request->gid, request->branch,
                   tercet_phase_name(request->phase));
    if (strcmp(action, "sqlite") == 0) {
        return count_in_sqlite(request, key);
    }
    /* The memory store has no place of its own for effects; its fence is what is looked at. */
    return strcmp(action, "leveldb") != 0 || count_in_leveldb(request, key);
}

void keeper_store_print(struct tercet_store *store)
{
    leveldb_readoptions_t *options = leveldb_readoptions_create();
    leveldb_iterator_t *at = leveldb_create_iterator(tercet_leveldb_database(store), options);
    for (leveldb_iter_seek_to_first(at); leveldb_iter_valid(at); leveldb_iter_next(at)) {
        size_t key_size = 0;
        size_t value_size = 0;
        const char *key = leveldb_iter_key(at, &key_size);
        const char *value = leveldb_iter_value(at, &value_size);
        if (strncmp(key, TERCET_LEVELDB_PREFIX, 1) != 0) {
            printf("%.*s %.*s\n", (int)key_size, key, (int)value_size, value);
        }
    }
    leveldb_iter_destroy(at);
    leveldb_readoptions_destroy(options);
}

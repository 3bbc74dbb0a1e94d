/* leveldb_tables.c -- see leveldb_tables.h. */
#include "common/leveldb_tables.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tercet/store_leveldb.h>

enum { NAME_SIZE = 32, KEY_SIZE = 192, SQL_SIZE = 2048, KEYED_COST = 1, SCAN_COST = 1000000 };

static const char definitions[] = "definition/";
static const char hidden_key[] = "books_number";

/* ---- Values ---------------------------------------------------------------------------------- */

/* The JSON under a key, or NULL where there is none.  False: it cannot be read. */
static bool load(const struct leveldb_place *place, const char *key, json_t **value_out)
{
    *value_out = NULL;
    if (place->request != NULL) {
        struct tercet_bytes value;
        const enum tercet_status status =
            tercet_leveldb_get(place->request, tercet_bytes_of_text(key), &value);
        if (status == TERCET_OK) {
            *value_out = json_loadb(value.data, value.size, JSON_DECODE_ANY, NULL);
        }
        return status == TERCET_NOT_FOUND || *value_out != NULL;
    }
    char *words = NULL;
    size_t size = 0;
    leveldb_readoptions_t *options = leveldb_readoptions_create();
    char *value = leveldb_get(place->rows, options, key, strlen(key), &size, &words);
    leveldb_readoptions_destroy(options);
    const bool there = value != NULL;
    if (there) {
        *value_out = json_loadb(value, size, JSON_DECODE_ANY, NULL);
    }
    const bool failed = words != NULL;
    leveldb_free(value);
    leveldb_free(words);
    return !failed && (!there || *value_out != NULL);
}

/* Takes ownership of `value`. */
static bool store(const struct leveldb_place *place, const char *key, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    bool done = text != NULL;

    if (done && place->request != NULL) {
        done = tercet_leveldb_put(place->request, tercet_bytes_of_text(key),
                                  tercet_bytes_of_text(text)) == TERCET_OK;
    } else if (done) {
        leveldb_writebatch_put(place->batch, key, strlen(key), text, strlen(text));
    }
    free(text);
    json_decref(value);
    return done;
}

/* ---- Virtual tables -------------------------------------------------------------------------- */

struct table {
    sqlite3_vtab base; /* first */
    const struct leveldb_place *place;
    char name[NAME_SIZE];
    int columns;
    bool keyed; /* by the first; else by a hidden one behind them, the running number */
};

struct cursor {
    sqlite3_vtab_cursor base; /* first */
    json_t *row;              /* NULL: there is no more */
    leveldb_iterator_t *all;  /* NULL: it was found by its key */
};

/* What the table is to SQLite: its columns' names, the first or a hidden one as key. */
static bool define(const struct table *table, int count, const char *const *columns,
                   char definition_out[SQL_SIZE])
{
    size_t size = (size_t)snprintf(definition_out, SQL_SIZE, "CREATE TABLE t (");

    for (int i = 0; i < count && size < SQL_SIZE; i++) {
        size += (size_t)snprintf(definition_out + size, SQL_SIZE - size, "%.*s, ",
                                 (int)strcspn(columns[i], " "), columns[i]);
    }
    if (size < SQL_SIZE) {
        const char *key = table->keyed ? columns[0] : hidden_key;
        size += (size_t)snprintf(definition_out + size, SQL_SIZE - size,
                                 "%s%sPRIMARY KEY (%.*s)) WITHOUT ROWID",
                                 table->keyed ? "" : hidden_key, table->keyed ? "" : " HIDDEN, ",
                                 (int)strcspn(key, " "), key);
    }
    return size < SQL_SIZE;
}

/* The words of CREATE TABLE's parentheses come one by one from the third argument on, the columns
 * first. */
static int connect_table(sqlite3 *sql, void *context, int count, const char *const *words,
                         sqlite3_vtab **table_out, char **error_out)
{
    enum { TABLE_NAME = 2, FIRST_COLUMN = 3 };
    const char *const *columns = words + FIRST_COLUMN;
    char definition[SQL_SIZE];
    struct table *table = calloc(1, sizeof *table);

    (void)error_out;
    if (table == NULL) {
        return SQLITE_NOMEM;
    }
    table->place = context;
    snprintf(table->name, sizeof table->name, "%s", words[TABLE_NAME]);
    while (FIRST_COLUMN + table->columns < count &&
           strncmp(columns[table->columns], "CHECK", strlen("CHECK")) != 0) {
        table->columns++;
    }
    table->keyed = table->columns > 0 && strstr(columns[0], "PRIMARY KEY") != NULL;
    const int code = define(table, table->columns, columns, definition)
                         ? sqlite3_declare_vtab(sql, definition)
                         : SQLITE_TOOBIG;
    if (code != SQLITE_OK) {
        free(table);
        return code;
    }
    *table_out = &table->base;
    return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *table)
{
    free(table);
    return SQLITE_OK;
}

static int plan(sqlite3_vtab *base, sqlite3_index_info *info)
{
    const struct table *table = (const struct table *)base;
    const int key = table->keyed ? 0 : table->columns;

    info->estimatedCost = SCAN_COST;
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].usable && info->aConstraint[i].op == SQLITE_INDEX_CONSTRAINT_EQ &&
            info->aConstraint[i].iColumn == key) {
            info->aConstraintUsage[i].argvIndex = 1;
            info->aConstraintUsage[i].omit = 1;
            info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
            info->idxNum = 1; /* by key */
            info->estimatedCost = KEYED_COST;
            break;
        }
    }
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor_out)
{
    struct cursor *cursor = calloc(1, sizeof *cursor);

    (void)table;
    if (cursor == NULL) {
        return SQLITE_NOMEM;
    }
    *cursor_out = &cursor->base;
    return SQLITE_OK;
}

static void reset_cursor(struct cursor *cursor)
{
    json_decref(cursor->row);
    cursor->row = NULL;
    if (cursor->all != NULL) {
        leveldb_iter_destroy(cursor->all);
        cursor->all = NULL;
    }
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
    reset_cursor((struct cursor *)cursor);
    free(cursor);
    return SQLITE_OK;
}

/* The row at the iterator, if it is one of the table's. */
static int take_row(struct cursor *cursor)
{
    const struct table *table = (const struct table *)cursor->base.pVtab;
    char prefix[KEY_SIZE];
    size_t size = 0;

    snprintf(prefix, sizeof prefix, "%s/", table->name);
    json_decref(cursor->row);
    cursor->row = NULL;
    const char *key = leveldb_iter_valid(cursor->all) ? leveldb_iter_key(cursor->all, &size) : NULL;
    if (key == NULL || size < strlen(prefix) || memcmp(key, prefix, strlen(prefix)) != 0) {
        return SQLITE_OK;
    }
    const char *value = leveldb_iter_value(cursor->all, &size);
    cursor->row = json_loadb(value, size, 0, NULL);
    return cursor->row == NULL ? SQLITE_CORRUPT : SQLITE_OK;
}

static int find(sqlite3_vtab_cursor *base, int by_key, const char *unused, int count,
                sqlite3_value **values)
{
    struct cursor *cursor = (struct cursor *)base;
    const struct table *table = (const struct table *)base->pVtab;
    char key[KEY_SIZE];

    (void)unused, (void)count;
    reset_cursor(cursor);
    if (by_key != 0) {
        snprintf(key, sizeof key, "%s/%s", table->name,
                 (const char *)sqlite3_value_text(values[0]));
        return load(table->place, key, &cursor->row) ? SQLITE_OK : SQLITE_IOERR;
    }
    if (table->place->request != NULL) {
        return SQLITE_INTERNAL; /* a handler sees nothing but what it names */
    }
    snprintf(key, sizeof key, "%s/", table->name);
    leveldb_readoptions_t *options = leveldb_readoptions_create();
    cursor->all = leveldb_create_iterator(table->place->rows, options);
    leveldb_readoptions_destroy(options);
    leveldb_iter_seek(cursor->all, key, strlen(key));
    return take_row(cursor);
}

static int next_row(sqlite3_vtab_cursor *base)
{
    struct cursor *cursor = (struct cursor *)base;

    if (cursor->all == NULL) {
        reset_cursor(cursor);
        return SQLITE_OK;
    }
    leveldb_iter_next(cursor->all);
    return take_row(cursor);
}

static int is_behind_last(sqlite3_vtab_cursor *cursor)
{
    return ((struct cursor *)cursor)->row == NULL;
}

static int read_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int column)
{
    const json_t *value = json_array_get(((struct cursor *)cursor)->row, (size_t)column);

    if (json_is_integer(value)) {
        sqlite3_result_int64(context, json_integer_value(value));
    } else if (json_is_string(value)) {
        sqlite3_result_text(context, json_string_value(value), -1, SQLITE_TRANSIENT);
    }
    return SQLITE_OK;
}

static int read_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid_out)
{
    (void)cursor, (void)rowid_out;
    return SQLITE_INTERNAL; /* the tables have none */
}

static json_t *row_of(const struct table *table, sqlite3_value **values)
{
    json_t *row = json_array();

    for (int i = 0; i < table->columns; i++) {
        switch (sqlite3_value_type(values[i])) {
        case SQLITE_INTEGER:
            json_array_append_new(row, json_integer(sqlite3_value_int64(values[i])));
            break;
        case SQLITE_TEXT:
            json_array_append_new(row, json_string((const char *)sqlite3_value_text(values[i])));
            break;
        default: /* SQLite's own, of which there are no more here */
            json_array_append_new(row, json_null());
            break;
        }
    }
    return row;
}

/* One more than the last; kept under the table's name. */
static bool next_number(const struct table *table, json_int_t *number_out)
{
    json_t *last = NULL;

    if (!load(table->place, table->name, &last)) {
        return false;
    }
    *number_out = json_integer_value(last) + 1;
    json_decref(last);
    return store(table->place, table->name, json_integer(*number_out));
}

/* An INSERT where the first value is NULL, else an UPDATE of the row with that key; a DELETE when there
 * are no more. */
static int change(sqlite3_vtab *base, int count, sqlite3_value **values, sqlite3_int64 *unused)
{
    enum { NEW_ROW = 2 };
    const struct table *table = (const struct table *)base;
    const bool inserts = sqlite3_value_type(values[0]) == SQLITE_NULL;
    char key[KEY_SIZE];
    json_int_t number = 0;
    json_t *found = NULL;

    (void)unused;
    if (count <= NEW_ROW || (!inserts && !table->keyed)) {
        return SQLITE_READONLY;
    }
    if (!table->keyed) {
        if (!next_number(table, &number)) {
            return SQLITE_IOERR;
        }
        snprintf(key, sizeof key, "%s/%012" JSON_INTEGER_FORMAT, table->name, number);
    } else {
        snprintf(key, sizeof key, "%s/%s", table->name,
                 (const char *)sqlite3_value_text(values[NEW_ROW]));
        if (!load(table->place, key, &found)) {
            return SQLITE_IOERR;
        }
        const bool there = found != NULL;
        json_decref(found);
        if (inserts == there) {
            return SQLITE_CONSTRAINT; /* there already, or under another key */
        }
    }
    return store(table->place, key, row_of(table, values + NEW_ROW)) ? SQLITE_OK : SQLITE_IOERR;
}

static const sqlite3_module module = {.iVersion = 1,
                                      .xCreate = connect_table,
                                      .xConnect = connect_table,
                                      .xBestIndex = plan,
                                      .xDisconnect = disconnect_table,
                                      .xDestroy = disconnect_table,
                                      .xOpen = open_cursor,
                                      .xClose = close_cursor,
                                      .xFilter = find,
                                      .xNext = next_row,
                                      .xEof = is_behind_last,
                                      .xColumn = read_column,
                                      .xRowid = read_rowid,
                                      .xUpdate = change};

/* ---- Definitions ----------------------------------------------------------------------------- */

static int execute(sqlite3 *sql, const char *name, const char *columns)
{
    char words[SQL_SIZE];

    snprintf(words, sizeof words, "CREATE VIRTUAL TABLE %s USING books %s", name, columns);
    return sqlite3_exec(sql, words, NULL, NULL, NULL);
}

sqlite3 *leveldb_tables_open(struct leveldb_place *place)
{
    sqlite3 *sql = NULL;
    int code = sqlite3_open(":memory:", &sql);
    leveldb_readoptions_t *options = leveldb_readoptions_create();
    leveldb_iterator_t *all = leveldb_create_iterator(place->rows, options);

    code = code == SQLITE_OK ? sqlite3_create_module(sql, "books", &module, place) : code;
    leveldb_iter_seek(all, definitions, strlen(definitions));
    for (; code == SQLITE_OK && leveldb_iter_valid(all); leveldb_iter_next(all)) {
        size_t size = 0;
        const char *key = leveldb_iter_key(all, &size);
        if (size <= strlen(definitions) || memcmp(key, definitions, strlen(definitions)) != 0) {
            break;
        }
        char *name = strndup(key + strlen(definitions), size - strlen(definitions));
        const char *value = leveldb_iter_value(all, &size);
        json_t *columns = json_loadb(value, size, JSON_DECODE_ANY, NULL);
        code = execute(sql, name, json_string_value(columns));
        json_decref(columns);
        free(name);
    }
    leveldb_iter_destroy(all);
    leveldb_readoptions_destroy(options);
    return sql;
}

bool leveldb_tables_create(const struct leveldb_place *place, sqlite3 *sql, const char *statement)
{
    char key[KEY_SIZE];
    json_t *found = NULL;
    const int size = (int)strcspn(statement, " (");
    char *name = strndup(statement, (size_t)size);
    const char *columns = strchr(statement, '(');

    snprintf(key, sizeof key, "%s%s", definitions, name);
    bool done = columns != NULL && load(place, key, &found);
    if (done && found == NULL) {
        done = execute(sql, name, columns) == SQLITE_OK && store(place, key, json_string(columns));
    }
    json_decref(found);
    free(name);
    return done;
}

/* books_leveldb.c -- books in a LevelDB database, see books.h.  --database is its directory.
 *
 * LevelDB knows no SQL, and the business is written in it; leveldb_tables.h makes rows of keys and
 * values.  What it reads and writes for a request goes through tercet_leveldb_get() and
 * tercet_leveldb_put(), and so is in one batch with the fence.  A service of yours that is written for
 * LevelDB calls these two, and needs nothing else of this file.
 *
 * A database of LevelDB belongs to one process: demo data come before a service serves, and who looks
 * into its books meanwhile (--rows) looks into a copy. */
#include "common/books.h"
#include "common/leveldb_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tercet/store_leveldb.h>

static const char create_table[] = "CREATE TABLE IF NOT EXISTS ";

/* Of this process, which has one database: opened by a store, or by begin(). */
static struct leveldb_place here;
static sqlite3 *here_sql;

static bool explain(char *words, char error_out[BOOKS_ERROR_SIZE])
{
    const bool failed = words != NULL;

    if (failed) {
        snprintf(error_out, BOOKS_ERROR_SIZE, "%s", words);
    }
    leveldb_free(words);
    return !failed;
}

static enum tercet_status open_store(const char *database, struct tercet_store **store_out,
                                     struct tercet_error *error_out)
{
    const struct tercet_leveldb_options options = {
        .size = sizeof options, .path = database, .create_if_missing = true};
    const enum tercet_status status = tercet_leveldb_open(&options, store_out, error_out);

    if (status == TERCET_OK) {
        here.rows = tercet_leveldb_database(*store_out);
        here_sql = leveldb_tables_open(&here);
    }
    return status;
}

/* The store runs one handler at a time. */
static void *of_request(struct tercet_request *request)
{
    here.request = request;
    return here_sql;
}

static void *begin(const char *database, char error_out[BOOKS_ERROR_SIZE])
{
    leveldb_options_t *options = leveldb_options_create();
    char *words = NULL;

    leveldb_options_set_create_if_missing(options, 1);
    here.rows = leveldb_open(options, database, &words);
    leveldb_options_destroy(options);
    if (!explain(words, error_out)) {
        return NULL;
    }
    here.batch = leveldb_writebatch_create();
    here_sql = leveldb_tables_open(&here);
    return here_sql;
}

static bool commit(void *connection, char error_out[BOOKS_ERROR_SIZE])
{
    leveldb_writeoptions_t *options = leveldb_writeoptions_create();
    char *words = NULL;

    (void)connection;
    leveldb_writeoptions_set_sync(options, 1);
    leveldb_write(here.rows, options, here.batch, &words);
    leveldb_writeoptions_destroy(options);
    return explain(words, error_out);
}

static void close_connection(void *connection)
{
    sqlite3_close(connection);
    leveldb_writebatch_destroy(here.batch);
    leveldb_close(here.rows);
    here = (struct leveldb_place){.request = NULL};
}

static int run(void *connection, const char *sql, const json_t *values, struct books_row *row_out,
               char error_out[BOOKS_ERROR_SIZE])
{
    const char *table = strstr(sql, create_table);

    if (table == NULL) {
        return books_sqlite.run(connection, sql, values, row_out, error_out);
    }
    if (leveldb_tables_create(&here, connection, table + strlen(create_table))) {
        return 0;
    }
    snprintf(error_out, BOOKS_ERROR_SIZE, "%s", sqlite3_errmsg(connection));
    return -1;
}

static int print_row(void *context, int count, char **cells, char **names)
{
    (void)context, (void)names;
    for (int i = 0; i < count; i++) {
        printf("%s%s", i == 0 ? "" : "\t", cells[i] == NULL ? "NULL" : cells[i]);
    }
    printf("\n");
    return 0;
}

static bool print(void *connection, const char *sql, char error_out[BOOKS_ERROR_SIZE])
{
    const bool done = sqlite3_exec(connection, sql, print_row, NULL, NULL) == SQLITE_OK;

    if (!done) {
        snprintf(error_out, BOOKS_ERROR_SIZE, "%s", sqlite3_errmsg(connection));
    }
    return done;
}

const struct books books_leveldb = {.store = "leveldb",
                                    .prefix = "",
                                    .suffix = ".leveldb",
                                    .open = open_store,
                                    .of_request = of_request,
                                    .begin = begin,
                                    .commit = commit,
                                    .close = close_connection,
                                    .run = run,
                                    .print = print};

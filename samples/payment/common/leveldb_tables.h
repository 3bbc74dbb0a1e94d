/* leveldb_tables.h -- tables over LevelDB's keys and values, for SQLite to work on.
 *
 * LevelDB knows no SQL.  A row is one value, a JSON array of its columns, under "TABLE/KEY"; KEY is its
 * first column, or a running number where that is no primary key.  SQLite, in memory and with nothing in
 * it of its own, carries statements out over virtual tables whose rows are these values.
 *
 * A statement of a handler finds its rows by their key; only who reads the database at rest goes through
 * all.  What a table of SQLite's own would check (CHECK, REFERENCES) is not checked. */
#ifndef SAMPLES_PAYMENT_COMMON_LEVELDB_TABLES_H
#define SAMPLES_PAYMENT_COMMON_LEVELDB_TABLES_H

#include <leveldb/c.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <tercet/participant.h>

/* Where the rows are. */
struct leveldb_place {
    struct tercet_request *request; /* its local transaction; NULL: the database itself */
    leveldb_t *rows;
    leveldb_writebatch_t *batch; /* of changes without a request */
};

/* A connection on which statements are carried out, with the tables that are defined there; the last
 * error is sqlite3_errmsg()'s.  Ownership: the caller closes it; `place` must live as long. */
sqlite3 *leveldb_tables_open(struct leveldb_place *place);

/* Makes a table, unless it is there.  `statement` is what follows CREATE TABLE. */
bool leveldb_tables_create(const struct leveldb_place *place, sqlite3 *sql, const char *statement);

#endif

/* sqlite_schema.h -- the store's tables.
 *
 * Gids are BLOBs: compared byte by byte, under no collation.  A row names its (participant, origin)
 * by a short number, because it is in the index too.  The index serves sweeping by mark and reading
 * in the order of numbers; a change of state does not touch it. */
#ifndef TERCET_FENCE_SQLITE_SCHEMA_H
#define TERCET_FENCE_SQLITE_SCHEMA_H

enum { SQLITE_SCHEMA_VERSION = 1 };

#define SQLITE_SCHEMA_SQL                                                                          \
    "CREATE TABLE tercet_schema ("                                                                 \
    " id INTEGER PRIMARY KEY CHECK (id = 1),"                                                      \
    " version INTEGER NOT NULL,"                                                                   \
    " store_id BLOB NOT NULL) STRICT;"                                                             \
    "CREATE TABLE tercet_scope ("                                                                  \
    " id INTEGER PRIMARY KEY,"                                                                     \
    " participant TEXT NOT NULL,"                                                                  \
    " origin BLOB NOT NULL,"                                                                       \
    " incarnation INTEGER NOT NULL,"                                                               \
    " epoch INTEGER NOT NULL,"                                                                     \
    " mark_incarnation INTEGER NOT NULL DEFAULT 0,"                                                \
    " mark_lsn INTEGER NOT NULL DEFAULT 0,"                                                        \
    " low_incarnation INTEGER NOT NULL DEFAULT 0,"                                                 \
    " low_number INTEGER NOT NULL DEFAULT 0,"                                                      \
    " open BLOB NOT NULL DEFAULT x'',"                                                             \
    " UNIQUE (participant, origin)) STRICT;"                                                       \
    "CREATE TABLE tercet_fence ("                                                                  \
    " gid BLOB NOT NULL,"                                                                          \
    " branch INTEGER NOT NULL,"                                                                    \
    " scope INTEGER NOT NULL,"                                                                     \
    " state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),"                                       \
    " incarnation INTEGER NOT NULL,"                                                               \
    " number INTEGER NOT NULL,"                                                                    \
    " digest BLOB NOT NULL,"                                                                       \
    " action TEXT NOT NULL,"                                                                       \
    " result BLOB NOT NULL,"                                                                       \
    " PRIMARY KEY (gid, branch)) STRICT, WITHOUT ROWID;"                                           \
    "CREATE INDEX tercet_fence_number ON tercet_fence (scope, incarnation, number);"

#endif

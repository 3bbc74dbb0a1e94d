/* postgres_statements.c -- see postgres_statements.h.
 *
 * A scope's lock (sql_fence.c) is an advisory one and not one of the scope's row, because one can be taken
 * where there is no row yet, because nothing is written for it, and because a row's shared lockers would
 * starve whoever waits to change it, where the lock manager queues.
 *
 * What a transaction sees under its lock:
 *   READ COMMITTED   each statement has a snapshot of its own.  The scope is read by a statement behind
 *                    the one that took the lock, so it is what was committed last.
 *   REPEATABLE READ, SERIALIZABLE   the snapshot may be older than the lock: a mark may have been stored
 *                    between the two.  So the scope is read FOR SHARE: when it has changed since the
 *                    snapshot, that fails (40001), the transaction is ABORTED and run again.  A scope
 *                    that was made since the snapshot looks as if there were none; storing its epoch
 *                    then meets it, and fails likewise. */
#include "fence/postgres_statements.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"
#include "fence/postgres_error.h"
#include "fence/sql_fence.h"

/* One number for a scope, in this database.  Two scopes that share one only wait for each other. */
#define SCOPE_LOCK                                                                                 \
    "(pg_catalog.hashtextextended($1::text || pg_catalog.encode($2::bytea, 'hex'), 8386))"

#define ROW_TABLES " FROM @tercet_fence f LEFT JOIN @tercet_scope s ON s.id = f.scope"

/* $1 the scope, $2 to $5 two numbers, both included. */
#define IN_SLICE                                                                                   \
    " WHERE f.scope = $1::bigint AND (f.incarnation, f.number) >= ($2::bigint, $3::bigint)"        \
    " AND (f.incarnation, f.number) <= ($4::bigint, $5::bigint)"

/* $6 the open list as it is stored. */
#define NOT_OPEN                                                                                   \
    " AND (pg_catalog.int8send(f.incarnation) || pg_catalog.int8send(f.number)) <> ALL (ARRAY("    \
    "SELECT pg_catalog.substring($6::bytea, 16 * i + 1, 16)"                                       \
    " FROM pg_catalog.generate_series(0, pg_catalog.octet_length($6::bytea) / 16 - 1) AS i))"

struct query {
    const char *name;
    const char *text; /* each @ stands for the schema and a dot */
};

static const struct query queries[SQL_QUERY_COUNT] = {
    [SQL_BEGIN] = {"tercet_begin", "BEGIN READ WRITE, ISOLATION LEVEL "},
    [SQL_BEGIN_SWEEP] = {"tercet_begin_sweep", "BEGIN READ WRITE, ISOLATION LEVEL READ COMMITTED"},
    [SQL_COMMIT] = {"tercet_commit", "COMMIT"},
    [SQL_ROLLBACK] = {"tercet_rollback", "ROLLBACK"},
    [SQL_SAVEPOINT] = {"tercet_savepoint", "SAVEPOINT tercet_branch"},
    [SQL_RELEASE] = {"tercet_release", "RELEASE SAVEPOINT tercet_branch"},
    [SQL_REWIND] = {"tercet_rewind", "ROLLBACK TO SAVEPOINT tercet_branch"},
    [SQL_SIGN] = {"tercet_sign",
                  "SELECT pg_catalog.set_config('application_name', $1::text, true)"},
    [SQL_LOCK_SHARED] = {"tercet_lock_shared",
                         "SELECT pg_catalog.pg_advisory_xact_lock_shared" SCOPE_LOCK},
    [SQL_LOCK_ALONE] = {"tercet_lock_exclusive",
                        "SELECT pg_catalog.pg_advisory_xact_lock" SCOPE_LOCK},
    [SQL_SCOPE] = {"tercet_scope", "SELECT" SQL_SCOPE_COLUMNS " FROM @tercet_scope s"
                                   " WHERE s.participant = $1::text AND s.origin = $2::bytea"},
    [SQL_SCOPE_EPOCH] =
        {"tercet_scope_epoch",
         "INSERT INTO @tercet_scope AS s (participant, origin, incarnation, epoch)"
         " VALUES ($1::text, $2::bytea, $3::bigint, $4::bigint)"
         " ON CONFLICT (participant, origin) DO UPDATE"
         " SET incarnation = excluded.incarnation, epoch = excluded.epoch"
         " WHERE (s.incarnation, s.epoch) < (excluded.incarnation, excluded.epoch)"},
    /* Nothing for an older mark, or one of an old epoch. */
    [SQL_SCOPE_MARK] =
        {"tercet_scope_mark",
         "UPDATE @tercet_scope SET mark_incarnation = $3::bigint, mark_lsn = $4::bigint,"
         " low_incarnation = $5::bigint, low_number = $6::bigint, open = $7::bytea"
         " WHERE participant = $1::text AND origin = $2::bytea"
         " AND (mark_incarnation, mark_lsn) < ($3::bigint, $4::bigint)"
         " AND (incarnation, epoch) <= ($8::bigint, $9::bigint)"},
    [SQL_ROW_CLAIM] = {"tercet_row_claim",
                       "SELECT" SQL_ROW_COLUMNS ROW_TABLES
                       " WHERE f.gid = $1::bytea AND f.branch = $2::bigint FOR UPDATE OF f"},
    [SQL_ROW_INSERT] =
        {"tercet_row_insert",
         "INSERT INTO @tercet_fence (gid, branch, state, result, incarnation, number, digest,"
         " action, scope)"
         " SELECT $1::bytea, $2::bigint, $3::bigint, $4::bytea, $5::bigint, $6::bigint, $7::bytea,"
         " $8::text, s.id FROM @tercet_scope s WHERE s.participant = $9::text"
         " AND s.origin = $10::bytea ON CONFLICT (gid, branch) DO NOTHING"},
    /* A row that is gone divides by zero, so that a COMMIT behind it is not carried out. */
    [SQL_ROW_WRITE] = {"tercet_row_write",
                       "WITH written AS (UPDATE @tercet_fence"
                       " SET state = $3::bigint, result = $4::bytea"
                       " WHERE gid = $1::bytea AND branch = $2::bigint RETURNING 1)"
                       " SELECT 1 / pg_catalog.count(*) FROM written"},
    [SQL_ROW_FIND] = {"tercet_row_find", "SELECT" SQL_ROW_COLUMNS ROW_TABLES
                                         " WHERE f.gid = $1::bytea AND f.branch = $2::bigint"},
    [SQL_SLICE] = {"tercet_slice",
                   "SELECT slice.incarnation, slice.number, pg_catalog.count(*) OVER () FROM"
                   " (SELECT f.incarnation, f.number FROM @tercet_scope s"
                   " JOIN @tercet_fence f ON f.scope = s.id"
                   " WHERE s.participant = $1::text AND s.origin = $2::bytea"
                   " AND (f.incarnation, f.number) >= ($3::bigint, $4::bigint)"
                   " AND (f.incarnation, f.number) < ($5::bigint, $6::bigint)"
                   " ORDER BY f.incarnation, f.number LIMIT $7::bigint) AS slice"
                   " ORDER BY slice.incarnation DESC, slice.number DESC LIMIT 1"},
    [SQL_SWEEP] = {"tercet_sweep",
                   "DELETE FROM @tercet_fence f" IN_SLICE NOT_OPEN " AND f.state <> 1"},
    [SQL_KEPT] = {"tercet_kept",
                  "SELECT" SQL_ROW_COLUMNS ROW_TABLES IN_SLICE NOT_OPEN " AND f.state = 1"
                  " ORDER BY f.incarnation, f.number"},
    /* One statement, so that all of it is from one moment. */
    [SQL_DESCRIBE] =
        {"tercet_describe",
         "SELECT" SQL_SCOPE_COLUMNS ", m.store_id, highest.incarnation, highest.number,"
         " (SELECT pg_catalog.count(*) FROM @tercet_fence f WHERE f.scope = s.id)"
         " FROM @tercet_schema m"
         " LEFT JOIN @tercet_scope s ON s.participant = $1::text AND s.origin = $2::bytea"
         " LEFT JOIN LATERAL (SELECT f.incarnation, f.number FROM @tercet_fence f"
         " WHERE f.scope = s.id ORDER BY f.incarnation DESC, f.number DESC LIMIT 1) AS highest"
         " ON true WHERE m.id = 1"},
    [SQL_LIST] = {"tercet_list", "SELECT" SQL_ROW_COLUMNS " FROM @tercet_scope s"
                                 " JOIN @tercet_fence f ON f.scope = s.id"
                                 " WHERE s.participant = $1::text AND s.origin = $2::bytea"
                                 " AND (f.incarnation, f.number) >= ($3::bigint, $4::bigint)"
                                 " AND (f.incarnation, f.number) < ($5::bigint, $6::bigint)"
                                 " ORDER BY f.incarnation, f.number LIMIT $7::bigint"},
};

const char *postgres_query_name(enum sql_query query)
{
    return queries[query].name;
}

/* What follows the text at this isolation level. */
static const char *ending_of(enum sql_query query, enum tercet_postgres_isolation isolation)
{
    static const char *const levels[] = {
        [TERCET_POSTGRES_READ_COMMITTED] = "READ COMMITTED",
        [TERCET_POSTGRES_REPEATABLE_READ] = "REPEATABLE READ",
        [TERCET_POSTGRES_SERIALIZABLE] = "SERIALIZABLE",
    };
    if (query == SQL_BEGIN) {
        return levels[isolation];
    }
    if (query == SQL_SCOPE && isolation != TERCET_POSTGRES_READ_COMMITTED) {
        return " FOR SHARE OF s";
    }
    return "";
}

char *postgres_query_text(enum sql_query query, enum tercet_postgres_isolation isolation,
                          const char *schema)
{
    const char *const text = queries[query].text;
    const char *const ending = ending_of(query, isolation);
    const size_t schema_bytes = strlen(schema);
    size_t size = strlen(text) + strlen(ending) + 1;
    for (const char *at = strchr(text, '@'); at != NULL; at = strchr(at + 1, '@')) {
        size += schema_bytes;
    }
    char *const whole = xmalloc(size);
    char *end = whole;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from == '@') {
            memcpy(end, schema, schema_bytes);
            end += schema_bytes;
            *end++ = '.';
        } else {
            *end++ = *from;
        }
    }
    memcpy(end, ending, strlen(ending) + 1);
    tercet_assert((size_t)(end - whole) + strlen(ending) + 1 == size);
    return whole;
}

/* Reads one result of a PQsendPrepare() and the NULL behind it. */
static enum tercet_status take_prepared(PGconn *link, struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_OK;
    PGresult *result = PQgetResult(link);
    const ExecStatusType told = PQresultStatus(result);

    if (told != PGRES_COMMAND_OK && told != PGRES_PIPELINE_ABORTED) {
        status = postgres_explain(link, result, "cannot use the fence's tables", error_out);
        if (status == TERCET_INTERNAL) {
            status = TERCET_DATA_LOSS;
        }
    }
    PQclear(result);
    result = PQgetResult(link);
    tercet_assert(result == NULL || PQstatus(link) != CONNECTION_OK);
    PQclear(result);
    return status;
}

enum tercet_status postgres_statements_prepare(PGconn *link,
                                               enum tercet_postgres_isolation isolation,
                                               const char *schema, struct tercet_error *error_out)
{
    enum tercet_status status = TERCET_OK;
    bool sent = PQenterPipelineMode(link) == 1;

    for (unsigned i = 0; sent && i < SQL_QUERY_COUNT; i++) {
        if (queries[i].name == NULL) {
            continue;
        }
        char *text = postgres_query_text((enum sql_query)i, isolation, schema);
        sent = PQsendPrepare(link, queries[i].name, text, 0, NULL) == 1;
        free(text);
    }
    if (!sent || PQpipelineSync(link) != 1) {
        return postgres_explain(link, NULL, "cannot prepare", error_out);
    }
    for (unsigned i = 0; i < SQL_QUERY_COUNT && PQstatus(link) == CONNECTION_OK; i++) {
        if (queries[i].name == NULL) {
            continue;
        }
        const enum tercet_status told = take_prepared(link, status == TERCET_OK ? error_out : NULL);
        status = status == TERCET_OK ? told : status;
    }
    PQclear(PQgetResult(link)); /* the sync */
    if (status == TERCET_OK && PQexitPipelineMode(link) != 1) {
        status = postgres_explain(link, NULL, "cannot prepare", error_out);
    }
    return status;
}

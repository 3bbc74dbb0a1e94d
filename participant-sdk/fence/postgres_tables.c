/* postgres_tables.c -- see postgres_tables.h.  The text that makes the tables is sql/postgres.sql
 * itself, which the build turns into postgres_sql.h. */
#include "fence/postgres_tables.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "fence/postgres_error.h"
#include "fence/postgres_sql.h"

enum { POSTGRES_SCHEMA_VERSION = 1 };

static const char *const what = "cannot read the fence's tables";

/* The quoted schema of tercet_schema; NULL when there is none. */
static enum tercet_status find_schema(PGconn *link, char **schema_out,
                                      struct tercet_error *error_out)
{
    static const char *const sql =
        "SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.oid = pg_catalog.to_regclass('tercet_schema')";
    enum tercet_status status = TERCET_OK;
    PGresult *result = PQexec(link, sql);

    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        status = postgres_explain(link, result, what, error_out);
    } else {
        *schema_out = PQntuples(result) == 1 ? xstrdup(PQgetvalue(result, 0, 0)) : NULL;
    }
    PQclear(result);
    return status;
}

static enum tercet_status check_version(PGconn *link, const char *schema,
                                        struct tercet_error *error_out)
{
    static const char head[] = "SELECT version FROM ";
    static const char tail[] = ".tercet_schema WHERE id = 1";
    const size_t size = sizeof head + strlen(schema) + sizeof tail;
    char *sql = xmalloc(size);
    enum tercet_status status = TERCET_OK;

    (void)snprintf(sql, size, "%s%s%s", head, schema, tail);
    PGresult *result = PQexec(link, sql);
    free(sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        const bool forbidden = strcmp(postgres_sqlstate(result), "42501") == 0;
        status = postgres_explain(link, result, what, error_out);
        if (forbidden) {
            status =
                error_set(error_out, TERCET_FAILED_PRECONDITION,
                          "PostgreSQL: the role %s may not use %s.tercet_schema: run the GRANTs "
                          "that sql/postgres.sql names",
                          PQuser(link), schema);
        } else if (status == TERCET_INTERNAL) {
            status = TERCET_DATA_LOSS;
        }
    } else if (PQntuples(result) != 1) {
        status = error_set(error_out, TERCET_DATA_LOSS,
                           "PostgreSQL: %s.tercet_schema has lost its row", schema);
    } else {
        const char *version = PQgetvalue(result, 0, 0);
        if (strtol(version, NULL, 10) != POSTGRES_SCHEMA_VERSION) {
            status =
                error_set(error_out, TERCET_FAILED_PRECONDITION,
                          "PostgreSQL: the fence's tables in schema %s have version %s, and this "
                          "library knows %d: they were made by a newer one; use that",
                          schema, version, POSTGRES_SCHEMA_VERSION);
        }
    }
    PQclear(result);
    return status;
}

static enum tercet_status execute(PGconn *link, const char *sql, struct tercet_error *error_out)
{
    PGresult *result = PQexec(link, sql);
    const ExecStatusType told = PQresultStatus(result);
    const enum tercet_status status =
        told == PGRES_COMMAND_OK || told == PGRES_TUPLES_OK
            ? TERCET_OK
            : postgres_explain(link, result, "cannot make the fence's tables", error_out);
    PQclear(result);
    return status;
}

/* Under a lock, so that two who find nothing do not both make them. */
static enum tercet_status create_tables(PGconn *link, char **schema_out,
                                        struct tercet_error *error_out)
{
    char *schema = NULL;
    enum tercet_status status =
        execute(link, "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE", error_out);

    if (status == TERCET_OK) {
        status =
            execute(link, "SELECT pg_catalog.pg_advisory_xact_lock(8386000000000001)", error_out);
    }
    if (status == TERCET_OK) {
        status = find_schema(link, &schema, error_out);
    }
    if (status == TERCET_OK && schema == NULL) {
        status = execute(link, postgres_sql, error_out);
    }
    if (status == TERCET_OK) {
        status = execute(link, "COMMIT", error_out);
    }
    free(schema);
    return status == TERCET_OK ? find_schema(link, schema_out, error_out) : status;
}

enum tercet_status postgres_tables_find(PGconn *link, bool create, char **schema_out,
                                        struct tercet_error *error_out)
{
    char *schema = NULL;
    enum tercet_status status = find_schema(link, &schema, error_out);

    if (status == TERCET_OK && schema == NULL && create) {
        status = create_tables(link, &schema, error_out);
    }
    if (status == TERCET_OK && schema == NULL) {
        status = error_set(error_out, TERCET_FAILED_PRECONDITION,
                           "PostgreSQL: database %s has no tercet_schema on its search path: run "
                           "sql/postgres.sql there (psql -1 -f), or set create_tables",
                           PQdb(link));
    }
    if (status == TERCET_OK) {
        status = check_version(link, schema, error_out);
    }
    if (status != TERCET_OK) {
        free(schema);
        return status;
    }
    *schema_out = schema;
    return TERCET_OK;
}

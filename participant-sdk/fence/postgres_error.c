/* postgres_error.c -- see postgres_error.h. */
#include "fence/postgres_error.h"

#include <string.h>

#include "base/error.h"

struct meaning {
    const char *sqlstate; /* of five characters, or of two: a class */
    enum tercet_status status;
};

/* The first that fits decides. */
static const struct meaning meanings[] = {
    {"40003", TERCET_UNAVAILABLE}, /* statement_completion_unknown */
    {"40", TERCET_ABORTED},        /* serialization failure, deadlock */
    {"55P03", TERCET_ABORTED},     /* lock_timeout */
    {"08", TERCET_UNAVAILABLE},
    {"57014", TERCET_RESOURCE_EXHAUSTED}, /* statement_timeout, or an operator's cancel */
    {"57", TERCET_UNAVAILABLE},           /* shutdown, crash, start */
    {"25P03", TERCET_UNAVAILABLE},        /* idle_in_transaction_session_timeout */
    {"25006", TERCET_UNAVAILABLE},        /* read only: no longer the primary */
    /* Somebody has taken our prepared statements away, or changed what they rest on.  They are back
     * with the next connection. */
    {"26000", TERCET_UNAVAILABLE},
    {"0A000", TERCET_UNAVAILABLE},
    {"53", TERCET_RESOURCE_EXHAUSTED}, /* disk full, out of memory */
    {"58", TERCET_RESOURCE_EXHAUSTED}, /* the server's system fails it */
    {"XX001", TERCET_DATA_LOSS},
    {"XX002", TERCET_DATA_LOSS},
};

enum tercet_status postgres_status_of(const char *sqlstate)
{
    if (sqlstate == NULL || sqlstate[0] == '\0') {
        return TERCET_UNAVAILABLE;
    }
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (strncmp(sqlstate, meanings[i].sqlstate, strlen(meanings[i].sqlstate)) == 0) {
            return meanings[i].status;
        }
    }
    return TERCET_INTERNAL;
}

const char *postgres_sqlstate(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return sqlstate == NULL ? "" : sqlstate;
}

enum tercet_status postgres_explain(PGconn *link, const PGresult *result, const char *what,
                                    struct tercet_error *error_out)
{
    const char *const sqlstate = postgres_sqlstate(result);
    const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const enum tercet_status status =
        PQstatus(link) != CONNECTION_OK ? TERCET_UNAVAILABLE : postgres_status_of(sqlstate);

    if (words == NULL) {
        words = PQerrorMessage(link);
    }
    if (sqlstate[0] == '\0') {
        return error_set(error_out, status, "PostgreSQL: %s: %s", what, words);
    }
    return error_set(error_out, status, "PostgreSQL: %s: %s (%s)", what, words, sqlstate);
}

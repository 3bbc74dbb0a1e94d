/* store_postgres.c -- a server that runs already (stores.py starts one), with the accounts in a database
 * for each participant. */
#include <libpq-fe.h>
#include <stdio.h>

#include "store.h"
#include "tercet/store_postgres.h"

enum { CONNINFO_SIZE = 1024 };

static enum tercet_verdict move(struct tercet_request *request)
{
    static const char *const names[] = {[TERCET_PHASE_TRY] = "bench_try",
                                        [TERCET_PHASE_CONFIRM] = "bench_confirm",
                                        [TERCET_PHASE_CANCEL] = "bench_cancel"};
    char account[16];
    const char *const values[] = {account};
    (void)snprintf(account, sizeof account, "%u", store_account(request));
    PGresult *result = PQexecPrepared(tercet_postgres_connection(request), names[request->phase], 1,
                                      values, NULL, NULL, 0);
    const enum tercet_verdict verdict = PQresultStatus(result) == PGRES_COMMAND_OK
                                            ? TERCET_VERDICT_DONE
                                            : tercet_postgres_failed(request, result);
    PQclear(result);
    return verdict;
}

static enum tercet_status open(const struct store_place *place, struct tercet_store **store_out,
                               struct tercet_error *error_out)
{
    char conninfo[CONNINFO_SIZE];
    (void)snprintf(conninfo, sizeof conninfo, "%s dbname=%s", place->place, place->name);
    const struct tercet_postgres_options options = {
        .size = sizeof options,
        .conninfo = conninfo,
        .setup_sql = "PREPARE bench_try(int) AS " STORE_TRY_SQL "$1;"
                     "PREPARE bench_confirm(int) AS " STORE_CONFIRM_SQL "$1;"
                     "PREPARE bench_cancel(int) AS " STORE_CANCEL_SQL "$1",
        .create_tables = true,
        .batch_max = place->batch_max};
    return tercet_postgres_open(&options, store_out, error_out);
}

const struct store_kind store_postgres = {.name = "postgres",
                                          .server = "libpq's words, such as host=/run/postgresql",
                                          .open = open,
                                          .handler = move};

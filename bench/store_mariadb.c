/* store_mariadb.c -- a server that runs already (stores.py starts one), with the accounts in a database
 * for each participant. */
#include <mysql.h>
#include <stdio.h>

#include "store.h"
#include "tercet/store_mariadb.h"

enum { STATEMENT_SIZE = 128 };

static enum tercet_verdict move(struct tercet_request *request)
{
    static const char *const sql[] = {[TERCET_PHASE_TRY] = STORE_TRY_SQL,
                                      [TERCET_PHASE_CONFIRM] = STORE_CONFIRM_SQL,
                                      [TERCET_PHASE_CANCEL] = STORE_CANCEL_SQL};
    char statement[STATEMENT_SIZE];
    const int length =
        snprintf(statement, sizeof statement, "%s%u", sql[request->phase], store_account(request));
    if (mysql_real_query(tercet_mariadb_connection(request), statement, (unsigned long)length) !=
        0) {
        return tercet_mariadb_failed(request);
    }
    return TERCET_VERDICT_DONE;
}

static enum tercet_status open(const struct store_place *place, struct tercet_store **store_out,
                               struct tercet_error *error_out)
{
    const struct tercet_mariadb_options options = {.size = sizeof options,
                                                   .defaults_file = place->place,
                                                   .database = place->name,
                                                   .create_tables = true,
                                                   .batch_max = place->batch_max};
    return tercet_mariadb_open(&options, store_out, error_out);
}

const struct store_kind store_mariadb = {.name = "mariadb",
                                         .server = "an option file whose [client] says where it is",
                                         .open = open,
                                         .handler = move};

/* mariadb_watch.c -- what became of the transaction under a handler: the rest of mariadb_connection.h.
 *
 * A transaction that the server took back is run again; one that the handler ended is told as an error.
 * Both look alike, a savepoint that is not there any more, and so three things are asked:
 *
 *   1. The last error: that of the connection, or, when closing a prepared statement has wiped it, the
 *      server's own (SHOW ERRORS, which knows the last statement).  A deadlock (1213) or a lock timeout
 *      (1205) is a reason to run the branch again, whatever the handler has answered.
 *   2. When it has gone on behind its deadlock, whether the row that the claim has inserted is there: a
 *      COMMIT has kept it, the server's rollback has not.  This one look-up is for that rare case.
 *   3. A handler's ROLLBACK looks like the server's.  It does it again when it is run again; the server
 *      hardly does.  So the second time in a row it counts as the handler's.
 *
 * A confirm or cancel of a row that was there has inserted nothing: one that goes on behind its deadlock
 * counts as a handler that has ended the transaction. */
#include "base/error.h"
#include "fence/mariadb_connection.h"
#include "fence/sql_fence.h"

enum { SAVEPOINT_UNKNOWN = 1305, ERRORS_CODE = 1 };

enum tercet_status mariadb_claim(void *connection, const struct tercet_fence_key *key,
                                 const struct tercet_fence_row *wanted,
                                 struct tercet_fence_claim *claim_out,
                                 struct tercet_error *error_out)
{
    struct mariadb_connection *self = connection;

    memcpy(self->claimed.gid, key->gid.data, key->gid.size);
    self->claimed.gid_size = key->gid.size;
    self->claimed.branch = key->branch;
    return sql_claim(&self->base, key, wanted, claim_out, error_out);
}

/* Our savepoint is gone: by the handler, or by the server? */
static enum tercet_status judge_end(struct mariadb_connection *self, struct tercet_error *error_out)
{
    const struct tercet_fence_key key = place_key(&self->claimed);
    const bool inserted = self->base.inserted != TERCET_FENCE_NONE;
    struct tercet_fence_row row = {.state = TERCET_FENCE_NONE};

    mariadb_rollback(self); /* what has been begun since */
    const enum tercet_status status =
        inserted ? sql_find(&self->base, &key, &row, error_out) : TERCET_OK;
    if (status != TERCET_OK) {
        return status;
    }
    if (inserted && row.state == TERCET_FENCE_NONE && !self->vanished) {
        self->vanished = true;
        return error_set(error_out, TERCET_ABORTED,
                         "MariaDB: the transaction was rolled back under the handler");
    }
    self->vanished = false;
    return error_set(error_out, TERCET_FAILED_PRECONDITION, "it ended the transaction");
}

enum tercet_status mariadb_check(void *connection, struct tercet_error *error_out)
{
    struct mariadb_connection *self = connection;
    struct tercet_error error = {0};
    struct sql_cells cells;
    unsigned code = mysql_errno(&self->link);

    sql_queue(&self->base, SQL_ERRORS, NULL);
    sql_queue(&self->base, SQL_UNWATCH, NULL);
    const enum tercet_status status = sql_flush(&self->base, &error);
    if (code == 0 && status != TERCET_UNAVAILABLE && sql_next(&self->base, SQL_ERRORS, &cells)) {
        code = (unsigned)sql_number(&self->base, &cells, ERRORS_CODE);
    }
    if (code != 0 && mariadb_status_of(code) == TERCET_ABORTED) {
        return error_set(error_out, TERCET_ABORTED, "MariaDB: the transaction fell (%u)", code);
    }
    if (status == TERCET_INTERNAL && mysql_errno(&self->link) == SAVEPOINT_UNKNOWN) {
        return judge_end(self, error_out);
    }
    self->vanished = false;
    return status == TERCET_OK ? status : error_set(error_out, status, "%s", error.text);
}

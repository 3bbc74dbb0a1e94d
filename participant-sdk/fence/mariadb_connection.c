/* mariadb_connection.c -- see mariadb_connection.h: the local transaction's end.  Opening is in
 * mariadb_open.c, the queue in mariadb_pipe.c, what becomes of the transaction under a handler in
 * mariadb_watch.c. */
#include "fence/mariadb_connection.h"

#include "base/error.h"

enum tercet_status mariadb_commit(void *connection, struct tercet_error *error_out)
{
    struct sql_connection *self = connection;

    if (self->suspect) {
        return error_set(error_out, TERCET_UNAVAILABLE,
                         "MariaDB: the connection was lost before COMMIT");
    }
    if (self->savepoint_open) {
        sql_queue(self, SQL_RELEASE, NULL);
    }
    sql_queue(self, SQL_COMMIT, NULL);
    enum tercet_status status = sql_flush(self, error_out);
    if (status == TERCET_UNAVAILABLE ||
        (status != TERCET_OK && status != TERCET_ABORTED && self->failed == SQL_COMMIT)) {
        /* What was sent may have arrived; an error of COMMIT itself does not say how far it came. */
        self->suspect = true;
        status = TERCET_UNKNOWN;
    } else if (status == TERCET_INTERNAL) {
        status = TERCET_ABORTED; /* one branch alone is to blame */
    }
    if (status != TERCET_OK && error_out != NULL) {
        error_out->status = status;
    }
    return status;
}

void mariadb_rollback(void *connection)
{
    struct sql_connection *self = connection;

    sql_end(self);
    if (self->suspect) {
        return;
    }
    /* What is queued and was not sent is forgotten: nothing of it is to be kept. */
    self->flushed = true;
    sql_queue(self, SQL_ROLLBACK, NULL);
    if (sql_flush(self, NULL) != TERCET_OK) {
        self->suspect = true;
    }
}

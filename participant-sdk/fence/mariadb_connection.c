/* mariadb_connection.c -- see mariadb_connection.h: the local transaction.  Opening is in mariadb_open.c,
 * the queue in mariadb_pipe.c, what becomes of the transaction under a handler in mariadb_watch.c. */
#include "fence/mariadb_connection.h"

#include "base/error.h"

enum tercet_status mariadb_begin(void *connection, struct tercet_error *error_out)
{
    struct mariadb_connection *self = connection;

    if (self->suspect) {
        return error_set(error_out, TERCET_UNAVAILABLE,
                         "MariaDB: the connection has failed, and is made anew");
    }
    self->savepoint_open = false;
    self->inserted = TERCET_FENCE_NONE;
    self->scope.held = false;
    mariadb_queue(self, MARIADB_CONTROL, "START TRANSACTION READ WRITE");
    return TERCET_OK;
}

enum tercet_status mariadb_savepoint(void *connection, struct tercet_error *error_out)
{
    struct mariadb_connection *self = connection;

    (void)error_out;
    if (self->savepoint_open) {
        mariadb_queue(self, MARIADB_CONTROL, "RELEASE SAVEPOINT tercet_branch");
    }
    mariadb_queue(self, MARIADB_CONTROL, "SAVEPOINT tercet_branch");
    self->savepoint_open = true;
    self->inserted = TERCET_FENCE_NONE;
    return TERCET_OK;
}

enum tercet_status mariadb_rewind(void *connection, struct tercet_error *error_out)
{
    struct mariadb_connection *self = connection;

    (void)error_out;
    self->inserted = TERCET_FENCE_NONE;
    mariadb_queue(self, MARIADB_CONTROL, "ROLLBACK TO SAVEPOINT tercet_branch");
    return TERCET_OK;
}

enum tercet_status mariadb_commit(void *connection, struct tercet_error *error_out)
{
    struct mariadb_connection *self = connection;

    if (self->suspect) {
        return error_set(error_out, TERCET_UNAVAILABLE,
                         "MariaDB: the connection was lost before COMMIT");
    }
    if (self->savepoint_open) {
        mariadb_queue(self, MARIADB_CONTROL, "RELEASE SAVEPOINT tercet_branch");
    }
    mariadb_queue(self, MARIADB_COMMIT, "COMMIT");
    enum tercet_status status = mariadb_flush(self, error_out);
    if (status == TERCET_UNAVAILABLE ||
        (status != TERCET_OK && status != TERCET_ABORTED && self->failed == MARIADB_COMMIT)) {
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
    struct mariadb_connection *self = connection;

    self->savepoint_open = false;
    self->inserted = TERCET_FENCE_NONE;
    self->scope.held = false;
    if (self->suspect) {
        return;
    }
    /* What is queued and was not sent is forgotten: nothing of it is to be kept. */
    self->flushed = true;
    mariadb_queue(self, MARIADB_CONTROL, "ROLLBACK");
    if (mariadb_flush(self, NULL) != TERCET_OK) {
        self->suspect = true;
    }
}

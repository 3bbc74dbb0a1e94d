/* postgres_connection.c -- see postgres_connection.h: the local transaction.  Opening is in
 * postgres_open.c, the queue in postgres_pipe.c. */
#include "fence/postgres_connection.h"

#include "base/assert.h"
#include "base/error.h"
#include "fence/postgres_error.h"

enum tercet_status postgres_begin_by(struct postgres_connection *connection,
                                     enum postgres_query query, struct tercet_error *error_out)
{
    if (connection->suspect || PQtransactionStatus(connection->link) != PQTRANS_IDLE) {
        connection->suspect = true;
        return error_set(error_out, TERCET_UNAVAILABLE,
                         "PostgreSQL: the connection has failed, and is made anew");
    }
    connection->transaction_open = true;
    connection->savepoint_open = false;
    connection->inserted = TERCET_FENCE_NONE;
    connection->failed_sqlstate[0] = '\0';
    connection->scope.hold = POSTGRES_NOT_HELD;
    return postgres_queue(connection, query, NULL, error_out);
}

enum tercet_status postgres_begin(void *connection, struct tercet_error *error_out)
{
    return postgres_begin_by(connection, POSTGRES_BEGIN, error_out);
}

enum tercet_status postgres_savepoint(void *connection, struct tercet_error *error_out)
{
    struct postgres_connection *self = connection;
    struct postgres_values values = {0};
    enum tercet_status status = TERCET_OK;

    if (self->savepoint_open) {
        status = postgres_queue(self, POSTGRES_RELEASE, NULL, error_out);
    }
    if (status == TERCET_OK) {
        status = postgres_queue(self, POSTGRES_SAVEPOINT, NULL, error_out);
    }
    if (status == TERCET_OK) {
        self->sign = 1 - self->sign;
        postgres_add_text(&values, self->signs[self->sign]);
        status = postgres_queue(self, POSTGRES_SIGN, &values, error_out);
    }
    self->savepoint_open = true;
    self->inserted = TERCET_FENCE_NONE;
    self->failed_sqlstate[0] = '\0';
    if (self->scope.hold == POSTGRES_HELD_BY_SAVEPOINT) {
        self->scope.hold = POSTGRES_HELD;
    }
    return status;
}

enum tercet_status postgres_rewind(void *connection, struct tercet_error *error_out)
{
    struct postgres_connection *self = connection;
    const bool failed = PQtransactionStatus(self->link) == PQTRANS_INERROR;

    self->inserted = TERCET_FENCE_NONE;
    self->sign = 1 - self->sign; /* the one before is back; the next differs from it */
    if (self->scope.hold == POSTGRES_HELD_BY_SAVEPOINT) {
        self->scope.hold = POSTGRES_NOT_HELD;
    }
    const enum tercet_status status = postgres_queue(self, POSTGRES_REWIND, NULL, error_out);
    /* At once where check() could not see whether the savepoint is still there. */
    return status == TERCET_OK && failed ? postgres_flush(self, error_out) : status;
}

/* Whether the last savepoint is still signed: nothing before it was committed or rolled back. */
static bool is_signed(const struct postgres_connection *connection)
{
    const char *name = PQparameterStatus(connection->link, "application_name");
    return name != NULL && strcmp(name, connection->signs[connection->sign]) == 0;
}

enum tercet_status postgres_check(void *connection, struct tercet_error *error_out)
{
    struct postgres_connection *self = connection;

    switch (PQtransactionStatus(self->link)) {
    case PQTRANS_UNKNOWN:
        self->suspect = true;
        return error_set(error_out, TERCET_UNAVAILABLE, "PostgreSQL: the connection is lost: %s",
                         PQerrorMessage(self->link));
    case PQTRANS_ACTIVE:
        self->suspect = true;
        return error_set(error_out, TERCET_INTERNAL,
                         "PostgreSQL: the handler left a result of its own pending");
    case PQTRANS_IDLE:
        return error_set(error_out, TERCET_FAILED_PRECONDITION, "it ended the transaction");
    case PQTRANS_INTRANS:
        break;
    case PQTRANS_INERROR:
        if (postgres_status_of(self->failed_sqlstate) == TERCET_ABORTED) {
            return error_set(error_out, TERCET_ABORTED, "PostgreSQL: the transaction fell (%s)",
                             self->failed_sqlstate);
        }
        break;
    }
    if (PQpipelineStatus(self->link) != PQ_PIPELINE_OFF) {
        self->suspect = true;
        return error_set(error_out, TERCET_INTERNAL,
                         "PostgreSQL: the handler left the connection in pipeline mode");
    }
    /* A failure has taken the sign back, as it has all that was done behind the savepoint. */
    if (PQtransactionStatus(self->link) == PQTRANS_INTRANS && !is_signed(self)) {
        return error_set(error_out, TERCET_FAILED_PRECONDITION,
                         "it ended the transaction and began another, or changed application_name");
    }
    (void)PQsetnonblocking(self->link, 0);
    return TERCET_OK;
}

enum tercet_status postgres_commit(void *connection, struct tercet_error *error_out)
{
    struct postgres_connection *self = connection;

    if (PQstatus(self->link) != CONNECTION_OK) {
        return error_set(error_out, TERCET_UNAVAILABLE,
                         "PostgreSQL: the connection was lost before COMMIT");
    }
    enum tercet_status status = postgres_queue(self, POSTGRES_COMMIT, NULL, error_out);
    if (status != TERCET_OK) {
        return status; /* it stays in this process */
    }
    status = postgres_flush(self, error_out);
    if (status == TERCET_OK &&
        strcmp(PQcmdStatus(postgres_result(self, POSTGRES_COMMIT)), "COMMIT") != 0) {
        status = error_set(error_out, TERCET_ABORTED,
                           "PostgreSQL: a statement had failed, and COMMIT rolled back");
    } else if (status == TERCET_UNAVAILABLE) {
        /* What was sent may have arrived. */
        status = TERCET_UNKNOWN;
    } else if (status == TERCET_INTERNAL) {
        /* A deferred constraint, or a row that somebody took away: one branch alone is to blame. */
        status = TERCET_ABORTED;
    }
    self->transaction_open = status != TERCET_OK;
    if (status != TERCET_OK && error_out != NULL) {
        error_out->status = status;
    }
    return status;
}

void postgres_rollback(void *connection)
{
    struct postgres_connection *self = connection;
    const bool queued = self->queued > 0 && !self->flushed;

    self->scope.hold = POSTGRES_NOT_HELD;
    self->inserted = TERCET_FENCE_NONE;
    self->transaction_open = false;
    if (self->suspect || (!queued && PQtransactionStatus(self->link) == PQTRANS_IDLE)) {
        return;
    }
    /* Behind something queued that fails, ROLLBACK is not carried out: it goes again, alone. */
    for (int round = 0; round < 2 && !self->suspect; round++) {
        if (postgres_queue(self, POSTGRES_ROLLBACK, NULL, NULL) == TERCET_OK &&
            postgres_flush(self, NULL) == TERCET_OK) {
            break;
        }
    }
    if (PQtransactionStatus(self->link) != PQTRANS_IDLE) {
        self->suspect = true;
    }
}

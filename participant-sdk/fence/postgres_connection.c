/* postgres_connection.c -- see postgres_connection.h: the local transaction.  Opening is in
 * postgres_open.c, the queue in postgres_pipe.c. */
#include "fence/postgres_connection.h"

#include "base/assert.h"
#include "base/error.h"
#include "fence/postgres_error.h"
#include "fence/sql_fence.h"

enum tercet_status postgres_savepoint(void *connection, struct tercet_error *error_out)
{
    struct postgres_connection *self = connection;
    struct sql_values values = {0};

    (void)sql_savepoint(&self->base, NULL);
    self->sign = 1 - self->sign;
    self->failed_sqlstate[0] = '\0';
    sql_add_text(&values, self->signs[self->sign]);
    sql_queue(&self->base, SQL_SIGN, &values);
    return sql_usable(&self->base, error_out);
}

enum tercet_status postgres_rewind(void *connection, struct tercet_error *error_out)
{
    struct postgres_connection *self = connection;
    const bool failed = PQtransactionStatus(self->link) == PQTRANS_INERROR;

    self->sign = 1 - self->sign; /* the one before is back; the next differs from it */
    const enum tercet_status status = sql_rewind(&self->base, error_out);
    /* At once where check() could not see whether the savepoint is still there. */
    return status == TERCET_OK && failed ? sql_flush(&self->base, error_out) : status;
}

enum tercet_status postgres_write(void *connection, const struct tercet_fence_key *key,
                                  const struct tercet_fence_row *row,
                                  struct tercet_error *error_out)
{
    struct postgres_connection *self = connection;

    if (PQtransactionStatus(self->link) == PQTRANS_INERROR) {
        return error_set(error_out, TERCET_INTERNAL,
                         "PostgreSQL: the handler answered DONE though a statement of its own had "
                         "failed (%s)",
                         self->failed_sqlstate);
    }
    return sql_write(&self->base, key, row, error_out);
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
        self->base.suspect = true;
        return error_set(error_out, TERCET_UNAVAILABLE, "PostgreSQL: the connection is lost: %s",
                         PQerrorMessage(self->link));
    case PQTRANS_ACTIVE:
        self->base.suspect = true;
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
        self->base.suspect = true;
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
    sql_queue(&self->base, SQL_COMMIT, NULL);
    enum tercet_status status = sql_usable(&self->base, error_out);
    if (status != TERCET_OK) {
        return status; /* it stays in this process */
    }
    const unsigned at = self->base.queued - 1;
    status = sql_flush(&self->base, error_out);
    if (status == TERCET_OK && strcmp(PQcmdStatus(self->results[at]), "COMMIT") != 0) {
        status = error_set(error_out, TERCET_ABORTED,
                           "PostgreSQL: a statement had failed, and COMMIT rolled back");
    } else if (status == TERCET_UNAVAILABLE) {
        /* What was sent may have arrived. */
        status = TERCET_UNKNOWN;
    } else if (status == TERCET_INTERNAL) {
        /* A deferred constraint, or a row that somebody took away: one branch alone is to blame. */
        status = TERCET_ABORTED;
    }
    if (status != TERCET_OK && error_out != NULL) {
        error_out->status = status;
    }
    return status;
}

void postgres_rollback(void *connection)
{
    struct postgres_connection *self = connection;
    const bool queued = self->base.queued > 0 && !self->base.flushed;

    sql_end(&self->base);
    if (self->base.suspect || (!queued && PQtransactionStatus(self->link) == PQTRANS_IDLE)) {
        return;
    }
    /* Behind something queued that fails, ROLLBACK is not carried out: it goes again, alone. */
    for (int round = 0; round < 2 && !self->base.suspect; round++) {
        sql_queue(&self->base, SQL_ROLLBACK, NULL);
        if (sql_flush(&self->base, NULL) == TERCET_OK) {
            break;
        }
    }
    if (PQtransactionStatus(self->link) != PQTRANS_IDLE) {
        self->base.suspect = true;
    }
}

/* postgres_scope.c -- scopes: epoch and mark of one (participant, origin); part of postgres_fence.h, and
 * what their locks are for is told in postgres_fence.c. */
#include "base/error.h"
#include "fence/mark_codec.h"
#include "fence/postgres_fence.h"

/* The columns of a scope. */
enum {
    SCOPE_ID,
    SCOPE_INCARNATION,
    SCOPE_EPOCH,
    SCOPE_MARK_INCARNATION,
    SCOPE_MARK_LSN,
    SCOPE_LOW_INCARNATION,
    SCOPE_LOW_NUMBER,
    SCOPE_OPEN
};

enum tercet_status postgres_queue_of_scope(struct postgres_connection *connection,
                                           enum postgres_query query, const char *participant,
                                           const uint8_t *origin, struct tercet_error *error_out)
{
    struct postgres_values values = {0};

    postgres_add_text(&values, participant);
    postgres_add_bytes(&values, origin, TERCET_ORIGIN_BYTES);
    return postgres_queue(connection, query, &values, error_out);
}

enum tercet_status postgres_read_scope(const PGresult *result, struct postgres_scope *scope_out,
                                       struct tercet_error *error_out)
{
    scope_out->id = 0;
    scope_out->epoch = (struct tercet_epoch){0, 0};
    memset(&scope_out->mark, 0, sizeof scope_out->mark);
    if (PQntuples(result) == 0 || PQgetisnull(result, 0, SCOPE_ID)) {
        return TERCET_OK;
    }
    const struct tercet_bytes open = tercet_bytes_of(PQgetvalue(result, 0, SCOPE_OPEN),
                                                     (size_t)PQgetlength(result, 0, SCOPE_OPEN));
    if (!mark_open_decode(open, &scope_out->mark)) {
        return error_set(error_out, TERCET_DATA_LOSS, "PostgreSQL: a stored mark cannot be read");
    }
    scope_out->id = postgres_number(result, 0, SCOPE_ID);
    scope_out->epoch.incarnation = postgres_number(result, 0, SCOPE_INCARNATION);
    scope_out->epoch.epoch = postgres_number(result, 0, SCOPE_EPOCH);
    scope_out->mark.as_of_incarnation = postgres_number(result, 0, SCOPE_MARK_INCARNATION);
    scope_out->mark.as_of_lsn = postgres_number(result, 0, SCOPE_MARK_LSN);
    scope_out->mark.low.incarnation = postgres_number(result, 0, SCOPE_LOW_INCARNATION);
    scope_out->mark.low.number = postgres_number(result, 0, SCOPE_LOW_NUMBER);
    return TERCET_OK;
}

enum tercet_status postgres_queue_epoch(struct postgres_connection *connection,
                                        const struct tercet_fence_caller *caller,
                                        struct tercet_error *error_out)
{
    struct postgres_values values = {0};
    const enum tercet_status status = postgres_queue_of_scope(
        connection, POSTGRES_LOCK_EXCLUSIVE, caller->participant, caller->origin, error_out);

    if (status != TERCET_OK) {
        return status;
    }
    postgres_add_text(&values, caller->participant);
    postgres_add_bytes(&values, caller->origin, TERCET_ORIGIN_BYTES);
    postgres_add_number(&values, caller->epoch.incarnation);
    postgres_add_number(&values, caller->epoch.epoch);
    return postgres_queue(connection, POSTGRES_SCOPE_EPOCH, &values, error_out);
}

enum tercet_status postgres_raise_epoch(void *connection, const struct tercet_fence_caller *caller,
                                        struct tercet_error *error_out)
{
    struct postgres_connection *self = connection;

    self->scope.hold = POSTGRES_NOT_HELD; /* what was read of it is not so any more */
    return postgres_queue_epoch(self, caller, error_out);
}

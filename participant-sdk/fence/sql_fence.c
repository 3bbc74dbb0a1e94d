/* sql_fence.c -- see sql_fence.h; sweeping and reading for operators is in sql_sweep.c, what is peculiar to
 * a server in the head of its *_statements.c.
 *
 * What has to be shut out is this: a sweep in another process deletes the row of an ended branch, a late
 * try of it finds no row, and does not hear of the mark either.
 *
 * Each scope, that is (participant, origin), has a lock, held to the end of the transaction.  A claim
 * takes it shared, before it reads the scope and before it inserts; apply_mark() and raise_epoch() take it
 * alone, before they change anything.  So while a transaction has claims, neither mark nor epoch of their
 * scope changes and none of its rows is swept; and a sweep begins when every transaction that has claimed
 * there has ended.  Reading the mark before the insert is then the same as reading it after: nobody can
 * store one in between.  Who waits for the lock is served in the order of coming, so that claims do not
 * keep a sweep out for ever.  A slice of a sweep after the first deletes without storing the mark again,
 * but its mark was committed with an earlier slice: whoever misses the row reads that mark.
 *
 * Two claims of one key: the insert decides, by the primary key, who makes the row; it waits for whoever
 * has inserted the same key and not ended.  Only the one whose insert made the row is told NONE.  The
 * other then reads the row and locks it, as it is now or, where the isolation level forbids that, not at
 * all (ABORTED).  A row that goes away between the two belongs to another scope, whose sweep our lock does
 * not stop: then all begins anew.
 *
 * A lock taken behind a savepoint may be given up by a rollback to it; struct sql_scope keeps count, so
 * that a transaction with many branches of one scope takes the lock and reads the scope once. */
#include "fence/sql_fence.h"

#include "base/error.h"
#include "fence/store_rules.h"

enum { CLAIM_ROUNDS_MAX = 3 };

/* ---- Scopes ----------------------------------------------------------------------------------- */

void sql_add_scope(struct sql_values *values, const char *participant, const uint8_t *origin)
{
    sql_add_text(values, participant);
    sql_add_bytes(values, origin, TERCET_ORIGIN_BYTES);
}

void sql_queue_epoch(struct sql_connection *connection, const struct tercet_fence_caller *caller)
{
    struct sql_values values = {0};

    sql_add_scope(&values, caller->participant, caller->origin);
    sql_queue(connection, SQL_LOCK_ALONE, &values);
    sql_add_number(&values, caller->epoch.incarnation);
    sql_add_number(&values, caller->epoch.epoch);
    sql_queue(connection, SQL_SCOPE_EPOCH, &values);
}

enum tercet_status sql_raise_epoch(void *connection, const struct tercet_fence_caller *caller,
                                   struct tercet_error *error_out)
{
    struct sql_connection *self = connection;

    self->scope.hold = SQL_NOT_HELD; /* what was read of it is not so any more */
    sql_queue_epoch(self, caller);
    return sql_usable(self, error_out);
}

/* Whether this transaction has locked and read the scope. */
static bool is_held(const struct sql_scope *scope, const struct tercet_fence_row *wanted)
{
    return scope->hold != SQL_NOT_HELD && strcmp(scope->participant, wanted->participant) == 0 &&
           memcmp(scope->origin, wanted->identity.origin, TERCET_ORIGIN_BYTES) == 0;
}

/* Takes the scope's lock and reads it, unless this transaction has both. */
static void queue_hold(struct sql_connection *connection, const struct tercet_fence_row *wanted)
{
    struct sql_values values = {0};

    if (!is_held(&connection->scope, wanted)) {
        sql_add_scope(&values, wanted->participant, wanted->identity.origin);
        sql_queue(connection, SQL_LOCK_SHARED, &values);
        sql_queue(connection, SQL_SCOPE, &values);
    }
}

static enum tercet_status take_hold(struct sql_connection *connection,
                                    const struct tercet_fence_row *wanted,
                                    struct tercet_error *error_out)
{
    struct sql_scope *const scope = &connection->scope;
    struct sql_cells cells;

    if (is_held(scope, wanted)) {
        return TERCET_OK;
    }
    scope->hold = SQL_NOT_HELD;
    const bool there = sql_next(connection, SQL_SCOPE, &cells);
    const enum tercet_status status =
        sql_read_scope(connection, there ? &cells : NULL, scope, error_out);
    if (status == TERCET_OK && there) {
        memcpy(scope->participant, wanted->participant, sizeof scope->participant);
        memcpy(scope->origin, wanted->identity.origin, sizeof scope->origin);
        scope->hold = SQL_HELD_BY_SAVEPOINT;
    }
    return status;
}

/* ---- Rows ------------------------------------------------------------------------------------- */

static void queue_key(struct sql_connection *connection, enum sql_query query,
                      const struct tercet_fence_key *key)
{
    struct sql_values values = {0};

    sql_add_bytes(&values, key->gid.data, key->gid.size);
    sql_add_number(&values, key->branch);
    sql_queue(connection, query, &values);
}

/* All of the row; an update needs no more of it than the first four. */
static void queue_row(struct sql_connection *connection, enum sql_query query,
                      const struct tercet_fence_key *key, const struct tercet_fence_row *row)
{
    struct sql_values values = {0};

    sql_add_bytes(&values, key->gid.data, key->gid.size);
    sql_add_number(&values, key->branch);
    sql_add_number(&values, row->state);
    sql_add_bytes(&values, row->result, row->result_bytes);
    sql_add_number(&values, row->identity.number.incarnation);
    sql_add_number(&values, row->identity.number.number);
    sql_add_bytes(&values, row->identity.digest, TERCET_DIGEST_BYTES);
    sql_add_text(&values, row->action);
    sql_add_scope(&values, row->participant, row->identity.origin);
    sql_queue(connection, query, &values);
}

/* The row that was asked for by `query`, or NONE. */
static enum tercet_status take_row(struct sql_connection *connection, enum sql_query query,
                                   struct tercet_fence_row *row_out, struct tercet_error *error_out)
{
    struct sql_cells cells;
    struct tercet_fence_key key;

    if (!sql_next(connection, query, &cells)) {
        row_out->state = TERCET_FENCE_NONE;
        return TERCET_OK;
    }
    return sql_read_row(connection, &cells, &key, row_out, error_out);
}

enum tercet_status sql_find(void *connection, const struct tercet_fence_key *key,
                            struct tercet_fence_row *row_out, struct tercet_error *error_out)
{
    struct sql_connection *self = connection;

    queue_key(self, SQL_ROW_FIND, key);
    sql_queue(self, SQL_END_READ, NULL);
    const enum tercet_status status = sql_flush(self, error_out);
    return status == TERCET_OK ? take_row(self, SQL_ROW_FIND, row_out, error_out) : status;
}

enum tercet_status sql_write(void *connection, const struct tercet_fence_key *key,
                             const struct tercet_fence_row *row, struct tercet_error *error_out)
{
    struct sql_connection *self = connection;

    if (self->inserted == row->state && row->result_bytes == 0) {
        return TERCET_OK; /* as the claim has inserted it */
    }
    queue_row(self, SQL_ROW_WRITE, key, row);
    return sql_usable(self, error_out);
}

/* ---- Claims ----------------------------------------------------------------------------------- */

/* Sends the claim with all that was queued before it. */
static enum tercet_status flush_claim(struct sql_connection *connection,
                                      struct tercet_error *error_out)
{
    const enum tercet_status status = sql_flush(connection, error_out);

    if (status == TERCET_INTERNAL && connection->failed == SQL_ROW_WRITE) {
        /* The branch before has failed, not this one: each is to be run alone. */
        if (error_out != NULL) {
            error_out->status = TERCET_ABORTED;
        }
        return TERCET_ABORTED;
    }
    return status;
}

/* One round: the row is inserted, or found and locked, or neither (`again_out`). */
static enum tercet_status claim_row(struct sql_connection *connection,
                                    const struct tercet_fence_key *key,
                                    const struct tercet_fence_row *wanted,
                                    struct tercet_fence_row *row_out, bool *again_out,
                                    struct tercet_error *error_out)
{
    const bool inserts = wanted->state != TERCET_FENCE_NONE;
    /* Where a row is likely: a cancel mostly has one, a try has none. */
    const bool reads_at_once = !inserts || wanted->state == TERCET_FENCE_SUSPENDED;

    *again_out = false;
    queue_hold(connection, wanted);
    if (inserts) {
        queue_row(connection, SQL_ROW_INSERT, key, wanted);
    }
    if (reads_at_once) {
        queue_key(connection, SQL_ROW_CLAIM, key);
    }
    sql_queue(connection, SQL_WATCH, NULL);
    enum tercet_status status = flush_claim(connection, error_out);
    if (status == TERCET_OK) {
        status = take_hold(connection, wanted, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    if (inserts && sql_affected(connection, SQL_ROW_INSERT) == 1) {
        connection->inserted = wanted->state;
        row_out->state = TERCET_FENCE_NONE;
        return TERCET_OK;
    }
    if (!reads_at_once) {
        queue_key(connection, SQL_ROW_CLAIM, key);
        status = sql_flush(connection, error_out);
        if (status != TERCET_OK) {
            return status;
        }
    }
    status = take_row(connection, SQL_ROW_CLAIM, row_out, error_out);
    *again_out = status == TERCET_OK && inserts && row_out->state == TERCET_FENCE_NONE &&
                 connection->scope.id != 0;
    return status;
}

enum tercet_status sql_claim(void *connection, const struct tercet_fence_key *key,
                             const struct tercet_fence_row *wanted,
                             struct tercet_fence_claim *claim_out, struct tercet_error *error_out)
{
    struct sql_connection *self = connection;
    enum tercet_status status = TERCET_OK;
    bool again = true;

    for (int round = 0; again && status == TERCET_OK; round++) {
        status = round < CLAIM_ROUNDS_MAX
                     ? claim_row(self, key, wanted, &claim_out->row, &again, error_out)
                     : error_set(error_out, TERCET_ABORTED,
                                 "%s: the row comes and goes under the claim", self->dialect->name);
    }
    if (status == TERCET_OK) {
        store_rules_end_claim(self->scope.epoch, &self->scope.mark, wanted->identity.number,
                              claim_out);
    }
    return status;
}

/* postgres_fence.c -- see postgres_fence.h; sweeping and reading for operators is in postgres_sweep.c.
 *
 * What has to be shut out is this: a sweep in another process deletes the row of an ended branch, a
 * late try of it finds no row, and does not hear of the mark either.
 *
 * Each scope, that is (participant, origin), has an advisory lock, held to the end of the transaction.
 * A claim takes it shared, before it reads the scope and before it inserts; apply_mark() and
 * raise_epoch() take it alone, before they change anything.  So while a transaction has claims, neither
 * mark nor epoch of their scope changes and none of its rows is swept; and a sweep begins when every
 * transaction that has claimed there has ended.  Reading the mark before the insert is then the same
 * as reading it after: nobody can store one in between.  An advisory lock and not a lock of the scope's
 * row, because one can be taken where there is no row yet, because nothing is written for it, and
 * because a row's shared lockers would starve whoever waits to change it, where the lock manager
 * queues.
 *
 * What a transaction sees under its lock:
 *   READ COMMITTED   each statement has a snapshot of its own.  The scope is read by a statement behind
 *                    the one that took the lock, so it is what was committed last.
 *   REPEATABLE READ, SERIALIZABLE   the snapshot may be older than the lock: a mark may have been stored
 *                    between the two.  So the scope is read FOR SHARE: when it has changed since the
 *                    snapshot, that fails (40001), the transaction is ABORTED and run again.  A scope
 *                    that was made since the snapshot looks as if there were none; storing its epoch
 *                    then meets it, and fails likewise.
 * A slice of a sweep after the first deletes without storing the mark again, but its mark was committed
 * with an earlier slice: whoever misses the row reads that mark, or fails as above.
 *
 * Two claims of one key: INSERT ... ON CONFLICT DO NOTHING decides, by the primary key, who makes the
 * row; it waits for whoever has inserted the same key and not ended.  Only the one whose insert made
 * the row is told NONE.  The other then reads the row FOR UPDATE: at READ COMMITTED as it is now, at
 * the other levels as it is now or not at all (40001).  A row that goes away between the two belongs
 * to another scope, whose sweep our lock does not stop: then all begins anew.
 *
 * A lock taken behind a savepoint is given up by a rollback to it; struct postgres_scope keeps count,
 * so that a transaction with many branches of one scope takes the lock and reads the scope once. */
#include "fence/postgres_fence.h"

#include "base/assert.h"
#include "base/error.h"

enum { CLAIM_ROUNDS_MAX = 3 };

/* The columns of a row. */
enum {
    ROW_STATE,
    ROW_ORIGIN,
    ROW_INCARNATION,
    ROW_NUMBER,
    ROW_DIGEST,
    ROW_PARTICIPANT,
    ROW_ACTION,
    ROW_RESULT,
    ROW_GID,
    ROW_BRANCH
};

/* ---- Rows ------------------------------------------------------------------------------------- */

static bool copy_bytes(const PGresult *result, int index, int column, uint8_t *bytes_out,
                       size_t size)
{
    if ((size_t)PQgetlength(result, index, column) != size) {
        return false;
    }
    memcpy(bytes_out, PQgetvalue(result, index, column), size);
    return true;
}

static bool copy_name(const PGresult *result, int index, int column, char *name_out)
{
    const size_t size = (size_t)PQgetlength(result, index, column);
    if (size < 1 || size > TERCET_NAME_BYTES_MAX) {
        return false;
    }
    memcpy(name_out, PQgetvalue(result, index, column), size);
    name_out[size] = '\0';
    return true;
}

enum tercet_status postgres_read_row(const PGresult *result, int index,
                                     struct tercet_fence_key *key_out,
                                     struct tercet_fence_row *row_out,
                                     struct tercet_error *error_out)
{
    const int64_t state = postgres_number(result, index, ROW_STATE);
    const size_t result_bytes = (size_t)PQgetlength(result, index, ROW_RESULT);

    key_out->gid = tercet_bytes_of(PQgetvalue(result, index, ROW_GID),
                                   (size_t)PQgetlength(result, index, ROW_GID));
    key_out->branch = (uint32_t)postgres_number(result, index, ROW_BRANCH);
    memset(row_out, 0, sizeof *row_out);
    if (state < TERCET_FENCE_TRIED || state > TERCET_FENCE_SUSPENDED ||
        result_bytes > TERCET_RESULT_BYTES_MAX ||
        !copy_bytes(result, index, ROW_ORIGIN, row_out->identity.origin, TERCET_ORIGIN_BYTES) ||
        !copy_bytes(result, index, ROW_DIGEST, row_out->identity.digest, TERCET_DIGEST_BYTES) ||
        !copy_name(result, index, ROW_PARTICIPANT, row_out->participant) ||
        !copy_name(result, index, ROW_ACTION, row_out->action)) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "PostgreSQL: fence row %.*s/%u cannot be read", (int)key_out->gid.size,
                         (const char *)key_out->gid.data, key_out->branch);
    }
    row_out->state = (enum tercet_fence_state)state;
    row_out->identity.number.incarnation = postgres_number(result, index, ROW_INCARNATION);
    row_out->identity.number.number = postgres_number(result, index, ROW_NUMBER);
    row_out->result_bytes = (uint32_t)result_bytes;
    memcpy(row_out->result, PQgetvalue(result, index, ROW_RESULT), result_bytes);
    return TERCET_OK;
}

static void add_key(struct postgres_values *values, const struct tercet_fence_key *key)
{
    postgres_add_bytes(values, key->gid.data, key->gid.size);
    postgres_add_number(values, key->branch);
}

static enum tercet_status queue_row(struct postgres_connection *connection,
                                    enum postgres_query query, const struct tercet_fence_key *key,
                                    struct tercet_error *error_out)
{
    struct postgres_values values = {0};

    add_key(&values, key);
    return postgres_queue(connection, query, &values, error_out);
}

/* The row that was asked for by `query`, or NONE. */
static enum tercet_status take_row(const struct postgres_connection *connection,
                                   enum postgres_query query, struct tercet_fence_row *row_out,
                                   struct tercet_error *error_out)
{
    const PGresult *result = postgres_result(connection, query);
    struct tercet_fence_key key;

    if (PQntuples(result) == 0) {
        row_out->state = TERCET_FENCE_NONE;
        return TERCET_OK;
    }
    return postgres_read_row(result, 0, &key, row_out, error_out);
}

enum tercet_status postgres_find(void *connection, const struct tercet_fence_key *key,
                                 struct tercet_fence_row *row_out, struct tercet_error *error_out)
{
    struct postgres_connection *self = connection;
    enum tercet_status status = queue_row(self, POSTGRES_ROW_FIND, key, error_out);

    if (status == TERCET_OK) {
        status = postgres_flush(self, error_out);
    }
    return status == TERCET_OK ? take_row(self, POSTGRES_ROW_FIND, row_out, error_out) : status;
}

/* ---- Claims ----------------------------------------------------------------------------------- */

/* Whether this transaction has the scope's lock and has read it. */
static bool is_held(const struct postgres_scope *scope, const struct tercet_fence_row *wanted)
{
    return scope->hold != POSTGRES_NOT_HELD &&
           strcmp(scope->participant, wanted->participant) == 0 &&
           memcmp(scope->origin, wanted->identity.origin, TERCET_ORIGIN_BYTES) == 0;
}

static enum tercet_status queue_insert(struct postgres_connection *connection,
                                       const struct tercet_fence_key *key,
                                       const struct tercet_fence_row *wanted,
                                       struct tercet_error *error_out)
{
    struct postgres_values values = {0};

    add_key(&values, key);
    postgres_add_number(&values, wanted->state);
    postgres_add_number(&values, wanted->identity.number.incarnation);
    postgres_add_number(&values, wanted->identity.number.number);
    postgres_add_bytes(&values, wanted->identity.digest, TERCET_DIGEST_BYTES);
    postgres_add_text(&values, wanted->action);
    postgres_add_text(&values, wanted->participant);
    postgres_add_bytes(&values, wanted->identity.origin, TERCET_ORIGIN_BYTES);
    return postgres_queue(connection, POSTGRES_ROW_INSERT, &values, error_out);
}

/* Takes the scope's lock and reads it, unless this transaction has both. */
static enum tercet_status queue_hold(struct postgres_connection *connection,
                                     const struct tercet_fence_row *wanted,
                                     struct tercet_error *error_out)
{
    if (is_held(&connection->scope, wanted)) {
        return TERCET_OK;
    }
    const uint8_t *const origin = wanted->identity.origin;
    const enum tercet_status status = postgres_queue_of_scope(
        connection, POSTGRES_LOCK_SHARED, wanted->participant, origin, error_out);
    return status == TERCET_OK ? postgres_queue_of_scope(connection, POSTGRES_SCOPE,
                                                         wanted->participant, origin, error_out)
                               : status;
}

static enum tercet_status take_hold(struct postgres_connection *connection,
                                    const struct tercet_fence_row *wanted,
                                    struct tercet_error *error_out)
{
    struct postgres_scope *const scope = &connection->scope;

    if (is_held(scope, wanted)) {
        return TERCET_OK;
    }
    scope->hold = POSTGRES_NOT_HELD;
    const enum tercet_status status =
        postgres_read_scope(postgres_result(connection, POSTGRES_SCOPE), scope, error_out);
    if (status == TERCET_OK) {
        memcpy(scope->participant, wanted->participant, sizeof scope->participant);
        memcpy(scope->origin, wanted->identity.origin, sizeof scope->origin);
        scope->hold = POSTGRES_HELD_BY_SAVEPOINT;
    }
    return status;
}

/* Sends the claim with all that was queued before it. */
static enum tercet_status flush_claim(struct postgres_connection *connection,
                                      struct tercet_error *error_out)
{
    const enum tercet_status status = postgres_flush(connection, error_out);

    if (status == TERCET_INTERNAL && connection->failed == POSTGRES_ROW_WRITE) {
        /* The branch before has failed, not this one: each is to be run alone. */
        if (error_out != NULL) {
            error_out->status = TERCET_ABORTED;
        }
        return TERCET_ABORTED;
    }
    return status;
}

/* One round: the row is inserted, or found and locked, or neither (`again_out`). */
static enum tercet_status claim_row(struct postgres_connection *connection,
                                    const struct tercet_fence_key *key,
                                    const struct tercet_fence_row *wanted,
                                    struct tercet_fence_row *row_out, bool *again_out,
                                    struct tercet_error *error_out)
{
    const bool inserts = wanted->state != TERCET_FENCE_NONE;
    /* Where a row is likely: a cancel mostly has one, a try has none. */
    const bool reads_at_once = !inserts || wanted->state == TERCET_FENCE_SUSPENDED;

    *again_out = false;
    enum tercet_status status = queue_hold(connection, wanted, error_out);
    if (status == TERCET_OK && inserts) {
        status = queue_insert(connection, key, wanted, error_out);
    }
    if (status == TERCET_OK && reads_at_once) {
        status = queue_row(connection, POSTGRES_ROW_CLAIM, key, error_out);
    }
    if (status == TERCET_OK) {
        status = flush_claim(connection, error_out);
    }
    if (status == TERCET_OK) {
        status = take_hold(connection, wanted, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    if (inserts && PQntuples(postgres_result(connection, POSTGRES_ROW_INSERT)) == 1) {
        connection->inserted = wanted->state;
        row_out->state = TERCET_FENCE_NONE;
        return TERCET_OK;
    }
    if (!reads_at_once) {
        status = queue_row(connection, POSTGRES_ROW_CLAIM, key, error_out);
        if (status == TERCET_OK) {
            status = postgres_flush(connection, error_out);
        }
        if (status != TERCET_OK) {
            return status;
        }
    }
    status = take_row(connection, POSTGRES_ROW_CLAIM, row_out, error_out);
    *again_out = status == TERCET_OK && inserts && row_out->state == TERCET_FENCE_NONE &&
                 connection->scope.id != 0;
    return status;
}

enum tercet_status postgres_claim(void *connection, const struct tercet_fence_key *key,
                                  const struct tercet_fence_row *wanted,
                                  struct tercet_fence_claim *claim_out,
                                  struct tercet_error *error_out)
{
    struct postgres_connection *self = connection;
    enum tercet_status status = TERCET_OK;
    bool again = true;

    for (int round = 0; again && status == TERCET_OK; round++) {
        status = round < CLAIM_ROUNDS_MAX
                     ? claim_row(self, key, wanted, &claim_out->row, &again, error_out)
                     : error_set(error_out, TERCET_ABORTED,
                                 "PostgreSQL: the row comes and goes under the claim");
    }
    if (status != TERCET_OK) {
        return status;
    }
    claim_out->epoch = self->scope.epoch;
    claim_out->mark_incarnation = self->scope.mark.as_of_incarnation;
    claim_out->mark_lsn = self->scope.mark.as_of_lsn;
    claim_out->mark = claim_out->row.state == TERCET_FENCE_NONE
                          ? tercet_mark_relation_of(&self->scope.mark, wanted->identity.number)
                          : TERCET_MARK_ABOVE;
    return TERCET_OK;
}

enum tercet_status postgres_write(void *connection, const struct tercet_fence_key *key,
                                  const struct tercet_fence_row *row,
                                  struct tercet_error *error_out)
{
    struct postgres_connection *self = connection;
    struct postgres_values values = {0};

    if (PQtransactionStatus(self->link) == PQTRANS_INERROR) {
        return error_set(error_out, TERCET_INTERNAL,
                         "PostgreSQL: the handler answered DONE though a statement of its own had "
                         "failed (%s)",
                         self->failed_sqlstate);
    }
    if (self->inserted == row->state && row->result_bytes == 0) {
        return TERCET_OK; /* as the claim has inserted it */
    }
    add_key(&values, key);
    postgres_add_number(&values, row->state);
    postgres_add_bytes(&values, row->result, row->result_bytes);
    return postgres_queue(self, POSTGRES_ROW_WRITE, &values, error_out);
}

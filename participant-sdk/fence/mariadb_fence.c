/* mariadb_fence.c -- see mariadb_fence.h; sweeping and reading for operators is in mariadb_sweep.c.
 *
 * What has to be shut out is this: a sweep in another process deletes the row of an ended branch, a late
 * try of it finds no row, and does not hear of the mark either.
 *
 * The scope's row stands for the scope.  A claim reads it LOCK IN SHARE MODE before it inserts, and keeps
 * that lock to the end of its transaction: InnoDB does not give it up in a rollback to a savepoint.
 * apply_mark() and raise_epoch() write the row, and so have it alone, before they change anything else.
 * So while a transaction has claims, neither mark nor epoch of their scope changes and none of its rows
 * is swept; and a sweep begins when every transaction that has claimed there has ended.  Reading the mark
 * before the insert is then the same as reading it after.  Who waits for a row is served in the order of
 * coming, so that claims do not keep a sweep out for ever.
 *
 * Every read of ours in a transaction is a locking read.  That reads what was committed last at every
 * isolation level, whatever the transaction's snapshot saw before; where innodb_snapshot_isolation is on
 * it fails instead (1020), and the transaction is run again.  A scope that is not there yet cannot be
 * locked: then nothing is inserted either, and raise_epoch() makes it.  That is the one place where two
 * may hold the row together and both want it alone, when an epoch is new: one of them falls to a deadlock
 * and is run again.
 *
 * Two claims of one key: INSERT ... ON DUPLICATE KEY UPDATE decides, by the primary key, who makes the
 * row; it waits for whoever has inserted the same key and not ended.  It locks a row that is there alone,
 * where a plain INSERT would take it together with others, who then fall to deadlocks when they read it
 * FOR UPDATE.  Nothing but 1 affected row means that we have made it.  A key is never cut: the SQL mode is
 * strict, and this is no INSERT IGNORE.  The row is read FOR UPDATE without a join, because that would
 * take the scope's row for us alone too, where all who claim share it. */
#include "fence/mariadb_fence.h"

#include "base/error.h"

enum { CLAIM_ROUNDS_MAX = 3 };

/* ---- Scopes ----------------------------------------------------------------------------------- */

void mariadb_add_scope(struct mariadb_connection *connection, const char *participant,
                       const uint8_t *origin)
{
    mariadb_add(connection, " WHERE s.participant = ");
    mariadb_add_name(connection, participant);
    mariadb_add(connection, " AND s.origin = ");
    mariadb_add_bytes(connection, origin, TERCET_ORIGIN_BYTES);
}

/* The assignments are carried out one after the other: epoch first, by the old incarnation. */
void mariadb_queue_epoch(struct mariadb_connection *connection,
                         const struct tercet_fence_caller *caller)
{
    mariadb_queue(connection, MARIADB_SCOPE_WRITE,
                  "INSERT INTO tercet_scope (participant, origin, incarnation, epoch) VALUES (");
    mariadb_add_name(connection, caller->participant);
    mariadb_add(connection, ",");
    mariadb_add_bytes(connection, caller->origin, TERCET_ORIGIN_BYTES);
    mariadb_add(connection, ",");
    mariadb_add_number(connection, caller->epoch.incarnation);
    mariadb_add(connection, ",");
    mariadb_add_number(connection, caller->epoch.epoch);
    mariadb_add(connection, ") ON DUPLICATE KEY UPDATE epoch = IF(incarnation < VALUES(incarnation)"
                            " OR (incarnation = VALUES(incarnation) AND epoch < VALUES(epoch)),"
                            " VALUES(epoch), epoch),"
                            " incarnation = GREATEST(incarnation, VALUES(incarnation))");
}

enum tercet_status mariadb_raise_epoch(void *connection, const struct tercet_fence_caller *caller,
                                       struct tercet_error *error_out)
{
    struct mariadb_connection *self = connection;

    (void)error_out;
    self->scope.held = false; /* what was read of it is not so any more */
    mariadb_queue_epoch(self, caller);
    return TERCET_OK;
}

/* Whether this transaction has locked and read the scope. */
static bool is_held(const struct mariadb_scope *scope, const struct tercet_fence_row *wanted)
{
    return scope->held && strcmp(scope->participant, wanted->participant) == 0 &&
           memcmp(scope->origin, wanted->identity.origin, TERCET_ORIGIN_BYTES) == 0;
}

static enum tercet_status take_hold(struct mariadb_connection *connection,
                                    const struct tercet_fence_row *wanted,
                                    struct tercet_error *error_out)
{
    struct mariadb_scope *const scope = &connection->scope;

    if (is_held(scope, wanted)) {
        return TERCET_OK;
    }
    scope->held = false;
    const struct mariadb_cells cells =
        mariadb_next(mariadb_answer_of(connection, MARIADB_SCOPE)->rows);
    const enum tercet_status status = mariadb_read_scope(&cells, scope, error_out);
    if (status == TERCET_OK) {
        memcpy(scope->participant, wanted->participant, sizeof scope->participant);
        memcpy(scope->origin, wanted->identity.origin, sizeof scope->origin);
        scope->held = scope->id != 0;
    }
    return status;
}

/* ---- Rows ------------------------------------------------------------------------------------- */

static void add_key(struct mariadb_connection *connection, const struct tercet_fence_key *key)
{
    mariadb_add(connection, " WHERE f.gid = ");
    mariadb_add_bytes(connection, key->gid.data, key->gid.size);
    mariadb_add(connection, " AND f.branch = ");
    mariadb_add_number(connection, key->branch);
}

/* A join would lock the scope for us alone too. */
static void queue_row_lock(struct mariadb_connection *connection,
                           const struct tercet_fence_key *key)
{
    mariadb_queue(
        connection, MARIADB_ROW,
        "SELECT f.state,"
        " (SELECT s.origin FROM tercet_scope s WHERE s.id = f.scope LOCK IN SHARE MODE),"
        " f.incarnation, f.number, f.digest,"
        " (SELECT s.participant FROM tercet_scope s WHERE s.id = f.scope LOCK IN SHARE MODE),"
        " f.action, f.result, f.gid, f.branch FROM tercet_fence f");
    add_key(connection, key);
    mariadb_add(connection, " FOR UPDATE");
}

static enum tercet_status take_row(struct mariadb_connection *connection,
                                   struct tercet_fence_row *row_out, struct tercet_error *error_out)
{
    const struct mariadb_cells cells =
        mariadb_next(mariadb_answer_of(connection, MARIADB_ROW)->rows);
    struct tercet_fence_key key;

    if (cells.cells == NULL) {
        row_out->state = TERCET_FENCE_NONE;
        return TERCET_OK;
    }
    return mariadb_read_row(&cells, &key, row_out, error_out);
}

enum tercet_status mariadb_find(void *connection, const struct tercet_fence_key *key,
                                struct tercet_fence_row *row_out, struct tercet_error *error_out)
{
    struct mariadb_connection *self = connection;

    mariadb_queue(self, MARIADB_ROW, "SELECT" MARIADB_ROW_COLUMNS MARIADB_ROW_TABLES);
    add_key(self, key);
    mariadb_queue(self, MARIADB_CONTROL, "ROLLBACK");
    const enum tercet_status status = mariadb_flush(self, error_out);
    return status == TERCET_OK ? take_row(self, row_out, error_out) : status;
}

/* The row itself; `scope` names where its number comes from, and `ending` what follows. */
static void queue_values(struct mariadb_connection *connection, enum mariadb_query query,
                         const struct tercet_fence_key *key, const struct tercet_fence_row *row,
                         const char *ending)
{
    mariadb_queue(
        connection, query,
        "INSERT INTO tercet_fence (gid, branch, state, incarnation, number, digest, action,"
        " result, scope) SELECT ");
    mariadb_add_bytes(connection, key->gid.data, key->gid.size);
    mariadb_add(connection, ",");
    mariadb_add_number(connection, key->branch);
    mariadb_add(connection, ",");
    mariadb_add_number(connection, row->state);
    mariadb_add(connection, ",");
    mariadb_add_number(connection, row->identity.number.incarnation);
    mariadb_add(connection, ",");
    mariadb_add_number(connection, row->identity.number.number);
    mariadb_add(connection, ",");
    mariadb_add_bytes(connection, row->identity.digest, TERCET_DIGEST_BYTES);
    mariadb_add(connection, ",");
    mariadb_add_name(connection, row->action);
    mariadb_add(connection, ",");
    mariadb_add_bytes(connection, row->result, row->result_bytes);
    mariadb_add(connection, ", s.id FROM tercet_scope s");
    mariadb_add_scope(connection, row->participant, row->identity.origin);
    mariadb_add(connection, ending);
}

/* ---- Claims ----------------------------------------------------------------------------------- */

/* Sends the claim with all that was queued before it. */
static enum tercet_status flush_claim(struct mariadb_connection *connection,
                                      struct tercet_error *error_out)
{
    const enum tercet_status status = mariadb_flush(connection, error_out);

    if (status == TERCET_INTERNAL && connection->failed == MARIADB_ROW_WRITE) {
        /* The branch before has failed, not this one: each is to be run alone. */
        if (error_out != NULL) {
            error_out->status = TERCET_ABORTED;
        }
        return TERCET_ABORTED;
    }
    return status;
}

/* One round: the row is inserted, or found and locked, or neither (`again_out`). */
static enum tercet_status claim_row(struct mariadb_connection *connection,
                                    const struct tercet_fence_key *key,
                                    const struct tercet_fence_row *wanted,
                                    struct tercet_fence_row *row_out, bool *again_out,
                                    struct tercet_error *error_out)
{
    const bool inserts = wanted->state != TERCET_FENCE_NONE;
    /* Where a row is likely: a cancel mostly has one, a try has none. */
    const bool reads_at_once = !inserts || wanted->state == TERCET_FENCE_SUSPENDED;

    *again_out = false;
    if (!is_held(&connection->scope, wanted)) {
        mariadb_queue(connection, MARIADB_SCOPE,
                      "SELECT" MARIADB_SCOPE_COLUMNS " FROM tercet_scope s");
        mariadb_add_scope(connection, wanted->participant, wanted->identity.origin);
        mariadb_add(connection, " LOCK IN SHARE MODE");
    }
    if (inserts) {
        queue_values(connection, MARIADB_ROW_INSERT, key, wanted,
                     " ON DUPLICATE KEY UPDATE branch = tercet_fence.branch");
    }
    if (reads_at_once) {
        queue_row_lock(connection, key);
    }
    mariadb_queue_watch(connection, key);
    enum tercet_status status = flush_claim(connection, error_out);
    if (status == TERCET_OK) {
        status = take_hold(connection, wanted, error_out);
    }
    if (status != TERCET_OK) {
        return status;
    }
    if (inserts && mariadb_answer_of(connection, MARIADB_ROW_INSERT)->affected == 1) {
        connection->inserted = wanted->state;
        row_out->state = TERCET_FENCE_NONE;
        return TERCET_OK;
    }
    if (!reads_at_once) {
        queue_row_lock(connection, key);
        status = mariadb_flush(connection, error_out);
        if (status != TERCET_OK) {
            return status;
        }
    }
    status = take_row(connection, row_out, error_out);
    *again_out = status == TERCET_OK && inserts && row_out->state == TERCET_FENCE_NONE &&
                 connection->scope.id != 0;
    return status;
}

enum tercet_status mariadb_claim(void *connection, const struct tercet_fence_key *key,
                                 const struct tercet_fence_row *wanted,
                                 struct tercet_fence_claim *claim_out,
                                 struct tercet_error *error_out)
{
    struct mariadb_connection *self = connection;
    enum tercet_status status = TERCET_OK;
    bool again = true;

    for (int round = 0; again && status == TERCET_OK; round++) {
        status = round < CLAIM_ROUNDS_MAX
                     ? claim_row(self, key, wanted, &claim_out->row, &again, error_out)
                     : error_set(error_out, TERCET_ABORTED,
                                 "MariaDB: the row comes and goes under the claim");
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

enum tercet_status mariadb_write(void *connection, const struct tercet_fence_key *key,
                                 const struct tercet_fence_row *row, struct tercet_error *error_out)
{
    struct mariadb_connection *self = connection;

    (void)error_out;
    if (self->inserted == row->state && row->result_bytes == 0) {
        return TERCET_OK; /* as the claim has inserted it */
    }
    queue_values(self, MARIADB_ROW_WRITE, key, row,
                 " ON DUPLICATE KEY UPDATE state = VALUES(state), result = VALUES(result)");
    return TERCET_OK;
}

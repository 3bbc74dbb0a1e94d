/* mariadb_statements.c -- the store's own statements; see mariadb_connection.h.
 *
 * A scope's lock (sql_fence.c) is its row's.  A claim reads the row LOCK IN SHARE MODE; writing the epoch
 * takes it alone.  A scope that is not there yet cannot be locked: then nothing is inserted either, and
 * raise_epoch() makes it.  That is the one place where two may hold the row together and both want it
 * alone, when an epoch is new: one of them falls to a deadlock and is run again.
 *
 * Every read of ours in a transaction is a locking read.  That reads what was committed last at every
 * isolation level, whatever the transaction's snapshot saw before; where innodb_snapshot_isolation is on
 * it fails instead (1020), and the transaction is run again.
 *
 * INSERT ... ON DUPLICATE KEY UPDATE locks a row that is there alone, where a plain INSERT would take it
 * together with others, who then fall to deadlocks when they read it FOR UPDATE.  Nothing but 1 affected
 * row means that we have made it.  A key is never cut: the SQL mode is strict, and this is no INSERT
 * IGNORE.  The row is read FOR UPDATE without a join, because that would take the scope's row for us alone
 * too, where all who claim share it.
 *
 * (a, b) >= (c, d) is written out, because the server finds no way through its key by that. */
#include "fence/mariadb_connection.h"
#include "fence/sql_fence.h"

#define ROW_TABLES " FROM tercet_fence f LEFT JOIN tercet_scope s ON s.id = f.scope"
#define OF_SCOPE   " WHERE s.participant = $1 AND s.origin = $2"

#define AT_OR_ABOVE(incarnation, number)                                                           \
    " AND f.incarnation >= " incarnation " AND (f.incarnation > " incarnation                      \
    " OR f.number >= " number ")"
#define UP_TO(sign, incarnation, number)                                                           \
    " AND f.incarnation <= " incarnation " AND (f.incarnation < " incarnation " OR f.number " sign \
    " " number ")"

#define IN_SLICE                                                                                   \
    " WHERE f.scope = $1" AT_OR_ABOVE("$2", "$3")                                                  \
        UP_TO("<=", "$4", "$5") " AND (f.incarnation, f.number) NOT IN (@6)"

#define IN_RANGE                                                                                   \
    " FROM tercet_scope s JOIN tercet_fence f ON f.scope = s.id" OF_SCOPE AT_OR_ABOVE("$3", "$4")  \
        UP_TO("<", "$5", "$6") " ORDER BY f.incarnation, f.number LIMIT $7"

/* $1 to $10 stand for values, @6 for the pairs of the open list that $6 is. */
static const char *const texts[SQL_QUERY_COUNT] = {
    [SQL_BEGIN] = "START TRANSACTION READ WRITE",
    [SQL_SWEEP_LEVEL] = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
    [SQL_BEGIN_SWEEP] = "START TRANSACTION READ WRITE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_SAVEPOINT] = "SAVEPOINT tercet_branch",
    [SQL_RELEASE] = "RELEASE SAVEPOINT tercet_branch",
    [SQL_REWIND] = "ROLLBACK TO SAVEPOINT tercet_branch",
    [SQL_WATCH] = "SAVEPOINT tercet_watch",
    [SQL_UNWATCH] = "RELEASE SAVEPOINT tercet_watch",
    [SQL_ERRORS] = "SHOW ERRORS LIMIT 1",
    [SQL_SCOPE] = "SELECT" SQL_SCOPE_COLUMNS " FROM tercet_scope s" OF_SCOPE " LOCK IN SHARE MODE",
    /* At READ COMMITTED it locks no gap. */
    [SQL_LOCK_SWEEP] = "SELECT s.id FROM tercet_scope s" OF_SCOPE " FOR UPDATE",
    /* The assignments are carried out one after the other: epoch first, by the old incarnation. */
    [SQL_SCOPE_EPOCH] =
        "INSERT INTO tercet_scope (participant, origin, incarnation, epoch)"
        " VALUES ($1,$2,$3,$4) ON DUPLICATE KEY UPDATE"
        " epoch = IF(incarnation < VALUES(incarnation)"
        " OR (incarnation = VALUES(incarnation) AND epoch < VALUES(epoch)), VALUES(epoch), epoch),"
        " incarnation = GREATEST(incarnation, VALUES(incarnation))",
    /* The conditions are judged before anything is assigned. */
    [SQL_SCOPE_MARK] =
        "UPDATE tercet_scope s SET mark_incarnation = $3, mark_lsn = $4, low_incarnation = $5,"
        " low_number = $6, open = $7" OF_SCOPE " AND (mark_incarnation, mark_lsn) < ($3,$4)"
        " AND (incarnation, epoch) <= ($8,$9)",
    [SQL_ROW_CLAIM] =
        "SELECT f.state,"
        " (SELECT s.origin FROM tercet_scope s WHERE s.id = f.scope LOCK IN SHARE MODE),"
        " f.incarnation, f.number, f.digest,"
        " (SELECT s.participant FROM tercet_scope s WHERE s.id = f.scope LOCK IN SHARE MODE),"
        " f.action, f.result, f.gid, f.branch FROM tercet_fence f"
        " WHERE f.gid = $1 AND f.branch = $2 FOR UPDATE",
#define INSERT_ROW                                                                                 \
    "INSERT INTO tercet_fence (gid, branch, state, result, incarnation, number, digest, action,"   \
    " scope) SELECT $1,$2,$3,$4,$5,$6,$7,$8, s.id FROM tercet_scope s"                             \
    " WHERE s.participant = $9 AND s.origin = $10 ON DUPLICATE KEY UPDATE "
    [SQL_ROW_INSERT] = INSERT_ROW "branch = tercet_fence.branch",
    [SQL_ROW_WRITE] = INSERT_ROW "state = VALUES(state), result = VALUES(result)",
    [SQL_ROW_FIND] = "SELECT" SQL_ROW_COLUMNS ROW_TABLES " WHERE f.gid = $1 AND f.branch = $2",
    [SQL_SLICE] = "SELECT slice.incarnation, slice.number, COUNT(*) OVER () FROM"
                  " (SELECT f.incarnation, f.number" IN_RANGE ") AS slice"
                  " ORDER BY slice.incarnation DESC, slice.number DESC LIMIT 1",
    [SQL_SWEEP] = "DELETE f FROM tercet_fence f" IN_SLICE " AND f.state <> 1",
    [SQL_KEPT] = "SELECT" SQL_ROW_COLUMNS ROW_TABLES IN_SLICE
                 " AND f.state = 1 ORDER BY f.incarnation, f.number",
    [SQL_DESCRIBE] = "SELECT" SQL_SCOPE_COLUMNS ", m.store_id,"
                     " (SELECT f.incarnation FROM tercet_fence f WHERE f.scope = s.id"
                     " ORDER BY f.incarnation DESC, f.number DESC LIMIT 1),"
                     " (SELECT f.number FROM tercet_fence f WHERE f.scope = s.id"
                     " ORDER BY f.incarnation DESC, f.number DESC LIMIT 1),"
                     " (SELECT COUNT(*) FROM tercet_fence f WHERE f.scope = s.id)"
                     " FROM tercet_schema m"
                     " LEFT JOIN tercet_scope s ON s.participant = $1 AND s.origin = $2"
                     " WHERE m.id = 1",
    [SQL_LIST] = "SELECT" SQL_ROW_COLUMNS IN_RANGE,
    [SQL_END_READ] = "ROLLBACK",
};

const char *mariadb_query_text(enum sql_query query)
{
    return texts[query];
}

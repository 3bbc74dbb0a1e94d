/* fence.h -- the truth table, and what a database must offer to stand behind it.
 *
 * You need this header only to write a store for a database that has none, or to test a participant
 * of your own making against the table.  Handlers need participant.h and a store_*.h.
 *
 * The fence is one row for each branch, written in the same local transaction as the handler's
 * change.  What to do with a request is decided by a pure function of that row, of the mark (how far
 * the coordinator has come) and of the request:
 *
 *   row        | try                    | confirm                 | cancel
 *   -----------+------------------------+-------------------------+-------------------------------
 *   another    | CONFLICT OTHER_TRANSACTION, not run: origin, number or digest is not the request's
 *   none       | run -> TRIED           | CONFLICT NOT_TRIED      | SUSPENDED, DONE EMPTY, not run
 *   TRIED      | DONE REPEATED, result  | run -> CONFIRMED        | run -> CANCELLED
 *   CONFIRMED  | DONE REPEATED, result  | DONE REPEATED           | CONFLICT CONFIRMED
 *   CANCELLED  | REFUSED                | CONFLICT CANCELLED      | DONE REPEATED
 *   SUSPENDED  | REFUSED                | CONFLICT CANCELLED      | DONE EMPTY
 *   none, past | REFUSED                | CONFLICT FORGOTTEN      | CONFLICT FORGOTTEN
 *
 * "past": the branch's number is below the mark and not in the mark's open list; a row that is there
 * is decided by the row alone.  For a confirm-only action (participant.h) one cell differs: a confirm
 * with no row runs -> CONFIRMED.  A try of it is INVALID_ARGUMENT before the fence is asked.
 *
 * A refusal, by the table or by a handler, leaves no row. */
#ifndef TERCET_FENCE_H
#define TERCET_FENCE_H

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

struct tercet_request;
struct tercet_store;

/* ---- Reason codes ---------------------------------------------------------------------------- */

/* By the truth table, with REFUSED. */
#define TERCET_CODE_TRY_AFTER_CANCEL "TERCET_TRY_AFTER_CANCEL"
#define TERCET_CODE_CONFIRM_ONLY     "TERCET_CONFIRM_ONLY"
/* With REFUSED to a try, with CONFLICT to confirm and cancel. */
#define TERCET_CODE_FORGOTTEN "TERCET_FORGOTTEN"
/* With CONFLICT. */
#define TERCET_CODE_OTHER_TRANSACTION    "TERCET_OTHER_TRANSACTION"
#define TERCET_CODE_CONFIRM_WITHOUT_TRY  "TERCET_CONFIRM_WITHOUT_TRY"
#define TERCET_CODE_CONFIRM_AFTER_CANCEL "TERCET_CONFIRM_AFTER_CANCEL"
#define TERCET_CODE_CANCEL_AFTER_CONFIRM "TERCET_CANCEL_AFTER_CONFIRM"
/* With LATER: the handler failed or said something that it may not say; it said no where it must
 * not; the store cannot be reached or its local transaction fell. */
#define TERCET_CODE_HANDLER_FAILED    "TERCET_HANDLER_FAILED"
#define TERCET_CODE_REFUSED_TOO_LATE  "TERCET_REFUSED_TOO_LATE"
#define TERCET_CODE_STORE_UNAVAILABLE "TERCET_STORE_UNAVAILABLE"
/* With status FAILED_PRECONDITION. */
#define TERCET_CODE_OLD_EPOCH "TERCET_OLD_EPOCH"

/* ---- Identity -------------------------------------------------------------------------------- */

enum {
    TERCET_ORIGIN_BYTES = 20,   /* journal id and partition */
    TERCET_DIGEST_BYTES = 16,   /* of a branch's content */
    TERCET_STORE_ID_BYTES = 16, /* random, made with the store's tables */
    TERCET_MARK_OPEN_MAX = 256
};

/* A branch's place on the number line of one origin.  Both positive; {0, 0} where "none" or "from
 * the lowest" is meant. */
struct tercet_branch_number {
    int64_t incarnation;
    int64_t number;
};

/* Which life of a journal, and which start of its coordinator.  Both positive; {0, 0}: none. */
struct tercet_epoch {
    int64_t incarnation;
    int64_t epoch;
};

/* Below, at, above 0 as `a` is lower than, equal to, higher than `b`; incarnation first. */
TERCET_API int tercet_branch_number_compare(struct tercet_branch_number a,
                                            struct tercet_branch_number b);
TERCET_API int tercet_epoch_compare(struct tercet_epoch a, struct tercet_epoch b);

/* Names a row: gid and branch, compared byte by byte (no case folding, no trimmed spaces, no prefix
 * match).  At most TERCET_GID_BYTES_MAX bytes of gid. */
struct tercet_fence_key {
    struct tercet_bytes gid;
    uint32_t branch;
};

/* Below, at, above 0: gids as bytes, a prefix first; then branches. */
TERCET_API int tercet_fence_key_compare(const struct tercet_fence_key *a,
                                        const struct tercet_fence_key *b);

/* Which branch a row belongs to.  A request with another identity under the same key is another
 * transaction's and must not touch the row. */
struct tercet_fence_identity {
    uint8_t origin[TERCET_ORIGIN_BYTES];
    struct tercet_branch_number number;
    uint8_t digest[TERCET_DIGEST_BYTES];
};

TERCET_API bool tercet_fence_identity_equal(const struct tercet_fence_identity *a,
                                            const struct tercet_fence_identity *b);

/* Who asks whom.  Several participants may share a database, and several coordinators a participant:
 * marks and epochs belong to the pair (participant, origin), and so does the right to delete rows. */
struct tercet_fence_caller {
    const char *participant; /* 1 to TERCET_NAME_BYTES_MAX */
    uint8_t origin[TERCET_ORIGIN_BYTES];
    struct tercet_epoch epoch;
};

/* ---- Marks ----------------------------------------------------------------------------------- */

/* Every branch of one (participant, origin) with a number below `low` has ended, or stands in
 * `open`. */
struct tercet_mark {
    int64_t as_of_incarnation; /* with as_of_lsn the mark's age; both positive; 0: no mark */
    int64_t as_of_lsn;
    struct tercet_branch_number low;
    uint32_t open_count;
    struct tercet_branch_number open[TERCET_MARK_OPEN_MAX]; /* rising */
};

/* Where a number stands. */
enum tercet_mark_relation {
    TERCET_MARK_ABOVE = 0, /* at `low` or above it, or there is no mark */
    TERCET_MARK_OPEN = 1,  /* below, and in the open list: as above */
    TERCET_MARK_BELOW = 2  /* below and ended */
};

/* `mark` may be NULL: none. */
TERCET_API enum tercet_mark_relation tercet_mark_relation_of(const struct tercet_mark *mark,
                                                             struct tercet_branch_number number);

/* Below, at, above 0 as `a` is older than, as old as, newer than `b`. */
TERCET_API int tercet_mark_compare_age(const struct tercet_mark *a, const struct tercet_mark *b);

/* INVALID_ARGUMENT, naming the field, for a mark from the wire that cannot be: ages or numbers not
 * positive or not below 2^53, open list too long or not rising. */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_mark_check(const struct tercet_mark *mark,
                                                                  struct tercet_error *error_out);

/* ---- The truth table ------------------------------------------------------------------------- */

/* The state in a row.  The numbers are stored in databases: they never change meaning. */
enum tercet_fence_state {
    TERCET_FENCE_NONE = 0, /* there is no row; never stored (on the wire it is 5) */
    TERCET_FENCE_TRIED = 1,
    TERCET_FENCE_CONFIRMED = 2,
    TERCET_FENCE_CANCELLED = 3, /* tried, then cancelled */
    TERCET_FENCE_SUSPENDED = 4  /* cancelled before any try; every later try is refused */
};

/* All that the decision depends on. */
struct tercet_fence_facts {
    enum tercet_fence_state row;
    enum tercet_phase phase;
    bool same_identity;             /* as the row's; not looked at without a row */
    enum tercet_mark_relation mark; /* of the request's number; not looked at with a row */
    bool confirm_only;              /* the action was registered with on_confirm alone */
};

/* What to do. */
struct tercet_fence_decision {
    /* Call the handler; if it answers DONE, write `becomes`, else leave no trace. */
    bool run;
    enum tercet_verdict verdict; /* when !run: the answer */
    enum tercet_how how;         /* of a DONE; RAN when run */
    enum tercet_conflict conflict;
    /* The row's state afterwards.  When !run it differs from facts->row only for a cancel that
     * found nothing: write it. */
    enum tercet_fence_state becomes;
    bool stored_result; /* when !run: answer with the row's result */
    const char *code;   /* when !run and not DONE: the reason code; else "".  Static storage */
    const char *text;   /* a sentence for it; else "".  Static storage */
};

/* The table above.  Pure: no clock, no store, no allocation.  Facts outside the enums' ranges are
 * CONFLICT OTHER_TRANSACTION, never DONE and never run. */
TERCET_API struct tercet_fence_decision tercet_fence_decide(const struct tercet_fence_facts *facts);

/* The state of the row that claim() (below) inserts when there is none: what the table would write.
 * NONE: nothing is to be inserted. */
TERCET_API enum tercet_fence_state tercet_fence_wanted(enum tercet_phase phase, bool confirm_only);

/* "TRIED", ...; "?" for a number that this version does not know.  Static storage. */
TERCET_API const char *tercet_fence_state_name(enum tercet_fence_state state);

/* ---- Rows ------------------------------------------------------------------------------------ */

/* A row, with room of its own so that it outlives the statement that read it. */
struct tercet_fence_row {
    enum tercet_fence_state state;
    struct tercet_fence_identity identity;
    char participant[TERCET_NAME_BYTES_MAX + 1];
    char action[TERCET_NAME_BYTES_MAX + 1];
    uint32_t result_bytes;                       /* of its try */
    uint8_t result[TERCET_RESULT_BYTES_MAX + 1]; /* one zero byte follows */
};

/* What claim() found. */
struct tercet_fence_claim {
    struct tercet_fence_row row; /* state NONE: there was none.  The rest is then not set */
    /* Of wanted->identity.number; ABOVE when the row was found. */
    enum tercet_mark_relation mark;
    struct tercet_epoch epoch; /* the highest stored; {0, 0}: none */
    int64_t mark_incarnation;  /* the stored mark's age; 0: none */
    int64_t mark_lsn;
};

/* Told one row; returns false to stop.  `key` and `row` are borrowed for the call. */
typedef bool (*tercet_fence_row_fn)(const struct tercet_fence_key *key,
                                    const struct tercet_fence_row *row, void *context);

/* One slice of a sweep. */
struct tercet_sweep {
    /* How many rows one slice looks at, at least 1, so that it holds its locks for a short time. */
    uint32_t row_count_max;
    /* Where it begins: {0, 0}, or what the slice before left here. */
    struct tercet_branch_number from;
    tercet_fence_row_fn kept_fn; /* told of each TRIED row; may be NULL.  Its return is ignored */
    void *context;

    bool stale;       /* out: the store holds a newer mark; this one was ignored */
    bool finished;    /* out: nothing is left below the mark; else call again */
    uint32_t removed; /* out: rows deleted by this slice */
    uint32_t kept;    /* out: rows found TRIED below the mark by this slice */
};

/* What a store knows of one (participant, origin). */
struct tercet_store_description {
    uint8_t store_id[TERCET_STORE_ID_BYTES];
    struct tercet_epoch epoch;           /* {0, 0}: none */
    struct tercet_mark mark;             /* as_of 0: none */
    struct tercet_branch_number highest; /* of its rows; {0, 0}: it has none */
    int64_t rows;
};

/* Rows of one (participant, origin) in the order of their numbers.  As no number is used twice, the
 * next page begins after the last row's. */
struct tercet_fence_range {
    const char *participant;
    uint8_t origin[TERCET_ORIGIN_BYTES];
    struct tercet_branch_number from;  /* the first; {0, 0}: the lowest */
    struct tercet_branch_number below; /* the one after the last; {0, 0}: no end */
    uint32_t row_count_max;            /* at least 1 */
};

/* ---- A store --------------------------------------------------------------------------------- */

/* What a database must do.  One connection is used by one thread at a time; the order of calls on
 * it is
 *
 *   connect ( begin ( savepoint claim [rewind raise_epoch savepoint claim] [handler check]
 *                     [rewind | write] )*  (commit | rollback)
 *           | begin raise_epoch (commit | rollback)
 *           | apply_mark | describe | find | list )*  disconnect
 *
 * with one inner round for each branch that shares the transaction.  Handlers see nothing of this.
 * Answers leave after commit.  The SDK takes the branches of one transaction in the order of their
 * keys, so that two connections seldom wait for each other in a circle.
 *
 * What a slot may return beside OK, with error_out filled, and what the SDK then does:
 *   ABORTED             the transaction fell to a deadlock, a serialization failure or a lock
 *                       timeout: rollback, run its branches again one at a time, each at most 5
 *                       times with a random pause between, then answer LATER
 *   UNAVAILABLE         the connection is gone and nothing was committed: disconnect, connect, then
 *                       as ABORTED
 *   UNKNOWN             commit only; it was sent and its outcome is not known: disconnect, connect,
 *                       claim every key again without inserting, and answer what the rows say
 *   RESOURCE_EXHAUSTED  disk or memory full, or locked for too long: rollback, answer LATER
 *   INTERNAL, DATA_LOSS anything else: rollback, answer LATER, log
 * The SDK then always calls rollback or disconnect, also when the database has already rolled back
 * by itself; both must accept that. */
struct tercet_store_ops {
    size_t size;
    const char *name; /* the kind of store, for logs: "sqlite" */

    /* Opens one connection and checks that the store's tables are there and of a version that it
     * knows.  Errors: UNAVAILABLE; FAILED_PRECONDITION, with a sentence that says what to run;
     * DATA_LOSS, when the tables do not add up. */
    enum tercet_status (*connect)(void *self, void **connection_out,
                                  struct tercet_error *error_out);
    void (*disconnect)(void *connection);

    enum tercet_status (*begin)(void *connection, struct tercet_error *error_out);

    /* A savepoint; the one before it is released, so that at most one is open.  rewind goes back
     * to it and keeps it. */
    enum tercet_status (*savepoint)(void *connection, struct tercet_error *error_out);
    enum tercet_status (*rewind)(void *connection, struct tercet_error *error_out);

    /* Takes the branch's row for this transaction; a claim of the same key elsewhere waits until
     * this transaction ends.  No row: reports NONE, and inserts `wanted` unless its state is NONE
     * too.  A row: locks it and reports it as it is now, not as some snapshot saw it.  Never reads
     * first and inserts then: of two claims of a missing row only one may be told NONE.
     *
     * Also reports what is stored of (wanted->participant, wanted->identity.origin): epoch and mark,
     * read AFTER the insert, by a locking read, as they are now.  That order is what makes
     * apply_mark() safe in several processes at once: a claim sees either the mark or the row that
     * the mark removed.  Where no epoch is stored it may report NONE without having inserted: the
     * SDK then rewinds, raises the epoch and claims again. */
    enum tercet_status (*claim)(void *connection, const struct tercet_fence_key *key,
                                const struct tercet_fence_row *wanted,
                                struct tercet_fence_claim *claim_out,
                                struct tercet_error *error_out);

    /* Stores caller->epoch as the highest seen, unless a higher one is there. */
    enum tercet_status (*raise_epoch)(void *connection, const struct tercet_fence_caller *caller,
                                      struct tercet_error *error_out);

    /* Writes a row claimed in this transaction, which the claim has inserted or found.  Its identity and
     * participant are those that it has there. */
    enum tercet_status (*write)(void *connection, const struct tercet_fence_key *key,
                                const struct tercet_fence_row *row, struct tercet_error *error_out);

    /* After a handler, whatever it answered: is the transaction still the one that begin() opened,
     * and usable?  OK, ABORTED, UNAVAILABLE, or FAILED_PRECONDITION when the handler committed or
     * rolled back: that is its bug, is logged as such, and what can be rolled back is. */
    enum tercet_status (*check)(void *connection, struct tercet_error *error_out);

    /* OK means durable, by the database's strictest setting. */
    enum tercet_status (*commit)(void *connection, struct tercet_error *error_out);
    void (*rollback)(void *connection);

    /* One local transaction of its own.  Refuses a caller->epoch below the stored one with
     * FAILED_PRECONDITION and raises a higher one.  Ignores a mark older than the stored one
     * (sweep->stale); else stores it and carries out one slice: of the rows of (participant, origin)
     * from sweep->from on that are below the mark and not open, TRIED ones are kept and told, all
     * others deleted. */
    enum tercet_status (*apply_mark)(void *connection, const struct tercet_fence_caller *caller,
                                     const struct tercet_mark *mark, struct tercet_sweep *sweep,
                                     struct tercet_error *error_out);

    /* Outside begin and commit; what they report is committed. */
    enum tercet_status (*describe)(void *connection, const char *participant,
                                   const uint8_t origin[TERCET_ORIGIN_BYTES],
                                   struct tercet_store_description *description_out,
                                   struct tercet_error *error_out);
    /* State NONE when there is no row. */
    enum tercet_status (*find)(void *connection, const struct tercet_fence_key *key,
                               struct tercet_fence_row *row_out, struct tercet_error *error_out);
    enum tercet_status (*list)(void *connection, const struct tercet_fence_range *range,
                               tercet_fence_row_fn row_fn, void *context,
                               struct tercet_error *error_out);

    void (*close)(void *self); /* after the last disconnect */
};

struct tercet_store_options {
    size_t size;
    uint32_t connection_count; /* each with a worker thread of its own.  Default 1, at most 256 */
    /* Branches in one local transaction, which their payloads close at 1 MiB; 1: no sharing.  Default 64,
     * at most 1024. */
    uint32_t batch_max;
    uint32_t queue_max; /* requests waiting for a worker; above it LATER.  Default 10000 */
};

/* Makes a store of your own.  `ops` is kept and must live as long as the store; `self` is handed to
 * connect and close and is yours until this function has returned OK, the store's from then on.
 * Connects once, to check, and asks for the database's id (describe): a connection that leads to another
 * database later is not used.
 * Errors: INVALID_ARGUMENT (a slot is missing, names it), those of connect. */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_store_create(
    const struct tercet_store_ops *ops, void *self, const struct tercet_store_options *options,
    struct tercet_store **store_out, struct tercet_error *error_out);

/* The connection in which `request` runs, or NULL when its action's store is not of this kind.  To
 * build a typed accessor such as tercet_sqlite_connection(). */
TERCET_API void *tercet_request_connection(const struct tercet_request *request,
                                           const struct tercet_store_ops *ops);

TERCET_END_DECLS

#endif

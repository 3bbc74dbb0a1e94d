/* txn.h -- one global transaction in memory.
 *
 * Life: made by the engine when a request of a new gid is admitted, or by recovery from its records;
 * registered under its gid; decided; ended; kept until its END record is durable (so that whoever
 * asks meanwhile finds it here, and afterwards in the journal); freed.
 *
 * Thread: the loop's. */
#ifndef COORDINATOR_ENGINE_TXN_H
#define COORDINATOR_ENGINE_TXN_H

#include "base/clock.h"
#include "base/table.h"
#include "engine/branch.h"
#include "engine/txn_state.h"

/* Who decides to confirm. */
enum txn_mode {
    TXN_MODE_EXECUTE = 1,  /* the engine, when all is tried */
    TXN_MODE_STEPS = 2,    /* the initiator, by Confirm */
    TXN_MODE_TOMBSTONE = 3 /* nobody: Cancel came for a gid that was never begun */
} TERCET_ONE_BYTE;

/* When the trying time ends, so that it can be told again after a restart. */
struct txn_deadline {
    int64_t boot_ms; /* by the clock that does not jump, of the boot txn_boot_id() */
    int64_t unix_ms; /* by the wall */
};

enum { BOOT_ID_BYTES_MAX = 36, TRACEPARENT_BYTES_MAX = 64 };

struct txn {
    struct table_node by_gid;
    struct list_node link;    /* of the engine's open transactions, by sequence; then of those whose
                                 END is not durable yet */
    struct heap_node timer;   /* its deadline while it is undecided */
    struct list_node waiters; /* struct waiter: calls that wait for it */

    int64_t sequence;    /* its place in the order of beginnings; names its records */
    struct said *reason; /* why it was cancelled; may be NULL */
    struct branch *
        *branches; /* by index - 1 where index are dense (Execute); else in order of index */
    struct digest16 content; /* of gid and branches; in steps mode of the gid alone */
    struct txn_deadline deadline;
    uint32_t timeout_ms;    /* until the deadline, as granted */
    uint32_t payload_bytes; /* of all branches, counted against the engine's bound */
    int64_t begun_unix_ms;
    int64_t decided_unix_ms;
    int64_t ended_unix_ms;
    int64_t decided_lsn; /* newest LSN at the decision; set by recovery to a durable one */
    int64_t ended_lsn;

    struct digest128 record_begin; /* of its live pairs in the journal; zero: none */
    struct digest128 record_decide;
    struct digest128 record_progress;

    uint8_t branch_count;
    uint8_t refused_branch; /* CAUSE_REFUSED: its index; 0: none */
    enum txn_state state;
    enum txn_mode mode;
    enum txn_cause cause;
    bool
        in_doubt; /* undecided, and must not be decided: a restored journal asks first (restored.h) */
    uint8_t boot_id_at; /* in `gid`; txn_boot_id() */
    uint8_t traceparent_at;
    char gid[]; /* NUL-terminated; the two others stand behind it */
};

enum { TXN_BYTES_MAX = 240 }; /* of the struct; checked where it is made */

/* `boot_id`: of the boot in whose clock the deadline is.  Both may be "". */
struct txn *txn_create(const char *gid, const char *boot_id, const char *traceparent);

static inline const char *txn_boot_id(const struct txn *txn)
{
    return txn->gid + txn->boot_id_at;
}
static inline const char *txn_traceparent(const struct txn *txn)
{
    return txn->gid + txn->traceparent_at;
}

/* Frees; detaches its branches (branch->txn = NULL) and drops its references.  It must have no
 * waiters and stand in no list, table or heap. */
void txn_destroy(struct txn *txn);

/* The branch with this index, or NULL. */
struct branch *txn_branch(const struct txn *txn, uint32_t index);

/* Adds a branch, keeping the order by index.  Takes the caller's reference.  The index must be
 * free. */
void txn_add_branch_take(struct txn *txn, struct branch *branch);

/* The one place that changes a state: asserts that the move is allowed. */
void txn_move(struct txn *txn, enum txn_state to, struct clock_now now);

void txn_set_reason(struct txn *txn, const char *code, const char *text);

/* No mandatory branch is anything but tried, confirm-only, or (optional) refused.  `first_out`: the
 * first that is not; may be NULL. */
bool txn_all_tried(const struct txn *txn, const struct branch **first_out);
bool txn_all_ended(const struct txn *txn);
bool txn_misses_payloads(const struct txn *txn); /* that were lost with a journal (restored.h) */

/* Aborts unless transaction and branches fit the state's guarantees (txn_state.h). */
void txn_check(const struct txn *txn);

#endif

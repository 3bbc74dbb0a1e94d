/* branch.h -- one participant's part of a transaction.
 *
 * A branch is made by the service from a request (or by recovery from the journal), handed to the
 * engine, and shared with dispatch and the calls in flight by reference count.  What was registered
 * never changes; what happened to it is the engine's.
 *
 * Dispatch may send only what the engine asks for at that moment (`asked`); so a try that is still
 * waiting in a queue when its transaction is decided is dropped there and then, and the engine can
 * trust `handed`: a phase that was not handed to a transport can never arrive.
 *
 * Thread: made by any, afterwards only the loop's. */
#ifndef COORDINATOR_ENGINE_BRANCH_H
#define COORDINATOR_ENGINE_BRANCH_H

#include "base/heap.h"
#include "base/list.h"
#include "engine/branch_state.h"
#include "engine/digest.h"

struct txn;

/* A place on the origin's number line.  Zero: not given yet. */
struct branch_number {
    int64_t incarnation;
    int64_t number;
};

static inline int branch_number_compare(struct branch_number a, struct branch_number b)
{
    if (a.incarnation != b.incarnation) {
        return a.incarnation < b.incarnation ? -1 : 1;
    }
    return a.number < b.number ? -1 : a.number > b.number;
}

/* Why, for programs and people; both NUL-terminated, "" when there is none. */
struct reason {
    char code[TERCET_REASON_CODE_BYTES_MAX + 1];
    char text[TERCET_REASON_TEXT_BYTES_MAX + 1];
};

/* What the initiator registers. */
struct branch_spec {
    uint32_t index;              /* in the transaction, from 1: the wire's `number` of a branch */
    uint32_t participant;        /* in the directory */
    const char *action;          /* NUL-terminated */
    struct tercet_bytes payload; /* in a branch: data NULL while it is on the disk only */
    uint32_t stage;
    uint32_t call_timeout_ms; /* 0: the participant's */
    bool confirm_only;
    bool optional;
    struct digest16 digest;
};

struct branch {
    struct branch_spec spec; /* the action stands behind this struct, the payload apart */
    uint32_t refs;

    /* ---- the engine's ---- */
    struct txn *txn;             /* NULL: closed or never begun; answers are not read */
    struct branch_number number; /* given when it is registered */
    enum branch_state state;
    enum tercet_phase asked;      /* what may be sent now; 0: nothing */
    uint32_t handed;              /* bit (1 << phase): may have left the process */
    uint32_t attempts;            /* of the phase that is asked */
    int64_t asked_since_unix_ms;  /* when that phase began */
    int64_t next_attempt_boot_ms; /* 0: as soon as its participant is reached */
    bool answered_tried;          /* it has answered DONE to a try */
    bool foreign;               /* its row there belongs to another transaction: nothing to undo */
    bool parked;                /* decided in an earlier life, and not asked for in this one yet */
    bool adopted;               /* from the journal: nobody knows what had left before */
    bool payload_lost;          /* with the journal: it cannot be asked (restored.h) */
    bool held;                  /* its participant waits for an operator (hold.c) */
    bool attention;             /* it contradicts, or refuses what it may not: counted */
    bool served;                /* false after the only try was answered "not served here" */
    uint32_t conflict;          /* tercet.v1.ConflictKind of its last CONFLICT; 0: none */
    struct tercet_bytes result; /* of its try; owned */
    struct reason *reason;   /* of its last REFUSED, LATER, CONFLICT or transport error; owned; may
                                    be NULL */
    char *resolved;          /* an operator's reason for ending it; owned; NULL: none */
    struct digest128 record; /* of its ADD_BRANCH pair in the journal; zero: none */
    struct list_node open_link; /* of its participant's branches that have not ended, by number */
};

/* Makes a branch with one reference; copies action and payload. */
struct branch *branch_create(const struct branch_spec *spec);
struct branch *branch_ref(struct branch *branch);
void branch_unref(struct branch *branch); /* NULL is fine */

/* Is there a payload, and is it in memory?  An empty one is never fetched. */
static inline bool branch_has_payload(const struct branch *branch)
{
    return branch->spec.payload.data != NULL;
}
static inline bool branch_wants_payload(const struct branch *branch)
{
    return branch->spec.payload.size > 0 && branch->spec.payload.data == NULL;
}

void branch_drop_payload(struct branch *branch);

/* Longer ones are cut. */
void reason_set(struct reason *reason, const char *code, const char *text);

/* Replaces what is there. */
void branch_set_reason(struct branch *branch, const char *code, const char *text);
void branch_set_result(struct branch *branch, struct tercet_bytes result);
void branch_set_payload(struct branch *branch, struct tercet_bytes payload); /* the lost one */

/* Dispatch hands `asked` to a transport now: counts the attempt, and from here on it may have
 * happened. */
void branch_note_handed(struct branch *branch);

/* Was this branch in conflict, refused what it may not refuse, or asked for too long?  Then the
 * sentence for an operator is written to `text_out` (size TERCET_REASON_TEXT_BYTES_MAX + 1). */
bool branch_attention(const struct branch *branch, int64_t now_unix_ms, char *text_out);

/* Aborts unless everything in the branch fits its state. */
void branch_check(const struct branch *branch);

#endif

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
#include "engine/reason.h"

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

/* What the initiator registers. */
struct branch_spec {
    uint32_t index;       /* in the transaction, from 1: the wire's `number` of a branch */
    uint32_t participant; /* in the directory */
    const char *action;   /* NUL-terminated */
    struct tercet_bytes payload;
    uint32_t stage;
    uint32_t call_timeout_ms; /* 0: the participant's */
    bool confirm_only;
    bool optional;
    struct digest16 digest;
};

/* What is kept of it in every branch; the action stands behind the struct, the payload apart. */
struct branch_traits {
    struct digest16 digest;
    uint16_t participant;
    uint8_t index;
    uint8_t stage : 6;
    bool confirm_only : 1;
    bool optional : 1;
};

/* What a participant's fence contradicts, as ConflictKind names it. */
enum { CONFLICT_OTHER_TRANSACTION = 1, CONFLICT_NOT_TRIED = 2, CONFLICT_FORGOTTEN = 5 };

/* What few branches have, or not for long. */
struct rare {
    struct tercet_bytes result; /* of its try; owned */
    char *resolved;             /* an operator's reason for ending it; owned; NULL: none */
    struct digest128 record;    /* of its ADD_BRANCH pair in the journal; zero: none */
    uint32_t call_timeout_ms;   /* 0: the participant's */
    uint32_t conflict;          /* tercet.v1.ConflictKind of its last CONFLICT; 0: none */
};

/* What every branch of a participant that is away has: a million may. */
struct trouble {
    struct said *reason; /* of its last REFUSED, LATER, CONFLICT or transport error; NULL: none */
    int64_t next_attempt_boot_ms; /* 0: as soon as its participant is reached */
    struct rare *rare;            /* owned; NULL: nothing of it (branch_rare()) */
};

struct slot;

/* A million transactions may be open, so every byte here is some megabytes. */
struct branch {
    struct list_node open_link;  /* of its participant's branches that have not ended, by number */
    struct txn *txn;             /* NULL: closed or never begun; answers are not read */
    struct branch_number number; /* given when it is registered */
    void *payload;               /* owned; NULL: it is empty, on the disk only, or lost */
    struct trouble *trouble;     /* owned; NULL: nothing of it (branch_trouble()) */
    struct slot *slot;     /* dispatch's own (slot.h); NULL: it neither waits nor is in flight */
    uint32_t payload_size; /* wherever it is */
    uint32_t attempts;     /* of the phase that is asked */
    uint16_t refs;
    struct branch_traits spec;
    enum branch_state state;
    enum tercet_phase asked : 8; /* what may be sent now; 0: nothing */
    uint8_t handed;              /* bit (1 << phase): may have left the process */
    bool answered_tried : 1;     /* it has answered DONE to a try */
    bool foreign : 1;            /* its row there belongs to another transaction: nothing to undo */
    bool parked : 1;             /* decided in an earlier life, and not asked for in this one yet */
    bool adopted : 1;            /* from the journal: nobody knows what had left before */
    bool payload_lost : 1;       /* with the journal: it cannot be asked (restored.h) */
    bool held : 1;               /* its participant waits for an operator (hold.c) */
    bool attention : 1;          /* it contradicts, or refuses what it may not: counted */
    bool served : 1;             /* false: nothing to undo, its try was not served or is undone */
    bool silent : 1;             /* its last call had no answer in time (dispatch's) */
    char action[];               /* NUL-terminated */
};

enum { BRANCH_BYTES_MAX = 104, TROUBLE_BYTES_MAX = 24 }; /* of the structs; checked in branch.c */

/* Makes a branch with one reference; copies action and payload. */
struct branch *branch_create(const struct branch_spec *spec);
struct branch *branch_ref(struct branch *branch);
void branch_unref(struct branch *branch); /* NULL is fine */

/* Is there a payload, and is it in memory?  An empty one is never fetched. */
static inline bool branch_has_payload(const struct branch *branch)
{
    return branch->payload != NULL;
}
static inline bool branch_wants_payload(const struct branch *branch)
{
    return branch->payload_size > 0 && branch->payload == NULL;
}
static inline struct tercet_bytes branch_payload(const struct branch *branch)
{
    return (struct tercet_bytes){branch->payload, branch->payload_size};
}

void branch_drop_payload(struct branch *branch);

/* What it has of these things; all zero when it has none.  To change one of the rare ones:
 * branch_rare_make(). */
const struct trouble *branch_trouble(const struct branch *branch);
const struct rare *branch_rare(const struct branch *branch);
struct rare *branch_rare_make(struct branch *branch);

/* Replaces what is there. */
void branch_set_conflict(struct branch *branch, uint32_t conflict);
void branch_set_resolved(struct branch *branch, const char *text);
void branch_set_next_attempt(struct branch *branch, int64_t boot_ms);
void branch_set_reason(struct branch *branch, const char *code, const char *text);
void branch_share_reason(struct branch *branch, struct said **newest_io); /* said_share() */
void branch_set_result(struct branch *branch, struct tercet_bytes result);
void branch_set_payload(struct branch *branch, struct tercet_bytes payload); /* the lost one */

/* Dispatch hands `asked` to a transport now: counts the attempt, and from here on it may have
 * happened. */
void branch_note_handed(struct branch *branch);

/* Was this branch in conflict, refused what it may not refuse, or asked for too long since the
 * decision?  Then the sentence for an operator is written to `text_out` (size
 * TERCET_REASON_TEXT_BYTES_MAX + 1). */
bool branch_attention(const struct branch *branch, int64_t now_unix_ms, char *text_out);

/* Aborts unless everything in the branch fits its state. */
void branch_check(const struct branch *branch);

#endif

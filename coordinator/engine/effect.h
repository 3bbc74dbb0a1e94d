/* effect.h -- everything that the engine wants done.
 *
 * Effects are appended in order.  The loop encodes RECORDs into the open batch at once, stamps all
 * others with the LSN of the newest record emitted so far, and carries them out when that LSN is
 * durable.  Three are carried out at once, because they tell nobody anything: LOOKUP, INSPECT, and a
 * HOLD that begins. */
#ifndef COORDINATOR_ENGINE_EFFECT_H
#define COORDINATOR_ENGINE_EFFECT_H

#include "engine/event.h"

enum effect_kind {
    EFFECT_RECORD,
    EFFECT_CALL,
    EFFECT_REPLY,
    EFFECT_LOOKUP,
    EFFECT_HOLD,
    EFFECT_INSPECT
};

/* What is written.  A record is encoded from the transaction as it stands when the step returns. */
enum record_kind {
    RECORD_BEGIN,      /* t/: all that is needed to finish without the initiator */
    RECORD_ADD_BRANCH, /* t/: a branch of a step-by-step transaction */
    RECORD_DECIDE,     /* t/: the decision, with every branch's result */
    RECORD_PROGRESS,   /* t/: attempts and branches that have ended; may be lost */
    RECORD_END,        /* a/: the outcome; removes all of t/; may wait for company */
    RECORD_TOMBSTONE,  /* a/: a gid cancelled before it was begun */
    RECORD_PARTICIPANT /* p/: what is known of a participant's databases; may wait */
};

struct effect_record {
    enum record_kind kind;
    struct txn *txn;            /* borrowed until the next step */
    struct branch *branch;      /* ADD_BRANCH */
    uint32_t participant;       /* PARTICIPANT */
    struct acquaintance *known; /* PARTICIPANT: borrowed like `txn` */
};

struct effect_call {
    struct branch *branch; /* owned reference */
    /* What is asked now.  By the time the call may leave, the branch may be asked for something else,
     * decided by a record that is not durable yet: then this call is void, and the one behind that
     * record counts. */
    enum tercet_phase phase;
    int64_t not_before_boot_ms; /* 0: at once */
};

/* An answer to a request.  `status` OK: `view` (all but TRY and LIST), `verdict` (TRY) or `list`. */
struct effect_reply {
    void *token;
    enum request_kind to;
    bool last; /* false only for a WATCH that goes on */
    enum tercet_status status;
    bool refused;                /* not OK: it had no effect and can have none (tercet-refused) */
    uint32_t retry_after_ms;     /* not OK; 0: not told */
    const char *code;            /* not OK: stable, static */
    char *text;                  /* not OK: a sentence; owned */
    struct view *view;           /* owned */
    enum tercet_verdict verdict; /* TRY */
    uint32_t branch_index;       /* TRY: whose result and reason, in `view` */
    struct view **list;          /* LIST; owned */
    uint32_t list_count;
    int64_t list_next_sequence; /* LIST: where to go on; 0: these were the last open ones */
};

/* Nothing may be sent to this participant, or again. */
struct effect_hold {
    uint32_t participant;
    bool held;
    char *text; /* why; owned */
};

/* Ask a participant for its rows; EVENT_INSPECTED follows. */
struct effect_inspect {
    uint32_t participant;
    struct branch_number from;
    struct branch_number below;
    char token[INSPECT_TOKEN_BYTES_MAX + 1]; /* of the page before; "": the first */
};

struct effect {
    enum effect_kind kind;
    union {
        struct effect_record record;
        struct effect_call call;
        struct effect_reply reply;
        struct {
            char gid[TERCET_GID_BYTES_MAX + 1];
        } lookup;
        struct effect_hold hold;
        struct effect_inspect inspect;
    } u;
};

/* A growing array of effects.  Whoever carries one out takes what it owns and clears the
 * pointers. */
struct effects {
    struct effect *items;
    size_t count;
    size_t capacity;
};

void effects_init(struct effects *effects);
void effects_deinit(struct effects *effects); /* with all that is still owned */
struct effect *effects_add(struct effects *effects, enum effect_kind kind); /* zeroed */
void effect_release(struct effect *effect); /* frees what it still owns */

#endif

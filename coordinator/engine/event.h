/* event.h -- everything that can happen to the engine.
 *
 * Events are made by other threads, or by the loop itself, and travel through the inbox.
 * engine_step() takes them: it frees them by event_destroy(), at once or (a request that waits for
 * a look-up) later. */
#ifndef COORDINATOR_ENGINE_EVENT_H
#define COORDINATOR_ENGINE_EVENT_H

#include "engine/acquaintance.h"
#include "engine/view.h"

enum event_kind {
    EVENT_REQUEST, /* an initiator asks */
    EVENT_FORGET, /* an initiator no longer waits: its request is answered now, for the last time */
    EVENT_FOUND,  /* a look-up has come back */
    EVENT_ANSWER, /* a participant has answered, or its call has failed */
    EVENT_FETCHED,     /* a payload has come from the journal; dispatch asked for it */
    EVENT_PARTICIPANT, /* a participant can be reached, or no longer */
    EVENT_HORIZON,     /* outcomes before this moment are forgotten */
    EVENT_PROBED,      /* a probe of a participant has ended */
    EVENT_INSPECTED,   /* a participant has told rows, or could not */
    EVENT_STOP,        /* whoever waits, now or later, is answered as things stand */

    /* For the loop alone; never given to the engine. */
    EVENT_DURABLE /* the journal thread has synced a batch */
};

enum request_kind {
    REQUEST_EXECUTE,
    REQUEST_BEGIN,
    REQUEST_TRY,
    REQUEST_CONFIRM,
    REQUEST_CANCEL,
    REQUEST_GET,
    REQUEST_WATCH,
    REQUEST_LIST,
    REQUEST_RESOLVE
};

/* How long an answer is waited for.  Numbers as on the wire. */
enum wait_mode { WAIT_MODE_BEGIN = 1, WAIT_MODE_DECISION = 2, WAIT_MODE_END = 3 };

/* What Resolve does.  Numbers as on the wire. */
enum resolution {
    RESOLUTION_ASK = 1,
    RESOLUTION_SETTLE = 2,
    RESOLUTION_WAS_CONFIRMED = 3,
    RESOLUTION_WAS_CANCELLED = 4
};

struct request {
    enum request_kind kind;
    void *token; /* the caller's; comes back in exactly one REPLY that is `last` */
    char gid[TERCET_GID_BYTES_MAX + 1]; /* "" only in LIST, and RESOLVE of a participant */
    enum wait_mode wait;
    uint32_t wait_ms;           /* how long the answer may take; 0: at once */
    uint32_t try_timeout_ms;    /* EXECUTE, BEGIN */
    int64_t created_at_unix_ms; /* EXECUTE, BEGIN, CANCEL; 0: now */
    char traceparent[65];       /* EXECUTE, BEGIN */
    struct digest16 content;    /* EXECUTE, BEGIN */
    struct branch **branches;   /* EXECUTE: all; TRY: one.  Owned references; taken by the engine */
    uint32_t branch_count;
    uint32_t branch_index;                     /* TRY (same as branches[0]'s), RESOLVE */
    uint32_t participant;                      /* RESOLVE with gid "": one that is held */
    enum resolution resolution;                /* RESOLVE */
    struct reason reason;                      /* CANCEL, RESOLVE */
    int64_t after_sequence;                    /* LIST: open transactions behind this one */
    uint32_t page_size;                        /* LIST */
    uint32_t state_mask;                       /* LIST: bit (1 << state); 0: all */
    char gid_prefix[TERCET_GID_BYTES_MAX + 1]; /* LIST */
    bool attention_only;                       /* LIST */
};

/* What a participant has told of one of its actions. */
struct action_kind {
    char name[TERCET_NAME_BYTES_MAX + 1];
    bool confirm_only;
    bool unfenced; /* leaves no row */
};

/* What the marks of a participant's stores say: below `below`, whatever is not in `open` has ended. */
struct closed_numbers {
    struct branch_number below; /* zero: nothing is known to have ended */
    struct branch_number *open; /* owned; NULL: none */
    uint32_t open_count;
};

enum { INSPECT_TOKEN_BYTES_MAX = 127 };

/* A row of a participant's fence, as Inspect tells it. */
struct inspected_row {
    char gid[TERCET_GID_BYTES_MAX + 1];
    char action[TERCET_NAME_BYTES_MAX + 1];
    uint32_t branch;
    uint32_t state; /* tercet.v1.FenceState, 1 to 4 */
    struct branch_number number;
    struct digest16 digest;
};

/* How a call to a participant ended. */
enum answer_kind {
    ANSWER_REPLY,       /* a reply that could be read */
    ANSWER_UNREACHABLE, /* its participant as a whole cannot be reached: asked again when it can */
    ANSWER_NOT_SERVED,  /* it will never serve this: no such action, malformed, not implemented */
    ANSWER_UNKNOWN,     /* no answer in time, garbage, any other status: it may have happened */
    ANSWER_FENCED       /* it has seen a higher epoch of this journal: we are not the coordinator */
};

struct answer {
    struct branch *branch; /* owned reference */
    enum tercet_phase phase;
    enum answer_kind kind;
    bool unsent;                 /* UNREACHABLE: nothing of it was given to a transport */
    enum tercet_verdict verdict; /* REPLY; anything outside 1..4 is UNSPECIFIED */
    uint32_t how;                /* REPLY, DONE: tercet.v1.How */
    uint32_t conflict;           /* REPLY, CONFLICT: tercet.v1.ConflictKind */
    uint32_t after_ms;           /* REPLY, LATER */
    struct tercet_bytes result;  /* REPLY, DONE; owned */
    struct branch_number mark;   /* REPLY: the newest mark that is stored there; zero: not told */
    struct reason reason;        /* the participant's, or the transport's words */
};

struct event {
    struct list_node link; /* the inbox's and the engine's */
    enum event_kind kind;
    union {
        struct request request;
        struct {
            void *token;
        } forget;
        struct {
            char gid[TERCET_GID_BYTES_MAX + 1];
            struct view *view; /* owned; NULL: there is none */
        } found;
        struct answer answer;
        struct {
            struct branch *branch;       /* owned reference */
            struct tercet_bytes payload; /* owned */
        } fetched;
        struct {
            uint32_t index;
            bool reachable;
        } participant;
        struct {
            int64_t unix_ms;
        } horizon;
        struct {
            uint32_t participant;
            uint32_t seat;
            bool reachable;
            bool not_served;             /* it has no Describe */
            bool fenced;                 /* it has seen a higher epoch of this journal */
            struct action_kind *actions; /* what it serves; owned; NULL: not told */
            uint32_t action_count;
            struct description *description; /* its stores; owned; NULL: not told */
            struct closed_numbers closed;
        } probed;
        struct {
            uint32_t participant;
            bool answered;              /* false: ask again */
            struct inspected_row *rows; /* owned */
            uint32_t row_count;
            char token[INSPECT_TOKEN_BYTES_MAX + 1]; /* where they go on; "": that was all */
        } inspected;
        struct {
            int64_t lsn;
            int64_t next_number;
        } durable;
    } u;
};

struct event *event_create(enum event_kind kind); /* all zero but its kind */
void event_destroy(struct event *event);          /* with all that it owns; NULL is fine */

#endif

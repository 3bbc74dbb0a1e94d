/* engine_internal.h -- what the engine's own files share.  Nobody else includes this.
 *
 *   engine.c     create, the switch over events, ticks
 *   recovery.c   what the journal held; what is parked
 *   request.c    what an initiator asks of a transaction
 *   admit.c      every bound, before anything begins
 *   list.c       a page of open transactions
 *   restored.c   a restored journal asks before it acts; rows.c what the answers say, evidence.c what is
 *                done then
 *   hold.c       a participant that was rolled back or exchanged waits for an operator
 *   inquiry.c    requests whose gid is not in memory wait for a look-up
 *   answer.c     what a participant's answer means
 *   decide.c     stages, the decision, the end
 *   waiter.c     who waits for what; replies
 *   mark.c       what participants may forget */
#ifndef COORDINATOR_ENGINE_ENGINE_INTERNAL_H
#define COORDINATOR_ENGINE_ENGINE_INTERNAL_H

#include "base/backoff.h"
#include "base/random.h"
#include "engine/engine.h"

/* What the engine knows of one participant. */
struct peer {
    struct list_node open;       /* branches that have not ended durably, by number */
    struct list_node *resume_at; /* in `open`: nothing before it is parked; NULL: nothing is */
    uint32_t open_count;         /* of branches that have not ended */
    bool reachable;
    struct action_kind *actions; /* as its Describe told; owned */
    uint32_t action_count;       /* 0: not told, nothing is checked */
    struct acquaintance known;
    struct branch_number passed;  /* below this its rows may be gone, as its last Describe told */
    struct closed_numbers closed; /* while a restored journal asks: what had ended, as it told */
    struct known_before *before;  /* by seat: when its probe left that is out; owned */
    int64_t record_after_boot_ms; /* when what replies told may be recorded again */
    bool mark_fresh;              /* `mark` was made at the newest durable LSN */
    struct mark mark;
};

/* One call that waits for a transaction. */
struct waiter {
    struct list_node link;  /* the transaction's */
    struct heap_node timer; /* when it is answered as it stands */
    struct table_node by_token;
    struct txn *txn;
    void *token;
    enum request_kind kind;
    enum wait_mode wait;
    uint32_t branch_index; /* TRY */
};

struct restored;

enum { LISTED_COUNT_MAX = 16 /* listings at a time that find again where they were */ };

struct engine {
    struct engine_options options;
    struct restored *restored; /* owned; NULL: no restored journal asks (restored.h) */
    struct random random;

    struct table by_gid;   /* struct txn */
    struct list_node open; /* not ended, by sequence */
    struct txn
        *listed[LISTED_COUNT_MAX]; /* in `open`: there pages ended, or behind it; may be NULL */
    uint32_t listed_next;          /* the one to give away when another is needed */
    struct list_node ended;        /* END not durable yet, by ended_lsn */
    struct heap timers;            /* struct txn: deadlines */
    struct table inquiries;        /* struct inquiry, by gid */
    struct list_node inquiry_list;
    uint32_t inquiry_count;    /* requests that wait there */
    uint64_t inquiry_bytes;    /* their payloads */
    struct table waiters;      /* struct waiter, by token */
    struct heap waiter_timers; /* struct waiter */
    struct peer *peers;        /* by directory index */
    struct acquaintance
        *adopted[DIRECTORY_PARTICIPANT_COUNT_MAX];      /* owned; until there are peers */
    struct said *said[DIRECTORY_PARTICIPANT_COUNT_MAX]; /* newest of a branch there; may be NULL */
    struct said *cancelled_for;                         /* newest of a transaction; may be NULL */
    uint32_t peer_count;
    uint32_t resuming_count; /* peers that may have parked branches */

    int64_t next_number;
    int64_t durable_lsn;
    int64_t durable_next_number;
    int64_t horizon_unix_ms;
    int64_t newest_end_unix_ms;                        /* nothing ends before it */
    char greatest_ended_gid[TERCET_GID_BYTES_MAX + 1]; /* of outcomes, written or about to be */
    bool stopping;                                     /* nobody is made to wait any more */
    struct engine_stats stats;
};

/* What every function of one step needs. */
struct step {
    struct engine *engine;
    int64_t lsn;
    struct clock_now now;
    struct effects *effects;
};

/* engine.c */
struct branch_number engine_take_number(struct engine *engine);
/* To the state in which it has ended. */
void engine_end_txn(struct step *step, struct txn *txn, enum txn_state to);
void engine_register_branch(struct engine *engine, struct branch *branch);
/* branch_move(), and the participant's share: a branch that has ended no longer counts. */
void engine_move_branch(struct step *step, struct branch *branch, enum branch_state to);
/* An operator should look at this branch; it goes on being asked. */
void engine_raise_attention(struct engine *engine, struct branch *branch, uint32_t conflict);
void engine_clear_attention(struct engine *engine, struct branch *branch);
void engine_reschedule(struct step *step, struct txn *txn);      /* its deadline timer */
void engine_resume_deadline(struct step *step, struct txn *txn); /* of an earlier process */
void engine_destroy_txn(struct engine *engine, struct txn *txn);
void engine_note_ended(struct engine *engine, const char *gid); /* it has an outcome from now on */

/* recovery.c */
/* A decided branch's payload may leave memory: it is in the journal, and dispatch has it fetched. */
void engine_drop_payload(struct engine *engine, struct branch *branch);
void engine_take_payload(struct engine *engine, struct branch *branch, struct tercet_bytes payload);

/* request.c */
/* Takes the event.  `found`: the outcome that a look-up told, or NULL. */
void request_on_txn(struct step *step, struct event *event, struct txn *txn);
void request_on_outcome(struct step *step, struct event *event, const struct view *found);
void request_on_nothing(struct step *step, struct event *event);

/* admit.c: each answers the request when it says no */
bool admit(struct step *step, const struct request *request); /* a transaction, all bounds */
bool admit_age(struct step *step, const struct request *request);
bool admit_bytes(struct step *step, const struct request *request);
uint64_t admit_bytes_of(const struct request *request); /* its payloads */
bool admit_branches(struct step *step, const struct request *request);
/* What this action is, as its participant has told; NULL: not known. */
const struct action_kind *peer_action(const struct peer *peer, const char *action);

/* hold.c */
bool hold_is_on(const struct peer *peer);
void hold_resume(struct step *step, uint32_t participant); /* at start */
void hold_record(struct step *step, uint32_t participant); /* what is known of it */
void hold_probe_leaves(struct engine *engine, uint32_t participant, uint32_t seat);
void hold_described(struct step *step, uint32_t participant, uint32_t seat,
                    const struct description *description);
void hold_note_answer(struct step *step, const struct answer *answer);
void hold_resolve(struct step *step, const struct request *request);

/* list.c */
void request_list(struct step *step, const struct request *request);
void request_list_forget(struct engine *engine, const struct txn *txn); /* it leaves `open` */

/* inquiry.c */
void inquiry_ask(struct step *step, struct event *event);
void inquiry_found(struct step *step, struct event *event);
bool inquiry_forget(struct engine *engine, const void *token);
void inquiry_refuse_all(struct step *step);
void inquiry_destroy_all(struct engine *engine);

/* answer.c */
void answer_apply(struct step *step, const struct answer *answer);

/* decide.c */
void call_branch(struct step *step, struct branch *branch, int64_t not_before_boot_ms);
void decide(struct step *step, struct txn *txn, enum txn_outcome outcome);
void decide_to_cancel(struct step *step, struct txn *txn, enum txn_cause cause,
                      const struct reason *reason);
/* Start stages, decide, end: whatever is due; then whoever waited for it is told. */
void progress(struct step *step, struct txn *txn);
void record(struct step *step, enum record_kind kind, struct txn *txn, struct branch *branch);

/* waiter.c */
void waiter_add(struct step *step, struct txn *txn, const struct request *request);
void waiters_notify(struct step *step, struct txn *txn); /* whoever has what it waited for */
void waiters_tick(struct step *step);
void waiter_forget(struct step *step, void *token);
void waiters_answer_all(struct step *step); /* as things stand */
void waiters_destroy_all(struct engine *engine);
void reply_view(struct step *step, const struct request *request, const struct view *view);
void reply_refused(struct step *step, const struct request *request, enum tercet_status status,
                   const char *code, const char *format, ...) TERCET_PRINTF(5, 6);
/* The verdict of a TRY on this branch, as far as it is known; UNSPECIFIED: not yet.  `forgotten`: it is
 * optional, its participant has let its row go, and a restored journal does not know either whether the
 * transaction was confirmed with it or without; that is never known. */
enum tercet_verdict try_verdict(enum txn_state txn, enum branch_state state, bool confirm_only,
                                bool forgotten);

/* mark.c */
void mark_touch_all(struct engine *engine);

#endif

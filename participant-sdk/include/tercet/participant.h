/* participant.h -- take part in transactions: register actions, serve them, stop.
 *
 * An action is one thing that a service can do in three phases: try (check and reserve), confirm
 * (use the reservation), cancel (release it).  You write a handler per phase; the SDK receives the
 * requests, decides by its fence (fence.h) whether the handler must run at all, runs it inside a
 * local transaction of your database, writes the fence row into the same transaction, commits, and
 * answers.  examples/participant_40_lines.c is a whole participant.
 *
 * The handler's contract
 *
 *   1. Change only what the local transaction covers, through the connection that the store's
 *      accessor gives (tercet_sqlite_connection(request), tercet_postgres_connection(request),
 *      ...).  That transaction is open when the handler is called.  Do not begin, commit or roll
 *      back; savepoints of your own are fine if you end them.
 *   2. A handler may be called any number of times for the same branch and phase, each time in a
 *      fresh local transaction; at most one of these is ever committed.  So it may be repeated
 *      after a deadlock, after a lost connection, or because another branch in the same local
 *      transaction failed.  Keep nothing in memory of your own that a rolled-back run would have to
 *      take back.
 *   3. Several branches may share one local transaction, one after the other, a savepoint each.  A
 *      handler does not notice, except that it sees the changes of the branches before it, as it
 *      would had they been committed.
 *   4. Do not wait for other services inside a handler: it holds locks, and others share its
 *      transaction.  What must happen elsewhere belongs into a branch of its own, or into an
 *      unfenced action (see below).
 *   5. Try may refuse.  Confirm and cancel may not: they must succeed in the end, so try has to
 *      reserve everything that they will need.  A confirm or cancel that returns REFUSED leaves no
 *      trace; the coordinator raises it to the operator and asks again.
 *   6. Return only by `return`: no exit, no longjmp, no C++ exception.
 *
 * Several stores in one process: register the actions of each with its store.  The order of
 * branches between stores is free; each store has its own worker threads.  At most 16: of a
 * description the coordinator reads no more, and each must be compared when it comes back. */
#ifndef TERCET_PARTICIPANT_H
#define TERCET_PARTICIPANT_H

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

struct tercet_participant; /* one server: a name, an address, actions */
struct tercet_store; /* one database with its connections and worker threads; made by a store_*.h */

/* ---- What a handler gets --------------------------------------------------------------------- */

/* One phase of one branch, to be carried out now.  The library's; valid until the handler returns;
 * to be used by the handler's thread only.  gid and branch together are the branch's identity; with
 * the phase they are a good idempotency key for whatever lies outside the local transaction. */
struct tercet_request {
    const char *gid;         /* the transaction */
    uint32_t branch;         /* the branch's number in it, from 1 */
    enum tercet_phase phase; /* one function may serve all phases by looking here */
    const char *action;      /* as registered */
    /* What the initiator sent to this branch; the same bytes in every phase. */
    struct tercet_bytes payload;
    /* Confirm and cancel: what the try answered; empty in a try. */
    struct tercet_bytes result;
    /* How often the coordinator has asked for this phase, from 1; for logs only. */
    uint32_t attempt;
    /* How much longer the coordinator will wait for this answer.  An answer after that is not
     * lost: the coordinator asks again and gets it from the fence. */
    uint32_t timeout_ms;
    /* When the transaction is cancelled if it is still undecided, by the coordinator's clock; to
     * show, never to release a reservation by.  0 in confirm and cancel. */
    int64_t expires_unix_ms;
    /* W3C trace context of this call, for spans of your own; "" when there is none. */
    const char *traceparent;
    void *context; /* of the action, as registered */
};

/* Carries out one phase.  Returns TERCET_VERDICT_DONE or what one of the answer functions returned.
 * Thread: one of the store's workers.  Never two at once for the same branch; for different
 * branches, as many at once as the store has connections. */
typedef enum tercet_verdict (*tercet_handler_fn)(struct tercet_request *request);

/* ---- What a handler answers ------------------------------------------------------------------ */

/* Done, with a result: in a try, up to TERCET_RESULT_BYTES_MAX bytes (copied) that reach the
 * initiator and come back to this branch's confirm and cancel; empty and ignored in these.  Without
 * a result, simply return TERCET_VERDICT_DONE.  Too long a result is a failure (as
 * tercet_answer_failed). */
TERCET_API enum tercet_verdict tercet_answer_done(struct tercet_request *request,
                                                  struct tercet_bytes result);

/* A business no.  Nothing of this branch is kept, and the transaction will be cancelled.  `code` is
 * for the initiator's program, 1 to TERCET_REASON_CODE_BYTES_MAX of A-Z 0-9 _ (another is a failure, as
 * tercet_answer_failed); the text is for its people and is cut at TERCET_REASON_TEXT_BYTES_MAX, here and
 * below.  Both are copied and reach the initiator.  See contract 5 for confirm and cancel. */
TERCET_API enum tercet_verdict tercet_answer_refused(struct tercet_request *request,
                                                     const char *code, const char *format, ...)
    TERCET_PRINTF(3, 4);

/* Not now: a row is locked, a downstream is busy.  Nothing of this branch is kept; the coordinator
 * asks again after `after_ms` (at most 60000) or somewhat later; 0 leaves it to its own back-off.  A
 * try that is still LATER when the transaction's trying time ends is cancelled. */
TERCET_API enum tercet_verdict tercet_answer_later(struct tercet_request *request,
                                                   uint32_t after_ms, const char *format, ...)
    TERCET_PRINTF(3, 4);

/* Something broke: an SQL error, a row that must exist is gone.  Nothing of this branch is kept.
 * When the store finds that the local transaction fell to a deadlock or a serialization failure, it
 * is run again; otherwise the text is logged and the coordinator is answered LATER with code
 * TERCET_HANDLER_FAILED. */
TERCET_API enum tercet_verdict tercet_answer_failed(struct tercet_request *request,
                                                    const char *format, ...) TERCET_PRINTF(2, 3);

/* ---- Actions --------------------------------------------------------------------------------- */

/* One action.  All three handlers, or on_confirm alone: that action is confirm-only, for acts that
 * need no reservation (add points, deliver a message).  Its confirm runs without a try; a try of it
 * is an error (INVALID_ARGUMENT on the wire), and a cancel of it is DONE EMPTY and calls nobody.  An
 * action that becomes confirm-only in a later version leaves nobody to cancel what was tried before:
 * such a cancel is answered LATER, until a version with all three handlers serves it.  The
 * coordinator learns which actions are which (Describe) and refuses a transaction that mixes them up
 * before it begins.  Any other combination of handlers is TERCET_INVALID_ARGUMENT.  (Not named `try`,
 * which C++ keeps for itself.) */
struct tercet_action {
    /* Unique in the participant; 1 to TERCET_NAME_BYTES_MAX of A-Z a-z 0-9 _ . -. */
    const char *name;
    tercet_handler_fn on_try;
    tercet_handler_fn on_confirm;
    tercet_handler_fn on_cancel;
    void *context;           /* handed to the handlers; must live as long as the participant */
    const void *reserved[4]; /* NULL */
};

/* ---- The participant ------------------------------------------------------------------------- */

struct tercet_participant_options {
    size_t size;
    /* As in the coordinator's configuration; requests for another name are answered LATER.
     * Required. */
    const char *name;
    /* "host:port", "[v6]:port", "unix:/path", at most 255 bytes; port 0 picks a free one.
     * Required. */
    const char *listen;
    /* NULL: plaintext, loopback and unix sockets only.  This version knows nothing else: anything
     * but NULL is UNIMPLEMENTED. */
    const struct tercet_tls *tls;
    /* Requests held at a time, over all connections and stores; above it, and above 64 MiB of
     * payloads, they are answered LATER at once.  Default 10000, at most 1000000. */
    uint32_t in_flight_max;
    uint32_t unfenced_workers; /* threads for unfenced actions.  Default 8, at most 256 */
    /* How long serve() and destroy() let running work finish.  Default 10000. */
    uint32_t stop_grace_ms;
    tercet_log_fn log; /* default NULL: silent */
    void *log_context;
};

/* Makes a participant that does not listen yet.  Everything in `options` is copied.
 * Errors: INVALID_ARGUMENT (names the field), UNIMPLEMENTED (tls), RESOURCE_EXHAUSTED. */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_participant_create(
    const struct tercet_participant_options *options, struct tercet_participant **participant_out,
    struct tercet_error *error_out);

/* Registers actions whose handlers work in `store`.  The table is copied.  `store` is kept, not
 * owned: close it after the participant is destroyed.  One store may serve one participant.
 * Errors: INVALID_ARGUMENT (names the action), ALREADY_EXISTS (name used before),
 * FAILED_PRECONDITION (already started, or the store serves another participant),
 * RESOURCE_EXHAUSTED.  After an error none of the table is registered.
 * Thread: registering and starting one participant is for one thread at a time. */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_participant_register(
    struct tercet_participant *participant, struct tercet_store *store,
    const struct tercet_action *actions, size_t action_count, struct tercet_error *error_out);

/* Registers actions whose effects lie outside any store of this process: a message broker, another
 * company's service.  There is no local transaction and no fence: every request reaches the
 * handler, duplicates, late tries and cancels with no try included, several at once for one branch.
 * So the handler answers for fence.h's truth table itself, and may return TERCET_VERDICT_CONFLICT;
 * normally the other side does it, by an idempotency key made of gid, branch and phase, and by
 * remembering a cancel that came before its try.  Where it cannot,
 * register a fenced action on a small SQLite store instead, set that store's batch_max to 1, and
 * call the other side from its handler with that key: the fence then remembers, and the key covers
 * the moment between call and commit.  request->result is always empty.  Errors: as
 * tercet_participant_register(). */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_participant_register_unfenced(
    struct tercet_participant *participant, const struct tercet_action *actions,
    size_t action_count, struct tercet_error *error_out);

/* Listens and returns; requests are served on the SDK's threads from now on.
 * Errors: INVALID_ARGUMENT (address), FAILED_PRECONDITION (no action registered, started
 * before, stopped meanwhile), UNAVAILABLE (address in use, a store's database not reachable), DATA_LOSS (a store
 * refuses its own tables). */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_participant_start(
    struct tercet_participant *participant, struct tercet_error *error_out);

/* The address that it listens on, with the real port: "127.0.0.1:41733".  "" before start.  The
 * participant's, until it is destroyed. */
TERCET_API const char *tercet_participant_address(const struct tercet_participant *participant);

/* Stops: new requests are answered LATER, health says NOT_SERVING, running handlers finish and
 * their answers leave.
 * Returns OK when all is done, DEADLINE_EXCEEDED when `grace_ms` passed first: the rest was cut off
 * and will be asked again, which is safe.  It cannot be started again.  A call when it has stopped is
 * OK.  Of two at once the shorter grace counts, and both return what came of it.  Not from a handler. */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_participant_stop(
    struct tercet_participant *participant, uint32_t grace_ms);

/* For a program that is nothing but a participant: start, wait for SIGINT or SIGTERM, stop with
 * options' grace.  Call it from the main thread before making threads of your own: it blocks the
 * two signals in the calling thread while it runs and restores the mask before it returns.  A
 * second signal ends the wait for running work.
 * Errors: as start; DEADLINE_EXCEEDED as stop. */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_participant_serve(
    struct tercet_participant *participant, struct tercet_error *error_out);

/* Stops if need be, and frees.  A handler that still runs is waited for, however long it takes:
 * what it stands on cannot be freed.  Not from a handler. */
TERCET_API void tercet_participant_destroy(struct tercet_participant *participant);

/* ---- Figures --------------------------------------------------------------------------------- */

/* Counts since start, for your own metrics.  Taken without stopping anybody, so they may be a few
 * requests apart. */
struct tercet_participant_stats {
    size_t size;           /* set it before the call; only that much is filled */
    uint64_t requests;     /* received */
    uint64_t handler_runs; /* handlers called, repeats included */
    uint64_t done;         /* answers by verdict, from the fence or from a handler */
    uint64_t refused;
    uint64_t later;
    uint64_t conflicts;
    uint64_t from_fence; /* of all answers, those given without a handler */
    uint64_t failures;   /* handlers that failed */
    /* Local transactions committed: requests / transactions is the sharing. */
    uint64_t transactions;
    /* Rolled back and run again: deadlock, serialization, lost connection. */
    uint64_t transactions_retried;
    uint64_t queued;         /* now waiting for a worker */
    uint64_t running;        /* now in a worker */
    uint64_t marks;          /* marks applied: old fence rows go by them, never by age */
    uint64_t rows_forgotten; /* fence rows deleted below a mark */
    uint64_t rows_kept;      /* rows found TRIED below a mark: kept, and reported by the log hook */
};

TERCET_API void tercet_participant_read_stats(const struct tercet_participant *participant,
                                              struct tercet_participant_stats *stats_out);

/* ---- Stores ---------------------------------------------------------------------------------- */

/* Frees a store made by any of the store_*.h, after the participant that used it is destroyed. */
TERCET_API void tercet_store_close(struct tercet_store *store);

TERCET_END_DECLS

#endif

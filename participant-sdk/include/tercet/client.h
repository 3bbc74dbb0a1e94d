/* client.h -- start transactions and learn what became of them.
 *
 *   describe    struct tercet_transaction and an array of struct tercet_branch
 *   carry out   tercet_client_execute() waits; tercet_client_execute_async() calls you back
 *   by steps    tercet_client_begin(), _try(), _confirm(), _cancel(): you decide
 *   ask again   tercet_client_query(), by gid, from any process, for days
 *
 * Three things to know:
 *
 *   1. The outcome is what these functions return, and only TERCET_OUTCOME_CONFIRMED means that it
 *      happened.  There is no status OK that could be mistaken for "paid".
 *   2. UNKNOWN is an honest answer, not a failure: the wait was cut short.  The transaction goes on
 *      without you, and will be confirmed or cancelled.  Ask again with the same gid; or execute
 *      the same transaction again, which joins it.
 *   3. The gid is the act's name and you choose it: a business key ("pay-20261120-0042") or
 *      tercet_gid_make(), stored before use.  The same gid with the same branches is one
 *      transaction, whoever sends it and however often; with other branches it is ALREADY_EXISTS.
 *      A cancelled gid stays cancelled: a second attempt at the same business takes a new gid. */
#ifndef TERCET_CLIENT_H
#define TERCET_CLIENT_H

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

struct tercet_client; /* connections to one coordinator */

/* ---- The client ------------------------------------------------------------------------------ */

struct tercet_client_options {
    size_t size;
    /* The coordinator: "host:port", "[v6]:port", "unix:/path"; several addresses of it, at most 8,
     * separated by commas, are tried in turn.  At most 1024 bytes.  Required. */
    const char *target;
    /* NULL: plaintext, loopback and unix sockets only.  This version knows nothing else: anything
     * but NULL is UNIMPLEMENTED. */
    const struct tercet_tls *tls;
    /* Calls begun and not completed, blocking ones included; above it RESOURCE_EXHAUSTED at
     * once.  Default 10000, at most 1000000. */
    uint32_t in_flight_max;
    /* The client's own threads, on which callbacks run.  Default 2, at most 16. */
    uint32_t thread_count;
    /* How long begin, try, confirm and cancel wait for their answer.  Default 35000. */
    uint32_t step_timeout_ms;
    tercet_log_fn log; /* default NULL: silent */
    void *log_context;
    /* A call that has not reached any of the targets for so long is given up: NOT_STARTED or, of a
     * query, UNKNOWN, with status UNAVAILABLE and code TERCET_NO_COORDINATOR; where a target takes
     * connections and says nothing, up to 2 s later.  Once an attempt has
     * reached one, the call's whole wait is used, because the coordinator may be restarting.
     * Default 0: the whole wait always.  For programs that somebody sits in front of. */
    uint32_t reach_timeout_ms;
    /* Calls of tercet_client_execute() and _async() that are under way at the same time share one
     * stream to the coordinator (ExecuteStream) where it serves that, which costs both sides less; what
     * a call is answered, and when it is UNKNOWN, is the same.  True: each is a call of its own.
     * Default false. */
    bool unary_only;
};

/* Makes a client.  Does not wait for a connection: a coordinator that is down shows in the first
 * call.  One client for a process is enough; its connections are shared by all threads.  Everything
 * in `options` is copied.
 * Errors: INVALID_ARGUMENT (names the field), UNIMPLEMENTED (tls), RESOURCE_EXHAUSTED. */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_client_create(
    const struct tercet_client_options *options, struct tercet_client **client_out,
    struct tercet_error *error_out);

/* Completes what is in flight with CALL_CANCELLED, as UNKNOWN or, where no attempt had left, NOT_STARTED,
 * calling its callbacks, and frees.  Transactions already begun go on.  Not from a callback. */
TERCET_API void tercet_client_destroy(struct tercet_client *client);

/* ---- What shall be done ---------------------------------------------------------------------- */

/* One participant's part. */
struct tercet_branch {
    /* By its name; its address is the coordinator's business.  Required. */
    const char *participant;
    const char *action; /* Required */
    /* The same bytes reach try, confirm and cancel.  May be empty. */
    struct tercet_bytes payload;
    /* Stage n+1 is tried when all of stage n are; within a stage all at once.  Default 0.
     * Confirm and cancel know no stages. */
    uint32_t stage;
    bool confirm_only; /* the action reserves nothing and is told only to confirm */
    /* A refusal leaves this branch out instead of cancelling the transaction.  Not with
     * confirm_only. */
    bool optional;
    /* How long one call to this participant may take, TERCET_CALL_TIMEOUT_MS_MIN to _MAX; then it
     * is asked again.  Not part of the content.  Default: the coordinator's own, 5000. */
    uint32_t call_timeout_ms;
    uint64_t reserved[4]; /* 0 */
};

/* How long an answer is waited for.  Numbers as on the wire. */
enum tercet_wait {
    TERCET_WAIT_DEFAULT = 0, /* as DECISION */
    /* Until it is stored and cannot be lost; the outcome is then UNKNOWN with status OK. */
    TERCET_WAIT_BEGIN = 1,
    /* Until the outcome can no longer change; confirms may still be under way. */
    TERCET_WAIT_DECISION = 2,
    /* Until every participant has confirmed or cancelled, or the wait is over. */
    TERCET_WAIT_END = 3
};

/* One act.  Its branches are numbered from 1 in the array's order. */
struct tercet_transaction {
    size_t size;
    /* 1 to TERCET_GID_BYTES_MAX of printable ASCII without space.  Required. */
    const char *gid;
    const struct tercet_branch *branches;
    size_t branch_count; /* 1 to TERCET_BRANCH_COUNT_MAX; 0 for tercet_client_begin() */
    /* Still undecided after this: cancelled.  Counted by the coordinator from the beginning.
     * Default 30000, at most TERCET_TRY_TIMEOUT_MS_MAX. */
    uint32_t try_timeout_ms;
    enum tercet_wait wait; /* not looked at by tercet_client_begin() */
    /* How long the call waits at most; then UNKNOWN.  TERCET_FOREVER is allowed.  Default
     * try_timeout_ms + 5000. */
    uint32_t wait_timeout_ms;
    /* W3C trace context, handed to every participant, at most 64 bytes.  Default NULL: none. */
    const char *traceparent;
    /* When this gid was first asked for.  Set it when a gid is stored and executed again after a
     * crash, to the instant of the first time: the coordinator refuses what is older than its
     * memory of outcomes (FAILED_PRECONDITION, TERCET_TOO_OLD) instead of running it twice.
     * Default 0: now, kept over this call's own repeats. */
    int64_t created_at_unix_ms;
};

/* ---- What became of it ----------------------------------------------------------------------- */

enum tercet_outcome {
    /* Not known here, or not decided yet; result->status says why. */
    TERCET_OUTCOME_UNKNOWN = 0,
    TERCET_OUTCOME_CONFIRMED = 1, /* durable; every participant has confirmed or will */
    /* Durable; it can never be confirmed, every reservation is released or will be. */
    TERCET_OUTCOME_CANCELLED = 2,
    /* This call started nothing, and nothing of it can still arrive: every attempt was refused by
     * the coordinator without effect, or never left this process.  result->status says why.  Says
     * nothing of other calls with the same gid. */
    TERCET_OUTCOME_NOT_STARTED = 3
};

/* Why it was cancelled.  Numbers as on the wire. */
enum tercet_cause {
    /* Not cancelled, or by a cause that this version does not know. */
    TERCET_CAUSE_NONE = 0,
    TERCET_CAUSE_REFUSED = 1, /* a participant said no: refused_branch and reason */
    /* Not decided in its trying time; reason tells the branch that was waited for. */
    TERCET_CAUSE_TIMEOUT = 2,
    TERCET_CAUSE_INITIATOR = 3, /* tercet_client_cancel() */
    TERCET_CAUSE_OPERATOR = 4 /* an operator said so, or a journal that was restored concluded it */
};

/* How far a branch has come.  Numbers as on the wire. */
enum tercet_branch_state {
    TERCET_BRANCH_UNSPECIFIED = 0, /* a state that this version does not know */
    /* Its stage has not begun, or confirm_only and not decided. */
    TERCET_BRANCH_WAITING = 1,
    TERCET_BRANCH_TRYING = 2,
    TERCET_BRANCH_TRIED = 3,
    TERCET_BRANCH_REFUSED = 4,
    TERCET_BRANCH_CONFIRMING = 5,
    TERCET_BRANCH_CONFIRMED = 6,
    TERCET_BRANCH_CANCELLING = 7,
    TERCET_BRANCH_CANCELLED = 8,
    TERCET_BRANCH_SKIPPED = 9 /* never asked anything, and never will be */
};

struct tercet_branch_result {
    uint32_t number; /* from 1 */
    const char *participant;
    const char *action;
    enum tercet_branch_state state;
    struct tercet_bytes result;  /* what its try returned */
    struct tercet_reason reason; /* of its last REFUSED, LATER or CONFLICT */
    /* It contradicts what it was told; an operator decides.  NONE: it does not. */
    enum tercet_conflict conflict;
};

/* The answer to a call.  Made by the library, never NULL.  From a blocking call it is yours to
 * destroy; in a callback it is borrowed until the callback returns. */
struct tercet_result {
    enum tercet_outcome outcome; /* as the call returned */
    /* OK when the coordinator has answered the question that was asked; else why not. */
    enum tercet_status status;
    /* The same for a program, stable, such as "TERCET_TOO_OLD"; "" when OK or not told. */
    const char *status_code;
    const char *status_text; /* and in a sentence, for people; "" when OK */
    uint32_t retry_after_ms; /* do not repeat before this; 0: not told */
    const char *gid;
    enum tercet_cause cause;
    uint32_t refused_branch;     /* number of the branch that said no; 0 when none did */
    struct tercet_reason reason; /* why it was cancelled */
    bool ended;                  /* every participant has confirmed or cancelled */
    /* A sentence when an operator should look (a participant does not answer for long, or
     * contradicts); "" otherwise. */
    const char *attention;
    uint32_t branch_count;   /* 0 when the coordinator has not answered */
    int64_t begun_unix_ms;   /* by the coordinator's clock; 0: not told */
    int64_t decided_unix_ms; /* 0: not decided, or not told */
    int64_t ended_unix_ms;   /* 0: not ended, or not told */
};

/* Branch `number`, from 1; NULL when the answer does not tell of it.  Belongs to the result. */
TERCET_API const struct tercet_branch_result *tercet_result_branch(
    const struct tercet_result *result, uint32_t number);

/* Frees a blocking call's result. */
TERCET_API void tercet_result_destroy(struct tercet_result *result);

/* "CONFIRMED", ...; "?" for a number that this version does not know.  Static storage. */
TERCET_API const char *tercet_outcome_name(enum tercet_outcome outcome);
TERCET_API const char *tercet_cause_name(enum tercet_cause cause);
TERCET_API const char *tercet_branch_state_name(enum tercet_branch_state state);

/* ---- Carry out ------------------------------------------------------------------------------- */

/* Carries out `transaction` and waits as it says.  A connection lost on the way is repaired and the
 * call repeated under the same gid until the wait is over, so that a restarting coordinator is only
 * a pause.
 *
 * Returns the outcome; `result_out` is always written (it may be NULL) and holds the rest.  Its
 * status is OK with CONFIRMED and CANCELLED, except DEADLINE_EXCEEDED when the end was waited for
 * and is not reached.  With the other two outcomes:
 *   UNKNOWN      OK (WAIT_BEGIN was asked for, and it is stored); DEADLINE_EXCEEDED (the wait was
 *                over first); UNKNOWN, CALL_CANCELLED, INTERNAL (the answer was lost or made no
 *                sense); any of the statuses below, when an earlier attempt of this call was lost
 *                and may have started it
 *   NOT_STARTED  INVALID_ARGUMENT; ALREADY_EXISTS (this gid with other branches);
 *                FAILED_PRECONDITION (unknown participant, confirm_only mixed up,
 *                TOO_OLD, blocking call from a callback); PERMISSION_DENIED, UNAUTHENTICATED;
 *                RESOURCE_EXHAUSTED (a bound, here or there); UNAVAILABLE (refused by the
 *                coordinator, or never reached); UNIMPLEMENTED (an older coordinator);
 *                DEADLINE_EXCEEDED (it never left in time); CALL_CANCELLED (the client was
 *                destroyed) */
TERCET_API TERCET_MUST_CHECK enum tercet_outcome tercet_client_execute(
    struct tercet_client *client, const struct tercet_transaction *transaction,
    struct tercet_result **result_out);

/* Told the answer of one asynchronous call, exactly once, on one of the client's threads; several
 * may run at once.  `result` is borrowed.  It must not block; it may start further asynchronous
 * calls. */
typedef void (*tercet_result_fn)(const struct tercet_result *result, void *context);

/* The same without waiting: the transaction is copied, `done` is called with the answer.
 * OK: `done` will be called exactly once, possibly before this function returns.  Anything else: it
 * will never be called.
 * Errors: INVALID_ARGUMENT; RESOURCE_EXHAUSTED (in_flight_max is reached); FAILED_PRECONDITION
 * (client is being destroyed).  All other failures reach `done`. */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_client_execute_async(
    struct tercet_client *client, const struct tercet_transaction *transaction,
    tercet_result_fn done, void *context, struct tercet_error *error_out);

/* Waits until at most `in_flight` calls are in flight: 0 for all done, in_flight_max - 1 for room
 * for one more.
 * Errors: DEADLINE_EXCEEDED; FAILED_PRECONDITION (from a callback). */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_client_wait(struct tercet_client *client,
                                                                   uint32_t in_flight,
                                                                   uint32_t timeout_ms,
                                                                   struct tercet_error *error_out);

/* ---- Step by step ---------------------------------------------------------------------------- */

/* For an initiator that needs one branch's answer to know the next branch, or whose own work lies
 * between.  The gid is the handle: any process that knows it may go on.  Whoever dies after begin
 * leaves a transaction that is cancelled when its trying time is over.  Every step may be repeated:
 * the same step is answered the same. */

/* Begins with no branches.  The same gid again, not decided yet, is OK.
 * Errors: as NOT_STARTED of tercet_client_execute(); FAILED_PRECONDITION also when it is decided
 * already (the text says how); UNKNOWN or DEADLINE_EXCEEDED when it may have begun: repeat it, or
 * cancel.  It may also have begun with any of the other statuses, when an earlier attempt of this
 * call was lost; what was begun so has no branches, and is cancelled when its trying time is over. */
TERCET_API TERCET_MUST_CHECK enum tercet_status tercet_client_begin(
    struct tercet_client *client, const struct tercet_transaction *transaction,
    struct tercet_error *error_out);

/* Adds branch `number` (from 1, chosen by you so that a repeat is recognised) and tries it now;
 * `stage` must be 0, because the steps are the order.
 *   DONE         tried; its result is in tercet_result_branch(result, number)
 *   REFUSED      the transaction is being cancelled, or the branch was optional and is left out;
 *                result->reason
 *   UNSPECIFIED  not known (result->status): the same again, or cancel.  FAILED_PRECONDITION: it is
 *                decided already
 * A confirm_only branch is DONE when it is stored.  Steps of one gid may run side by side. */
TERCET_API TERCET_MUST_CHECK enum tercet_verdict tercet_client_try(
    struct tercet_client *client, const char *gid, uint32_t number,
    const struct tercet_branch *branch, struct tercet_result **result_out);

/* Asks for the decision to confirm, and waits for it (for the end: tercet_client_query).
 * CANCELLED: the trying time or an operator was faster.  UNKNOWN with FAILED_PRECONDITION: a branch
 * is not tried yet; with NOT_FOUND: there is no such gid. */
TERCET_API TERCET_MUST_CHECK enum tercet_outcome tercet_client_confirm(
    struct tercet_client *client, const char *gid, struct tercet_result **result_out);

/* Asks for the decision to cancel, and waits for it; `text` says why (NULL: ""; cut at
 * TERCET_REASON_TEXT_BYTES_MAX).
 * CONFIRMED: the decision was taken before.  A gid that was never begun is recorded as cancelled,
 * so that a begin or execute still on its way is told CANCELLED: this is how to make sure that an
 * UNKNOWN one never happens.  Not for a gid whose outcome may be forgotten already (retention time, a
 * restored journal): it is recorded as cancelled as well. */
TERCET_API TERCET_MUST_CHECK enum tercet_outcome tercet_client_cancel(
    struct tercet_client *client, const char *gid, const char *text,
    struct tercet_result **result_out);

/* ---- Ask again ------------------------------------------------------------------------------- */

/* Asks what became of `gid` and waits until `wait` is reached or `timeout_ms` is over;
 * TERCET_WAIT_BEGIN with any timeout answers at once; a timeout of 0 is client_options'
 * step_timeout_ms.  Lost connections are repaired meanwhile.
 * Never NOT_STARTED: UNKNOWN with NOT_FOUND means that the coordinator has no such gid now; one
 * still on its way may arrive (see tercet_client_cancel), and one that ended longer ago than the
 * retention time (7 days by default) is forgotten.  Not from a callback. */
TERCET_API TERCET_MUST_CHECK enum tercet_outcome tercet_client_query(
    struct tercet_client *client, const char *gid, enum tercet_wait wait, uint32_t timeout_ms,
    struct tercet_result **result_out);

TERCET_END_DECLS

#endif

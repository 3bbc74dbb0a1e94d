/* wire.c -- see wire.h.  The engine's numbers are the wire's, which is asserted here. */
#include "service/wire.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"
#include "rpc/rpc_codec.h"

static_assert(
    (int)TXN_TRYING == TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_TRYING &&
        (int)TXN_CONFIRMING == TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CONFIRMING &&
        (int)TXN_CANCELLING == TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CANCELLING &&
        (int)TXN_CONFIRMED == TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CONFIRMED &&
        (int)TXN_CANCELLED == TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CANCELLED,
    "states");
static_assert((int)TXN_OUTCOME_CONFIRMED == TERCET__V1__OUTCOME__OUTCOME_CONFIRMED &&
                  (int)TXN_OUTCOME_CANCELLED == TERCET__V1__OUTCOME__OUTCOME_CANCELLED,
              "outcomes");
static_assert((int)TXN_CAUSE_REFUSED == TERCET__V1__CAUSE__CAUSE_REFUSED &&
                  (int)TXN_CAUSE_TIMEOUT == TERCET__V1__CAUSE__CAUSE_TIMEOUT &&
                  (int)TXN_CAUSE_INITIATOR == TERCET__V1__CAUSE__CAUSE_INITIATOR &&
                  (int)TXN_CAUSE_OPERATOR == TERCET__V1__CAUSE__CAUSE_OPERATOR,
              "causes");
static_assert((int)BRANCH_WAITING == TERCET__V1__BRANCH_STATE__BRANCH_STATE_WAITING &&
                  (int)BRANCH_TRYING == TERCET__V1__BRANCH_STATE__BRANCH_STATE_TRYING &&
                  (int)BRANCH_TRIED == TERCET__V1__BRANCH_STATE__BRANCH_STATE_TRIED &&
                  (int)BRANCH_REFUSED == TERCET__V1__BRANCH_STATE__BRANCH_STATE_REFUSED &&
                  (int)BRANCH_CONFIRMING == TERCET__V1__BRANCH_STATE__BRANCH_STATE_CONFIRMING &&
                  (int)BRANCH_CONFIRMED == TERCET__V1__BRANCH_STATE__BRANCH_STATE_CONFIRMED &&
                  (int)BRANCH_CANCELLING == TERCET__V1__BRANCH_STATE__BRANCH_STATE_CANCELLING &&
                  (int)BRANCH_CANCELLED == TERCET__V1__BRANCH_STATE__BRANCH_STATE_CANCELLED &&
                  (int)BRANCH_SKIPPED == TERCET__V1__BRANCH_STATE__BRANCH_STATE_SKIPPED,
              "states of branches");
static_assert((int)TERCET_VERDICT_DONE == TERCET__V1__VERDICT__VERDICT_DONE &&
                  (int)TERCET_VERDICT_REFUSED == TERCET__V1__VERDICT__VERDICT_REFUSED,
              "verdicts");

/* protobuf-c's strings are not const; none is written to. */
static char *borrow(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* NULL where there is nothing to say. */
static Tercet__V1__Reason *fill_reason(Tercet__V1__Reason *reason, const char *code,
                                       const char *text)
{
    if (code[0] == '\0' && text[0] == '\0') {
        return NULL;
    }
    tercet__v1__reason__init(reason);
    reason->code = borrow(code);
    reason->text = borrow(text);
    return reason;
}

struct wire_branch {
    Tercet__V1__BranchStatus message;
    Tercet__V1__Reason reason;
};

static void fill_branch(struct wire_branch *to, const struct view_branch *from)
{
    Tercet__V1__BranchStatus *message = &to->message;
    tercet__v1__branch_status__init(message);
    message->number = from->index;
    message->state = (Tercet__V1__BranchState)from->state;
    message->result.data = (uint8_t *)(uintptr_t)from->result.data;
    message->result.len = from->result.size;
    message->reason = fill_reason(&to->reason, from->reason_code, from->reason_text);
    message->participant = borrow(from->participant);
    message->action = borrow(from->action);
    message->stage = from->stage;
    message->kind = from->confirm_only ? TERCET__V1__BRANCH_KIND__BRANCH_KIND_CONFIRM_ONLY
                                       : TERCET__V1__BRANCH_KIND__BRANCH_KIND_TCC;
    message->optional = from->optional;
    message->attempts = from->attempts;
    message->next_attempt_unix_ms = from->next_attempt_unix_ms;
    message->conflict = (Tercet__V1__ConflictKind)from->conflict;
    message->resolved = borrow(from->resolved);
}

struct wire_transaction {
    Tercet__V1__Transaction message; /* first: the caller frees it */
    Tercet__V1__Reason reason;
    Tercet__V1__BranchStatus *pointers[TERCET_BRANCH_COUNT_MAX];
    struct wire_branch branches[];
};

Tercet__V1__Transaction *wire_transaction(const struct view *view, bool with_branches)
{
    const uint32_t count = with_branches ? view->branch_count : 0;
    tercet_assert(count <= TERCET_BRANCH_COUNT_MAX);
    struct wire_transaction *wire = xmalloc(sizeof *wire + count * sizeof wire->branches[0]);
    Tercet__V1__Transaction *message = &wire->message;
    tercet__v1__transaction__init(message);
    message->gid = borrow(view->gid);
    message->outcome = (Tercet__V1__Outcome)txn_state_outcome(view->state);
    message->state = (Tercet__V1__TransactionState)view->state;
    message->cause = (Tercet__V1__Cause)view->cause;
    message->refused_branch = view->refused_branch;
    message->reason = fill_reason(&wire->reason, view->reason_code, view->reason_text);
    message->attention = borrow(view->attention);
    message->begun_unix_ms = view->begun_unix_ms;
    message->decided_unix_ms = view->decided_unix_ms;
    message->ended_unix_ms = view->ended_unix_ms;
    message->try_deadline_unix_ms = view->deadline_unix_ms;
    message->sequence = view->sequence;
    for (uint32_t i = 0; i < count; i++) {
        fill_branch(&wire->branches[i], &view->branches[i]);
        wire->pointers[i] = &wire->branches[i].message;
    }
    message->n_branches = count;
    message->branches = wire->pointers;
    return message;
}

void wire_try_reply(const struct effect_reply *reply, Tercet__V1__Reason *reason,
                    Tercet__V1__TryReply *message_out)
{
    const struct view *view = reply->view;
    const struct view_branch *branch = view_find_branch(view, reply->branch_index);
    tercet_assert(branch != NULL);
    tercet__v1__try_reply__init(message_out);
    message_out->verdict = (Tercet__V1__Verdict)reply->verdict;
    if (reply->verdict == TERCET_VERDICT_DONE) {
        message_out->result.data = (uint8_t *)(uintptr_t)branch->result.data;
        message_out->result.len = branch->result.size;
    } else if (reply->verdict == TERCET_VERDICT_REFUSED) {
        /* Once cancelled, the transaction's own reason tells more than what a branch said last,
         * which may be about its cancel. */
        const bool cancelled = txn_state_outcome(view->state) == TXN_OUTCOME_CANCELLED;
        message_out->reason = cancelled
                                  ? fill_reason(reason, view->reason_code, view->reason_text)
                                  : fill_reason(reason, branch->reason_code, branch->reason_text);
    }
}

void wire_error_detail(Tercet__V1__ErrorDetail *message_out, const struct refusal *refusal)
{
    tercet__v1__error_detail__init(message_out);
    message_out->status = (int32_t)refusal->status;
    message_out->code = borrow(refusal->code);
    message_out->text = borrow(refusal->text);
    message_out->field = borrow(refusal->field);
    message_out->limit = refusal->limit;
    message_out->value = refusal->value;
    message_out->retry_after_ms = refusal->retry_after_ms;
}

void wire_error_init(struct wire_error *error, const struct refusal *refusal, bool refused)
{
    Tercet__V1__ErrorDetail message;
    wire_error_detail(&message, refusal);
    size_t size = 0;
    error->packed = rpc_codec_pack(&message.base, &size);
    error->trailers[0] =
        (struct rpc_metadata){"tercet-error-bin", tercet_bytes_of(error->packed, size)};
    error->trailers[1] = (struct rpc_metadata){"tercet-refused", tercet_bytes_of_text("1")};
    error->detail =
        (struct rpc_detail){.trailers = error->trailers,
                            .trailer_count = refused ? WIRE_TRAILER_COUNT : WIRE_TRAILER_COUNT - 1};
}

void wire_error_deinit(struct wire_error *error)
{
    free(error->packed);
    error->packed = NULL;
}

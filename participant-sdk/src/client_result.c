/* client_result.c -- see client_result.h. */
#include "src/client_result.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "src/text_check.h"

struct client_result {
    struct tercet_result base; /* first: results are reached by it */
    struct tercet_branch_result *branches;
    unsigned char *bytes; /* the branches' results, a zero byte after each */
    Tercet__V1__Transaction *transaction;
    Tercet__V1__TryReply *try_reply;
    enum tercet_verdict verdict;
    char gid[TERCET_GID_BYTES_MAX + 1];
    char code[TERCET_REASON_CODE_BYTES_MAX + 1];
    char text[256];
};

static struct client_result *of(struct tercet_result *result)
{
    return (struct client_result *)result;
}

/* ---- What a reply says ----------------------------------------------------------------------- */

static bool state_contradicts(Tercet__V1__TransactionState state, enum tercet_outcome outcome)
{
    switch ((int)state) {
    case TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_TRYING:
        return outcome != TERCET_OUTCOME_UNKNOWN;
    case TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CONFIRMING:
    case TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CONFIRMED:
        return outcome != TERCET_OUTCOME_CONFIRMED;
    case TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CANCELLING:
    case TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CANCELLED:
        return outcome != TERCET_OUTCOME_CANCELLED;
    }
    /* Not told, or a state of a later version: it contradicts nothing that we know. */
    return false;
}

static bool outcome_is_known(Tercet__V1__Outcome outcome)
{
    return outcome == TERCET__V1__OUTCOME__OUTCOME_UNSPECIFIED ||
           outcome == TERCET__V1__OUTCOME__OUTCOME_CONFIRMED ||
           outcome == TERCET__V1__OUTCOME__OUTCOME_CANCELLED;
}

static bool has_ended(const Tercet__V1__Transaction *reply)
{
    return reply->state == TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CONFIRMED ||
           reply->state == TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CANCELLED;
}

enum client_answer client_answer_transaction(const Tercet__V1__Transaction *reply, const char *gid,
                                             enum tercet_wait wait)
{
    if (strcmp(reply->gid, gid) != 0 || !outcome_is_known(reply->outcome) ||
        state_contradicts(reply->state, (enum tercet_outcome)reply->outcome)) {
        return CLIENT_ANSWER_SENSELESS;
    }
    bool reached = false;
    switch (wait) {
    case TERCET_WAIT_BEGIN:
        reached = true;
        break;
    case TERCET_WAIT_DEFAULT:
    case TERCET_WAIT_DECISION:
        reached = reply->outcome != TERCET__V1__OUTCOME__OUTCOME_UNSPECIFIED;
        break;
    case TERCET_WAIT_END:
        reached = has_ended(reply);
        break;
    }
    return reached ? CLIENT_ANSWER_REACHED : CLIENT_ANSWER_NOT_YET;
}

enum client_answer client_answer_try(const Tercet__V1__TryReply *reply)
{
    switch ((int)reply->verdict) {
    case TERCET__V1__VERDICT__VERDICT_DONE:
    case TERCET__V1__VERDICT__VERDICT_REFUSED:
        return CLIENT_ANSWER_REACHED;
    case TERCET__V1__VERDICT__VERDICT_UNSPECIFIED:
        return CLIENT_ANSWER_NOT_YET;
    }
    return CLIENT_ANSWER_SENSELESS;
}

/* ---- The result ------------------------------------------------------------------------------ */

static const struct tercet_reason NO_REASON = {.code = "", .text = ""};

struct tercet_result *client_result_create(const char *gid)
{
    struct client_result *result = xcalloc(1, sizeof *result);
    if (gid != NULL) {
        const size_t size = strnlen(gid, TERCET_GID_BYTES_MAX);
        memcpy(result->gid, gid, size);
    }
    result->base.status_code = result->code;
    result->base.status_text = result->text;
    result->base.gid = result->gid;
    result->base.reason = NO_REASON;
    result->base.attention = "";
    return &result->base;
}

static void forget_reply(struct client_result *result)
{
    free(result->branches);
    result->branches = NULL;
    free(result->bytes);
    result->bytes = NULL;
    if (result->transaction != NULL) {
        tercet__v1__transaction__free_unpacked(result->transaction, NULL);
        result->transaction = NULL;
    }
    if (result->try_reply != NULL) {
        tercet__v1__try_reply__free_unpacked(result->try_reply, NULL);
        result->try_reply = NULL;
    }
    result->verdict = TERCET_VERDICT_UNSPECIFIED;
    result->base.branch_count = 0;
}

static struct tercet_reason reason_of(const Tercet__V1__Reason *reason)
{
    return reason == NULL ? NO_REASON
                          : (struct tercet_reason){.code = reason->code, .text = reason->text};
}

static enum tercet_cause cause_of(Tercet__V1__Cause cause)
{
    return cause >= TERCET__V1__CAUSE__CAUSE_REFUSED && cause <= TERCET__V1__CAUSE__CAUSE_OPERATOR
               ? (enum tercet_cause)cause
               : TERCET_CAUSE_NONE;
}

static enum tercet_branch_state branch_state_of(Tercet__V1__BranchState state)
{
    return state >= TERCET__V1__BRANCH_STATE__BRANCH_STATE_WAITING &&
                   state <= TERCET__V1__BRANCH_STATE__BRANCH_STATE_SKIPPED
               ? (enum tercet_branch_state)state
               : TERCET_BRANCH_UNSPECIFIED;
}

/* Copies to `at`, adds the zero byte that tercet.h promises, and returns what follows it. */
static unsigned char *put_bytes(unsigned char *at, const ProtobufCBinaryData *data,
                                struct tercet_bytes *bytes_out)
{
    if (data->len != 0) {
        memcpy(at, data->data, data->len);
    }
    at[data->len] = 0;
    *bytes_out = tercet_bytes_of(at, data->len);
    return at + data->len + 1;
}

static void take_branches(struct client_result *result, const Tercet__V1__Transaction *reply)
{
    size_t size = 0;
    for (size_t i = 0; i < reply->n_branches; i++) {
        size += reply->branches[i]->result.len + 1;
    }
    result->branches = xcalloc(reply->n_branches + 1, sizeof *result->branches);
    result->bytes = xcalloc(1, size + 1);
    unsigned char *at = result->bytes;
    for (size_t i = 0; i < reply->n_branches; i++) {
        const Tercet__V1__BranchStatus *from = reply->branches[i];
        struct tercet_branch_result *to = &result->branches[i];
        to->number = from->number;
        to->participant = from->participant;
        to->action = from->action;
        to->state = branch_state_of(from->state);
        to->reason = reason_of(from->reason);
        to->conflict = (enum tercet_conflict)from->conflict;
        at = put_bytes(at, &from->result, &to->result);
    }
    result->base.branch_count = (uint32_t)reply->n_branches;
}

void client_result_take_transaction(struct tercet_result *base, Tercet__V1__Transaction *reply)
{
    struct client_result *result = of(base);

    forget_reply(result);
    result->transaction = reply;
    base->outcome = (enum tercet_outcome)reply->outcome;
    base->cause = cause_of(reply->cause);
    base->refused_branch = reply->refused_branch;
    base->reason = reason_of(reply->reason);
    base->ended = has_ended(reply);
    base->attention = reply->attention;
    base->begun_unix_ms = reply->begun_unix_ms;
    base->decided_unix_ms = reply->decided_unix_ms;
    base->ended_unix_ms = reply->ended_unix_ms;
    take_branches(result, reply);
}

void client_result_take_try(struct tercet_result *base, Tercet__V1__TryReply *reply,
                            uint32_t number)
{
    struct client_result *result = of(base);

    forget_reply(result);
    result->try_reply = reply;
    result->verdict = (enum tercet_verdict)reply->verdict;
    base->reason = reason_of(reply->reason);
    result->bytes = xcalloc(1, reply->result.len + 1);
    result->branches = xcalloc(1, sizeof *result->branches);
    struct tercet_branch_result *branch = result->branches;
    branch->number = number;
    branch->participant = "";
    branch->action = "";
    branch->reason = base->reason;
    (void)put_bytes(result->bytes, &reply->result, &branch->result);
    if (result->verdict == TERCET_VERDICT_DONE) {
        branch->state = TERCET_BRANCH_TRIED;
    } else if (result->verdict == TERCET_VERDICT_REFUSED) {
        branch->state = TERCET_BRANCH_REFUSED;
        base->refused_branch = number;
    }
    base->branch_count = 1;
}

void client_result_set_status(struct tercet_result *base, enum tercet_status status,
                              const char *code, const char *text)
{
    struct client_result *result = of(base);

    base->status = status;
    (void)snprintf(result->code, sizeof result->code, "%s", code == NULL ? "" : code);
    const char *full = text == NULL ? "" : text;
    (void)snprintf(result->text, sizeof result->text, "%.*s",
                   (int)text_cut(full, strlen(full), sizeof result->text - 1), full);
}

enum tercet_verdict client_result_verdict(const struct tercet_result *base)
{
    return ((const struct client_result *)base)->verdict;
}

const struct tercet_branch_result *tercet_result_branch(const struct tercet_result *base,
                                                        uint32_t number)
{
    const struct client_result *result = (const struct client_result *)base;

    for (uint32_t i = 0; base != NULL && i < base->branch_count; i++) {
        if (result->branches[i].number == number) {
            return &result->branches[i];
        }
    }
    return NULL;
}

void tercet_result_destroy(struct tercet_result *base)
{
    if (base != NULL) {
        forget_reply(of(base));
        free(base);
    }
}

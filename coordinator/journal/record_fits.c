/* record_fits.c -- see record_fits.h. */
#include "journal/record_fits.h"

#include <string.h>

#include "engine/directory.h"

static const int64_t MOMENT_MAX = 253402300799999; /* the last of 9999 */

bool record_moment_fits(int64_t ms)
{
    return ms >= 0 && ms <= MOMENT_MAX;
}

static bool is_printable(const char *text, unsigned char low)
{
    for (const char *at = text; *at != '\0'; at++) {
        const unsigned char c = (unsigned char)*at;
        if (c < low || c > 0x7e) {
            return false;
        }
    }
    return true;
}

static bool gid_fits(const char *gid)
{
    const size_t gid_bytes = strlen(gid);
    return gid_bytes >= 1 && gid_bytes <= TERCET_GID_BYTES_MAX && is_printable(gid, 0x21);
}

bool record_begin_fits(const Tercet__V1__Record__Begin *begin, int64_t sequence)
{
    return gid_fits(begin->gid) && begin->sequence == sequence && begin->sequence > 0 &&
           (begin->mode == TERCET__V1__RECORD__MODE__MODE_EXECUTE ||
            begin->mode == TERCET__V1__RECORD__MODE__MODE_STEPS) &&
           begin->n_branches <= TERCET_BRANCH_COUNT_MAX &&
           record_moment_fits(begin->begun_unix_ms) &&
           record_moment_fits(begin->deadline_boot_ms) &&
           record_moment_fits(begin->deadline_unix_ms) &&
           strlen(begin->boot_id) <= BOOT_ID_BYTES_MAX &&
           strlen(begin->traceparent) <= TRACEPARENT_BYTES_MAX &&
           is_printable(begin->traceparent, 0x20);
}

bool record_branch_fits(const Tercet__V1__Record__BeginBranch *begun, const struct txn *txn)
{
    return begun->index >= 1 && begun->index <= TERCET_BRANCH_COUNT_MAX &&
           txn_branch(txn, begun->index) == NULL &&
           directory_is_name(begun->participant, strlen(begun->participant)) &&
           directory_is_name(begun->action, strlen(begun->action)) &&
           begun->payload.len <= TERCET_PAYLOAD_BYTES_MAX &&
           txn->payload_bytes + begun->payload.len <= TERCET_PAYLOADS_BYTES_MAX &&
           begun->stage <= TERCET_STAGE_MAX && !(begun->confirm_only && begun->optional);
}

static bool reason_fits(const char *code, const char *text)
{
    return strlen(code) <= TERCET_REASON_CODE_BYTES_MAX &&
           strlen(text) <= TERCET_REASON_TEXT_BYTES_MAX;
}

bool record_decide_fits(const Tercet__V1__Record__Decide *decide, const struct txn *txn)
{
    return (decide->outcome == TERCET__V1__OUTCOME__OUTCOME_CONFIRMED ||
            decide->outcome == TERCET__V1__OUTCOME__OUTCOME_CANCELLED) &&
           record_moment_fits(decide->decided_unix_ms) &&
           (decide->refused_branch == 0 || txn_branch(txn, decide->refused_branch) != NULL) &&
           reason_fits(decide->reason_code, decide->reason_text) &&
           decide->n_branches == txn->branch_count;
}

/* May a branch of this transaction be in this state?  (txn.h, branch.h: the same, as aborts.) */
static bool state_fits(const struct txn *txn, const struct branch *branch, enum branch_state state)
{
    const bool cancel_side =
        state == BRANCH_CANCELLING || state == BRANCH_CANCELLED || state == BRANCH_SKIPPED;
    if (branch->spec.confirm_only && state == BRANCH_CANCELLING) {
        return false;
    }
    if (txn_state_outcome(txn->state) == TXN_OUTCOME_CANCELLED) {
        return cancel_side;
    }
    return state == BRANCH_CONFIRMING || state == BRANCH_CONFIRMED ||
           (branch->spec.optional && cancel_side);
}

/* DECIDE is read first; what PROGRESS says is where it left the branch, or a step on from there. */
static bool follows(enum branch_state from, enum branch_state state)
{
    const bool decided = branch_state_is_phase_two(from) || branch_state_is_ended(from);
    return !decided || from == state || branch_state_may(from, state);
}

bool record_now_fits(const Tercet__V1__Record__BranchNow *now, const struct txn *txn,
                     const struct branch *branch)
{
    return (!txn_state_is_decided(txn->state) ||
            (state_fits(txn, branch, (enum branch_state)now->state) &&
             follows(branch->state, (enum branch_state)now->state))) &&
           now->result.len <= TERCET_RESULT_BYTES_MAX &&
           record_moment_fits(now->asked_since_unix_ms) &&
           reason_fits(now->reason_code, now->reason_text) &&
           strlen(now->resolved) <= TERCET_REASON_TEXT_BYTES_MAX;
}

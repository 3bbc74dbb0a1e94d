// judge_told.cc -- what initiators were told; see judge.h.
#include <cstring>

#include "simulation/judge.h"

namespace simulation
{

void Judge::Sends(uint32_t act, Attempt attempt)
{
    if (attempt != Attempt::NONE) {
        Of(act).attempts[static_cast<size_t>(attempt)]++;
    }
}

void Judge::Asked(uint64_t token, request_kind kind, uint32_t act, Attempt attempt, uint32_t branch)
{
    const JudgedAct &of = Of(act);
    tokens_[token] = {kind, act, attempt, branch, of.begun || of.buried, moment_, nullptr};
}

void Judge::Unanswered(uint64_t token)
{
    tokens_.erase(token);
}

void Judge::Told(const effect_reply &reply)
{
    const auto found =
        tokens_.find(static_cast<uint64_t>(reinterpret_cast<uintptr_t>(reply.token)));
    if (found == tokens_.end()) {
        Fail("I6", "a request is answered after its last answer, or was never asked");
        return;
    }
    const Token token = found->second;
    if (reply.last) {
        tokens_.erase(found);
    } else if (reply.to != REQUEST_WATCH) {
        Fail("I6", "an answer is not the last and not to a watch");
    }
    if (token.ask != nullptr) {
        ToldOperator(reply, token);
    } else if (reply.status != TERCET_OK) {
        ToldRefused(reply, token);
    } else if (reply.view == nullptr) {
        Fail("I6", "an answer says nothing");
    } else {
        ToldView(reply, token);
    }
}

Attempt Judge::BegunBy(const JudgedAct &act)
{
    if (act.by_steps) {
        return Attempt::BEGIN;
    }
    return act.variant != 0 ? Attempt::EXECUTE_OTHER : Attempt::EXECUTE;
}

void Judge::ToldRefused(const effect_reply &reply, const Token &token)
{
    JudgedAct &act = Of(token.act);
    if (reply.status == TERCET_NOT_FOUND && token.was_known &&
        strcmp(reply.code, "TERCET_NO_SUCH_TRANSACTION") == 0 && !forgets_) {
        Fail("I6", "g%u was on disk when it was asked for, and it is said to be unknown",
             token.act);
    }
    if (!reply.refused || token.attempt == Attempt::NONE) {
        return;
    }
    uint32_t &attempts = act.attempts[static_cast<size_t>(token.attempt)];
    attempts -= attempts > 0 ? 1 : 0;
    if (attempts == 0 && !act.begun) {
        tally_.Hit(Mark::NOT_STARTED);
    }
    if (attempts == 0 && act.begun && BegunBy(act) == token.attempt) {
        Fail("I6", "g%u is begun, and every request for it was refused", token.act);
    }
}

void Judge::ToldOutcomeOf(uint32_t id, txn_state state)
{
    const txn_outcome outcome = txn_state_outcome(state);
    if (outcome != TXN_UNDECIDED && Of(id).decided != outcome) {
        Fail("I6", "g%u is told as %s, and that is not what is on disk", id, txn_state_name(state));
    }
}

void Judge::ToldView(const effect_reply &reply, const Token &token)
{
    uint32_t id = 0;
    if (!ReadGid(reply.view->gid, strlen(reply.view->gid), &id) || id != token.act) {
        Fail("I6", "g%u was asked for and \"%s\" is told", token.act, reply.view->gid);
        return;
    }
    JudgedAct &act = Of(id);
    if (!act.begun && !act.buried) {
        Fail("I6", "g%u is told and is not on disk", id);
    }
    ToldOutcomeOf(id, reply.view->state);
    /* Whoever went away while it was looked up is answered as one who asks how it stands. */
    bool joins = token.attempt != Attempt::NONE && reply.to == token.kind;
    /* A Begin has no content, and rows do not say in how many requests a lost life had begun it. */
    joins = joins && !(act.adopted && token.attempt == Attempt::BEGIN);
    if (act.begun && joins && token.attempt != BegunBy(act)) {
        Fail("I6", "g%u is told to one who asked for something else", id);
    }
    for (uint32_t i = 0; i < reply.view->branch_count; i++) {
        ToldBranch(id, reply.view->branches[i]);
    }
    if (reply.to == REQUEST_TRY) {
        ToldVerdict(reply, token);
    }
}

// What its try has answered stands in the decision, and is the same in every life.
void Judge::ToldBranch(uint32_t id, const view_branch &branch)
{
    uint32_t result = 0;
    const bool tried = branch.state == BRANCH_TRIED ||
                       ((branch.state == BRANCH_CONFIRMING || branch.state == BRANCH_CONFIRMED) &&
                        !branch.confirm_only);
    memcpy(&result, branch.result.data, branch.result.size == sizeof result ? sizeof result : 0);
    /* A decision that was taken again tells no results: they stood in the lost one. */
    const bool lost = Of(id).past.known && branch.result.size == 0;
    if (tried && !lost && result != id + 1) {
        Fail("I6", "g%u/%u is told with another result than its try gave", id, branch.index);
    }
}

void Judge::ToldVerdict(const effect_reply &reply, const Token &token)
{
    JudgedAct &act = Of(token.act);
    JudgedBranch &branch = act.branches[token.branch - 1];
    if (act.buried) {
        return;
    }
    const bool note = branch.payload.kind == Kind::NOTE;
    if (reply.verdict == TERCET_VERDICT_DONE) {
        branch.told_done = true;
        if (!note && !branch.forgot && branch.line.tries != 1) {
            Fail("I6", "the try of g%u/%u is told as done and reserved nothing", token.act,
                 token.branch);
        }
    }
    if (reply.verdict == TERCET_VERDICT_REFUSED) {
        branch.told_refused = true;
        if (branch.line.confirms > 0) {
            Fail("I6", "the try of g%u/%u is told as refused, and it is confirmed", token.act,
                 token.branch);
        }
    }
}

} // namespace simulation

// judge_operators.cc -- what operators were told, and what they have ended; see judge.h.
//
// A page of List is a look at one moment between the question and the answer.  So whatever was open
// all that time must stand on it, and whatever was ended before may not.
#include <cinttypes>
#include <cstring>

#include "simulation/judge.h"

namespace simulation
{

void Judge::AskedByOperator(uint64_t token, request_kind kind, uint32_t act, uint32_t branch,
                            std::shared_ptr<const OperatorAsk> ask)
{
    const bool of_act = kind == REQUEST_RESOLVE && ask->participant == NOBODY;
    const bool was_known = of_act && (Of(act).begun || Of(act).buried);
    if (of_act && ask->what == RESOLUTION_SETTLE && branch >= 1 && branch <= ACT_BRANCHES_MAX) {
        Of(act).branches[branch - 1].settle_asks++;
    }
    for (uint32_t i = 0; i < ACT_BRANCHES_MAX && of_act; i++) {
        const bool says =
            ask->what == RESOLUTION_WAS_CONFIRMED || ask->what == RESOLUTION_WAS_CANCELLED;
        Of(act).branches[i].settle_asks += says ? 1 : 0; /* whose row is gone */
    }
    tokens_[token] = {kind, act, Attempt::NONE, branch, was_known, moment_, std::move(ask)};
}

void Judge::ToldOperator(const effect_reply &reply, const Token &token)
{
    if (token.kind == REQUEST_LIST) {
        ToldList(reply, token);
    } else if (token.ask->participant != NOBODY) {
        ToldReleased(reply, token);
    } else {
        ToldResolved(reply, token);
    }
}

// ---- Resolve --------------------------------------------------------------------------------------

void Judge::ToldReleased(const effect_reply &reply, const Token &token)
{
    const Peer &peer = peers_[token.ask->participant];
    const bool was_held = peer.held && peer.since <= token.asked_at;
    if (reply.status != TERCET_OK && was_held) {
        Fail("I6", "p%u is held, and its operator is told that it is not", token.ask->participant);
    }
}

// It waited for a confirm all the time, and nothing has come of it: that can be resolved.
void Judge::ToldNothingToResolve(const Token &token)
{
    const JudgedAct &act = Of(token.act);
    const bool asks = token.ask->what == RESOLUTION_ASK || token.ask->what == RESOLUTION_SETTLE;
    if (!asks || token.branch == 0 || token.branch > ACT_BRANCHES_MAX) {
        return;
    }
    const JudgedBranch &branch = act.branches[token.branch - 1];
    const bool waits = branch.registered && branch.payload.optional == 0 && !branch.settled &&
                       !branch.forgot && branch.line.confirms == 0;
    if (waits && act.decided == TXN_OUTCOME_CONFIRMED && act.decided_at <= token.asked_at &&
        !act.ended) {
        Fail("I6", "g%u/%u waits for its confirm, and its operator is told that it does not",
             token.act, token.branch);
    }
}

void Judge::ToldResolved(const effect_reply &reply, const Token &token)
{
    const JudgedAct &act = Of(token.act);
    const char *code = reply.code == nullptr ? "" : reply.code;
    if (reply.status == TERCET_OK) {
        ToldView(reply, token);
        const bool asks = token.ask->what == RESOLUTION_ASK || token.ask->what == RESOLUTION_SETTLE;
        if (asks && act.decided == TXN_UNDECIDED) {
            Fail("I2", "g%u is not decided, and a branch of it was resolved", token.act);
        }
    } else if (strcmp(code, "TERCET_NO_SUCH_TRANSACTION") == 0) {
        ToldRefused(reply, token);
    } else if (strcmp(code, "TERCET_ENDED") == 0 && !act.ended) {
        Fail("I6", "g%u is open, and its operator is told that it has ended", token.act);
    } else if (strcmp(code, "TERCET_NOTHING_TO_RESOLVE") == 0) {
        ToldNothingToResolve(token);
    }
}

// Only what was asked for is settled, and what is settled stays so.
void Judge::CheckSettled(const Fact &fact, const JudgedAct &act)
{
    for (uint32_t i = 0; i < ACT_BRANCHES_MAX; i++) {
        const JudgedBranch &branch = act.branches[i];
        const bool settled = (fact.settled & (1U << (i + 1))) != 0;
        if (settled && branch.settle_asks == 0) {
            Fail("I2", "g%u/%u is settled, and no operator has said so", fact.act, i + 1);
        }
        if (settled && !MayBeSettled(act, branch) && !IsAdoptedInBatch(fact.act, i + 1)) {
            Fail("I3", "g%u/%u is settled, and its participant has lost nothing", fact.act, i + 1);
        }
        if (branch.settled && !settled) {
            Fail("I6", "g%u/%u was settled by an operator, and that is forgotten", fact.act, i + 1);
        }
    }
}

// ---- List -----------------------------------------------------------------------------------------

namespace
{

bool HasPrefix(uint32_t act, const std::string &prefix)
{
    return ("g" + std::to_string(act)).compare(0, prefix.size(), prefix) == 0;
}

} // namespace

// One transaction of a page of open ones; its act.
uint32_t Judge::ToldListed(const view &told, const Token &token, int64_t after)
{
    const OperatorAsk &ask = *token.ask;
    uint32_t id = 0;
    if (!ReadGid(told.gid, strlen(told.gid), &id) || !Of(id).begun) {
        Fail("I6", "\"%s\" is listed and is not on disk", told.gid);
        return 0;
    }
    const JudgedAct &act = Of(id);
    ToldOutcomeOf(id, told.state);
    if (txn_state_is_ended(told.state) || (act.ended && act.ended_at <= token.asked_at)) {
        Fail("I6", "g%u is listed as open and had ended", id);
    }
    if (!txn_state_is_decided(told.state) && act.decided != TXN_UNDECIDED &&
        act.decided_at <= token.asked_at) {
        Fail("I6", "g%u is listed as undecided and was decided", id);
    }
    if (told.sequence != act.sequence || told.sequence <= after) {
        Fail("I6", "g%u is listed as number %" PRId64 " behind %" PRId64 ", and is %" PRId64, id,
             told.sequence, after, act.sequence);
    }
    if ((ask.state_mask != 0 && (ask.state_mask & (1U << told.state)) == 0) ||
        !HasPrefix(id, ask.gid_prefix) || (ask.attention_only && told.attention[0] == '\0')) {
        Fail("I6", "g%u is listed and was not asked for", id);
    }
    for (uint32_t i = 0; i < told.branch_count; i++) {
        ToldBranch(id, told.branches[i]);
    }
    return id;
}

// Open from the question to the answer, and whatever its state was meanwhile, it was asked for.
bool Judge::MustBeListed(const JudgedAct &act, uint32_t id, const Token &token) const
{
    const OperatorAsk &ask = *token.ask;
    const uint32_t decided =
        act.decided == TXN_OUTCOME_CONFIRMED ? 1U << TXN_CONFIRMING : 1U << TXN_CANCELLING;
    uint32_t may_be = act.decided == TXN_UNDECIDED ? 0 : decided;
    if (act.decided == TXN_UNDECIDED || act.decided_at > token.asked_at) {
        may_be |= 1U << TXN_TRYING;
    }
    const bool fits = ask.state_mask == 0 || (ask.state_mask & may_be) == may_be;
    return act.begun && act.known_at <= token.asked_at && !act.ended && fits &&
           !ask.attention_only && HasPrefix(id, ask.gid_prefix);
}

void Judge::ToldList(const effect_reply &reply, const Token &token)
{
    const OperatorAsk &ask = *token.ask;
    int64_t last = ask.after_sequence;
    std::vector<bool> listed;
    if (reply.status != TERCET_OK || reply.list_count > ask.page_size) {
        Fail("I6", "a page of %u was asked for, and %u are told", ask.page_size, reply.list_count);
        return;
    }
    for (uint32_t i = 0; i < reply.list_count && !failed(); i++) {
        const uint32_t id = ToldListed(*reply.list[i], token, last);
        last = reply.list[i]->sequence;
        listed.resize(acts_.size());
        listed[id] = true;
    }
    const int64_t end = reply.list_next_sequence == 0 ? INT64_MAX : reply.list_next_sequence;
    if (end < last) {
        Fail("I6", "a page of List goes on before its end");
    }
    for (uint32_t id = 0; id < acts_.size() && !failed(); id++) {
        const JudgedAct &act = acts_[id];
        if (MustBeListed(act, id, token) && act.sequence > ask.after_sequence &&
            act.sequence <= end && (id >= listed.size() || !listed[id])) {
            Fail("I6", "g%u is open and not listed", id);
        }
    }
}

void Judge::ToldOutcome(const view &outcome)
{
    uint32_t id = 0;
    if (!ReadGid(outcome.gid, strlen(outcome.gid), &id) || !Of(id).ended ||
        !txn_state_is_ended(outcome.state)) {
        Fail("I6", "\"%s\" is listed as ended and is not", outcome.gid);
        return;
    }
    ToldOutcomeOf(id, outcome.state);
}

// The open ones come first; so whoever ends meanwhile is found among those that have ended.
void Judge::Walked(uint64_t began_at, const std::vector<bool> &listed)
{
    const bool one_life = began_at >= put_back_at_; /* else it saw two journals */
    for (uint32_t id = 0; id < acts_.size() && !forgets_ && one_life; id++) {
        const JudgedAct &act = acts_[id];
        const bool was_known = (act.begun || act.buried) && act.known_at <= began_at;
        if (was_known && (id >= listed.size() || !listed[id])) {
            Fail("I6", "g%u was there before List began, and was on none of its pages", id);
        }
    }
}

} // namespace simulation

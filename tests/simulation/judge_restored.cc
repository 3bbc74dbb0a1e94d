// judge_restored.cc -- what must hold where a database was put back; see judge.h.
//
// Whatever was registered at that participant before is excused there, and nowhere else: its books have
// forgotten what they had said.  What comes later is judged like anything else, and of what is excused
// every effect must still be one that was decided.
#include "simulation/judge.h"

namespace simulation
{

// Its lines follow, one by one.
void Judge::PutBack(uint32_t participant)
{
    for (JudgedAct &act : acts_) {
        for (JudgedBranch &branch : act.branches) {
            if (branch.registered && branch.payload.participant == participant) {
                branch.line = {};
                branch.forgot = true;
            }
        }
    }
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        accounts_[participant * ACCOUNTS + i] = AccountAtFirst();
    }
    memories_[participant] = {};
}

void Judge::LineWas(uint32_t participant, uint32_t act, uint32_t index, const Line &line)
{
    Account &account = accounts_[participant * ACCOUNTS + line.payload.account];
    Of(act).branches[index - 1].line = line;
    for (uint32_t i = 0; i < line.tries; i++) {
        simulation::Apply(account, line.payload, TERCET_PHASE_TRY);
    }
    for (uint32_t i = 0; i < line.confirms; i++) {
        simulation::Apply(account, line.payload, TERCET_PHASE_CONFIRM);
    }
    for (uint32_t i = 0; i < line.cancels; i++) {
        simulation::Apply(account, line.payload, TERCET_PHASE_CANCEL);
    }
}

// The coordinator's disk knows more of it than it does: that must be noticed.
void Judge::IsBack(uint32_t participant, int64_t reach)
{
    Peer &peer = peers_[participant];
    peer.must_hold = peer.mark_lsn > memories_[participant].mark.number ||
                     (peer.branch > 0 && peer.branch >= reach) || peer.reach > reach;
}

bool Judge::MustHold(uint32_t participant) const
{
    return peers_[participant].must_hold;
}

// The coordinator says that it sends nothing to it any more, or again.
void Judge::Holds(uint32_t participant, bool held)
{
    peers_[participant].silent = held;
    if (held) {
        peers_[participant].must_hold = false;
    }
}

bool Judge::IsSilent(uint32_t participant) const
{
    return peers_[participant].silent;
}

bool Judge::IsAnySilent() const
{
    bool any = false;
    for (const Peer &peer : peers_) {
        any = any || peer.silent;
    }
    return any;
}

uint32_t Judge::OpenAt(uint32_t participant) const
{
    uint32_t open = 0;
    for (const auto &one : live_[participant]) {
        open += acts_[one.second].ended ? 0 : 1;
    }
    return open;
}

// So many branches of this participant are reserved for ever, because nobody asks for them any more.
uint32_t Judge::LeftBehind(uint32_t participant) const
{
    uint32_t left = 0;
    for (const JudgedAct &act : acts_) {
        for (const JudgedBranch &branch : act.branches) {
            left += (branch.forgot || branch.settled) &&
                            branch.payload.participant == participant &&
                            branch.line.tries > branch.line.confirms + branch.line.cancels
                        ? 1
                        : 0;
        }
    }
    return left;
}

// Nothing begins at a participant that is held, and nothing is confirmed by its word.
void Judge::CheckHeld(const Fact &fact, const JudgedAct &act)
{
    for (uint32_t i = 0; i < fact.branch_count; i++) {
        if (peers_[fact.branches[i].payload.participant].noted_held) {
            Fail("I2", "g%u begins at p%u, which is held", fact.act,
                 fact.branches[i].payload.participant);
        }
    }
    for (const JudgedBranch &branch : act.branches) {
        if (fact.kind != Fact::DECIDE || !branch.registered ||
            !peers_[branch.payload.participant].noted_held) {
            continue;
        }
        if (fact.outcome == TXN_OUTCOME_CONFIRMED) {
            Fail("I2", "g%u is confirmed by the word of p%u, which is held", fact.act,
                 branch.payload.participant);
        }
        tally_.Hit(Mark::HELD_UNDECIDED_CANCELLED);
    }
}

void Judge::NotePeer(const Fact &fact)
{
    peers_[fact.participant].noted_held = fact.held;
}

void Judge::ApplyPeer(const Fact &fact)
{
    Peer &peer = peers_[fact.participant];
    peer.since = peer.held == fact.held ? peer.since : moment_;
    peer.held = fact.held;
    peer.mark_lsn = fact.peer.mark_lsn;
    peer.branch = fact.peer.branch;
    peer.reach = fact.peer.reach;
}

} // namespace simulation

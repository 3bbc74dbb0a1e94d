// judge_new_life.cc -- what must hold where the journal was lost and a backup put in its place; see judge.h.
//
// The model goes back to what the backup holds; what participants have done stays.  Of a lost life two
// things are kept: what it had begun, ended and decided (Past), and what its branches were.  From that:
//
//   - What the new life decides agrees with every effect that there is, whoever had asked for it.
//   - Until it has decided, a call of the lost life may still do what that one had decided; afterwards not.
//   - A gid of a lost life is not begun a second time and not buried; it is adopted from its rows, or
//     refused.
//   - A reservation of a lost life ends, or an operator was told of it and has said that he does it.
//   - A branch is settled by an operator only where the journal has lost its payload, or its row is gone.
//
// What nobody can know is not judged: a decision that no participant has heard of, results of tries,
// and confirm-only branches of a transaction that the journal does not know and nobody has confirmed yet.
#include <cstring>

#include "simulation/judge.h"

namespace simulation
{

struct Judge::Backup {
    std::vector<JudgedAct> acts;
    decltype(Judge::by_sequence_) by_sequence;
    decltype(Judge::live_) live;
    std::vector<Peer> peers;
    int64_t next_number;
    uint32_t open;
};

void Judge::JournalIsBackedUp()
{
    backup_ = std::make_shared<const Backup>(
        Backup{acts_, by_sequence_, live_, peers_, next_number_, open_});
}

// What the journal does not know any more, and whoever has seen it does.
void Judge::TakeBack(JudgedAct &act, const JudgedAct &then)
{
    const JudgedAct now = act;
    const bool known = now.begun || now.buried;
    act = then;
    act.by_steps = now.by_steps;
    act.variant = now.variant;
    act.lost = now.lost;
    memcpy(act.attempts, now.attempts, sizeof act.attempts);
    act.past.known = now.past.known || known;
    act.past.begun = now.past.begun || now.begun;
    act.past.ended = now.past.ended || now.ended;
    act.past.confirmed = now.past.confirmed || now.decided == TXN_OUTCOME_CONFIRMED;
    act.past.cancelled = now.past.cancelled || now.decided == TXN_OUTCOME_CANCELLED;
    act.past.undone = now.past.undone || now.decided != then.decided || now.begun != then.begun;
    for (uint32_t i = 0; i < ACT_BRANCHES_MAX; i++) {
        JudgedBranch &branch = act.branches[i];
        const JudgedBranch &was = now.branches[i];
        branch.payload = was.payload;
        branch.number = branch.registered ? branch.number : was.number;
        branch.line = was.line;
        branch.swept = was.swept;
        branch.forgot = was.forgot;
        branch.settle_asks = was.settle_asks;
        /* A refusal is kept by the decision that followed it. */
        branch.told_refused = was.told_refused && then.decided != TXN_UNDECIDED;
    }
    if (now.begun && !then.begun) {
        tally_.Hit(Mark::JOURNAL_LOST_A_TRANSACTION);
    } else if (now.decided != then.decided && then.begun) {
        tally_.Hit(now.ended ? Mark::JOURNAL_LOST_AN_END : Mark::JOURNAL_LOST_A_DECISION);
    }
}

void Judge::JournalIsPutBack()
{
    static const JudgedAct nothing{};
    const Backup &backup = *backup_;
    for (size_t id = 0; id < acts_.size(); id++) {
        TakeBack(acts_[id], id < backup.acts.size() ? backup.acts[id] : nothing);
    }
    by_sequence_ = backup.by_sequence;
    live_ = backup.live;
    peers_ = backup.peers;
    for (Peer &peer : peers_) {
        peer.silent = false;
        peer.noted_held = peer.held;
    }
    next_number_ = backup.next_number;
    open_ = backup.open;
    put_back_at_ = ++moment_;
}

txn_outcome Judge::BooksSay(uint32_t id) const
{
    bool confirmed = false;
    for (size_t i = 0; id < acts_.size() && i < ACT_BRANCHES_MAX; i++) {
        confirmed = confirmed || acts_[id].branches[i].line.confirms > 0;
    }
    return confirmed ? TXN_OUTCOME_CONFIRMED : TXN_OUTCOME_CANCELLED;
}

// ---- The new life's records ---------------------------------------------------------------------

// One that was adopted is written once more, because its initiator has brought payloads back.
bool Judge::CompletesLost(const Fact &fact, const JudgedAct &act)
{
    if (fact.kind == Fact::BEGIN) {
        return act.begun && act.adopted && act.sequence == fact.sequence;
    }
    return fact.kind == Fact::ADD_BRANCH && fact.branch_count > 0 &&
           act.branches[fact.branches[0].payload.branch - 1].lost;
}

// The same, in the batch that adopts it.
bool Judge::IsCompletedInBatch(const Fact &fact) const
{
    bool found = false;
    for (const Fact &before : pending_) {
        found = found || (fact.kind == Fact::BEGIN && before.kind == Fact::BEGIN &&
                          before.act == fact.act && before.branches[0].lost);
    }
    return found;
}

// A branch of which a row told, in the batch in which an operator settles it.
bool Judge::IsAdoptedInBatch(uint32_t act, uint32_t branch) const
{
    bool found = false;
    for (const Fact &before : pending_) {
        for (uint32_t i = 0; i < before.branch_count && before.act == act; i++) {
            found =
                found || (before.branches[i].lost && before.branches[i].payload.branch == branch);
        }
    }
    return found;
}

// A branch that a row told of, or whose payload has come back, is the one that a lost life had.
void Judge::CheckLostBranches(const Fact &fact, const JudgedAct &act)
{
    for (uint32_t i = 0; i < fact.branch_count; i++) {
        const auto &from = fact.branches[i];
        const JudgedBranch &known = act.branches[from.payload.branch - 1];
        if (!act.past.begun || known.payload.branch != from.payload.branch ||
            known.payload.participant != from.payload.participant ||
            branch_number_compare(known.number, from.number) != 0) {
            Fail("I2", "g%u/%u is adopted, and no lost life had it", fact.act, from.payload.branch);
        } else if (!from.lost && memcmp(&known.payload, &from.payload, sizeof from.payload) != 0) {
            Fail("I6", "g%u/%u gets another payload back than it had", fact.act,
                 from.payload.branch);
        }
    }
}

void Judge::CheckAgainstPast(const Fact &fact, const JudgedAct &act)
{
    const bool adopts = fact.branch_count > 0 && fact.branches[0].lost;
    if (adopts || CompletesLost(fact, act) || IsCompletedInBatch(fact)) {
        CheckLostBranches(fact, act);
    } else if ((fact.kind == Fact::BEGIN || fact.kind == Fact::TOMBSTONE) && act.past.known) {
        Fail("I6", "g%u is %s, and a life that was lost knew it", fact.act,
             fact.kind == Fact::BEGIN ? "begun again" : "buried");
    }
    for (uint32_t i = 0; i < ACT_BRANCHES_MAX; i++) {
        if (fact.kind == Fact::DECIDE && fact.outcome == TXN_OUTCOME_CANCELLED &&
            act.branches[i].line.confirms > 0) {
            Fail("I1", "g%u is decided to be cancelled, and branch %u is confirmed", fact.act,
                 i + 1);
        }
    }
}

void Judge::NoteNewLife(const Fact &fact, const JudgedAct &act)
{
    const bool confirms = fact.outcome == TXN_OUTCOME_CONFIRMED;
    const bool adopts = fact.branch_count > 0 && fact.branches[0].lost;
    if (CompletesLost(fact, act)) {
        tally_.Hit(Mark::LOST_PAYLOAD_IS_BACK);
    } else if (adopts) {
        tally_.Hit(fact.kind == Fact::BEGIN ? Mark::LOST_TRANSACTION_ADOPTED
                                            : Mark::LOST_BRANCH_ADOPTED);
    }
    if (fact.kind != Fact::DECIDE || !act.past.undone) {
        return;
    }
    if (confirms ? act.past.confirmed : act.past.cancelled) {
        tally_.Hit(confirms ? Mark::CONFIRMED_IN_A_NEW_LIFE : Mark::CANCELLED_IN_A_NEW_LIFE);
    } else if (act.past.confirmed || act.past.cancelled) {
        tally_.Hit(Mark::DECIDED_OTHERWISE_IN_A_NEW_LIFE); /* nobody had heard */
    }
}

bool Judge::MayBeSettled(const JudgedAct &act, const JudgedBranch &branch)
{
    return branch.forgot || branch.lost || branch.settled || branch.swept || act.past.confirmed ||
           act.past.cancelled;
}

uint32_t Judge::OpenAdopted() const
{
    uint32_t open = 0;
    for (const JudgedAct &act : acts_) {
        const bool adopted = act.adopted && !act.ended;
        const bool may_be = act.past.begun && !act.past.ended && !act.begun; /* not durable yet */
        open += adopted || may_be ? 1 : 0;
    }
    return open;
}

// ---- Rows and the end ---------------------------------------------------------------------------

// Nothing of its rows is needed any more: the lost life's marks are true, and what the new one did not
// adopt is nobody's.
bool Judge::IsOver(const JudgedAct &act)
{
    return act.ended || act.past.ended || (!act.begun && act.past.begun);
}

// The journal knows nothing of it: then all that could be reserved has ended, and in one way.
void Judge::FinalOfLost(uint32_t id, const JudgedAct &act)
{
    for (uint32_t i = 0; i < ACT_BRANCHES_MAX; i++) {
        const JudgedBranch &branch = act.branches[i];
        const bool needed = branch.payload.branch != 0 && branch.payload.optional == 0 &&
                            branch.payload.kind != Kind::NOTE;
        if (BooksSay(id) == TXN_OUTCOME_CONFIRMED && needed && branch.line.confirms != 1) {
            Fail("I1", "g%u was confirmed by a lost life, and branch %u is not", id, i + 1);
        }
    }
}

} // namespace simulation

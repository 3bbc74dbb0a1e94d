// judge_journal.cc -- the coordinator's disk and what leaves the coordinator; see judge.h.
#include <cinttypes>
#include <cstdarg>
#include <cstdio>

#include "simulation/judge.h"

namespace simulation
{

Judge::Judge(Tally &tally)
    : tally_(tally), live_(8), accounts_(8 * ACCOUNTS, AccountAtFirst()), memories_(8), peers_(8)
{
}

void Judge::Fail(const char *invariant, const char *format, ...)
{
    char text[512];
    va_list arguments;
    if (failed()) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fault_ = std::string(invariant) + ": " + text;
}

Judge::JudgedAct &Judge::Of(uint32_t act)
{
    if (act >= acts_.size()) {
        acts_.resize(act + 64);
    }
    return acts_[act];
}

// ---- Facts ----------------------------------------------------------------------------------------

void Judge::Submitted(const journal_batch *batch)
{
    if (submitted_) {
        Fail("I2", "two batches are with the journal");
    }
    submitted_ = true;
    submitted_next_number_ = batch->next_number;
    std::vector<Fact> facts;
    if (!ReadBatch(batch, &facts)) {
        Fail("I2", "batch %" PRId64 " holds what cannot be read", batch->lsn);
    }
    for (Fact &fact : facts) {
        if (fact.kind == Fact::DECIDE || fact.kind == Fact::ADD_BRANCH ||
            fact.kind == Fact::PROGRESS) {
            const auto found = by_sequence_.find(fact.sequence);
            if (found == by_sequence_.end()) {
                Fail("I2", "a record of transaction %" PRId64 " that was never begun",
                     fact.sequence);
                return;
            }
            fact.act = found->second;
        }
        if (fact.kind == Fact::BEGIN) {
            by_sequence_[fact.sequence] = fact.act;
        }
        Note(fact);
    }
}

void Judge::Note(const Fact &fact)
{
    submitted_ = true;
    if (!failed()) {
        Check(fact);
        pending_.push_back(fact);
    }
}

void Judge::NextNumber(int64_t next_number)
{
    submitted_next_number_ = next_number;
}

void Judge::CheckBegin(const Fact &fact, const JudgedAct &act)
{
    const bool other = fact.branch_count > 0 && fact.branches[0].payload.variant != 0;
    const Attempt attempt = fact.by_steps ? Attempt::BEGIN
                            : other       ? Attempt::EXECUTE_OTHER
                                          : Attempt::EXECUTE;
    if (act.begun || act.buried) {
        Fail("I2", "g%u is begun a second time", fact.act);
    }
    if (fact.branch_count > 0 && fact.branches[0].lost) {
        return; /* by a life that is lost */
    }
    if (act.attempts[static_cast<size_t>(attempt)] == 0) {
        Fail("I6", "g%u is begun, and every request for it was refused", fact.act);
    }
}

// All that is mandatory must stand reserved, durably, before a confirm is decided.
void Judge::CheckConfirmed(const Fact &fact, const JudgedAct &act)
{
    for (uint32_t i = 0; i < ACT_BRANCHES_MAX; i++) {
        const JudgedBranch &branch = act.branches[i];
        const bool needed =
            branch.registered && branch.payload.optional == 0 && branch.payload.kind != Kind::NOTE;
        if (needed && !branch.forgot && (branch.line.tries != 1 || branch.line.cancels != 0)) {
            Fail("I1", "g%u/%u is decided to be confirmed and has not reserved", fact.act, i + 1);
        }
    }
}

void Judge::Check(const Fact &fact)
{
    const JudgedAct &act = Of(fact.act);
    CheckHeld(fact, act);
    CheckAgainstPast(fact, act);
    if (CompletesLost(fact, act) || IsCompletedInBatch(fact)) {
        return;
    }
    switch (fact.kind) {
    case Fact::BEGIN:
        CheckBegin(fact, act);
        break;
    case Fact::ADD_BRANCH:
        if (act.decided != TXN_UNDECIDED) {
            Fail("I2", "g%u is decided and gets another branch", fact.act);
        }
        break;
    case Fact::DECIDE:
        if (fact.outcome == TXN_OUTCOME_CONFIRMED) {
            CheckConfirmed(fact, act);
        }
        if (act.decided != TXN_UNDECIDED && act.decided != fact.outcome) {
            Fail("I2", "g%u changes its decision", fact.act);
        }
        break;
    case Fact::TOMBSTONE:
        if (act.begun || act.buried) {
            Fail("I2", "g%u is buried and was begun", fact.act);
        }
        break;
    case Fact::END:
        if (act.decided != TXN_UNDECIDED && act.decided != fact.outcome) {
            Fail("I2", "g%u ends otherwise than it was decided", fact.act);
        }
        CheckSettled(fact, act);
        break;
    case Fact::PROGRESS:
        CheckSettled(fact, act);
        break;
    case Fact::PEER:
        NotePeer(fact);
        break;
    }
}

void Judge::Register(JudgedAct &act, const Fact &fact)
{
    for (uint32_t i = 0; i < fact.branch_count; i++) {
        const auto &from = fact.branches[i];
        JudgedBranch &branch = act.branches[from.payload.branch - 1];
        branch.payload = from.lost ? branch.payload : from.payload;
        branch.number = from.number;
        branch.registered = true;
        branch.lost = from.lost;
        live_[from.payload.participant][from.number] = fact.act;
    }
}

void Judge::ApplyFact(const Fact &fact)
{
    JudgedAct &act = Of(fact.act);
    NoteNewLife(fact, act);
    if (CompletesLost(fact, act)) {
        Register(act, fact);
        return;
    }
    switch (fact.kind) {
    case Fact::BEGIN:
        act.begun = true;
        act.known_at = moment_;
        act.sequence = fact.sequence;
        act.adopted = fact.branch_count > 0 && fact.branches[0].lost;
        if (!act.adopted) { /* else it is what a lost life has begun */
            act.by_steps = fact.by_steps;
            act.variant = fact.branch_count > 0 ? fact.branches[0].payload.variant : 0;
        }
        open_++;
        tally_.transactions++;
        Register(act, fact);
        break;
    case Fact::ADD_BRANCH:
        Register(act, fact);
        break;
    case Fact::DECIDE:
        act.decided = fact.outcome;
        act.decided_at = moment_;
        if (act.lost != TXN_UNDECIDED && act.lost != fact.outcome) {
            tally_.Hit(Mark::DECIDED_OTHERWISE_AFTER_LOSS);
        }
        break;
    case Fact::TOMBSTONE:
        act.buried = true;
        act.known_at = moment_;
        act.ended_at = moment_;
        act.decided = TXN_OUTCOME_CANCELLED;
        act.ended = true;
        break;
    case Fact::PROGRESS:
        for (uint32_t i = 0; i < ACT_BRANCHES_MAX; i++) {
            const bool settled = (fact.settled & (1U << (i + 1))) != 0;
            if (settled && !act.branches[i].settled) {
                tally_.Hit(act.branches[i].lost ? Mark::LOST_PAYLOAD_SETTLED
                                                : Mark::CONFLICT_SETTLED);
            }
            act.branches[i].settled = settled;
        }
        break;
    case Fact::PEER:
        ApplyPeer(fact);
        break;
    case Fact::END:
        act.decided = fact.outcome;
        act.ended = true;
        act.ended_at = moment_;
        open_--;
        for (uint32_t i = 0; i < ACT_BRANCHES_MAX; i++) {
            act.branches[i].settled =
                act.branches[i].settled || (fact.settled & (1U << (i + 1))) != 0;
        }
        tally_.confirmed += fact.outcome == TXN_OUTCOME_CONFIRMED ? 1 : 0;
        tally_.cancelled += fact.outcome == TXN_OUTCOME_CANCELLED ? 1 : 0;
        CheckEnd(fact.act, act);
        for (const JudgedBranch &branch : act.branches) {
            if (branch.registered) {
                live_[branch.payload.participant].erase(branch.number);
            }
        }
        break;
    }
}

void Judge::Durable()
{
    if (failed()) {
        return;
    }
    moment_++;
    for (const Fact &fact : pending_) {
        ApplyFact(fact);
    }
    pending_.clear();
    submitted_ = false;
    next_number_ = submitted_next_number_;
}

void Judge::Lost()
{
    for (Peer &peer : peers_) {
        peer.noted_held = peer.held;
    }
    for (const Fact &fact : pending_) {
        switch (fact.kind) {
        case Fact::BEGIN:
            tally_.Hit(Mark::CRASH_BEFORE_BEGIN_DURABLE);
            break;
        case Fact::DECIDE:
            tally_.Hit(Mark::CRASH_BEFORE_DECIDE_DURABLE);
            Of(fact.act).lost = fact.outcome;
            break;
        case Fact::END:
            tally_.Hit(Mark::CRASH_BEFORE_END_DURABLE);
            break;
        case Fact::ADD_BRANCH:
        case Fact::TOMBSTONE:
        case Fact::PROGRESS:
        case Fact::PEER:
            break;
        }
    }
    pending_.clear();
    submitted_ = false;
}

// ---- What leaves ----------------------------------------------------------------------------------

void Judge::Sent(uint32_t id, uint32_t branch, tercet_phase phase)
{
    const JudgedAct &act = Of(id);
    const JudgedBranch &of = act.branches[branch - 1];
    if (!act.begun || !of.registered) {
        Fail("I2", "g%u/%u is asked for and not on disk", id, branch);
    }
    if (IsSilent(of.payload.participant)) {
        Fail("I2", "g%u/%u is asked for at p%u, which is held", id, branch, of.payload.participant);
    }
    const bool left_out = act.decided == TXN_OUTCOME_CONFIRMED && of.payload.optional != 0;
    if (phase == TERCET_PHASE_CONFIRM && act.decided != TXN_OUTCOME_CONFIRMED) {
        Fail("I2", "a confirm of g%u/%u leaves before its decision is on disk", id, branch);
    }
    if (phase == TERCET_PHASE_CANCEL && act.decided != TXN_OUTCOME_CANCELLED && !left_out) {
        Fail("I2", "a cancel of g%u/%u leaves before its decision is on disk", id, branch);
    }
}

void Judge::MarkTold(uint32_t participant, const mark &told)
{
    if (told.low.incarnation == told.as_of.incarnation && told.low.number > next_number_) {
        Fail("I7", "the mark of p%u is %" PRId64 ", and the disk has seen numbers up to %" PRId64,
             participant, told.low.number, next_number_);
    }
    uint32_t at = 0;
    for (const auto &one : live_[participant]) {
        if (branch_number_compare(one.first, told.low) >= 0) {
            break;
        }
        while (at < told.open_count && branch_number_compare(told.open[at], one.first) < 0) {
            at++;
        }
        const bool listed =
            at < told.open_count && branch_number_compare(told.open[at], one.first) == 0;
        if (!listed || Of(one.second).decided == TXN_UNDECIDED) {
            Fail("I7", "the mark of p%u passes branch %" PRId64 " of g%u, which is open",
                 participant, one.first.number, one.second);
        }
    }
}

// ---- What it knows --------------------------------------------------------------------------------

txn_outcome Judge::DecidedAs(uint32_t act) const
{
    return act < acts_.size() ? acts_[act].decided : TXN_UNDECIDED;
}

bool Judge::IsBegun(uint32_t act) const
{
    return act < acts_.size() && acts_[act].begun;
}

bool Judge::IsEnded(uint32_t act) const
{
    return act < acts_.size() && acts_[act].ended;
}

void Judge::Progress(uint32_t id, uint32_t *done, uint32_t *all) const
{
    *done = 0;
    *all = 0;
    for (const JudgedBranch &branch : acts_[id].branches) {
        *all += branch.registered ? 1 : 0;
        *done += branch.registered && branch.line.confirms + branch.line.cancels > 0 ? 1 : 0;
    }
}

} // namespace simulation

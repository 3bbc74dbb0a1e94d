// judge_ledger.cc -- participants' disks, and the end; see judge.h.
#include <cstring>

#include "simulation/judge.h"

namespace simulation
{

void Judge::LineIs(uint32_t participant, uint32_t id, uint32_t index, const Line &line)
{
    JudgedAct &act = Of(id);
    JudgedBranch &branch = act.branches[index - 1];
    const Line before = branch.line;
    branch.line = line;
    if (memcmp(&before, &line, sizeof line) == 0) {
        return;
    }
    const bool known = branch.registered || act.past.begun;
    if (!known || memcmp(&branch.payload, &line.payload, sizeof line.payload) != 0) {
        Fail("I3", "g%u/%u took effect at p%u with what was never registered", id, index,
             participant);
        return;
    }
    Account &account = accounts_[participant * ACCOUNTS + line.payload.account];
    if (line.tries != before.tries) {
        simulation::Apply(account, line.payload, TERCET_PHASE_TRY);
    }
    if (line.confirms != before.confirms) {
        simulation::Apply(account, line.payload, TERCET_PHASE_CONFIRM);
    }
    if (line.cancels != before.cancels) {
        simulation::Apply(account, line.payload, TERCET_PHASE_CANCEL);
    }
    if (act.ended) {
        Fail("I5", "g%u/%u took effect after its end", id, index);
    }
    CheckEffects(id, act);
}

void Judge::CheckEffects(uint32_t id, const JudgedAct &act)
{
    bool confirmed = false;
    bool cancelled = false;
    for (uint32_t i = 0; i < ACT_BRANCHES_MAX; i++) {
        const JudgedBranch &branch = act.branches[i];
        const Line &line = branch.line;
        const bool note = branch.payload.kind == Kind::NOTE;
        const bool optional = branch.payload.optional != 0;
        if (line.tries > 1 || line.confirms > 1 || line.cancels > 1) {
            Fail("I3", "a phase of g%u/%u took effect twice", id, i + 1);
        }
        if (line.confirms + line.cancels > (note ? 1 : line.tries)) {
            Fail("I3", "g%u/%u was finished and had not reserved", id, i + 1);
        }
        /* What a lost life has decided may be done, as long as this one has not decided. */
        const bool open = act.decided == TXN_UNDECIDED;
        if (line.confirms > 0 && act.decided != TXN_OUTCOME_CONFIRMED &&
            !(open && act.past.confirmed)) {
            Fail("I2", "g%u/%u is confirmed and that was not decided", id, i + 1);
        }
        const bool undone = act.past.cancelled || (optional && act.past.confirmed);
        if (line.cancels > 0 && open && !undone) {
            Fail("I2", "g%u/%u is cancelled and that was not decided", id, i + 1);
        }
        if (line.cancels > 0 && act.decided == TXN_OUTCOME_CONFIRMED && !optional &&
            act.past.known) {
            Fail("I2", "g%u/%u is cancelled and the other was decided", id, i + 1);
        }
        if (line.confirms > 0 && branch.told_refused) {
            Fail("I6", "g%u/%u is confirmed, and its initiator was told that it is not", id, i + 1);
        }
        confirmed = confirmed || line.confirms > 0;
        cancelled = cancelled || (line.cancels > 0 && !optional);
    }
    if (confirmed && cancelled) {
        Fail("I1", "g%u has one branch confirmed and another cancelled", id);
    }
}

void Judge::AccountIs(uint32_t participant, uint32_t index, const Account &now)
{
    if (!AddsUp(now)) {
        Fail("I4", "account %u of p%u does not add up", index, participant);
    }
    if (memcmp(&now, &accounts_[participant * ACCOUNTS + index], sizeof now) != 0) {
        Fail("I4", "account %u of p%u is not what its branches did", index, participant);
    }
}

void Judge::Remembers(uint32_t participant, branch_number epoch, branch_number mark)
{
    Memory &memory = memories_[participant];
    if (branch_number_compare(epoch, memory.epoch) < 0) {
        Fail("I2", "p%u forgets that it was asked by a newer coordinator", participant);
    }
    if (branch_number_compare(mark, memory.mark) < 0) {
        Fail("I7", "the mark that p%u keeps goes back", participant);
    }
    memory = {epoch, mark};
}

void Judge::Serves(uint32_t participant, branch_number epoch)
{
    if (branch_number_compare(epoch, memories_[participant].epoch) < 0) {
        Fail("I2", "p%u serves a call of an older coordinator", participant);
    }
}

void Judge::RowSwept(uint32_t id, uint32_t index)
{
    JudgedAct &act = Of(id);
    act.branches[index - 1].swept = true;
    if (!IsOver(act)) {
        Fail("I7", "the row of g%u/%u is gone before its end", id, index);
    }
}

// Whoever comes after the end finds its row, or is below the mark: there is nothing left to write.
void Judge::RowWritten(uint32_t id, uint32_t index)
{
    if (Of(id).ended) {
        Fail("I7", "the row of g%u/%u is written after its end", id, index);
    }
}

// An END is on disk: exactly the decided phase of every branch has taken effect.
void Judge::CheckEnd(uint32_t id, const JudgedAct &act)
{
    const bool confirm = act.decided == TXN_OUTCOME_CONFIRMED;
    bool left_out = false;
    for (uint32_t i = 0; i < ACT_BRANCHES_MAX; i++) {
        const JudgedBranch &branch = act.branches[i];
        const Line &line = branch.line;
        const bool note = branch.payload.kind == Kind::NOTE;
        if (!branch.registered || branch.forgot || branch.settled) {
            continue;
        }
        if (!note && line.tries != line.confirms + line.cancels) {
            Fail("I5", "g%u has ended, and branch %u is still reserved", id, i + 1);
        }
        const bool needed = confirm && branch.payload.optional == 0;
        if (needed && line.confirms != 1) {
            Fail("I3", "g%u has ended as confirmed, and branch %u is not", id, i + 1);
        }
        if (!confirm && line.confirms != 0) {
            Fail("I1", "g%u has ended as cancelled, and branch %u is confirmed", id, i + 1);
        }
        left_out = left_out || (confirm && line.confirms == 0);
    }
    if (left_out) {
        tally_.Hit(Mark::OPTIONAL_LEFT_OUT);
    }
}

void Judge::FinalOf(uint32_t id, const JudgedAct &act)
{
    if (act.begun && !act.ended) {
        Fail("I5", "g%u is still open", id);
    }
    if (act.past.begun && !act.begun) {
        FinalOfLost(id, act);
    }
    for (const JudgedBranch &branch : act.branches) {
        if (!branch.forgot && !branch.settled &&
            branch.line.tries > branch.line.confirms + branch.line.cancels) {
            Fail("I5", "g%u/%u is reserved when all is over", id, branch.payload.branch);
        }
    }
}

// `accounts`: all that stand on participants' disks.
void Judge::Final(const std::vector<Account> &accounts)
{
    int64_t debits = 0; /* of all branches that were to be confirmed */
    int64_t credits = 0;
    int64_t out = 0;
    int64_t in = 0;
    for (uint32_t id = 0; id < acts_.size(); id++) {
        const JudgedAct &act = acts_[id];
        FinalOf(id, act);
        for (const JudgedBranch &branch : act.branches) {
            const bool by_line =
                branch.forgot || branch.settled || (act.past.begun && !branch.registered);
            const bool moves = by_line ? branch.line.confirms > 0
                                       : branch.registered && act.decided == TXN_OUTCOME_CONFIRMED;
            debits += moves && branch.payload.kind == Kind::DEBIT ? branch.payload.amount : 0;
            credits += moves && branch.payload.kind == Kind::CREDIT ? branch.payload.amount : 0;
        }
    }
    for (size_t i = 0; i < accounts.size(); i++) {
        const Account &account = accounts[i];
        if (!IsAtRest(account) && LeftBehind(static_cast<uint32_t>(i / ACCOUNTS)) == 0) {
            Fail("I5", "an account has something reserved when all is over");
        }
        out += account.out;
        in += account.in;
    }
    if (out != debits || in != credits) {
        Fail("I4", "%lld was to leave and %lld has, %lld was to come and %lld has",
             static_cast<long long>(debits), static_cast<long long>(out),
             static_cast<long long>(credits), static_cast<long long>(in));
    }
    if (!tokens_.empty()) {
        Fail("I8", "%zu requests were never answered", tokens_.size());
    }
}

} // namespace simulation

// moves.cc -- see moves.h.
#include "simulation/moves.h"

namespace simulation
{
namespace
{

thread_local Moves *watching = nullptr;

// What the model makes and no seed can.
const spec::Move not_played[] = {
    /* The row belongs to another transaction.  Were its try not answered before the deadline, an
     * operator would have to end the branch, and there is none here. */
    {spec::Kind::BRANCH, BRANCH_TRYING, BRANCH_SKIPPED},
};

bool IsPlayed(const spec::Move &move)
{
    bool played = move.kind != spec::Kind::ROW;
    for (const spec::Move &other : not_played) {
        played = played && spec::PairOf(move.kind, move.from, move.to) !=
                               spec::PairOf(other.kind, other.from, other.to);
    }
    return played;
}

} // namespace

std::vector<spec::Move> MovesToSee(const spec::Relation &relation)
{
    std::vector<spec::Move> seen;
    for (const spec::Move &move : relation.moves()) {
        if (IsPlayed(move)) {
            seen.push_back(move);
        }
    }
    return seen;
}

Moves::Watch::Watch(Moves &moves)
{
    watching = &moves;
}

Moves::Watch::~Watch()
{
    watching = nullptr;
}

bool Moves::IsAsSeen(const void *object, int state) const
{
    const auto found = states_.find(object);
    return state == 0 || (found != states_.end() && found->second == state);
}

void Moves::Note(spec::Kind kind, const void *object, int from, int to, const txn *of)
{
    const char *gid = of == nullptr ? "" : of->gid;
    tally_.moves[spec::PairOf(kind, from, to)]++;
    if (!relation_.Allows(kind, from, to)) {
        judge_.Fail("MODEL", "%s: %s is no move of the model", gid,
                    spec::TextOf({kind, from, to}).c_str());
    }
    if (!IsAsSeen(object, from)) {
        judge_.Fail("MODEL", "%s: %s, but its last move did not end there", gid,
                    spec::TextOf({kind, from, to}).c_str());
    }
    states_[object] = to;
}

void Moves::CheckBranches(const txn *txn)
{
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        const branch *one = txn->branches[i];
        if (!IsAsSeen(one, one->state)) {
            judge_.Fail("MODEL", "%s: branch %u is %s without a move", txn->gid, one->spec.index,
                        branch_state_name(one->state));
        }
    }
}

void Moves::Moved(const branch *branch, branch_state from)
{
    Note(spec::Kind::BRANCH, branch, from, branch->state, branch->txn);
}

void Moves::Moved(const txn *txn, txn_state from)
{
    Note(spec::Kind::TXN, txn, from, txn->state, txn);
    CheckBranches(txn);
}

void Moves::Adopted(const txn *txn)
{
    states_[txn] = txn->state;
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        states_[txn->branches[i]] = txn->branches[i]->state;
    }
}

// ---- What the linker puts around the engine's two functions --------------------------------------

extern "C" {

void __real_branch_move(branch *branch, branch_state to);
void __real_txn_move(txn *txn, txn_state to, clock_now now);
void __wrap_branch_move(branch *branch, branch_state to);
void __wrap_txn_move(txn *txn, txn_state to, clock_now now);

void __wrap_branch_move(branch *branch, branch_state to)
{
    const branch_state from = branch->state;
    __real_branch_move(branch, to);
    if (watching != nullptr) {
        watching->Moved(branch, from);
    }
}

void __wrap_txn_move(txn *txn, txn_state to, clock_now now)
{
    const txn_state from = txn->state;
    __real_txn_move(txn, to, now);
    if (watching != nullptr) {
        watching->Moved(txn, from);
    }
}
}

} // namespace simulation

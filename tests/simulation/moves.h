// moves.h -- is every move that the engine makes one that the model makes?
//
// All states change in branch_move() and txn_move().  The linker puts wrappers around the two
// (CMakeLists.txt, --wrap), so each single move of a turn is looked up in the model's relation
// (spec/relation.h), in the order in which it is made; nothing is concluded from before and after.
// That nobody changes a state beside the two is seen too: the last state of every transaction and
// branch is remembered, and a move must begin where the one before it ended.
//
// Loading a journal is no move, here as in the model: a state is set to what the record says.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "simulation/judge.h"
#include "simulation/tally.h"
#include "spec/relation.h"

extern "C" {
#include "engine/txn.h"
}

namespace simulation
{

// Those of the relation that a campaign must see: of transactions and branches, but for the few
// that this world cannot bring about (moves.cc says why).  A row is changed by a participant's
// database, which the judge looks at.
std::vector<spec::Move> MovesToSee(const spec::Relation &relation);

class Moves
{
  public:
    Moves(const spec::Relation &relation, Judge &judge, Tally &tally)
        : relation_(relation), judge_(judge), tally_(tally)
    {
    }

    // While it lives, moves on this thread are told to `moves`.
    class Watch
    {
      public:
        explicit Watch(Moves &moves);
        ~Watch();
        Watch(const Watch &) = delete;
        Watch &operator=(const Watch &) = delete;
    };

    // From the journal, as it is.
    void Adopted(const txn *txn);
    // The process is dead.
    void Forget()
    {
        states_.clear();
    }
    void Moved(const branch *branch, branch_state from);
    void Moved(const txn *txn, txn_state from);

  private:
    // Was `state` the last one seen?  What has made no move yet is new, wherever it lies.
    bool IsAsSeen(const void *object, int state) const;
    void Note(spec::Kind kind, const void *object, int from, int to, const txn *of);
    void CheckBranches(const txn *txn);

    const spec::Relation &relation_;
    Judge &judge_;
    Tally &tally_;
    std::unordered_map<const void *, int> states_; // of transactions and branches
};

} // namespace simulation

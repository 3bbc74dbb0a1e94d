// relation.h -- what the model lets a transaction, a branch and a fence row become.
//
// spec/relation.txt holds every move that spec/tcc.pml makes.  Here it is read once into a bit for
// each pair of states, so that a test, or the simulator at every move, can ask whether the model
// knows that move.  The engine's own tables are not looked at: relation_test.cc compares the two.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace spec
{

enum class Kind : uint8_t { TXN, BRANCH, ROW, COUNT };

constexpr size_t STATES_MAX = 16; // of one kind
constexpr size_t PAIR_COUNT = static_cast<size_t>(Kind::COUNT) * STATES_MAX * STATES_MAX;

struct Move {
    Kind kind;
    int from;
    int to;
};

// A number for each kind and pair of states, below PAIR_COUNT.  States are below STATES_MAX.
constexpr size_t PairOf(Kind kind, int from, int to)
{
    return (static_cast<size_t>(kind) * STATES_MAX + static_cast<size_t>(from)) * STATES_MAX +
           static_cast<size_t>(to);
}

// "branch WAITING to TRYING", by the product's names.
std::string TextOf(const Move &move);

class Relation
{
  public:
    // The lines of relation.txt: kind, from, to; `#` begins a remark.
    explicit Relation(const std::string &text);
    // That of the repository.  Ends the process when it cannot be read: nothing could be checked.
    static const Relation &Model();

    // States below 0 or at STATES_MAX and above have no moves.
    bool Allows(Kind kind, int from, int to) const;
    const std::vector<Move> &moves() const
    {
        return moves_;
    }
    // The first line that is none, or says what another one says; "" if there is none.
    const std::string &fault() const
    {
        return fault_;
    }

  private:
    bool ReadLine(const std::string &line);

    std::array<bool, PAIR_COUNT> allowed_{};
    std::vector<Move> moves_;
    std::string fault_;
};

} // namespace spec

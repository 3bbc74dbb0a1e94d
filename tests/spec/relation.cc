// relation.cc -- see relation.h.
#include "spec/relation.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tercet/fence.h"

extern "C" {
#include "engine/branch_state.h"
#include "engine/txn_state.h"
}

namespace spec
{
namespace
{

const char *const kind_names[] = {"txn", "branch", "row"};

bool IsState(int state)
{
    return state >= 0 && static_cast<size_t>(state) < STATES_MAX;
}

const char *StateName(Kind kind, int state)
{
    if (kind == Kind::TXN) {
        return txn_state_name(static_cast<txn_state>(state));
    }
    if (kind == Kind::BRANCH) {
        return branch_state_name(static_cast<branch_state>(state));
    }
    return tercet_fence_state_name(static_cast<tercet_fence_state>(state));
}

} // namespace

std::string TextOf(const Move &move)
{
    return std::string(kind_names[static_cast<size_t>(move.kind)]) + " " +
           StateName(move.kind, move.from) + " to " + StateName(move.kind, move.to);
}

bool Relation::ReadLine(const std::string &line)
{
    std::istringstream words(line);
    std::string name;
    int from = -1;
    int to = -1;
    std::string more;
    if (!(words >> name >> from >> to) || (words >> more) || !IsState(from) || !IsState(to)) {
        return false;
    }
    for (size_t i = 0; i < static_cast<size_t>(Kind::COUNT); i++) {
        const Kind kind = static_cast<Kind>(i);
        if (name == kind_names[i] && !allowed_[PairOf(kind, from, to)]) {
            allowed_[PairOf(kind, from, to)] = true;
            moves_.push_back({kind, from, to});
            return true;
        }
    }
    return false;
}

Relation::Relation(const std::string &text)
{
    std::istringstream lines(text);
    std::string line;
    while (fault_.empty() && std::getline(lines, line)) {
        if (line.empty() || line[0] == '#' || ReadLine(line)) {
            continue;
        }
        fault_ = line;
    }
}

const Relation &Relation::Model()
{
    static const Relation model = [] {
        std::ifstream file(TERCET_RELATION);
        std::ostringstream text;
        text << file.rdbuf();
        Relation read(text.str());
        if (!file || !read.fault().empty() || read.moves().empty()) {
            fprintf(stderr, "%s cannot be read: \"%s\"\n", TERCET_RELATION, read.fault().c_str());
            abort();
        }
        return read;
    }();
    return model;
}

bool Relation::Allows(Kind kind, int from, int to) const
{
    return IsState(from) && IsState(to) && allowed_[PairOf(kind, from, to)];
}

} // namespace spec

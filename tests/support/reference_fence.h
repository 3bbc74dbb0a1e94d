// reference_fence.h -- a participant's fence as docs/protocol.md tells it, to compare the SDK's with.
//
// It shares nothing with the SDK but the words of its public header.  What a local transaction is to
// it is a copy of its state: kept or thrown away.  So it knows no savepoint, no row that is inserted
// before it is decided, no index and no slice that is found by scanning: whatever the SDK does for
// speed or for locks is seen here only by what it answers and what it leaves behind.
//
// It tells what must come of each request, and counts the effects that must have been kept.
//
// tests/unit/engine/random_fence.h is another one, on purpose: that is a participant for the engine's
// histories and judges as it goes; this is an oracle for the SDK's, with its groups, scopes and slices,
// and needs the SDK's headers, which the engine's tests do without.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "unit/fence/store_fixture.h"

namespace fence_test
{

using Pair = std::pair<int64_t, int64_t>; // an incarnation, and a number, an epoch or an LSN
using Key = std::pair<std::string, uint32_t>;
using ScopeName = std::pair<std::string, uint8_t>; // participant, origin
using Identity =
    std::tuple<std::string, uint32_t, uint8_t, Pair, uint8_t>; // key, origin, number, digest

Identity IdentityOf(const Ask &ask);

// What a handler does: its effect, and then this.
struct Said {
    tercet_verdict verdict = TERCET_VERDICT_DONE;
    std::string result;
    uint64_t us = 0; // how long it takes
};

// How the one transaction of a group ends.
enum class Ending {
    KEPT,
    KEPT_UNTOLD, // committed, and nobody heard of it
    LOST_UNTOLD, // rolled back, and nobody heard of it
    IMPOSSIBLE   // it never commits
};

// What must be answered.
struct Expected {
    bool deferred = false;
    bool old_epoch = false;
    tercet_verdict verdict = TERCET_VERDICT_UNSPECIFIED;
    tercet_how how = TERCET_HOW_UNSPECIFIED;
    tercet_conflict conflict = TERCET_CONFLICT_NONE;
    tercet_fence_state found = TERCET_FENCE_NONE;
    std::string code; // as of the SDK; "": none
    std::string result;
    Pair mark_age;
    bool ran = false;  // a handler is called
    std::string tried; // and told this of its try
};

struct Mark {
    Pair age;
    Pair low;
    std::vector<Pair> open;
};

// One slice of a mark.
struct Slice {
    bool old_epoch = false;
    bool stale = false;
    uint32_t removed = 0;
    uint32_t looked_at = 0;
    Pair last;                     // the last number looked at
    std::vector<std::string> kept; // gids of reservations below the mark
};

class ReferenceFence
{
  public:
    struct Row {
        tercet_fence_state state;
        Identity identity;
        std::string participant;
        std::string action;
        std::string result;
    };
    struct Scope {
        Pair epoch;
        Pair age;
        Pair low;
        std::set<Pair> open;
    };

    // One group; what says[i] holds is done and said when asks[i] is run.
    std::vector<Expected> Run(const std::vector<Ask> &asks, const std::vector<Said> &says,
                              Ending ending);

    Slice Apply(const ScopeName &name, Pair epoch, const Mark &mark, Pair from, uint32_t row_max);

    // Numbers of the rows of a scope, rising; at most one row has a number.
    std::map<Pair, Key> RowsOf(const ScopeName &name) const;

    std::map<Key, Row> rows;
    std::map<ScopeName, Scope> scopes;
    std::map<Identity, std::array<int, 3>> effects; // by phase - 1

  private:
    bool IsPast(const Ask &ask);
    Expected Step(const Ask &ask, const Said &said);
    Expected RunHandler(const Ask &ask, const Said &said, tercet_fence_state becomes);
    Expected ReadAgain(const Ask &ask);
    void AnswerAgain(const Ask &ask, Ending ending, Expected &expected);
};

} // namespace fence_test

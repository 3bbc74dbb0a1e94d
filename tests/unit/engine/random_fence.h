// random_fence.h -- a participant's fence, in the simulator of random_test.cc.
//
// It is the truth table of the protocol, written down once more and by other hands than the SDK's.
// It counts what ran, and fails the test when anything runs twice.  The SDK's own histories have
// another reference (tests/support/reference_fence.h), which knows what only a store can be asked.
#pragma once

#include <map>
#include <set>
#include <string>

extern "C" {
#include "tercet/tercet.h"
}

namespace tercet
{

enum class Row { TRIED, CONFIRMED, CANCELLED, SUSPENDED };

struct FenceRow {
    Row state;
    int64_t number;
};

// What it answers; `how` and `conflict` as on the wire.
struct FenceAnswer {
    tercet_verdict verdict = TERCET_VERDICT_UNSPECIFIED;
    uint32_t how = 0;
    uint32_t conflict = 0;
};

// A request as it stands on the wire.
struct Wire {
    std::string gid;
    uint32_t index = 0;
    uint32_t participant = 0;
    tercet_phase phase = TERCET_PHASE_TRY;
    bool confirm_only = false;
    int64_t number = 0;
    int64_t mark_as_of = 0;
    int64_t mark_low = 0;
    std::set<int64_t> mark_open;
};

using BranchKey = std::pair<std::string, uint32_t>;

class Fence
{
  public:
    // `refuse`: its program does not want to (a try is refused, all else is put off).
    FenceAnswer Ask(const Wire &ask, bool refuse);

    std::map<BranchKey, FenceRow> rows;
    std::map<BranchKey, std::map<tercet_phase, int>> effects; // how often each phase ran

  private:
    bool IsForgotten(int64_t number) const;
    void Apply(const Wire &ask);
    FenceAnswer Run(const Wire &ask, Row to, bool refuse);
    FenceAnswer OnNone(const Wire &ask, bool refuse);
    static FenceAnswer OnTry(Row state);
    FenceAnswer OnConfirm(const Wire &ask, Row state, bool refuse);
    FenceAnswer OnCancel(const Wire &ask, Row state, bool refuse);

    int64_t as_of_ = 0;
    int64_t low_ = 0;
    std::set<int64_t> open_;
};

} // namespace tercet

// fence_history.h -- a history of one participant's fence, decided by bytes; see fuzz_fence.cc.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "faulty_store.h"
#include "support/reference_fence.h"
#include "unit/engine/random_dice.h"

namespace fence_test
{

// What a coordinator knows of one participant.
struct Line {
    int64_t low = 0; // a place
    std::set<int64_t> closed;
    std::vector<Mark> marks;
};

class FenceHistory
{
  public:
    static constexpr uint32_t KEYS = 8; // gids, of two branches each
    static const std::string GIDS[KEYS / 2];

    explicit FenceHistory(tercet_bytes bytes) : dice_(bytes), harness_("memory", "")
    {
        harness_.group.ops = faulty_store(harness_.store->ops);
        harness_.handler = [this](const group_request &request, tercet_bytes tried,
                                  group_answer &answer) { return Handle(request, tried, answer); };
    }

    void Run();

  private:
    Ask DrawAsk();
    Said DrawSaid(const Ask &ask, bool may_be_slow);
    void RunGroup(size_t count, Fault fault);
    void RunGroupWithFault();
    tercet_verdict Handle(const group_request &request, tercet_bytes tried, group_answer &answer);
    static std::string Describe(const Ask &ask);
    static std::string Describe(const ScopeName &name, const Mark &mark);
    void CompareAnswer(const Ask &ask, const Expected &expected, const group_answer &answer);
    void CompareEffects(const Identity &identity);
    void CompareRow(const Key &key);
    void CompareRows();
    void CompareScope(const ScopeName &name);
    void MakeMark();
    void ApplyMark();
    bool ApplySlice(const ScopeName &name, Pair epoch, const Mark &mark, tercet_sweep *sweep);
    tercet_status Apply(const ScopeName &name, Pair epoch, const Mark &mark, tercet_sweep *sweep);
    void BeginAnew();
    ScopeName DrawScope();
    Pair DrawEpoch(uint8_t origin);
    std::string EffectName(const Identity &identity);

    tercet::Dice dice_;
    Harness harness_;
    ReferenceFence reference_;
    Pair epochs_[2] = {{10, 1}, {10, 1}};
    std::map<ScopeName, Line> lines_;
    std::map<Identity, std::pair<std::string, bool>> asked_; // effect's name, confirm-only
    // Of the group that runs.
    std::vector<Ask> asks_;
    std::vector<Said> says_;
    std::vector<Expected> expected_;
};

} // namespace fence_test

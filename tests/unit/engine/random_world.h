// random_world.h -- a coordinator with everything around it, in the hands of one seed, or of a fuzzer.
//
// The engine with its records, a disk that is slow, a network that loses, doubles and delays, fences
// that refuse and hang, initiators that are confused, clocks that jump, and a coordinator that is
// killed.  What must hold is checked wherever it can be seen:
//   I1  all branches of a transaction end on one side;
//   I2  a decision is durable before anyone acts on it, and is taken once;
//   I3  no phase runs twice at a participant;
//   I5  nothing stays reserved;
//   I6  whoever is told an outcome is told the truth;
//   I8  without faults everything comes to its end.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "support/engine_world.h"
#include "unit/engine/random_dice.h"
#include "unit/engine/random_fence.h"

extern "C" {
#include "journal/record.h"
}

namespace tercet
{

struct Pending {
    int64_t lsn;
    effect made;
};

struct Flight {
    branch *out; // a reference; NULL when the coordinator that asked is dead
    Wire ask;
};

struct Decision {
    txn_outcome outcome;
    int64_t lsn;
};

class RandomWorld
{
  public:
    static constexpr uint32_t PARTICIPANTS = 4;
    static constexpr uint32_t SHARE = 60; // of open branches, for each participant
    static constexpr int64_t INCARNATION = 1700000000000;

    // What came of all transactions is added to `totals`.
    RandomWorld(Dice dice, engine_stats &totals);
    ~RandomWorld();
    RandomWorld(const RandomWorld &) = delete;
    RandomWorld &operator=(const RandomWorld &) = delete;

    // So many turns, or until so many transactions were begun, or the dice are used up; then all comes to
    // rest and is judged.
    void Run(int turns, int transactions);

  private:
    uint32_t Below(uint32_t n)
    {
        return dice_.Below(n);
    }
    bool Chance(uint32_t percent)
    {
        return faults_ && Below(100) >= 100 - percent;
    }

    void Start();
    void Kill();
    void Crash();
    void Turn();
    void Interfere();
    void JumpClocks();
    void Reach(uint32_t participant, bool reachable);
    void Calm();
    void Judge();

    // initiators
    event *Make(request_kind kind, const std::string &gid);
    void Send(event *made);
    void Execute(const std::string &gid, int variant);
    void Initiator();
    void Forget();
    BranchPlan Plan(const std::string &gid, uint32_t index) const;

    // the coordinator's side
    void Step(event *made);
    void Tick();
    void TakeEffects(bool many_requests = false);
    void CheckRecord(const effect_record &made) const;
    void CheckStep(bool many_requests);
    void NoteRecord(const effect_record &made);
    void Submit();
    void Durable();
    void Release();
    void TakeCall(effect_call &call);
    void TakeReply(effect_reply &reply);
    void SendDue();
    void Find();

    // participants
    void Deliver();
    void Answer(branch *out, tercet_phase phase, answer_kind kind, const FenceAnswer &told);

    Dice dice_;
    bool faults_ = true;
    uint32_t busy_ = UINT32_MAX; // this participant is, for a while
    directory names_{};
    struct engine *engine_ = nullptr;
    effects effects_{};
    clock_now now_{1000000, 1790000000000};

    journal_batch open_{}; // its lsn is the next
    bool submitted_ = false;
    std::vector<uint8_t> submitted_operations_;
    int64_t submitted_next_number_ = 0;
    std::map<std::string, std::string> disk_;
    int64_t durable_lsn_ = 0;
    int64_t durable_next_number_ = 1;

    std::deque<Pending> pending_;
    std::vector<effect_call> due_;
    std::set<std::pair<branch *, tercet_phase>> out_;
    std::vector<std::string> lookups_;
    std::vector<Flight> flights_;
    std::map<uint32_t, Fence> fences_;

    uintptr_t next_token_ = 1;
    std::map<uintptr_t, request_kind> asked_;
    std::map<std::string, Decision> decided_;
    std::map<std::string, txn_outcome> told_;
    int begun_ = 0;
    std::array<uint32_t, PARTICIPANTS> shares_{}; // open branches of each, after the step before
    engine_stats &totals_;
};

} // namespace tercet

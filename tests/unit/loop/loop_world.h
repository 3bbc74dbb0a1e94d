// loop_world.h -- the daemon's loop, engine and dispatch with a world in the test's hands: batches are
// written when the test says so, and nothing else happens by itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "support/engine_world.h"

extern "C" {
#include "loop.h"
}

namespace tercet
{

struct Sent {
    std::string gid;
    uint32_t branch;
    tercet_phase phase;
    int64_t durable_lsn; // when it left
    struct branch *reference;
};

struct Told {
    uintptr_t token;
    tercet_status status;
    txn_state state;
    bool last;
    int64_t durable_lsn;
    tercet_verdict verdict;
};

class LoopWorld
{
  public:
    explicit LoopWorld(size_t batch_bytes_max = 0); // 0: the loop's own
    ~LoopWorld();
    LoopWorld(const LoopWorld &) = delete;
    LoopWorld &operator=(const LoopWorld &) = delete;

    event *Execute(const std::string &gid, uint32_t branches, uintptr_t token);
    event *Try(const std::string &gid, uint32_t index, const BranchPlan &plan, uintptr_t token);
    event *Ask(request_kind kind, const std::string &gid, uintptr_t token);
    event *Answer(const Sent &sent, answer_kind kind, tercet_verdict verdict);
    void Turn(const std::vector<event *> &events = {});
    void Advance(int64_t ms);
    // The submitted batch is durable now.
    void Sync();
    // Turns, syncs and answers DONE until nothing happens any more.
    void Settle();

    directory names{};
    struct engine *engine = nullptr;
    struct dispatch *dispatch = nullptr;
    struct loop *loop = nullptr;
    clock_now now{1000000, 1790000000000};

    const journal_batch *submitted = nullptr;
    std::vector<int64_t> batch_lsns;
    std::vector<uint32_t> batch_sizes;
    int64_t durable_lsn = 0;
    std::vector<Sent> sent;
    int probes = 0; // of participant 0
    std::vector<Told> told;
    std::vector<std::string> lookups;
    std::vector<event *> fetched; // handed over at the next turn
    std::map<const struct branch *, std::string> payloads;
    std::vector<Hold> holds;
    std::vector<uint32_t> inspected;
    size_t answered = 0; // of `sent`, by Settle()

  private:
    void Found();
};

} // namespace tercet

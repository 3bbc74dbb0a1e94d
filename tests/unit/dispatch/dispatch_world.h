// dispatch_world.h -- a dispatch with its participants and branches, and a clock that a test moves.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

extern "C" {
#include "dispatch/dispatch.h"
#include "engine/directory.h"
#include "engine/txn.h"
}

struct WorldParticipant {
    std::string name;
    uint32_t window;
    bool configured;
    uint32_t targets = 1;
    uint32_t connections = 1;
};

class World
{
  public:
    using Participant = WorldParticipant;

    struct Options { // 0: dispatch's own
        uint32_t probe_base_ms = 0;
        uint32_t probe_cap_ms = 0;
        uint32_t unanswered_limit = 0;
        uint32_t call_timeout_ms = 5000;
    };

    // One participant, "a", with a window of 16, unless the test says otherwise.
    explicit World(std::vector<Participant> participants = {{"a", 16, true}}, uint64_t seed = 1);
    explicit World(const Options &options);
    ~World();
    World(const World &) = delete;
    World &operator=(const World &) = delete;

    // A branch of an open transaction that asks for `phase`; the world's until the end.
    struct branch *Branch(enum tercet_phase phase, uint32_t participant = 0);

    // One whose payload is not in memory.
    struct branch *Parked(enum tercet_phase phase, uint32_t participant = 0);
    // Its payload has come.
    void Fetched(struct branch *branch);

    // A branch that asks for `phase`, and its CALL.
    struct branch *Call(enum tercet_phase phase, uint32_t participant = 0,
                        int64_t not_before_boot_ms = 0);
    void CallAgain(struct branch *branch, int64_t not_before_boot_ms = 0);

    // The engine wants something else of it now; the CALL comes separately.
    static void Ask(struct branch *branch, int phase);
    // Its transaction is closed.
    static void Close(struct branch *branch);

    // Steps; what it ordered stands in `orders` until the next step.
    void Step();
    void Advance(int64_t milliseconds);
    int64_t WakeIn() const; // milliseconds from now; INT64_MAX: never

    std::vector<struct order> Sends() const;
    std::vector<struct branch *> Sent() const;
    std::vector<struct branch *> Fetches() const;
    size_t Count(enum order_kind kind) const;

    void Answer(struct branch *branch, enum tercet_phase phase, enum answer_kind kind,
                enum tercet_verdict verdict = TERCET_VERDICT_DONE);
    // Answers everything that the last step sent.
    void AnswerAll(enum answer_kind kind, enum tercet_verdict verdict = TERCET_VERDICT_DONE);
    // Answered with a description, or not at all.
    void Probed(bool reachable, uint32_t participant = 0, uint32_t seat = 0);
    void Probed(enum probe_end end, uint32_t participant = 0, uint32_t seat = 0);

    // Makes it known that the participant cannot be reached, and lets the first probe of the start
    // pass: afterwards the circuit is open.
    void Open(uint32_t participant = 0);
    // Runs the clock until a probe of the participant leaves; how long it took.
    int64_t RunToProbe(uint32_t participant = 0);

    struct dispatch_stats Stats(uint32_t participant = 0) const;

    struct clock_now now = {1000000, 1700000000000};
    std::vector<struct order> orders; // without references
    struct dispatch *dispatch = nullptr;

  private:
    void Create(const std::vector<Participant> &participants, const Options &chosen, uint64_t seed);
    struct directory directory_;
    struct txn *txn_;
    std::vector<struct branch *> branches_;
};

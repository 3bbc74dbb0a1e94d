// crowd.h -- the initiators: what they ask for, drawn from the seed, and what they were told.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tercet/client.h"

namespace campaign
{

constexpr int PARTICIPANTS = 4;
constexpr int PAYMENTS = 24; // of a cycle

struct Move {
    int participant;
    std::string payload;
};

enum class Way { EXECUTE, STEPS, STEPS_CANCELLED, STEPS_LEFT };

struct Payment {
    std::string gid;
    std::vector<Move> moves;
    Way way = Way::EXECUTE;
    tercet_wait wait = TERCET_WAIT_DECISION;
    uint32_t try_timeout_ms = 0;
    bool cancelled_too = false; // a Cancel is sent at the same time
    // What it was told.
    tercet_outcome told = TERCET_OUTCOME_UNKNOWN;
    tercet_outcome told_by_cancel = TERCET_OUTCOME_UNKNOWN;
    bool stored = false; // told that it cannot be lost
};

std::string ParticipantName(int i);
std::string GidPrefix(uint64_t seed, int cycle);
std::vector<Payment> DrawPayments(uint64_t seed, int cycle);

class Crowd
{
  public:
    explicit Crowd(const std::string &target);
    ~Crowd();
    Crowd(const Crowd &) = delete;
    Crowd &operator=(const Crowd &) = delete;

    // All at once; returns when all are answered.  `told` is called after each, on any thread.
    void Pay(std::vector<Payment> *payments, const std::function<void(const Payment &)> &told);

    // Asks until all have ended, makes sure of those that nobody knows, and compares with what was
    // told.  A sentence when something is wrong, else "".
    std::string Settle(const std::vector<Payment> &payments,
                       std::vector<tercet_outcome> *final_out);

    // The outcome as it is told now.
    tercet_outcome Ask(const std::string &gid);

  private:
    void Execute(Payment *payment);
    void Steps(Payment *payment);
    std::string SettleOne(const Payment &payment, tercet_outcome *final_out);

    tercet_client *client_ = nullptr;
};

} // namespace campaign

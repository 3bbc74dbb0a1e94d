// crowd.h -- initiators that outlive every kill: what they asked for and what they were told.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "kill/stage.h"
#include "tercet/client.h"

namespace kill_campaign
{

struct Move {
    int participant;
    std::string payload;
};

struct Payment {
    std::string gid;
    std::vector<Move> moves;
    tercet_wait wait = TERCET_WAIT_DECISION;
    uint32_t try_timeout_ms = 0;
    bool cancelled_too = false; // a Cancel was sent at the same time
    tercet_outcome told = TERCET_OUTCOME_UNKNOWN;
    std::string text;
};

class Crowd
{
  public:
    Crowd(const std::string &target, uint64_t seed);
    ~Crowd();
    Crowd(const Crowd &) = delete;
    Crowd &operator=(const Crowd &) = delete;

    // Some payments at once; returns when all are answered.  Any thread.
    std::vector<Payment> Pay(int count, int cycle);

    // Asks for each until it has ended, and compares with what was told.  False: `finding_out`.
    bool Settle(const std::vector<Payment> &payments, std::vector<tercet_outcome> *final_out,
                std::string *finding_out);

  private:
    Payment Draw(int cycle, int i);
    void Execute(Payment *payment);

    tercet_client *client_ = nullptr;
    std::mutex mutex_; // for random_
    std::mt19937_64 random_;
    std::atomic<int> refused_cancels_{0};
};

} // namespace kill_campaign

// cycles.h -- the campaign: cycle after cycle, each judged; several worlds at a time.
//
// A world has a directory, processes and books of its own, and a thread that starts its processes.  Most
// of a cycle is waiting: for processes that start, connections that come back, the disk.  So more worlds
// than processors share the cycles among them; each takes the next one that nobody has.
#pragma once

#include <chrono>
#include <mutex>
#include <utility>

#include "campaign/counts.h"
#include "campaign/stage.h"

namespace campaign
{

struct Options {
    int cycles = 30;
    double minutes = 0;
    uint64_t seed = 1;
    int first = 0; // cycle
    int jobs = 1;  // worlds at a time
    bool json = false;
    std::string directory = "/tmp";
    std::string self;
};

// Of all worlds: which cycle is next, what was counted.
class Campaign
{
  public:
    explicit Campaign(const Options &given) : options(given) {}

    // False after the first finding, which was printed.
    bool Run();

    // False: there is none any more.
    bool Next(int *cycle_out);
    void Add(const Counts &counts);
    void Found(); // a world has a finding: no cycle begins any more

    const Options &options;

  private:
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start_ = Clock::now();
    std::mutex mutex_; // of all below
    Counts counts_;
    int begun_ = 0;
    int findings_ = 0;
};

// Told by one thread, waited for by another.
class Done
{
  public:
    Done();
    ~Done();
    Done(const Done &) = delete;
    Done &operator=(const Done &) = delete;

    void Tell();
    bool IsTold() const;
    void Forget();
    int Told() const // can be read from when it is told
    {
        return event_;
    }

  private:
    int event_;
};

// One world.
class Cycles
{
  public:
    explicit Cycles(Campaign *campaign);

    // Until there is no cycle any more, or its first finding, which is printed.
    void Run();

  private:
    std::string One(int cycle);
    std::string Watch(const Plan &plan, bool strikes, const std::function<bool()> &done, int told);
    std::string ReadTold(std::vector<Payment> *payments);
    std::string CompareBooks(int cycle, const std::vector<Payment> &payments,
                             const std::vector<tercet_outcome> &outcomes);
    std::string AskAgain(int cycle);
    void Print(const std::string &finding, int cycle) const;

    Campaign *const campaign_;
    const Options &options_;
    Stage stage_;
    Crowd crowd_;
    Done done_;
    std::vector<std::pair<std::string, tercet_outcome>> ended_; // of all cycles, as it was told
    Counts counts_;
};

} // namespace campaign

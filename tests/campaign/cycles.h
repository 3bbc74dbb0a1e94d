// cycles.h -- the campaign: cycle after cycle, each judged.
#pragma once

#include <array>
#include <memory>
#include <utility>

#include "campaign/stage.h"

namespace campaign
{

struct Options {
    int cycles = 30;
    double minutes = 0;
    uint64_t seed = 1;
    int first = 0; // cycle
    bool json = false;
    std::string directory = "/tmp";
    std::string self;
};

class Cycles
{
  public:
    explicit Cycles(const Options &options);

    // False after the first finding, which was printed.
    bool Run();

  private:
    std::string One(int cycle);
    std::string Watch(const Plan &plan, bool strikes, const std::function<bool()> &done);
    std::string ReadTold(std::vector<Payment> *payments);
    std::string CompareBooks(int cycle, const std::vector<Payment> &payments,
                             const std::vector<tercet_outcome> &outcomes);
    std::string AskAgain(int cycle);
    void Report(double seconds, const std::string &finding, int cycle) const;

    const Options options_;
    Stage stage_;
    Crowd crowd_;
    std::vector<std::pair<std::string, tercet_outcome>> ended_; // of all cycles, as it was told
    std::array<int, static_cast<size_t>(Victim::COUNT)> by_victim_{};
    std::array<double, static_cast<size_t>(Victim::COUNT)> ms_{}; // taken by all of its cycles
    std::array<int64_t, 4> by_outcome_{};
    int cycles_ = 0;
    int64_t asked_again_ = 0;
};

} // namespace campaign

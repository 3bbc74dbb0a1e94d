// campaign.cc -- see campaign.h.
#include "simulation/campaign.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "simulation/world.h"

namespace simulation
{

bool RunSeed(uint64_t seed, const SeedOptions &options, Tally *tally, std::string *fault,
             uint64_t *hash)
{
    Dice dice(seed);
    Swarm swarm = DrawSwarm(dice);
    World world(swarm, seed, options.print, *tally);
    world.PlanActs();
    const bool fine = world.Run();
    *fault = world.fault();
    *hash = world.hash();
    return fine;
}

namespace
{

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begun)
{
    return std::chrono::duration<double>(Clock::now() - begun).count();
}

struct Shared {
    explicit Shared(const CampaignOptions &given) : options(given) {}
    const CampaignOptions &options;
    Clock::time_point begun = Clock::now();
    std::atomic<uint64_t> next{0};
    std::atomic<bool> stop{false};
    std::mutex mutex; // of the result
    CampaignResult result;
};

void Work(Shared *shared)
{
    Tally tally;
    SeedOptions options;
    for (;;) {
        const uint64_t at = shared->next.fetch_add(1);
        const bool late = shared->options.minutes > 0 &&
                          SecondsSince(shared->begun) > shared->options.minutes * 60;
        if (at >= shared->options.seeds || shared->stop || late) {
            break;
        }
        const uint64_t seed = shared->options.first_seed + at;
        std::string fault;
        uint64_t hash = 0;
        if (!RunSeed(seed, options, &tally, &fault, &hash)) {
            const std::lock_guard<std::mutex> hold(shared->mutex);
            CampaignResult &result = shared->result;
            if (!result.failed || seed < result.failed_seed) {
                result.failed = true;
                result.failed_seed = seed;
                result.fault = fault;
            }
            shared->stop = true;
        }
    }
    const std::lock_guard<std::mutex> hold(shared->mutex);
    shared->result.tally.Add(tally);
}

} // namespace

CampaignResult RunCampaign(const CampaignOptions &options)
{
    Shared shared(options);
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < options.threads; i++) {
        threads.emplace_back(Work, &shared);
    }
    Work(&shared);
    for (std::thread &thread : threads) {
        thread.join();
    }
    shared.result.seconds = SecondsSince(shared.begun);
    return shared.result;
}

} // namespace simulation

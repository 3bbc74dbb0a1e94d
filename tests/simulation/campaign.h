// campaign.h -- many seeds, one after another, on as many threads as wanted.
#pragma once

#include <cstdint>
#include <string>

#include "simulation/tally.h"

namespace simulation
{

struct CampaignOptions {
    uint64_t first_seed = 1;
    uint64_t seeds = 1000;
    double minutes = 0; // stop after so long, however many seeds are left; 0: never
    unsigned threads = 1;
};

struct CampaignResult {
    Tally tally;
    bool failed = false;
    uint64_t failed_seed = 0; // the lowest
    std::string fault;
    double seconds = 0;
};

// One world.  True: nothing was found.
struct SeedOptions {
    bool print = false;
};
bool RunSeed(uint64_t seed, const SeedOptions &options, Tally *tally, std::string *fault,
             uint64_t *hash);

CampaignResult RunCampaign(const CampaignOptions &options);

int RunCommand(int argc, char **argv);

} // namespace simulation

// counts.h -- what a campaign did, added up over its worlds.
#pragma once

#include <array>
#include <cstdint>

#include "campaign/plan.h"
#include "tercet/client.h"

namespace campaign
{

struct Counts {
    int cycles = 0, kills = 0, deaths_at_failpoint = 0, failed_writes = 0, backups = 0;
    int64_t asked_again = 0; // of payments of earlier cycles
    std::array<int, static_cast<size_t>(Victim::COUNT)> by_victim{};
    std::array<double, static_cast<size_t>(Victim::COUNT)> ms{}; // taken by all of its cycles
    std::array<int64_t, 4> by_outcome{};

    int64_t Payments() const // that ended
    {
        return by_outcome[TERCET_OUTCOME_CONFIRMED] + by_outcome[TERCET_OUTCOME_CANCELLED] +
               by_outcome[TERCET_OUTCOME_NOT_STARTED];
    }
    void Add(const Counts &other)
    {
        cycles += other.cycles;
        kills += other.kills;
        deaths_at_failpoint += other.deaths_at_failpoint;
        failed_writes += other.failed_writes;
        backups += other.backups;
        asked_again += other.asked_again;
        for (size_t i = 0; i < by_victim.size(); i++) {
            by_victim[i] += other.by_victim[i];
            ms[i] += other.ms[i];
        }
        for (size_t i = 0; i < by_outcome.size(); i++) {
            by_outcome[i] += other.by_outcome[i];
        }
    }
    void PrintJson(uint64_t seed, double seconds, int findings) const;
};

} // namespace campaign

// tally.h -- what was done and what was done to it, over any number of worlds.
#pragma once

#include <cstdint>

#include "simulation/marks.h"
#include "spec/relation.h"

namespace simulation
{

// Name, and how it is written in the summary.
#define SIMULATION_COUNTS(COUNT)                                                                   \
    COUNT(worlds)                                                                                  \
    COUNT(transactions) /* whose BEGIN became durable */                                           \
    COUNT(confirmed)                                                                               \
    COUNT(cancelled)                                                                               \
    COUNT(requests)                                                                                \
    COUNT(calls)                                                                                   \
    COUNT(happenings)                                                                              \
    COUNT(simulated_ms)                                                                            \
    COUNT(coordinator_crashes)                                                                     \
    COUNT(crashes_in_recovery)                                                                     \
    COUNT(batches_kept)                                                                            \
    COUNT(batches_lost)                                                                            \
    COUNT(participant_crashes)                                                                     \
    COUNT(messages_lost)                                                                           \
    COUNT(messages_doubled)                                                                        \
    COUNT(partitions)                                                                              \
    COUNT(clock_jumps)                                                                             \
    COUNT(freezes)                                                                                 \
    COUNT(store_faults)                                                                            \
    COUNT(handler_faults)                                                                          \
    COUNT(garbage)                                                                                 \
    COUNT(initiators_died)                                                                         \
    COUNT(seats_lost)                                                                              \
    COUNT(databases_put_back)                                                                      \
    COUNT(journals_put_back)                                                                       \
    COUNT(listed)

struct Tally {
#define SIMULATION_COUNT_FIELD(name) uint64_t name = 0;
    SIMULATION_COUNTS(SIMULATION_COUNT_FIELD)
#undef SIMULATION_COUNT_FIELD
    MarkCounts marks{};
    std::array<uint64_t, spec::PAIR_COUNT> moves{}; // by spec::PairOf()

    void Hit(Mark mark)
    {
        marks[static_cast<size_t>(mark)]++;
    }
    void Add(const Tally &other)
    {
#define SIMULATION_COUNT_ADD(name) name += other.name;
        SIMULATION_COUNTS(SIMULATION_COUNT_ADD)
#undef SIMULATION_COUNT_ADD
        for (size_t i = 0; i < MARK_COUNT; i++) {
            marks[i] += other.marks[i];
        }
        for (size_t i = 0; i < spec::PAIR_COUNT; i++) {
            moves[i] += other.moves[i];
        }
    }
    uint64_t Faults() const
    {
        return coordinator_crashes + participant_crashes + messages_lost + messages_doubled +
               partitions + clock_jumps + freezes + store_faults + handler_faults + garbage +
               initiators_died + seats_lost + databases_put_back + journals_put_back;
    }
};

} // namespace simulation

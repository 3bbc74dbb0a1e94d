// random_test.cc -- whatever the world does, in whatever order, the master invariants hold: initiators that repeat, race
// and go away, participants that refuse, hang and answer twice, calls that arrive long after anybody
// waits for them, a disk that is slow, and a coordinator that is killed at any step and comes back
// from the records that were durable.
//
// TERCET_SEED chooses the first history, TERCET_RANDOM_HISTORIES how many there are; a failure names
// the seed of its history.
#include <gtest/gtest.h>

#include "unit/engine/random_world.h"

namespace tercet
{
namespace
{

uint64_t Number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == nullptr ? otherwise : strtoull(text, nullptr, 10);
}

TEST(Random, TheInvariantsHoldInEveryHistory)
{
    uint64_t first = Number("TERCET_SEED", 1);
    uint64_t count = Number("TERCET_RANDOM_HISTORIES", 12);
    engine_stats totals{};
    for (uint64_t seed = first; seed < first + count && !HasFailure(); seed++) {
        SCOPED_TRACE("TERCET_SEED=" + std::to_string(seed));
        RandomWorld(Dice(seed), totals).Run(20000, 500);
    }
    EXPECT_GT(totals.confirmed, count);
    EXPECT_GT(totals.cancelled, count);
    EXPECT_GT(totals.refused, count);
    RecordProperty("begun", std::to_string(totals.begun));
    RecordProperty("confirmed", std::to_string(totals.confirmed));
    RecordProperty("cancelled", std::to_string(totals.cancelled));
    RecordProperty("refused", std::to_string(totals.refused));
}

} // namespace
} // namespace tercet

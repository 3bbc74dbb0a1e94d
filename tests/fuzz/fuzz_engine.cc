// fuzz_engine.cc -- a history of the coordinator's engine, decided by arbitrary bytes.
//
// The world is that of tests/unit/engine/random_world.h: initiators, participants with fences, a network,
// a disk, clocks, kills.  Every byte decides what happens next in it: which event comes, which call
// arrives, is lost, doubled or late, what is answered, when the disk is done, when the coordinator dies
// and comes back from its records.  Where the bytes end everything comes to rest, and the oracle is the
// world's own: the invariants of ARCHITECTURE.md, and every assertion of the engine.
#include <gtest/gtest.h>

#include "unit/engine/random_world.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const bool prepared = [] {
        GTEST_FLAG_SET(throw_on_failure,
                       true); // prints what did not hold, then aborts: nobody catches
        return true;
    }();
    engine_stats totals{};
    tercet::RandomWorld(tercet::Dice(tercet_bytes_of(data, size)), totals).Run(4096, 500);
    return prepared ? 0 : 1;
}

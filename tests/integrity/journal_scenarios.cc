// journal_scenarios.cc -- the journals that are damaged, and the lives that are interrupted.
#include "integrity/journal_script.h"

namespace tercet
{
namespace
{

constexpr int64_t kYesterday = kScriptNow - kScriptDay;
constexpr int64_t kBefore = kScriptNow - 2 * kScriptDay;
constexpr int64_t kLongAgo = kScriptNow - 5 * kScriptDay;
constexpr int64_t kOthers = 1000;                  // transactions of the base, at most
constexpr int64_t kLater = kScriptNow + 20 * 1000; // the next pass of upkeep

Script OnlyOpen(uint64_t seed)
{
    Script script("open transactions, clean stop", seed);
    script.Init().Open().Write(20, 300).Do(Step::kSnapshot).Write(10, 300).Do(Step::kClose);
    script.Open().Write(15, 300).Do(Step::kSnapshot).Do(Step::kClose).Do(Step::kSnapshot);
    return script.Open().Write(15, 300).Do(Step::kClose);
}

Script EndedDays(uint64_t seed, bool killed)
{
    Script script(killed ? "ended, in three days, killed" : "ended, in three days, clean stop",
                  seed);
    script.Init().Open().Write(10, 200).Outcomes(6, kYesterday).Outcomes(5, kBefore);
    script.Do(Step::kSettle).Do(Step::kSnapshot).Write(5, 200).Outcomes(4, kYesterday);
    script.Do(Step::kSettle, kLater).Outcomes(3, kScriptNow - 120 * 1000).Do(Step::kClose);
    script.Open().Do(Step::kSettle).Do(Step::kSnapshot).Write(5, 200).Outcomes(3, kBefore);
    script.Do(Step::kSettle, kLater).Outcomes(2, kScriptNow).Write(5, 200).Do(Step::kSnapshot);
    return script.Write(3, 200).Do(killed ? Step::kKill : Step::kClose);
}

Script Generations(uint64_t seed, bool killed)
{
    Script script(killed ? "many logs and tables, killed" : "many logs and tables, clean stop",
                  seed);
    script.Init().Open().Write(30, 2500).Outcomes(8, kYesterday).Do(Step::kSettle);
    script.Do(Step::kSnapshot).Write(30, 2500).Do(Step::kClose);
    script.Open().Write(30, 2500).Do(Step::kSnapshot).Outcomes(8, kYesterday);
    script.Do(Step::kSettle, kLater).Write(12, 2500).Do(Step::kSnapshot).Write(3, 300);
    return script.Do(killed ? Step::kKill : Step::kClose);
}

// Days that were opened and not yet counted again: their links are there.
Script Uncounted(uint64_t seed)
{
    Script script("days not counted again, killed", seed);
    script.Init().Open().Write(5, 200).Outcomes(20, kYesterday).Outcomes(20, kBefore);
    script.Do(Step::kSettle).Do(Step::kSnapshot).Do(Step::kClose);
    return script.Open().Do(Step::kLook).Write(5, 200).Do(Step::kKill);
}

} // namespace

std::vector<Script> CorruptionScripts(uint64_t seed)
{
    return {OnlyOpen(seed),          EndedDays(seed, false), EndedDays(seed, true),
            Generations(seed, true), Uncounted(seed),        Generations(seed, false)};
}

std::vector<Scenario> FaultScenarios(uint64_t seed)
{
    const Script nothing("nothing", seed);

    Script init("init", seed);
    init.Init();

    Script empty("an empty journal", seed);
    empty.Init();
    Script running("running", seed + 1, kOthers);
    running.Open().Write(25, 3000).Outcomes(3, kScriptNow).Write(25, 3000).Do(Step::kClose);
    running.Open().Write(3, 300).Do(Step::kClose);

    Script killed("killed in the middle", seed + 2);
    killed.Init().Open().Write(20, 3000).Outcomes(6, kYesterday).Outcomes(3, kBefore);
    killed.Do(Step::kSettle).Write(10, 300).Do(Step::kKill);
    Script recovery("recovery", seed + 3, kOthers);
    recovery.Open().Do(Step::kLook).Do(Step::kSettle).Do(Step::kClose);

    Script ended("ended transactions", seed + 4);
    ended.Init().Open().Write(3, 300).Outcomes(5, kLongAgo).Do(Step::kSettle);
    ended.Outcomes(6, kYesterday).Write(2, 300).Do(Step::kClose);
    Script upkeep("upkeep", seed + 5, kOthers);
    upkeep.Open(3 * kScriptDay).Do(Step::kSettle).Outcomes(4, kBefore).Write(2, 300);
    upkeep.Do(Step::kSettle, kLater).Do(Step::kSettle, kLater + 90 * 1000).Write(2, 300);
    upkeep.Do(Step::kClose).Open(3 * kScriptDay).Do(Step::kSettle).Do(Step::kClose);

    Script life("a whole life", seed + 6);
    life.Init().Open(3 * kScriptDay).Write(12, 3000).Outcomes(4, kLongAgo).Outcomes(4, kYesterday);
    life.Do(Step::kSettle).Write(30, 3000).Do(Step::kClose).Open(3 * kScriptDay).Do(Step::kLook);
    life.Outcomes(3, kBefore).Do(Step::kSettle, kLater).Write(8, 300);
    life.Do(Step::kSettle, kLater + 90 * 1000).Write(3, 300).Do(Step::kClose);

    Script deaths("killed twice", seed + 7);
    deaths.Init().Open(3 * kScriptDay).Write(6, 3000).Outcomes(4, kYesterday).Do(Step::kSettle);
    deaths.Write(26, 3000).Do(Step::kKill).Open(3 * kScriptDay).Do(Step::kLook).Write(2, 300);
    deaths.Outcomes(3, kBefore).Do(Step::kSettle, kLater).Write(2, 300).Do(Step::kKill);
    deaths.Open(3 * kScriptDay).Do(Step::kSettle).Write(1, 300).Do(Step::kClose);

    return {{nothing, init}, {empty, running}, {killed, recovery},
            {ended, upkeep}, {nothing, life},  {nothing, deaths}};
}

} // namespace tercet

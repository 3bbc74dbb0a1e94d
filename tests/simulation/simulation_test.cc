// simulation_test.cc -- a modest number of seeds, and the simulator's own promises.
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "simulation/campaign.h"
#include "simulation/enumerate.h"
#include "simulation/moves.h"
#include "simulation/world.h"

namespace simulation
{
namespace
{

TEST(Simulation, NothingIsFoundInTheFirstSeeds)
{
    CampaignOptions options;
    options.seeds = 40;
    const CampaignResult result = RunCampaign(options);
    EXPECT_FALSE(result.failed) << "simulation --seed " << result.failed_seed
                                << " --trace: " << result.fault;
    EXPECT_GT(result.tally.transactions, 2000U);
    EXPECT_GT(result.tally.confirmed, 1000U);
    EXPECT_GT(result.tally.Faults(), 5000U);
}

TEST(Simulation, TheModelsMovesAreAllMadeButTheTwoThatAreNotPlayed)
{
    CampaignOptions options;
    options.seeds = 20;
    options.first_seed = 5000;
    const CampaignResult result = RunCampaign(options);
    const std::vector<spec::Move> moves = MovesToSee(spec::Relation::Model());
    EXPECT_EQ(21U, moves.size());
    for (const spec::Move &move : moves) {
        EXPECT_GT(result.tally.moves[spec::PairOf(move.kind, move.from, move.to)], 0U)
            << TextOf(move);
    }
}

TEST(Simulation, TheSameSeedIsTheSameHistory)
{
    for (uint64_t seed = 100; seed < 106; seed++) {
        Tally tally;
        std::string fault;
        uint64_t first = 0;
        uint64_t second = 0;
        EXPECT_TRUE(RunSeed(seed, {}, &tally, &fault, &first)) << fault;
        EXPECT_TRUE(RunSeed(seed, {}, &tally, &fault, &second)) << fault;
        EXPECT_EQ(first, second) << "seed " << seed;
    }
}

TEST(Simulation, AnotherSeedIsAnotherHistory)
{
    std::set<uint64_t> hashes;
    for (uint64_t seed = 200; seed < 205; seed++) {
        Tally tally;
        std::string fault;
        uint64_t hash = 0;
        EXPECT_TRUE(RunSeed(seed, {}, &tally, &fault, &hash)) << fault;
        hashes.insert(hash);
    }
    EXPECT_EQ(5U, hashes.size());
}

TEST(Simulation, ACalmWorldConfirmsWhatItsAccountsAfford)
{
    Tally tally;
    Swarm swarm = CalmSwarm();
    swarm.acts = 60;
    World world(swarm, 1, false, tally);
    world.PlanActs();
    EXPECT_TRUE(world.Run()) << world.fault();
    EXPECT_EQ(63U, tally.transactions) << "and three rounds";
    EXPECT_EQ(0U, tally.Faults());
    EXPECT_GT(tally.confirmed, 50U);
}

TEST(Simulation, AParticipantThatIsNeverReadyIsNoticed)
{
    Tally tally;
    Swarm swarm = CalmSwarm();
    swarm.acts = 5;
    World world(swarm, 1, false, tally);
    world.participant(0).Stall();
    world.participant(1).Stall();
    world.PlanActs();
    EXPECT_FALSE(world.Run());
    EXPECT_EQ(0U, world.fault().find("I8")) << world.fault();
}

TEST(Simulation, EveryMarkHasANameOfItsOwn)
{
    std::set<std::string> names;
    for (size_t i = 0; i < MARK_COUNT; i++) {
        names.insert(MarkName(static_cast<Mark>(i)));
    }
    EXPECT_EQ(MARK_COUNT, names.size());
    EXPECT_GE(MARK_COUNT, 30U);
}

// ---- The enumeration ----------------------------------------------------------------------------

TEST(Choices, AllCombinationsOnce)
{
    Choices choices;
    std::set<std::string> seen;
    do {
        const uint32_t first = choices.Choose(3);
        if (first != 1) {
            (void)choices.Choose(2); /* asked only sometimes */
        }
        EXPECT_TRUE(seen.insert(choices.Text()).second) << choices.Text();
    } while (choices.Next());
    EXPECT_EQ((std::set<std::string>{"00", "01", "1", "20", "21"}), seen);
}

TEST(Enumeration, WithoutACrashEveryStoryEndsAsItsNameSays)
{
    EnumerateOptions options;
    options.crashes = 0;
    const EnumerateResult result = Enumerate(options);
    EXPECT_EQ("", result.fault);
    EXPECT_EQ(16U, result.cases) << "4 stories, 1 to 4 branches";
    EXPECT_EQ(12U, result.tally.cancelled) << "all but the commits";
    EXPECT_EQ(4U + 3 * 16, result.tally.confirmed) << "the commits and the rounds";
}

TEST(Enumeration, EverySingleCrashOfUpToThreeBranches)
{
    EnumerateOptions options;
    options.crashes = 1;
    options.branches = 3;
    const EnumerateResult result = Enumerate(options);
    EXPECT_EQ("", result.fault);
    EXPECT_GT(result.cases, 300U);
    EXPECT_EQ(result.cases, result.tally.coordinator_crashes + 12)
        << "each case crashes once, but for the first of each story";
}

TEST(Enumeration, EveryPairOfCrashesOfOneConfirmedBranchParticipantsIncluded)
{
    EnumerateOptions options;
    options.branches = 1;
    options.only = Story::COMMIT;
    options.participants_die = true;
    const EnumerateResult result = Enumerate(options);
    EXPECT_EQ("", result.fault);
    EXPECT_GT(result.tally.participant_crashes, 100U);
}

// ---- The participants' disk ---------------------------------------------------------------------

class DiskTest : public ::testing::Test
{
  protected:
    void Commit(const char *key, const char *value)
    {
        byte_map changes{};
        const tercet_bytes name = tercet_bytes_of_text(key);
        const tercet_bytes bytes = tercet_bytes_of_text(value == nullptr ? "" : value);
        free(byte_map_exchange(&changes, name,
                               byte_map_entry_create(name, value == nullptr ? nullptr : &bytes)));
        EXPECT_EQ(TERCET_OK, Disk::Backend()->apply(&disk, &changes, nullptr));
        byte_map_deinit(&changes);
    }
    std::string Read(const char *key)
    {
        const tercet_bytes value = disk.Read(tercet_bytes_of_text(key));
        return value.data == nullptr
                   ? "-"
                   : std::string(static_cast<const char *>(value.data), value.size);
    }
    Disk disk;
};

TEST_F(DiskTest, ACrashTakesBackTheNewestCommits)
{
    Commit("a", "1");
    disk.Sync([](tercet_bytes) {});
    Commit("a", "2");
    Commit("b", "1");
    Commit("a", nullptr);
    EXPECT_EQ("-", Read("a"));
    EXPECT_EQ(3U, disk.unsynced());
    disk.Crash(1);
    EXPECT_EQ("2", Read("a"));
    EXPECT_EQ("-", Read("b"));
    disk.Crash(0);
    EXPECT_EQ("1", Read("a"));
}

TEST_F(DiskTest, WhatIsSyncedStaysAndIsTold)
{
    std::vector<std::string> told;
    Commit("a", "1");
    Commit("b", "1");
    disk.Sync([&](tercet_bytes key) {
        told.emplace_back(static_cast<const char *>(key.data), key.size);
    });
    disk.Crash(0);
    EXPECT_EQ("1", Read("a"));
    EXPECT_EQ((std::vector<std::string>{"a", "b"}), told);
}

} // namespace
} // namespace simulation

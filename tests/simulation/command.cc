// command.cc -- the command line and the summary; RunCommand() of campaign.h.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "simulation/campaign.h"
#include "simulation/enumerate.h"
#include "simulation/moves.h"

namespace simulation
{
namespace
{

struct Command {
    CampaignOptions campaign;
    EnumerateOptions enumerate;
    bool one = false; // --seed
    uint64_t seed = 0;
    bool trace = false;
    bool json = false;
    bool require_marks = false;
    bool enumerates = false;
    std::string replay; // --case
};

int Usage()
{
    fprintf(stderr,
            "simulation --seeds N [--first-seed N] [--minutes M] [--threads N] [--require-marks] "
            "[--json]\n"
            "simulation --seed N [--trace]\n"
            "simulation --enumerate [--crashes N] [--branches N] [--story NAME] [--participants] "
            "[--json]\n"
            "simulation --enumerate --story NAME --branches N --crashes N --case DIGITS\n");
    return 2;
}

bool ReadCommand(int argc, char **argv, Command *command)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        const char *value = i + 1 < argc ? argv[i + 1] : nullptr;
        const uint64_t number = value == nullptr ? 0 : strtoull(value, nullptr, 10);
        if (strcmp(name, "--trace") == 0) {
            command->trace = true;
        } else if (strcmp(name, "--json") == 0) {
            command->json = true;
        } else if (strcmp(name, "--require-marks") == 0) {
            command->require_marks = true;
        } else if (strcmp(name, "--enumerate") == 0) {
            command->enumerates = true;
        } else if (strcmp(name, "--participants") == 0) {
            command->enumerate.participants_die = true;
        } else if (value == nullptr) {
            return false;
        } else if (strcmp(name, "--seeds") == 0) {
            command->campaign.seeds = number;
            i++;
        } else if (strcmp(name, "--first-seed") == 0) {
            command->campaign.first_seed = number;
            i++;
        } else if (strcmp(name, "--minutes") == 0) {
            command->campaign.minutes = strtod(value, nullptr);
            i++;
        } else if (strcmp(name, "--threads") == 0) {
            command->campaign.threads = number == 0 ? 1 : static_cast<unsigned>(number);
            i++;
        } else if (strcmp(name, "--seed") == 0) {
            command->one = true;
            command->seed = number;
            i++;
        } else if (strcmp(name, "--crashes") == 0) {
            command->enumerate.crashes = static_cast<uint32_t>(number);
            i++;
        } else if (strcmp(name, "--branches") == 0) {
            command->enumerate.branches = static_cast<uint32_t>(number);
            i++;
        } else if (strcmp(name, "--story") == 0) {
            command->enumerate.only = FindStory(value);
            if (command->enumerate.only == Story::COUNT) {
                return false;
            }
            i++;
        } else if (strcmp(name, "--case") == 0) {
            command->replay = value;
            i++;
        } else {
            return false;
        }
    }
    return command->replay.empty() || command->enumerate.only != Story::COUNT;
}

int RunOne(const Command &command)
{
    Tally tally;
    std::string fault;
    uint64_t hash = 0;
    SeedOptions options;
    options.print = command.trace;
    const bool fine = RunSeed(command.seed, options, &tally, &fault, &hash);
    printf("seed %" PRIu64 ": %s%s, hash %016" PRIx64 ", %" PRIu64 " transactions, %" PRIu64
           " faults\n",
           command.seed, fine ? "fine" : "FAILED, ", fault.c_str(), hash, tally.transactions,
           tally.Faults());
    return fine ? 0 : 1;
}

uint64_t TimesMade(const Tally &tally, const spec::Move &move)
{
    return tally.moves[spec::PairOf(move.kind, move.from, move.to)];
}

void PrintText(const CampaignResult &result)
{
    const Tally &tally = result.tally;
#define SIMULATION_COUNT_PRINT(name) printf("%-22s %12" PRIu64 "\n", #name, tally.name);
    SIMULATION_COUNTS(SIMULATION_COUNT_PRINT)
#undef SIMULATION_COUNT_PRINT
    printf("%-22s %12" PRIu64 "\n%-22s %12.1f\n%-22s %12.0f\n", "faults", tally.Faults(), "seconds",
           result.seconds, "transactions/s",
           static_cast<double>(tally.transactions) / result.seconds);
    for (size_t i = 0; i < MARK_COUNT; i++) {
        printf("  %-34s %12" PRIu64 "\n", MarkName(static_cast<Mark>(i)), tally.marks[i]);
    }
    for (const spec::Move &move : MovesToSee(spec::Relation::Model())) {
        printf("  %-34s %12" PRIu64 "\n", TextOf(move).c_str(), TimesMade(tally, move));
    }
}

void PrintJson(const CampaignResult &result)
{
    const Tally &tally = result.tally;
    size_t reached = 0;
    for (const uint64_t count : tally.marks) {
        reached += count > 0 ? 1 : 0;
    }
    const std::vector<spec::Move> moves = MovesToSee(spec::Relation::Model());
    size_t made = 0;
    for (const spec::Move &move : moves) {
        made += TimesMade(tally, move) > 0 ? 1 : 0;
    }
    printf("{\"failed\": %s", result.failed ? "true" : "false");
#define SIMULATION_COUNT_PRINT(name) printf(", \"" #name "\": %" PRIu64, tally.name);
    SIMULATION_COUNTS(SIMULATION_COUNT_PRINT)
#undef SIMULATION_COUNT_PRINT
    printf(", \"faults\": %" PRIu64 ", \"seconds\": %.1f, \"transactions_per_second\": %.0f, "
           "\"marks\": %zu, \"marks_reached\": %zu, \"moves\": %zu, \"moves_made\": %zu}\n",
           tally.Faults(), result.seconds, static_cast<double>(tally.transactions) / result.seconds,
           MARK_COUNT, reached, moves.size(), made);
}

// Names the marks never reached and the moves of the model never made.
int PrintMissing(const Tally &tally)
{
    int missing = 0;
    for (size_t i = 0; i < MARK_COUNT; i++) {
        if (tally.marks[i] == 0) {
            printf("never reached: %s\n", MarkName(static_cast<Mark>(i)));
            missing++;
        }
    }
    for (const spec::Move &move : MovesToSee(spec::Relation::Model())) {
        if (TimesMade(tally, move) == 0) {
            printf("never made: %s\n", TextOf(move).c_str());
            missing++;
        }
    }
    return missing;
}

int RunMany(const Command &command)
{
    const CampaignResult result = RunCampaign(command.campaign);
    if (command.json) {
        PrintJson(result);
    } else {
        PrintText(result);
    }
    if (result.failed) {
        printf("FAILED with seed %" PRIu64 ": %s\nreplay: simulation --seed %" PRIu64 " --trace\n",
               result.failed_seed, result.fault.c_str(), result.failed_seed);
        return 1;
    }
    return command.require_marks && PrintMissing(result.tally) > 0 ? 1 : 0;
}

int RunCase(const Command &command)
{
    std::string fault;
    const bool fine = ReplayCase(command.enumerate, command.replay, &fault);
    printf("%s%s\n", fine ? "fine" : "FAILED: ", fault.c_str());
    return fine ? 0 : 1;
}

int RunEnumeration(const Command &command)
{
    if (!command.replay.empty()) {
        return RunCase(command);
    }
    const EnumerateResult result = Enumerate(command.enumerate);
    if (command.json) {
        printf("{\"failed\": %s, \"cases\": %" PRIu64 ", \"crashes\": %" PRIu64 "}\n",
               result.fault.empty() ? "false" : "true", result.cases,
               result.tally.coordinator_crashes);
    } else {
        printf("%s%" PRIu64 " cases, %" PRIu64 " crashes of the coordinator, %" PRIu64
               " of participants\n",
               result.report.c_str(), result.cases, result.tally.coordinator_crashes,
               result.tally.participant_crashes);
    }
    if (!result.fault.empty()) {
        printf("FAILED: %s\n", result.fault.c_str());
        return 1;
    }
    return 0;
}

} // namespace

int RunCommand(int argc, char **argv)
{
    Command command;
    if (!ReadCommand(argc, argv, &command)) {
        return Usage();
    }
    if (command.enumerates) {
        return RunEnumeration(command);
    }
    return command.one ? RunOne(command) : RunMany(command);
}

} // namespace simulation

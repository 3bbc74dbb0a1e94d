// io_sweep.cc -- the n-th file call of a process fails, for every n; then a process without faults
// opens what is left.  A fault that passes never damages a directory, so that process must find all
// that was acknowledged, and the one before may complain but not of damage: behind that exit code no
// supervisor starts it again.
//
// A case's number is scenario, fault, n: (scenario * kFaults + fault) * kCallsMax + n.
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "integrity/io_shim.h"
#include "integrity/journal_check.h"
#include "integrity/sweeps.h"

namespace tercet
{
namespace
{

constexpr int64_t kFaults = SHIM_FAULT_COUNT;
constexpr int64_t kCallsMax = 100000;
constexpr int64_t kMoreCalls = 10; // than a run without faults made: threads differ a little

struct Bench {
    std::vector<Scenario> scenarios;
    std::vector<Image> bases;

    explicit Bench(const SweepOptions &options) : scenarios(FaultScenarios(options.seed))
    {
        auto *progress = Shared<Progress>();
        for (const Scenario &scenario : scenarios) {
            const std::string directory = options.directory + "/base" + scenario.script.name();
            Prepare(scenario.base, directory, progress);
            bases.push_back(ReadImage(directory));
        }
    }
};

struct Watch {
    struct shim *shim = static_cast<struct shim *>(SharedMemory(sizeof(struct shim)));
    Progress *progress = Shared<Progress>();

    Ended Run(const Scenario &scenario, const Image &base, const std::string &directory, int fault,
              int64_t at)
    {
        const std::string path = directory + "/j";
        if (base.files.empty()) {
            WriteImage({}, path);
        } else {
            WriteImage(base, path);
        }
        *shim = {};
        snprintf(shim->root, sizeof shim->root, "%s", path.c_str());
        shim->fault = fault;
        shim->at = at;
        new (progress) Progress();
        Ended ended;
        do {
            ended = RunForked(directory + "/faulted", [&] {
                shim_watch(shim);
                RunScript(scenario.script, path, progress);
                return 0;
            });
        } while (ended.code == -SIGKILL && !ended.hung); // the script says so
        return ended;
    }
};

// How the process that met the fault ended.
std::string Complaint(const Ended &ended)
{
    if (ended.hung) {
        return "hung";
    }
    if (ended.code == 0 || ended.code == kDamageCode) {
        return "";
    }
    if (ended.code == kRefusalCode || ended.code == 74) {
        return ended.text.size() > 30 ? "" : "it left without a word";
    }
    return "ended with " + std::to_string(ended.code) + ": " + ended.text;
}

// What a process without faults finds.  A new journal that was not made may be made again.
Result Look(const Scenario &scenario, const Watch &watch, const std::string &directory)
{
    const int64_t acknowledged = watch.progress->acknowledged;
    const Expected expected = {scenario.After(acknowledged), scenario.After(watch.progress->begun)};
    static auto *const found = Shared<Result>();
    const Ended ended = RunForked(directory + "/looked", [&] {
        *found = CheckJournal(directory + "/j", expected);
        if (found->of == Class::kNoJournal) {
            Progress again;
            Script init("init again", 1);
            RunScript(init.Init(), directory + "/j", &again);
        }
        return 0;
    });
    if (ended.hung) {
        return MakeResult(Class::kHung, "the look");
    }
    if (ended.code == 74) {
        return MakeResult(Class::kRefusedLater, ended.text);
    }
    if (ended.code != 0) {
        return MakeResult(Class::kCrashed,
                          "the look ended with " + std::to_string(ended.code) + ": " + ended.text);
    }
    return *found;
}

Result RunCase(const Bench &bench, int64_t number, const std::string &directory)
{
    static Watch watch;
    const auto scenario = static_cast<size_t>(number / kCallsMax / kFaults);
    const int fault = static_cast<int>(number / kCallsMax % kFaults);
    const Ended ended = watch.Run(bench.scenarios[scenario], bench.bases[scenario], directory,
                                  fault, number % kCallsMax);
    const std::string what = bench.scenarios[scenario].script.name() + ", " +
                             shim_fault_name(fault) + " at call " +
                             std::to_string(number % kCallsMax) + ", " + watch.shim->hit;
    if (watch.shim->hits == 0) {
        return MakeResult(Class::kNoFault, what);
    }
    const std::string complaint = Complaint(ended);
    if (!complaint.empty()) {
        return MakeResult(ended.hung ? Class::kHung : Class::kCrashed, what + ": " + complaint);
    }
    if (ended.code == kDamageCode) {
        return MakeResult(Class::kCriedDamage, what + ": " + ended.text);
    }
    Result found = Look(bench.scenarios[scenario], watch, directory);
    if (found.of == Class::kRefused || found.of == Class::kRefusedLater) {
        found.of = Class::kForEver;
    }
    return MakeResult(found.of, what + " (exit " + std::to_string(ended.code) + "): " + found.text);
}

// Every call of every scenario, with every fault that is asked for.
std::vector<int64_t> Numbers(const Bench &bench, const SweepOptions &options)
{
    std::vector<int64_t> numbers;
    Watch watch;
    for (size_t scenario = 0; scenario < bench.scenarios.size(); scenario++) {
        printf("%s:", bench.scenarios[scenario].script.name().c_str());
        for (int fault = SHIM_EIO; fault < SHIM_FAULT_COUNT; fault++) {
            if (fault != SHIM_EIO && !options.whole) {
                continue;
            }
            const Ended ended = watch.Run(bench.scenarios[scenario], bench.bases[scenario],
                                          options.directory, fault, 0);
            if (ended.code != 0) {
                fprintf(stderr, "without a fault it ended with %d: %s\n", ended.code,
                        ended.text.c_str());
                _exit(70);
            }
            printf(" %s %lld", shim_fault_name(fault), static_cast<long long>(watch.shim->count));
            for (int64_t n = 1; n <= watch.shim->count + kMoreCalls; n++) {
                numbers.push_back((static_cast<int64_t>(scenario) * kFaults + fault) * kCallsMax +
                                  n);
            }
        }
        printf(" calls\n");
    }
    return numbers;
}

} // namespace

int SweepFaults(const SweepOptions &options)
{
    const Bench bench(options);
    std::vector<int64_t> numbers;
    if (options.only >= 0) {
        numbers.push_back(options.only);
    } else {
        numbers = Numbers(bench, options);
    }
    std::vector<std::string> rows;
    for (const Scenario &scenario : bench.scenarios) {
        for (int fault = 0; fault < SHIM_FAULT_COUNT; fault++) {
            rows.push_back(scenario.script.name() + ", " + shim_fault_name(fault));
        }
    }
    Sweep sweep;
    const auto all = static_cast<int64_t>(numbers.size());
    sweep.count = options.cases > 0 && options.cases < all ? options.cases : all;
    const int64_t count = sweep.count;
    const auto nth = [&, all, count](int64_t i) { // evenly over all of them
        return numbers[static_cast<size_t>(i * all / count)];
    };
    sweep.run = [&](int64_t i, const std::string &directory) {
        return RunCase(bench, nth(i), directory);
    };
    sweep.kind_of = [&](int64_t i) { return static_cast<uint32_t>(nth(i) / kCallsMax); };
    sweep.number_of = nth;
    return RunAndTell(&sweep, options, rows);
}

} // namespace tercet

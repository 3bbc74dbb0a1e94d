// integrity_sweep -- shows that the journal refuses or is complete, and never silently less:
//   integrity_sweep corruption|io|power [--cases N] [--minutes M] [--seed S] [--case K] [--jobs J]
//                                       [--whole] [--json]
// README.md tells what each does.
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "integrity/sweeps.h"
#include "integrity/tally.h"

namespace tercet
{
namespace
{

constexpr int64_t kToldMax = 20;
constexpr int64_t kRoundCases = 20000; // results are kept of one round only

// Below shared memory's tmpfs where there is one: a case is a directory of some twenty files.
std::string MakeDirectory()
{
    const bool memory = access("/dev/shm", W_OK) == 0;
    std::string pattern =
        (memory ? std::string("/dev/shm") : std::filesystem::temp_directory_path().string()) +
        "/tercet-integrity-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) {
        perror(pattern.c_str());
        _exit(70);
    }
    return pattern;
}

int Usage()
{
    fprintf(stderr,
            "usage: integrity_sweep corruption|io|power [--cases N] [--minutes M] [--seed S] "
            "[--case K] [--jobs J] [--whole] [--json] [--tell TEXT] [--history FILE]\n");
    return 64;
}

bool Parse(int count, char **arguments, SweepOptions *options)
{
    options->program = arguments[0];
    if (count < 2) {
        return false;
    }
    options->name = arguments[1];
    if (const char *cases = getenv("TERCET_CASES")) {
        options->cases = strtoll(cases, nullptr, 0);
    }
    for (int i = 2; i < count; i++) {
        const std::string name = arguments[i];
        if (name == "--whole") {
            options->whole = true;
            continue;
        }
        if (name == "--json") {
            options->json = true;
            continue;
        }
        if (i + 1 == count) {
            return false;
        }
        const char *value = arguments[++i];
        if (name == "--cases") {
            options->cases = strtoll(value, nullptr, 0);
        } else if (name == "--minutes") {
            options->minutes = strtod(value, nullptr);
        } else if (name == "--seed") {
            options->seed = strtoull(value, nullptr, 0);
        } else if (name == "--case") {
            options->only = strtoll(value, nullptr, 0);
        } else if (name == "--jobs") {
            options->jobs = static_cast<int>(strtol(value, nullptr, 0));
        } else if (name == "--tell") {
            options->tell = value;
        } else if (name == "--history") {
            options->history = value;
        } else {
            return false;
        }
    }
    const bool has_an_end = options->name == "io";
    return options->jobs > 0 && !(has_an_end && options->minutes > 0);
}

} // namespace

void Prepare(const Script &script, const std::string &directory, Progress *progress)
{
    new (progress) Progress();
    const Ended ended = RunForked(directory + ".stderr", [&] {
        RunScript(script, directory, progress);
        return 0;
    });
    const bool killed = !script.steps.empty() && script.steps.back().kind == Step::kKill;
    if (ended.code != (killed ? -9 : 0)) {
        fprintf(stderr, "cannot prepare \"%s\": ended with %d: %s\n", script.name().c_str(),
                ended.code, ended.text.c_str());
        _exit(70);
    }
}

namespace
{

bool IsTold(const Result &result, const SweepOptions &options)
{
    return !options.tell.empty() && strstr(result.text, options.tell.c_str()) != nullptr;
}

void TellCase(const Result &result, int64_t number, const SweepOptions &options)
{
    printf("%s: %s\n  again: %s %s --seed %llu --case %lld%s\n", ClassName(result.of), result.text,
           options.program.c_str(), options.name.c_str(),
           static_cast<unsigned long long>(options.seed), static_cast<long long>(number),
           options.history.empty() ? "" : (" --history " + options.history).c_str());
}

// Runs one round of it; what it found is added to `tally`.
void RunRound(Sweep *sweep, const SweepOptions &options, Tally *tally)
{
    sweep->Run();
    for (int64_t i = 0; i < sweep->count; i++) {
        const Result &result = sweep->results[i];
        if (result.of == Class::kNone) {
            continue; // the time was over
        }
        tally->Add(result);
        if (options.only >= 0 || IsTold(result, options) ||
            (IsFailure(result.of) && tally->failures() <= kToldMax)) {
            TellCase(result, options.only >= 0 ? options.only : sweep->number_of(sweep->first + i),
                     options);
        }
    }
}

} // namespace

int RunAndTell(Sweep *sweep, const SweepOptions &options, const std::vector<std::string> &rows)
{
    const auto began = std::chrono::steady_clock::now();
    const int64_t all = sweep->count;
    Tally tally;
    sweep->jobs = options.jobs;
    sweep->directory = options.directory;
    if (options.minutes > 0) {
        sweep->stop_at_s = SecondsNow() + static_cast<int64_t>(options.minutes * 60);
    }
    for (int64_t done = 0; done < all && SecondsNow() < sweep->stop_at_s; done += kRoundCases) {
        sweep->count = std::min(all - done, kRoundCases);
        RunRound(sweep, options, &tally);
        sweep->first += kRoundCases;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    tally.Print(rows, kToldMax);
    printf("%lld cases, %lld failures, %.1f s, seed %llu\n", static_cast<long long>(tally.cases()),
           static_cast<long long>(tally.failures()), took.count(),
           static_cast<unsigned long long>(options.seed));
    if (options.json) {
        tally.PrintJson(options.name, options.seed, took.count());
    }
    return tally.failures() == 0 ? 0 : 1;
}

} // namespace tercet

int main(int count, char **arguments)
{
    tercet::SweepOptions options;
    if (!tercet::Parse(count, arguments, &options)) {
        return tercet::Usage();
    }
    options.directory = tercet::MakeDirectory();
    int code = 64;
    if (options.name == "corruption") {
        code = tercet::SweepCorruption(options);
    } else if (options.name == "io") {
        code = tercet::SweepFaults(options);
    } else if (options.name == "power") {
        code = tercet::SweepPowerLoss(options);
    } else {
        code = tercet::Usage();
    }
    std::filesystem::remove_all(options.directory);
    return code;
}

// integrity_sweep -- shows that the journal refuses or is complete, and never silently less:
//   integrity_sweep corruption|io|power [--cases N] [--seed S] [--case K] [--jobs J] [--whole]
// README.md tells what each does.
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>

#include "integrity/sweeps.h"

namespace tercet
{
namespace
{

constexpr size_t kToldMax = 20;

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
    fprintf(stderr, "usage: integrity_sweep corruption|io|power [--cases N] [--seed S] [--case K] "
                    "[--jobs J] [--whole] [--tell TEXT] [--history FILE]\n");
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
        if (i + 1 == count) {
            return false;
        }
        const char *value = arguments[++i];
        if (name == "--cases") {
            options->cases = strtoll(value, nullptr, 0);
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
    return options->jobs > 0;
}

using Table = std::map<uint32_t, std::vector<int64_t>>;

void PrintTable(const Table &table, const std::vector<std::string> &rows)
{
    std::vector<int64_t> sums(static_cast<size_t>(Class::kCount));
    for (const auto &row : table) {
        for (size_t i = 0; i < sums.size(); i++) {
            sums[i] += row.second[i];
        }
    }
    const auto print = [&](const std::string &name, const std::vector<int64_t> &counts) {
        printf("%-44s", name.c_str());
        for (size_t i = 0; i < sums.size(); i++) {
            if (sums[i] > 0 || i == static_cast<size_t>(Class::kSilent)) {
                printf(" %13lld", static_cast<long long>(counts[i]));
            }
        }
        printf("\n");
    };
    printf("%-44s", "");
    for (size_t i = 0; i < sums.size(); i++) {
        if (sums[i] > 0 || i == static_cast<size_t>(Class::kSilent)) {
            printf(" %13s", ClassName(static_cast<Class>(i)));
        }
    }
    printf("\n");
    for (const auto &row : table) {
        print(rows[row.first], row.second);
    }
    print("all", sums);
}

bool IsTold(const Result &result, const SweepOptions &options)
{
    return !options.tell.empty() && strstr(result.text, options.tell.c_str()) != nullptr;
}

// Why it was refused, without what differs from case to case.
std::string ReasonOf(const Result &result)
{
    std::string text = result.text;
    const size_t begin = text.find("not opened: ");
    const size_t field = text.find("\"text\":");
    text = begin != std::string::npos   ? text.substr(begin + 12)
           : field != std::string::npos ? text.substr(field + 7)
                                        : text;
    std::string reason;
    for (size_t i = 0; i < text.size() && text[i] != ';' && text[i] != '\n'; i++) {
        if (text[i] == '/' && text.compare(i, 5, "/dev/") == 0) {
            i = text.find("/j/", i) == std::string::npos ? i : text.find("/j/", i) + 2;
        }
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (!digit) {
            reason += text[i];
        } else if (reason.empty() || reason.back() != 'N') {
            reason += 'N';
        }
    }
    return reason;
}

void PrintReasons(const Sweep &sweep)
{
    std::map<std::string, int64_t> counts;
    for (int64_t i = 0; i < sweep.count; i++) {
        const Class of = sweep.results[i].of;
        if (of == Class::kRefused || of == Class::kRefusedLater) {
            counts[std::string(ClassName(of)) + ": " + ReasonOf(sweep.results[i])]++;
        }
    }
    std::vector<std::pair<int64_t, std::string>> most;
    for (const auto &reason : counts) {
        most.emplace_back(-reason.second, reason.first);
    }
    std::sort(most.begin(), most.end());
    for (size_t i = 0; i < most.size() && i < kToldMax; i++) {
        printf("%8lld %s\n", static_cast<long long>(-most[i].first), most[i].second.c_str());
    }
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

int RunAndTell(Sweep *sweep, const SweepOptions &options, const std::vector<std::string> &rows)
{
    const auto began = std::chrono::steady_clock::now();
    sweep->jobs = options.jobs;
    sweep->directory = options.directory;
    sweep->Run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    Table table;
    int64_t failures = 0;
    for (int64_t i = 0; i < sweep->count; i++) {
        const Result &result = sweep->results[i];
        std::vector<int64_t> &row = table[result.kind];
        row.resize(static_cast<size_t>(Class::kCount));
        row[static_cast<size_t>(result.of)]++;
        if (IsFailure(result.of)) {
            failures++;
        }
        if (options.only >= 0 || IsTold(result, options) ||
            (IsFailure(result.of) && failures <= static_cast<int64_t>(kToldMax))) {
            const int64_t number = options.only >= 0 ? options.only : sweep->number_of(i);
            printf("%s: %s\n  again: %s %s --seed %llu --case %lld%s\n", ClassName(result.of),
                   result.text, options.program.c_str(), options.name.c_str(),
                   static_cast<unsigned long long>(options.seed), static_cast<long long>(number),
                   options.history.empty() ? "" : (" --history " + options.history).c_str());
        }
    }
    PrintReasons(*sweep);
    PrintTable(table, rows);
    printf("%lld cases, %lld failures, %.1f s, seed %llu\n", static_cast<long long>(sweep->count),
           static_cast<long long>(failures), took.count(),
           static_cast<unsigned long long>(options.seed));
    return failures == 0 ? 0 : 1;
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

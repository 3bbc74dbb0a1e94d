// power_sweep.cc -- the power goes at any moment of a history; the journal on each disk that may be
// left holds what was acknowledged before, or is refused.
//
// A history differs a little from run to run (LevelDB has a thread), so a run that fails leaves its
// histories in a file, with which --case repeats.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>

#include "integrity/journal_check.h"
#include "integrity/power_model.h"
#include "integrity/sweeps.h"

namespace tercet
{
namespace
{

constexpr int64_t kDefaultCases = 5000;
constexpr size_t kLogBytesMax = 64 << 20;

// Strings and numbers in a file.
void Put(std::ostream *to, const std::string &text)
{
    const uint64_t size = text.size();
    to->write(reinterpret_cast<const char *>(&size), sizeof size);
    to->write(text.data(), static_cast<std::streamsize>(size));
}

std::string Get(std::istream *from)
{
    uint64_t size = 0;
    from->read(reinterpret_cast<char *>(&size), sizeof size);
    std::string text(from->good() ? size : 0, '\0');
    from->read(text.data(), static_cast<std::streamsize>(text.size()));
    return text;
}

void Save(const std::vector<History> &histories, const std::string &path)
{
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    for (const History &history : histories) {
        Put(&file, history.root());
        Put(&file, history.log());
        Put(&file, std::to_string(history.base().directories.size()));
        for (const std::string &directory : history.base().directories) {
            Put(&file, directory);
        }
        Put(&file, std::to_string(history.base().files.size()));
        for (const auto &one : history.base().files) {
            Put(&file, one.first);
            Put(&file, *one.second);
        }
    }
}

std::vector<History> Restore(const std::string &path, size_t count)
{
    std::vector<History> histories;
    std::ifstream file(path, std::ios::binary);
    for (size_t i = 0; i < count && file.good(); i++) {
        const std::string root = Get(&file);
        const std::string log = Get(&file);
        Image base;
        for (long left = strtol(Get(&file).c_str(), nullptr, 10); left > 0; left--) {
            base.AddDirectory(Get(&file));
        }
        for (long left = strtol(Get(&file).c_str(), nullptr, 10); left > 0; left--) {
            const std::string name = Get(&file);
            base.AddFile(name, Get(&file));
        }
        histories.emplace_back(base, root, log);
    }
    if (histories.size() != count) {
        fprintf(stderr, "%s holds no histories\n", path.c_str());
        _exit(70);
    }
    return histories;
}

// Lives the scenario once, watched.
History Record(const Scenario &scenario, const std::string &directory)
{
    static auto *const shim =
        static_cast<struct shim *>(SharedMemory(sizeof(struct shim) + kLogBytesMax));
    static auto *const progress = Shared<Progress>();
    Prepare(scenario.base, directory, progress);
    const Image base = ReadImage(directory);
    WriteImage(base, directory);
    *shim = {};
    snprintf(shim->root, sizeof shim->root, "%s", directory.c_str());
    shim->log_max = kLogBytesMax;
    new (progress) Progress();
    Ended ended;
    do {
        ended = RunForked(directory + ".stderr", [&] {
            shim_watch(shim);
            RunScript(scenario.script, directory, progress);
            return 0;
        });
    } while (ended.code == -SIGKILL && !ended.hung); // the script says so
    if (ended.code != 0 || shim->log_lost > 0) {
        fprintf(stderr, "\"%s\" ended with %d: %s\n", scenario.script.name().c_str(), ended.code,
                ended.text.c_str());
        _exit(70);
    }
    return History(base, directory,
                   std::string(reinterpret_cast<const char *>(shim->log),
                               static_cast<size_t>(shim->log_size)));
}

struct Case {
    size_t scenario;
    size_t moment;
    Data data;
    Names names;
};

Case CaseOf(const std::vector<History> &histories, int64_t number, Dice *dice)
{
    Case made;
    made.scenario = static_cast<size_t>(number) % histories.size();
    const size_t turn = static_cast<size_t>(number) / histories.size();
    made.moment = turn % (histories[made.scenario].size() + 1);
    made.data = static_cast<Data>(dice->Below(static_cast<uint64_t>(Data::kCount)));
    made.names = static_cast<Names>(dice->Below(static_cast<uint64_t>(Names::kCount)));
    return made;
}

Result RunCase(const std::vector<Scenario> &scenarios, const std::vector<History> &histories,
               int64_t number, const SweepOptions &options, const std::string &directory)
{
    Dice dice(options.seed, static_cast<uint64_t>(number));
    const Case of = CaseOf(histories, number, &dice);
    const Scenario &scenario = scenarios[of.scenario];
    const Disk disk = histories[of.scenario].At(of.moment, of.data, of.names, &dice);
    const Expected expected = {scenario.After(disk.acknowledged),
                               scenario.After(disk.acknowledged + 1)};
    WriteImage(disk.image, directory + "/j");
    const Result found = CheckJournal(directory + "/j", expected);
    return MakeResult(found.of, scenario.script.name() + ", call " + std::to_string(of.moment) +
                                    " " + disk.words + ", " + DataName(of.data) + ", " +
                                    NamesName(of.names) + ": " + found.text);
}

} // namespace

int SweepPowerLoss(const SweepOptions &options)
{
    const std::vector<Scenario> scenarios = FaultScenarios(options.seed);
    std::vector<History> histories;
    if (!options.history.empty()) {
        histories = Restore(options.history, scenarios.size());
    }
    for (size_t i = histories.size(); i < scenarios.size(); i++) {
        histories.push_back(Record(scenarios[i], options.directory + "/life" + std::to_string(i)));
    }
    for (size_t i = 0; i < scenarios.size(); i++) {
        printf("%s: %zu calls\n", scenarios[i].script.name().c_str(), histories[i].size());
    }
    std::vector<std::string> rows;
    for (uint32_t names = 0; names < static_cast<uint32_t>(Names::kCount); names++) {
        for (uint32_t data = 0; data < static_cast<uint32_t>(Data::kCount); data++) {
            rows.push_back(std::string(NamesName(static_cast<Names>(names))) + ", bytes " +
                           DataName(static_cast<Data>(data)));
        }
    }
    Sweep sweep;
    sweep.first = options.only >= 0 ? options.only : 0;
    sweep.count = options.only >= 0 ? 1 : CasesOf(options, kDefaultCases);
    sweep.run = [&](int64_t number, const std::string &directory) {
        return RunCase(scenarios, histories, number, options, directory);
    };
    sweep.kind_of = [&](int64_t number) {
        Dice dice(options.seed, static_cast<uint64_t>(number));
        const Case of = CaseOf(histories, number, &dice);
        return static_cast<uint32_t>(of.names) * static_cast<uint32_t>(Data::kCount) +
               static_cast<uint32_t>(of.data);
    };
    SweepOptions told = options;
    if (told.history.empty()) {
        told.history = "integrity-power.history";
    }
    const int code = RunAndTell(&sweep, told, rows);
    if (code != 0 && options.history.empty()) {
        Save(histories, told.history);
    }
    return code;
}

} // namespace tercet

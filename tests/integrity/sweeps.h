// sweeps.h -- what the three sweeps share: how they are asked for, and how they are told.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "integrity/journal_script.h"
#include "integrity/process.h"

namespace tercet
{

struct SweepOptions {
    std::string name;
    int64_t cases = 0;  // 0: the sweep's own number, or what the minutes allow
    double minutes = 0; // 0: until all cases are done
    uint64_t seed = 20261121;
    int64_t only = -1; // this case alone
    int jobs = 2;
    bool whole = false;    // io: every fault, not only EIO
    bool json = false;     // one object on the last line
    std::string tell;      // print the cases that have this in their text, too
    std::string history;   // power: of a file that a failed run left
    std::string directory; // for the cases; on a tmpfs
    std::string program;   // for the command that repeats a case
};

int SweepCorruption(const SweepOptions &options);
int SweepFaults(const SweepOptions &options);
int SweepPowerLoss(const SweepOptions &options);

// How many cases a sweep has that has no end of its own.
inline int64_t CasesOf(const SweepOptions &options, int64_t of_its_own)
{
    if (options.cases > 0) {
        return options.cases;
    }
    return options.minutes > 0 ? INT64_MAX / 2 : of_its_own;
}

// Runs it, prints a table of rows by classes and every failure; the exit code.
int RunAndTell(Sweep *sweep, const SweepOptions &options, const std::vector<std::string> &rows);

// Does what `script` says to `directory`, in a child; ends everything when that does not work.
void Prepare(const Script &script, const std::string &directory, Progress *progress);

} // namespace tercet

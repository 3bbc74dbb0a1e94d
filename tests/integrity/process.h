// process.h -- child processes: one whose end is awaited, and a pool that works through cases and
// outlives what kills or hangs a worker.
//
// The parent never opens a LevelDB: its background thread would not survive the fork.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace tercet
{

struct Ended {
    int code = 0;      // exit code, or -signal
    bool hung = false; // and was killed
    std::string text;  // the end of its standard error
};

// Runs `body` in a child; it ends with `body`'s result.
Ended RunForked(const std::string &error_path, const std::function<int()> &body);

// Memory that children share with us; zero at first.  Never given back.
void *SharedMemory(size_t size);
template <typename T> T *Shared()
{
    return static_cast<T *>(SharedMemory(sizeof(T)));
}

enum class Class : uint32_t {
    kNone,         // not run
    kComplete,     // all that was acknowledged is there
    kRefused,      // with a sentence, by an open
    kRefusedLater, // with a sentence: the process ended with 74 at the first look
    kNoJournal,    // none was acknowledged, and none is there
    kNoFault,      // the call that was to fail was never made
    kAborted,      // LevelDB's own assertion ended the process
    kSpoiled,      // refused, but what it was refused for is overwritten
    kForEver,      // refused, though the fault is gone and the directory was never damaged
    kCriedDamage,  // a passing fault was called damage: no supervisor starts it again
    kWordless,     // refused, but nothing says why
    kSilent,       // open with less than was acknowledged, or with something else
    kCrashed,
    kHung,
    kCount,
};
const char *ClassName(Class of);
bool IsFailure(Class of);

struct Result {
    Class of = Class::kNone;
    uint32_t kind = 0; // which row of the table
    uint32_t counted = 0;
    char text[400] = {};
};

Result MakeResult(Class of, const std::string &text);

// Runs cases first..first+count-1 by `jobs` workers; `run` gets the case and a directory of its
// worker's.  A worker's death is the result of its case; `kind_of` says which row that is.  What was
// not begun at `stop_at_s` is not run.
struct Sweep {
    int64_t first = 0;
    int64_t count = 0;
    int64_t stop_at_s = INT64_MAX; // of SecondsNow()
    int jobs = 2;
    std::string directory;
    std::function<Result(int64_t number, const std::string &directory)> run;
    std::function<uint32_t(int64_t number)> kind_of;
    // What --case takes to repeat it.
    std::function<int64_t(int64_t number)> number_of = [](int64_t number) { return number; };
    Result *results = nullptr; // shared; made by the first Run(): none after it may have more cases
    void Run();
};

int64_t SecondsNow(); // since the machine was started

} // namespace tercet

// enumerate.h -- every place where a coordinator can die, by counting, without any chance.
//
// One transaction in a calm world.  At each append, sync, send, answer and reply the enumeration is
// asked, before and after, whether the coordinator dies there; after a crash whether the unsynced
// batch is on disk.  The answers are a counter: run by run the last answer that can still change is
// changed, until there is none (as a number is counted up, digit by digit).  A second crash is thereby
// counted from the first one's recovery, and every case is judged by the judge of all other runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulation/scene.h"

namespace simulation
{

// The counter.
class Choices
{
  public:
    // 0 to `count` - 1, all of them over the runs.
    uint32_t Choose(uint32_t count);
    // To the next run; false: that was the last.
    bool Next();
    // So many were made in this run.
    size_t made() const
    {
        return at_;
    }
    std::string Text() const; // of this run, to name it
    // The next run is the one of that name.
    void Preset(const std::string &text);

  private:
    struct Choice {
        uint32_t taken;
        uint32_t count;
    };
    std::vector<Choice> choices_;
    size_t at_ = 0;
};

enum class Story : uint8_t { COMMIT, REFUSAL, DEADLINE, CANCEL, COUNT };

struct EnumerateOptions {
    uint32_t crashes = 2;          // at most so many in one run
    uint32_t branches = 4;         // 1 to so many
    bool participants_die = false; // they too, counted among the crashes
    Story only = Story::COUNT;     // COUNT: all stories
};

// "commit", "refusal", ...; COUNT: there is no such story.
Story FindStory(const char *name);

struct EnumerateResult {
    uint64_t cases = 0;
    Tally tally;
    std::string report; // a line for each story
    std::string fault;  // the first, with its case
};

EnumerateResult Enumerate(const EnumerateOptions &options);

// One case of options.only with options.branches, every event as a line.  True: nothing was found.
bool ReplayCase(const EnumerateOptions &options, const std::string &choices, std::string *fault);

} // namespace simulation

// journal_script.h -- what a process does with a journal, as data: so that what must be there after
// any number of acknowledged writes is known without asking a journal.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tercet
{

constexpr int64_t kScriptNow = 1800000000000; // 2027-01-15 08:00:00 UTC
constexpr int64_t kScriptDay = 24 * 3600 * 1000LL;

struct Step {
    enum Kind { kInit, kOpen, kWrite, kSettle, kLook, kClose, kSnapshot, kKill };
    Kind kind = kWrite;
    // kWrite
    std::vector<std::pair<std::string, std::string>> puts; // keys begin with "t/"
    std::vector<std::string> deletes;
    std::vector<std::pair<std::string, int64_t>> outcomes; // gid, when it ended
    // kOpen, kSettle
    int64_t now = kScriptNow;
    int64_t keep_ms = 7 * kScriptDay;
};

// What a journal holds.
struct Truth {
    bool made = false;
    std::map<std::string, std::string> pairs;
    std::map<std::string, int64_t> outcomes;
    int64_t may_be_gone_before = 0; // outcomes that ended before this may have expired
};

// In memory that the parent shares: how far a process has come.
struct Progress {
    std::atomic<int64_t> begun;        // acknowledgeable steps (init, writes) that were begun
    std::atomic<int64_t> acknowledged; // and those that returned
    std::atomic<bool> ended;           // the script came to its end
    int64_t state_count;               // kSnapshot: how many were taken
    int64_t next_step;                 // where the next process goes on, after a kKill
};

class Script
{
  public:
    // `sequence`: of the last transaction that somebody else began before.
    Script(std::string name, uint64_t seed, int64_t sequence = 0);

    const std::string &name() const
    {
        return name_;
    }
    std::vector<Step> steps;

    // What must be there once that many steps are acknowledged, on top of what was.
    Truth After(int64_t acknowledged, Truth before = {}) const;
    int64_t AcknowledgeableCount() const;

    // Making one.
    Script &Init();
    Script &Open(int64_t keep_ms = 7 * kScriptDay);
    Script &Do(Step::Kind kind, int64_t now = kScriptNow);
    Script &Write(int count, size_t bytes_max);
    Script &Outcomes(int count, int64_t ended); // in one write

  private:
    uint64_t Below(uint64_t bound);

    std::string name_;
    uint64_t random_;
    int64_t sequence_;
    int64_t keep_ms_ = 7 * kScriptDay;
    std::vector<std::string> live_; // keys that may be deleted
};

// Exit codes of a script whose journal refuses: for damage, as tercetd's, and for anything else.
constexpr int kDamageCode = 65;
constexpr int kRefusalCode = 3;

// Runs it in this process; leaves it when the journal refuses.  Snapshots are copies
// of the directory, at `directory`.0 and so on.  Behind a kKill another process goes on.
void RunScript(const Script &script, const std::string &directory, Progress *progress);

// The value under which the journal keeps that outcome.
std::string OutcomeValue(const std::string &gid, int64_t ended);

// The scripts of the sweeps.  Those of power loss and I/O faults go on from where `base` ends.
std::vector<Script> CorruptionScripts(uint64_t seed);
struct Scenario {
    Script base; // done without faults; its end is on disk
    Script script;
    Truth After(int64_t acknowledged) const
    {
        return script.After(acknowledged, base.After(base.AcknowledgeableCount()));
    }
};
std::vector<Scenario> FaultScenarios(uint64_t seed);

} // namespace tercet

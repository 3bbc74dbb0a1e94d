// stage.h -- the processes: one coordinator, its journal, four participants with their books; killed,
// started again, and armed with failpoints.
#pragma once

#include <array>
#include <random>
#include <string>

extern "C" {
#include "bench/process.h"
}
#include "kill/ledger.h"

namespace kill_campaign
{

constexpr int PARTICIPANTS = 4;

class Stage
{
  public:
    // In a directory of its own under `parent`; `self` is this program, which is also the participant.
    Stage(const std::string &parent, const std::string &self);
    ~Stage(); // stops what runs; the directory stays when Keep() was called
    Stage(const Stage &) = delete;
    Stage &operator=(const Stage &) = delete;

    void Keep()
    {
        keep_ = true;
    }

    // SIGKILL, and the start that follows it.  `failpoints` arms the new process.
    void KillCoordinator();
    void KillParticipant(int i);
    void StartCoordinator(const std::string &failpoints = "");
    void StartParticipant(int i, const std::string &failpoints = "");

    // Starts again, without failpoints, whoever died by one.  How many had.
    int Revive();

    std::string Listen() const
    {
        return "unix:" + directory_ + "/tercetd";
    }
    const std::string &directory() const
    {
        return directory_;
    }
    std::string Database(int i) const
    {
        return directory_ + "/" + Name(i) + ".db";
    }
    static std::string Name(int i)
    {
        return "p" + std::to_string(i);
    }

  private:
    void Start(process *made, const char *const *arguments, const std::string &log,
               const std::string &failpoints);

    std::string directory_, self_;
    process coordinator_{};
    std::array<process, PARTICIPANTS> participants_{};
    bool keep_ = false;
};

} // namespace kill_campaign
